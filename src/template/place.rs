//! From offsets in a template to places in a file.

use super::tree::At;
use crate::source::Span;
use crate::value::Text;

/// Where a template stands.
#[derive(Debug, Clone, Default)]
pub struct Place {
    origin: Option<Span>,
    /// The file has the template's text letter by letter (no YAML escapes or folding), so offsets carry over.
    exact: bool,
}

impl Place {
    /// The place of a text.
    pub fn of(text: &Text) -> Self {
        match text.origin() {
            Some(origin) => {
                let written = origin.text();
                Self { exact: written == text.as_str(), origin: Some(origin.clone()) }.or_inside_quotes(written, text)
            }
            None => Self::default(),
        }
    }

    /// The span may cover the quotes around a scalar.
    fn or_inside_quotes(mut self, written: &str, text: &str) -> Self {
        let inner = written.len().checked_sub(2).and_then(|end| written.get(1..end + 1));
        if !self.exact
            && inner == Some(text)
            && let Some(origin) = &self.origin
        {
            self.origin = Some(origin.part(1..written.len() - 1));
            self.exact = true;
        }
        self
    }

    /// The place of a part.
    pub fn span(&self, at: &At) -> Option<Span> {
        let origin = self.origin.as_ref()?;
        Some(if self.exact { origin.part(at.clone()) } else { origin.clone() })
    }

    /// The folder that the template's file is in.
    pub fn folder(&self) -> Option<std::path::PathBuf> {
        let name = self.origin.as_ref()?.source().name().to_owned();
        std::path::Path::new(&name).parent().map(std::path::Path::to_path_buf)
    }
}
