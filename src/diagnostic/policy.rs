//! What is done about something that may be a mistake.

/// Settings decide: it is reported, refused, or ignored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reaction {
    /// A warning.
    #[default]
    Warn,
    /// An error.
    Refuse,
    /// Nothing.
    Ignore,
}

impl Reaction {
    /// The word of a setting; any other word is a warning.
    pub fn from_word(word: &str) -> Self {
        match word {
            "error" => Self::Refuse,
            "ignore" => Self::Ignore,
            _ => Self::Warn,
        }
    }
}
