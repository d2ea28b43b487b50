//! Arguments that a module cannot accept, whatever the variables are.

use super::{Lint, is_open};
use crate::diagnostic::Diagnostic;
use crate::diagnostic::characters::{explain_odd_character, has_hidden_character, is_in_typographic_quotes};
use crate::modules::spec::{FreeForm, ParamKind};
use crate::modules::{Spec, args};
use crate::playbook::{Keyword, Task};
use crate::value::{Value, python};

/// Whether permissions are such as files have: the group has no more than the owner, others no more than the group, and
/// each of them that has any may read.
/// `mode: 420` may be meant, which is 0644.
fn is_usual_mode(mode: i64) -> bool {
    let [owner, group, others] = [mode >> 6, mode >> 3, mode].map(|bits| bits & 7);
    let reads = |bits: i64| bits == 0 || bits & 4 != 0;
    mode <= 0o777 && [owner, group, others].into_iter().all(reads) && group & !owner == 0 && others & !group == 0
}

/// Whether a place of a command line stands between quotes, as a shell reads them.
fn is_inside_quotes(line: &str, at: usize) -> bool {
    let mut open = None;
    let mut signs = line[..at].chars();
    while let Some(sign) = signs.next() {
        match (open, sign) {
            (None | Some('"'), '\\') => drop(signs.next()),
            (None, '\'' | '"') => open = Some(sign),
            (Some(quote), _) if quote == sign => open = None,
            _ => {}
        }
    }
    open.is_some()
}

