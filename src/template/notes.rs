//! What templates note for the user while they are evaluated.

/// A way of writing that will stop working.
#[derive(Debug, Clone)]
pub struct Deprecation {
    /// The message: it names the text, and the form to write instead.
    pub message: String,
    /// The entry of the task result, in the words of Ansible; `None` if it gets none.
    pub rule: Option<&'static str>,
}

/// Notes that have not been told yet; warnings each once.
#[derive(Debug, Default)]
pub struct TemplateNotes {
    /// Warnings.
    pub warnings: Vec<String>,
    /// Ways of writing that will stop working, one for each time that one was met.
    pub deprecations: Vec<Deprecation>,
}

impl TemplateNotes {
    /// Adds a warning.
    pub(super) fn add_warning(&mut self, message: String) {
        if !self.warnings.contains(&message) {
            self.warnings.push(message);
        }
    }

    /// Adds a way of writing that will stop working.
    pub(super) fn add_deprecation(&mut self, deprecation: Deprecation) {
        self.deprecations.push(deprecation);
    }
}
