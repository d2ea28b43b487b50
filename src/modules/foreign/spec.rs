//! The spec of a foreign module, made from its documentation.
//!
//! Specs live as long as the process: each module that a playbook names is read once.

use crate::bridge::documentation::{ModuleDocumentation, plain_markup};
use crate::bridge::{FoundModule, ModuleKind};
use crate::modules::Spec;
use crate::modules::spec::{CheckSupport, HandsOn, Param, ParamKind};
use crate::value::json::{self, JsonStyle};
use crate::value::{Dict, Value, python};

/// Builds the spec of a module from its documentation; without one, it takes any parameter.
pub fn build_spec(found: &FoundModule, kind: &ModuleKind, docs: ModuleDocumentation) -> &'static Spec {
    let check = match (kind, docs.check_mode) {
        (_, Some(true)) => CheckSupport::Full,
        (ModuleKind::AnsiblePython, _) => CheckSupport::Asked,
        _ => CheckSupport::None,
    };
    let about = if docs.summary.is_empty() { "A module without documentation.".to_owned() } else { docs.summary };
    let params = build_params(&docs.options, &docs.secrets);
    let spec = Spec {
        any_params: !docs.is_complete,
        file: Some(keep(found.path.display().to_string())),
        ..Spec::new(keep(found.name.clone()), keep(about))
            .params(Box::leak(Box::new([params])))
            .check(check)
            .hands_on(HandsOn::WhenRun)
            .examples(keep(docs.examples))
    };
    Box::leak(Box::new(spec))
}

fn build_params(options: &Dict, secrets: &[String]) -> &'static [Param] {
    let named = options.iter().filter_map(|(name, option)| Some((name.as_str()?, option)));
    let params: Vec<Param> = named.map(|(name, option)| build_param(name, option, secrets)).collect();
    Vec::leak(params)
}

fn build_param(name: &str, option: &Value, secrets: &[String]) -> Param {
    let text = |key: &str| option.get(key).and_then(Value::as_str);
    let about = match option.get("description") {
        Some(Value::List(lines)) => lines.iter().map(python::str).collect::<Vec<_>>().join(" "),
        Some(line) => python::str(line),
        None => String::new(),
    };
    let names = |key: &str| -> &'static [&'static str] {
        let items = option.get(key).and_then(Value::as_slice).unwrap_or_default();
        Vec::leak(items.iter().map(|item| keep(python::str(item))).collect())
    };
    let choices: &'static [&'static str] = match option.get("choices").and_then(Value::as_dict) {
        Some(described) => Vec::leak(described.keys().map(|key| keep(python::str(key))).collect()),
        None => names("choices"),
    };
    let members = ["suboptions", "options"].iter().find_map(|key| option.get(key)).and_then(Value::as_dict);
    let kind = kind_of(text("type").unwrap_or("str"), text("elements"), members, secrets);
    Param {
        aliases: names("aliases"),
        default: option.get("default").filter(|default| !default.is_null()).map(|default| keep(write_default(default))),
        choices,
        required: option.get("required").is_some_and(Value::is_true),
        secret: secrets.iter().any(|secret| secret == name),
        ..Param::new(keep(name.to_owned()), kind, keep(plain_markup(&about)))
    }
}

fn kind_of(name: &str, elements: Option<&str>, members: Option<&Dict>, secrets: &[String]) -> ParamKind {
    match name {
        "bool" => ParamKind::Bool,
        "int" => ParamKind::Int,
        "float" => ParamKind::Float,
        "path" => ParamKind::Path,
        "raw" | "any" => ParamKind::Raw,
        "json" | "jsonarg" => ParamKind::Json,
        "bytes" => ParamKind::Bytes,
        "dict" => ParamKind::Dict(members.map_or(&[][..], |members| build_params(members, secrets))),
        "list" => {
            let of = elements.map_or(ParamKind::Raw, |of| kind_of(of, None, members, secrets));
            ParamKind::List(Box::leak(Box::new(of)))
        }
        _ => ParamKind::Str,
    }
}

/// A default as a playbook would write it.
fn write_default(default: &Value) -> String {
    match default {
        Value::List(_) | Value::Dict(_) => json::to_string(default, JsonStyle::PYTHON),
        Value::Bool(flag) => flag.to_string(),
        other => python::str(other),
    }
}

fn keep(text: String) -> &'static str {
    text.leak()
}
