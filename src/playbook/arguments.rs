//! The module of a task with its arguments, in all the ways in which they can be written.

use super::action::{RawArgs, TaskAction, resolve_in_collections, resolve_name, unknown_module};
use super::freeform;
use super::loader::Loader;
use super::{LoadError, LoadResult};
use crate::diagnostic::Diagnostic;
use crate::modules::{self, spec::FreeForm};
use crate::source::Span;
use crate::value::{Dict, Text, Value};
use crate::yaml::{MappingEntry, YamlNode};

/// Whether a key says that the module is named in its value.
pub fn is_action(name: &str) -> bool {
    matches!(name, "action" | "local_action")
}

impl Loader {
    /// The action of an entry, with its arguments.
    pub(super) fn read_action(
        &self,
        entry: &MappingEntry,
        args: Option<&YamlNode>,
        collections: &[String],
    ) -> LoadResult<(TaskAction, RawArgs)> {
        let key = entry.key.as_str().unwrap_or_default();
        let (name, mut raw) = if is_action(key) {
            self.action_value(entry)?
        } else {
            let span = entry.key.span().clone();
            let name = Text::from_source(key, span.clone());
            let args = self.read_arguments(key, &entry.value)?;
            (name, args)
        };
        let templated = is_action(key) && name.is_template();
        let full = match resolve_name(&name).or_else(|| resolve_in_collections(&name, collections)) {
            Some(full) => full,
            None if templated => String::new(),
            None if matches!(&*name, "include" | "ansible.builtin.include") => {
                let message = Diagnostic::error(format!("`{}` has been removed from the language", name.as_str()));
                let message = message.at(entry.key.span(), "").hint("use `include_tasks` or `import_tasks`");
                return Err(Box::new(LoadError::from_general(message)));
            }
            // Ansible looks for it only when the task runs, which need not come to pass.
            None if is_action(key) => name.as_str().to_owned(),
            None => return Err(unknown_module(&name, entry.key.span()).into()),
        };
        if let Some(args) = args.filter(|args| !args.is_null()) {
            match args.to_value() {
                Value::Dict(more) => {
                    let mut merged = (*more).clone();
                    merged.extend(&raw.values);
                    raw.values = merged;
                }
                Value::Str(text) if text.is_template() => raw.template = Some(Value::Str(text)),
                _ => {
                    return Err(Diagnostic::error(format!("`args` must be a mapping, not {}", args.description()))
                        .at(args.span(), "")
                        .into());
                }
            }
        }
        if let Some(name) = raw.values.keys().filter_map(Value::as_str).find(|name| name.starts_with("_ansible_")) {
            return Err(Box::new(LoadError::from_general(
                Diagnostic::error(format!(
                    "`{name}` cannot be a parameter: the prefix '_ansible_' is reserved for internal use only."
                ))
                .at(&raw.span, ""),
            )));
        }
        Ok((TaskAction { written: name, full }, raw))
    }

    /// `action: MODULE key=value` or `action: {module: MODULE, key: value}`.
    fn action_value(&self, entry: &MappingEntry) -> LoadResult<(Text, RawArgs)> {
        let (key, value) = (entry.key.as_str().unwrap_or_default(), &entry.value);
        if let Some(entries) = value.entries() {
            let Some(module) = value.get("module").filter(|node| node.as_str().is_some()) else {
                return Err(Diagnostic::error(format!("`{key}` needs to name a `module`")).at(value.span(), "").into());
            };
            let mut values: Dict = entries
                .iter()
                .filter(|e| e.key.as_str() != Some("module"))
                .map(|e| (e.key.to_value(), e.value.to_value()))
                .collect();
            let (name, more) = self.named_text(module.as_str().unwrap_or_default(), module.span())?;
            values.extend(&more);
            // Arguments may also be kept together.
            match values.remove("args") {
                Some(Value::Dict(more)) => values.extend(&more),
                Some(Value::Str(text)) => values.extend(&self.free_text(&name, &text, value.span())?),
                _ => {}
            }
            return Ok((
                name,
                RawArgs { values, template: None, node: Some(value.clone()), span: value.span().clone() },
            ));
        }
        let Some(text) = value.as_str() else {
            return Err(Diagnostic::error(format!("`{key}` must name a module, not be {}", value.description()))
                .at(value.span(), "")
                .into());
        };
        let (name, values) = self.named_text(text, value.span())?;
        Ok((name, RawArgs { values, template: None, node: None, span: value.span().clone() }))
    }

    /// A module's name and its arguments in one text. A template is one word, whatever blanks are in it.
    fn named_text(&self, text: &str, span: &Span) -> LoadResult<(Text, Dict)> {
        let text = text.trim();
        let words = freeform::split_args(text).map_err(|problem| unclosed_quote(problem, text, span))?;
        let name = Text::from_source(words.first().map_or("", |word| word.trim()), span.clone());
        let values = self.free_text(&name, text[name.len()..].trim(), span)?;
        Ok((name, values))
    }

    /// The arguments after a module's key.
    fn read_arguments(&self, module: &str, value: &YamlNode) -> LoadResult<RawArgs> {
        let span = value.span().clone();
        let values = match value.to_value() {
            Value::Dict(dict) => (*dict).clone(),
            Value::Null => Dict::new(),
            Value::Str(text) => self.free_text(module, &text, value.span())?,
            _ => {
                return Err(Diagnostic::error(format!(
                    "the arguments of `{module}` must be a mapping, not {}",
                    value.description()
                ))
                .at(value.span(), "")
                .hint("write `parameter: value` pairs without dashes")
                .into());
            }
        };
        Ok(RawArgs { values, template: None, node: value.entries().map(|_| value.clone()), span })
    }

    /// Free text after a module's name as arguments.
    fn free_text(&self, module: &str, text: &str, span: &Span) -> LoadResult<Dict> {
        let spec = modules::find_module(module).map(modules::TaskModule::module_spec);
        let raw_options = spec.filter(|spec| spec.free_form == FreeForm::Raw).map(|_| freeform::RAW_OPTIONS);
        let written = |text: String| Value::Str(Text::from_source(text, span.clone()));
        let freeform::Pairs { pairs, rest } =
            freeform::parse_pairs(text, raw_options).map_err(|problem| unclosed_quote(problem, text, span))?;
        let mut values = Dict::new();
        for (name, value) in pairs {
            // The name may be a template too (`set_fact`).
            values.insert(written(name), written(value));
        }
        if let Some(rest) = rest.filter(|rest| !rest.trim().is_empty()) {
            // Builtin modules say that they take no free text when they run, as Ansible's do. What a template
            // comes to may be a mapping of arguments; that is seen when it is known.
            let pairs_only = spec.is_some_and(|spec| spec.free_form == FreeForm::Pairs && spec.is_of_registry());
            if pairs_only && !rest.trim_start().starts_with("{{") {
                return Err(Diagnostic::error(format!("`{module}` takes `parameter=value` pairs, not free text"))
                    .at(span, format!("`{}` is not a pair", rest.trim()))
                    .hint(match crate::modules::args::colon_without_blank(&rest) {
                        Some(fixed) => format!("write a blank after the colon: `{fixed}`"),
                        None => "write the arguments as a mapping below the module's name".to_owned(),
                    })
                    .into());
            }
            values.set("_raw_params", written(rest));
        }
        Ok(values)
    }
}

fn unclosed_quote(problem: freeform::FreeformError, text: &str, span: &Span) -> Diagnostic {
    let place = if span.text().contains(text) { span.sub_span(problem.range) } else { span.clone() };
    Diagnostic::error(problem.message).at(&place, "").hint("quotes and `{{ }}` must be closed")
}
