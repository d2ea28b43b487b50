//! What completion offers.

use lsp_types::CompletionItemKind;

/// Something to choose.
pub struct Choice {
    /// Text that is put in.
    pub insert: String,
    /// Text that is shown and matched.
    pub label: String,
    /// Kind, for the picture beside it.
    pub kind: CompletionItemKind,
    /// One sentence.
    pub about: String,
    /// Smaller ones come first.
    pub rank: u8,
}

impl Choice {
    /// A word that is put in as it is.
    pub fn new(label: &str, kind: CompletionItemKind, about: &str) -> Self {
        Self { insert: label.to_owned(), label: label.to_owned(), kind, about: about.to_owned(), rank: 5 }
    }

    /// A key with what follows it.
    pub fn key(label: &str, kind: CompletionItemKind, about: &str, after: &str) -> Self {
        Self { insert: format!("{label}{after}"), ..Self::new(label, kind, about) }
    }

    /// With another rank.
    #[must_use]
    pub fn ranked(self, rank: u8) -> Self {
        Self { rank, ..self }
    }
}