impl Lint<'_> {
    pub(super) fn check_arguments(&mut self, task: &Task, spec: &'static Spec) {
        let more = !task.keyword_all(Keyword::ModuleDefaults).is_empty() || task.args.template.is_some();
        if self.check_free_text(task, spec) {
            return;
        }
        match &task.args.node {
            Some(node) => {
                let found = args::check_names(spec, node, more);
                found.into_iter().for_each(|message| self.report_message(message));
            }
            None => self.check_pair_names(task, spec),
        }
        if !more && !self.has_unknown_names(task, spec) {
            self.check_needs(task, spec);
        }
        self.check_fact_names(task);
        self.check_texts(task, spec);
        self.check_pasted_text(task, spec);
        self.check_mode(task, spec);
    }

    /// Permissions that look octal and are decimal: `mode: 644`.
    fn check_mode(&mut self, task: &Task, spec: &Spec) {
        for name in ["mode", "directory_mode"] {
            let node = task.args.node.as_ref().and_then(|node| node.get(name));
            let Some((node, Value::Int(number))) = node.and_then(|node| Some((node, node.scalar()?))) else { continue };
            let written = node.span().text();
            let looks_octal = matches!(written.len(), 3 | 4)
                && !written.starts_with('0')
                && written.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
            if looks_octal && !is_usual_mode(*number) && spec.find_param(name).is_some() {
                let summary =
                    format!("`{name}: {written}` is a decimal number, which means mode {:04o}", number & 0o7777);
                let hint = format!("put it in quotes: `{name}: \"0{written}\"`");
                self.report_message(Diagnostic::warning(summary).at(node.span(), "").hint(hint));
            }
        }
    }

    /// Typographic quotes round a value, and entities of HTML where code is expected.
    fn check_pasted_text(&mut self, task: &Task, spec: &Spec) {
        let prose = ["debug", "fail", "assert", "pause", "set_fact", "copy", "lineinfile", "blockinfile", "uri"];
        let code = ["command", "shell", "raw", "script"].contains(&task.action.short_name()) || spec.is_of_registry();
        for (name, value) in task.args.values.iter() {
            let Value::Str(text) = value else { continue };
            let node = task.args.node.as_ref().and_then(|node| node.get(name.as_str().unwrap_or_default()));
            let place = node.map_or(&task.args.span, |node| node.span());
            let quoted = is_in_typographic_quotes(text) && !prose.contains(&task.action.short_name());
            if let Some(remedy) = explain_odd_character(text).filter(|_| quoted) {
                let summary = format!("`{}` is in typographic quotes, which are part of the value", text.as_str());
                self.report_message(Diagnostic::warning(summary).at(place, "").hint(remedy));
            }
            if let Some(remedy) =
                explain_odd_character(text).filter(|_| spec.is_of_registry() && has_hidden_character(text))
            {
                let summary =
                    format!("the value of `{}` differs from what it looks like", name.as_str().unwrap_or_default());
                self.report_message(Diagnostic::warning(summary).at(place, "").hint(remedy));
            }
            if let Some(range) = crate::intake::first_entity(text).filter(|_| code) {
                let entity = &text[range.clone()];
                let summary = format!("`{entity}` is an HTML entity; the page was copied with its source text");
                // Inside quotes an entity may be meant; outside of them no shell understands it.
                let is_meant = spec.is_of_registry() || is_inside_quotes(text, range.start);
                let message = if is_meant { Diagnostic::warning(summary) } else { Diagnostic::error(summary) };
                self.report_message(
                    message.at(place, "").hint("write the character itself, such as `&&` for `&amp;&amp;`"),
                );
            }
        }
    }

    /// Free text after a module that takes none. Gives whether it was reported.
    fn check_free_text(&mut self, task: &Task, spec: &Spec) -> bool {
        let Some(value) = task.args.values.get("_raw_params") else { return false };
        let Some(text) = value.as_str().filter(|_| spec.free_form == FreeForm::Pairs && !is_open(value)) else {
            return false;
        };
        let name = task.action.written.as_str();
        let message =
            Diagnostic::error(format!("`{name}` takes `parameter: value` pairs, not the text `{}`", text.trim()));
        let message = message.at(&task.args.span, "");
        self.report_message(match args::colon_without_blank(text) {
            Some(fixed) => message.hint(format!("write a blank after the colon: `{fixed}`")),
            None => message
                .hint(format!("write the arguments below `{name}:`, indented deeper, one `parameter: value` a line")),
        });
        true
    }

    /// Unknown names among `name=value` pairs.
    fn check_pair_names(&mut self, task: &Task, spec: &Spec) {
        let known: Vec<&str> = spec
            .all_params()
            .flat_map(|param| std::iter::once(param.name).chain(param.aliases.iter().copied()))
            .collect();
        if spec.any_params && !spec.late_names {
            return;
        }
        for name in task.args.values.keys().filter_map(Value::as_str) {
            if !name.starts_with('_') && !known.contains(&name) && !crate::value::has_template_markers(name) {
                let message = Diagnostic::error(format!("Unsupported parameters for ({}) module: {name}", spec.name));
                self.report_message(message.at(&task.args.span, "").suggest(name, &known));
            }
        }
    }

    fn has_unknown_names(&self, task: &Task, spec: &Spec) -> bool {
        let mut names = task.args.values.keys().filter_map(Value::as_str);
        (!spec.any_params || spec.late_names)
            && names.any(|name| !name.starts_with('_') && spec.find_param(name).is_none())
    }

    /// Parameters that the module itself looks for when it runs.
    fn check_needs(&mut self, task: &Task, spec: &Spec) {
        let required =
            spec.all_params().filter(|param| param.required && task.args.node.is_none()).map(|param| vec![param.name]);
        let groups: Vec<Vec<&str>> = spec.needs.iter().map(|group| group.to_vec()).chain(required).collect();
        for group in groups {
            let given = group.iter().filter_map(|name| spec.find_param(name)).any(|param| {
                std::iter::once(&param.name).chain(param.aliases).any(|name| task.args.values.get(name).is_some())
            });
            if !given {
                let names = group.join("` or `");
                let message = Diagnostic::error(format!(
                    "`{}` needs the parameter `{names}`: it is required",
                    task.action.written.as_str()
                ));
                self.report_message(message.at(&task.args.span, "").hint(format!("add `{}: VALUE`", group[0])));
            }
        }
    }

    /// Names of facts that cannot be variables.
    fn check_fact_names(&mut self, task: &Task) {
        if task.action.short_name() != "set_fact" {
            return;
        }
        for name in task.args.values.keys() {
            let Some(text) = name.as_str().filter(|text| *text != "cacheable" && !is_open(name)) else { continue };
            if text == "_raw_params" || crate::value::is_variable_name(text) {
                continue;
            }
            let entry = task.args.node.as_ref().and_then(|node| node.entry(text));
            let place = entry.map_or(&task.args.span, |entry| entry.key.span());
            let message = Diagnostic::error(format!("`{text}` is not a valid variable name")).at(place, "");
            let fixed: String = text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
            self.report_message(if crate::value::is_variable_name(&fixed) {
                message.hint(format!("use underscores: `{fixed}`"))
            } else {
                message.hint("use letters, digits and underscores, not beginning with a digit")
            });
        }
    }

    /// Booleans where text belongs: YAML reads `yes`, `no`, `on` and `off` without quotes as booleans.
    fn check_texts(&mut self, task: &Task, spec: &Spec) {
        let Some(node) = task.args.node.as_ref().filter(|_| spec.is_of_registry()) else { return };
        for entry in node.entries().unwrap_or_default() {
            let param = entry.key.as_str().and_then(|name| spec.find_param(name));
            let Some(param) = param.filter(|param| param.kind == ParamKind::Str && param.choices.is_empty()) else {
                continue;
            };
            let Some(value @ Value::Bool(_)) = entry.value.scalar() else { continue };
            let written = entry.value.span().text();
            let message = Diagnostic::warning(format!(
                "`{written}` without quotes is a boolean, so `{}` becomes `{}`",
                param.name,
                python::str(value)
            ));
            self.report_message(
                message.at(entry.value.span(), "").hint(format!("put it in quotes: `{}: \"{written}\"`", param.name)),
            );
        }
    }
}
