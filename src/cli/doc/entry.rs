//! Entries of the reference for machines and for fingers: JSON as `ansible-doc --json` has it, and tasks to be filled in.

use serde_json::{Map, Value as Json, json};

use crate::modules::spec::{Param, ParamKind};
use crate::modules::{MODULES, Spec};
use crate::reference::module::{render_module, returned_values};
use crate::reference::plugin::find_plugin;
use crate::reference::topic::{Topic, Topics};

/// One thing that the reference knows.
#[derive(Clone, Copy)]
pub enum Entry {
    /// A module.
    Module(&'static Spec),
    /// Another thing, and its sort.
    Topic(Topics, Topic),
}

/// All modules, or all things of a sort.
pub fn list_entries(topics: Option<Topics>) -> Vec<Entry> {
    match topics {
        None => MODULES.iter().map(|module| Entry::Module(module.module_spec())).collect(),
        Some(topics) => topics.list_rows().into_iter().map(|row| Entry::Topic(topics, row)).collect(),
    }
}

/// One line for each entry: its name and a sentence.
pub fn names_text(entries: &[Entry]) -> String {
    let width = entries.iter().map(|entry| entry.name().len()).max().unwrap_or(0);
    entries.iter().map(|entry| format!("{:width$}  {}\n", entry.name(), entry.about())).collect()
}

/// A mapping of names to sentences.
pub fn names_json(entries: &[Entry]) -> String {
    let all: Map<String, Json> = entries.iter().map(|entry| (entry.name().to_owned(), entry.about().into())).collect();
    format!("{:#}\n", Json::Object(all))
}

/// A mapping of names to all that is known of them.
pub fn entries_json(entries: &[Entry]) -> String {
    let all: Map<String, Json> = entries.iter().map(|entry| (entry.name().to_owned(), entry.describe_json())).collect();
    format!("{:#}\n", Json::Object(all))
}

impl Entry {
    fn name(&self) -> &'static str {
        match self {
            Self::Module(spec) => spec.name,
            Self::Topic(_, row) => row.name,
        }
    }

    fn about(&self) -> &'static str {
        match self {
            Self::Module(spec) => spec.about,
            Self::Topic(_, row) => row.about,
        }
    }

    /// The page in the terminal.
    pub fn render_page(&self) -> String {
        match self {
            Self::Module(spec) => render_module(spec),
            Self::Topic(topics, row) => super::describe_topic(*topics, row),
        }
    }

    /// A task with all parameters; optional ones are comments. Of other things, how they are written.
    pub fn render_snippet(&self) -> String {
        let spec = match self {
            Self::Module(spec) => spec,
            Self::Topic(topics, row) => return format!("{}\n", topics.usage_of(row.name)),
        };
        let mut out = format!("- name: {}\n  {}:\n", quote_name(spec.about), spec.name);
        for param in spec.all_params().filter(|param| !param.hidden) {
            let default = spec.states.first().copied().unwrap_or_default();
            let required = param.is_required_in(default);
            let (mark, word) = if required { ("", "required: ") } else { ("# ", "") };
            let value = param.default.unwrap_or_default();
            out.push_str(format!("    {mark}{}: {value}", param.name).trim_end());
            out.push_str(&format!("  # {word}{}\n", param.about));
        }
        out
    }

    fn describe_json(&self) -> Json {
        match self {
            Self::Module(spec) => {
                let returned: Map<String, Json> = returned_values(spec)
                    .into_iter()
                    .map(|(name, about)| (name.to_owned(), json!({"description": [about]})))
                    .collect();
                json!({
                    "doc": {
                        "module": spec.short_name(),
                        "plugin_name": spec.name,
                        "short_description": spec.about,
                        "options": describe_options(spec.all_params(), |param| spec.requires(param)),
                    },
                    "examples": spec.examples,
                    "return": returned,
                })
            }
            Self::Topic(topics, row) => {
                let parameters = topics.parameters_of(row.name);
                let options: Map<String, Json> = parameters.iter().map(|text| describe_argument(text)).collect();
                let positional = options.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
                let example = find_plugin(topics.singular(), row.name).and_then(|plugin| plugin.example);
                let examples = example.map_or_else(
                    || topics.usage_of(row.name),
                    |example| format!("{{{{ {} }}}}\n# {}\n", example.expression, example.result),
                );
                json!({
                    "doc": {
                        "name": row.name,
                        "short_description": row.about,
                        "positional": positional,
                        "options": options,
                    },
                    "examples": examples,
                })
            }
        }
    }
}

