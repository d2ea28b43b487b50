//! Tasks whose module is not part of this program.

use super::{Announced, Lint};
use crate::diagnostic::Diagnostic;
use crate::modules::{Spec, foreign};
use crate::playbook::Task;

impl Lint<'_> {
    /// Names the file of a foreign module, and the option that it needs.
    pub(super) fn check_bridge(&mut self, task: &Task, spec: &Spec) {
        let (Some(file), Some(module)) = (spec.file, foreign::find_foreign(spec.name)) else { return };
        let name = spec.told_name();
        let message =
            Diagnostic::warning(format!("the module `{name}` is not part of ionplay; it runs through the bridge"));
        let message = message.at(&task.span, "").note(format!("its file is `{file}`"));
        if module.needs_python() {
            let hint = "it is written in Python: run with `--allow-python`, or set `allow_python_modules = true`";
            self.add(message.hint(hint), Announced::WithoutPython);
        } else {
            self.add(message, Announced::ByLintOnly);
        }
        if let Some(plugin) = module.action_plugin() {
            let message = format!("the action plugin of `{name}` is not run, only the module itself");
            let message = Diagnostic::warning(message).at(&task.span, "");
            self.add(message.note(format!("it is `{}`", plugin.display())), Announced::ByLintOnly);
        }
    }
}
