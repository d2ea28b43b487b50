//! What is told to people when something is wrong: a summary, the places, and what to do.
//!
//! Every room has its own error type; all of them turn into a [`Diagnostic`] on their way out. Drawing is in
//! [`render`], so nothing else decides how a message looks.

pub mod characters;
mod fold;
pub mod json;
mod policy;
pub mod render;

pub use fold::fold_repeated;
pub use policy::Reaction;

use crate::source::Span;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The run cannot go on, or the task has failed.
    Error,
    /// The run goes on, but the user should know.
    Warning,
    /// A way of writing that will stop working in a later version of the language.
    Deprecation,
}

/// A place in a source and what is to be said about it.
#[derive(Debug, Clone)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// Said beside the caret; may be empty.
    pub text: String,
}

/// One message for people.
///
/// The summary is one sentence in lower case without a full stop, names in backticks; hints say what to do.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// One sentence on the problem.
    pub summary: String,
    /// Where; the first is the place itself, others explain it.
    pub labels: Vec<Label>,
    /// Further places of the same, listed and not drawn.
    pub also: Vec<Span>,
    /// Further facts, each a sentence or a list with one line for each member.
    pub notes: Vec<String>,
    /// Remedies, each a sentence.
    pub hints: Vec<String>,
}

/// Several messages, in the order in which they are told.
pub type Report = Vec<Diagnostic>;

impl From<String> for Diagnostic {
    /// An error without a place.
    fn from(summary: String) -> Self {
        Self::error(summary)
    }
}

impl From<&str> for Diagnostic {
    /// An error without a place.
    fn from(summary: &str) -> Self {
        Self::error(summary)
    }
}

impl Diagnostic {
    /// An error.
    pub fn error(summary: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            summary: summary.into(),
            labels: Vec::new(),
            also: Vec::new(),
            notes: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// A warning.
    pub fn warning(summary: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(summary) }
    }

    /// A deprecation notice.
    pub fn deprecation(summary: impl Into<String>) -> Self {
        Self { severity: Severity::Deprecation, ..Self::error(summary) }
    }

    /// Adds a place with a remark beside it (which may be empty).
    #[must_use]
    pub fn at(mut self, span: &Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span: span.clone(), text: text.into() });
        self
    }

    /// Adds a place if one is known.
    #[must_use]
    pub fn at_some(self, span: Option<&Span>, text: impl Into<String>) -> Self {
        match span {
            Some(span) => self.at(span, text),
            None => self,
        }
    }

    /// Adds a further fact.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds what the user can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds "did you mean" if one of the candidates is near.
    #[must_use]
    pub fn suggest<'a, I, S>(self, wanted: &str, candidates: I) -> Self
    where
        I: IntoIterator<Item = &'a S>,
        S: AsRef<str> + ?Sized + 'a,
    {
        match crate::suggest::find_nearest(wanted, candidates) {
            Some(name) => self.hint(format!("did you mean `{name}`?")),
            None => self,
        }
    }

    /// The first place, if there is one.
    pub fn span(&self) -> Option<&Span> {
        self.labels.first().map(|label| &label.span)
    }

    /// Puts what was being done before the summary.
    #[must_use]
    pub fn during(mut self, doing: impl std::fmt::Display) -> Self {
        self.summary = format!("{doing}: {}", self.summary);
        self
    }

    /// The same message as a warning.
    #[must_use]
    pub fn into_warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// One line without a picture: the summary and the hints, for results and logs.
    pub fn one_line(&self) -> String {
        let mut line = self.summary.clone();
        for hint in &self.hints {
            line.push_str(if line.ends_with(['.', '?', '!']) { " " } else { "; " });
            line.push_str(hint);
        }
        line
    }
}
