//! Tasks whose module is not part of this program.

use super::{Announced, Lint};
use crate::diagnostic::Diagnostic;
use crate::modules::{Spec, foreign};
use crate::playbook::Task;
use crate::template::TemplateError;
use crate::value::UndefinedCause;

impl Lint<'_> {
    /// Names the file of a plugin that a template uses and that is written in Python.
    pub(super) fn explain_plugin(fault: TemplateError) -> TemplateError {
        let Some(UndefinedCause::UnknownPlugin { kind, name }) = fault.cause.as_deref() else { return fault };
        match foreign::current_search().find_plugin(kind, name) {
            Some(file) => {
                let hint = format!("`{}` defines it in Python; such plugins are not bridged", file.display());
                TemplateError { hints: vec![hint], ..fault }
            }
            None => fault,
        }
    }

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