/// An argument of a plugin: its name, and what is known of it.
fn describe_argument(text: &str) -> (String, Json) {
    match text.split_once('=') {
        Some((name, default)) => {
            (name.to_owned(), json!({"type": "raw", "required": false, "default": literal_json(default)}))
        }
        None => (text.to_owned(), json!({"type": "raw", "required": !text.starts_with('*')})),
    }
}

/// A literal of a template as data: `'x'`, `none`, `true`, a number or a list. Anything else stays text.
fn literal_json(literal: &str) -> Json {
    let quoted = literal.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    match (literal, quoted) {
        ("none", _) => Json::Null,
        (_, Some(text)) => text.replace("\\n", "\n").into(),
        _ => serde_json::from_str(&literal.replace('\'', "\"")).unwrap_or_else(|_| literal.into()),
    }
}

fn describe_options<'a>(
    params: impl Iterator<Item = &'a Param>,
    is_required: impl Fn(&Param) -> bool,
) -> Map<String, Json> {
    let shown = params.filter(|param| !param.hidden);
    shown.map(|param| (param.name.to_owned(), describe_option(param, is_required(param)))).collect()
}

/// The type as `ansible-doc` names it.
fn type_name(kind: ParamKind) -> &'static str {
    if kind == ParamKind::Raw { "raw" } else { kind.name() }
}

/// A default as data of its type.
fn default_json(text: &str, kind: ParamKind) -> Json {
    match kind {
        ParamKind::List(_) if text.is_empty() => json!([]),
        ParamKind::List(of) => match serde_json::from_str(text) {
            Ok(Json::Array(items)) => items.into(),
            _ => text.split(',').map(|item| default_json(item.trim(), *of)).collect(),
        },
        ParamKind::Bool | ParamKind::Int | ParamKind::Float | ParamKind::Dict(_) | ParamKind::Raw => {
            serde_json::from_str(text).unwrap_or_else(|_| text.into())
        }
        ParamKind::Str | ParamKind::Path | ParamKind::Json | ParamKind::Bytes => text.into(),
    }
}

fn describe_option(param: &Param, is_required: bool) -> Json {
    let mut option = json!({
        "description": [param.about],
        "type": type_name(param.kind),
        "required": is_required,
    });
    if let ParamKind::List(of) = param.kind
        && *of != ParamKind::Raw
    {
        option["elements"] = of.name().into();
    }
    if let Some(default) = param.default {
        option["default"] = default_json(default, param.kind);
    }
    if !param.choices.is_empty() {
        option["choices"] = param.choices.into();
    }
    if param.known_only {
        option["choices"] = param.known_values.into();
    }
    if !param.aliases.is_empty() {
        option["aliases"] = param.aliases.into();
    }
    if let Some(variable) = param.env {
        option["env"] = json!([{"name": variable}]);
    }
    if !param.required_in.is_empty() {
        option["required_in_states"] = param.required_in.into();
    }
    let members = param.member_params();
    if !members.is_empty() {
        option["suboptions"] = describe_options(members.iter(), |member| member.required).into();
    }
    option
}

/// A sentence as YAML: in quotes where it would be something else.
fn quote_name(text: &str) -> String {
    if text.contains(": ") || text.contains(" #") || text.starts_with(['`', '"', '[', '{', '*', '&', '@']) {
        return format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    }
    text.to_owned()
}
