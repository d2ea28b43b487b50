//! What templates note for the user while they are evaluated.

/// Notes that have not been told yet, each once.
#[derive(Debug, Default)]
pub struct TemplateNotes {
    /// Warnings.
    pub warnings: Vec<String>,
    /// Ways of writing that will stop working.
    pub deprecations: Vec<String>,
}

impl TemplateNotes {
    /// Adds a warning.
    pub(super) fn add_warning(&mut self, message: String) {
        add_once(&mut self.warnings, message);
    }

    /// Adds a way of writing that will stop working.
    pub(super) fn add_deprecation(&mut self, message: String) {
        add_once(&mut self.deprecations, message);
    }
}

fn add_once(list: &mut Vec<String>, message: String) {
    if !list.contains(&message) {
        list.push(message);
    }
}
