//! Keys of nested data kept, removed, renamed.

use super::missing;
use crate::template::error::TemplateError;
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::coerce::{list_members, optional_text, require_all_defined, to_text};
use crate::template::python::regex::{Pattern, RegexFlags};
use crate::value::{Dict, Value};

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new("ansible.utils.keep_keys", keep_keys, "Keeps only some keys of nested data."),
    FilterPlugin::new("ansible.utils.remove_keys", remove_keys, "Removes some keys of nested data."),
    FilterPlugin::new("ansible.utils.replace_keys", replace_keys, "Renames keys of nested data."),
];

/// How a key is compared with a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyMatch {
    Equal,
    StartsWith,
    EndsWith,
    Regex,
}

impl KeyMatch {
    fn parse(word: Option<&Value>) -> Result<Self, TemplateError> {
        let word = optional_text(word)?;
        Ok(match word.as_deref() {
            None => Self::Equal,
            Some("starts_with") => Self::StartsWith,
            Some("ends_with") => Self::EndsWith,
            Some("regex") => Self::Regex,
            Some(other) => {
                let names = ["starts_with", "ends_with", "regex"];
                let message = format!("value of matching_parameter must be one of: {}, got: {other}", names.join(", "));
                return Err(TemplateError::value(message).suggest_name(other, names));
            }
        })
    }

    fn matches(self, key: &Value, target: &str) -> Result<bool, TemplateError> {
        let Value::Str(key) = key else { return Ok(false) };
        Ok(match self {
            Self::Equal => key.as_str() == target,
            Self::StartsWith => key.starts_with(target),
            Self::EndsWith => key.ends_with(target),
            Self::Regex => Pattern::compile(target, RegexFlags::default())?.match_start(key)?.is_some(),
        })
    }
}

/// A list parameter; text is split at commas.
fn targets(call: &PluginCall<'_>, target: Option<Value>) -> Result<Vec<Value>, TemplateError> {
    match target.ok_or_else(|| missing("target"))? {
        Value::Str(text) => Ok(text.split(',').map(Value::text).collect()),
        other => list_members(call, &other),
    }
}

struct Keys {
    targets: Vec<String>,
    rule: KeyMatch,
}

impl Keys {
    fn read(call: &PluginCall<'_>, purpose: &str) -> Result<Self, TemplateError> {
        let [target, rule] = call.args.bind(["target", "matching_parameter"])?;
        let targets = targets(call, target)?.iter().map(to_text).collect::<Result<_, _>>()?;
        check_input(call, purpose)?;
        Ok(Self { targets, rule: KeyMatch::parse(rule.as_ref())? })
    }

    fn has(&self, key: &Value) -> Result<bool, TemplateError> {
        for target in &self.targets {
            if self.rule.matches(key, target)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn check_input(call: &PluginCall<'_>, purpose: &str) -> Result<(), TemplateError> {
    match require_all_defined(&call.input)? {
        Value::List(_) | Value::Tuple(_) | Value::Dict(_) => Ok(()),
        _ => Err(TemplateError::value(format!(
            "Error when using plugin '{}': Input is not valid for {purpose}",
            call.name
        ))),
    }
}

fn keep_keys(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    keep(&call.input, &Keys::read(call, "keep operation")?)
}

fn keep(data: &Value, keys: &Keys) -> Result<Value, TemplateError> {
    let is_empty = |value: &Value| matches!(value, Value::List(_) | Value::Dict(_)) && !value.is_true();
    match data {
        Value::List(items) | Value::Tuple(items) => {
            Ok(Value::list(items.iter().map(|item| keep(item, keys)).collect::<Result<Vec<_>, _>>()?))
        }
        Value::Dict(dict) => {
            let mut kept = Dict::new();
            for (key, value) in dict.iter() {
                if keys.has(key)? {
                    kept.insert(key.clone(), value.clone());
                    continue;
                }
                let inner = match keep(value, keys)? {
                    // Members of which nothing is left go, unless all of them would.
                    Value::List(items) => {
                        let left: Vec<Value> = items.iter().filter(|item| !is_empty(item)).cloned().collect();
                        if left.is_empty() { Value::List(items) } else { Value::list(left) }
                    }
                    inner @ Value::Dict(_) => inner,
                    _ => continue,
                };
                if inner.is_true() {
                    kept.insert(key.clone(), inner);
                }
            }
            Ok(kept.into())
        }
        other => Ok(other.clone()),
    }
}

fn remove_keys(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    remove(&call.input, &Keys::read(call, "attribute removal")?)
}

fn remove(data: &Value, keys: &Keys) -> Result<Value, TemplateError> {
    match data {
        Value::List(items) | Value::Tuple(items) => {
            let mut left = Vec::new();
            for item in items.iter().filter(|item| item.is_true()) {
                let rest = remove(item, keys)?;
                if rest.is_true() || matches!(rest, Value::List(_)) {
                    left.push(rest);
                }
            }
            Ok(Value::list(left))
        }
        Value::Dict(dict) => {
            let mut left = Dict::new();
            for (key, value) in dict.iter() {
                if !keys.has(key)? {
                    left.insert(key.clone(), remove(value, keys)?);
                }
            }
            Ok(left.into())
        }
        other => Ok(other.clone()),
    }
}

/// Names before and after, and how they are compared.
struct Renaming {
    pairs: Vec<(String, Value)>,
    rule: KeyMatch,
}

fn replace_keys(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [target, rule] = call.args.bind(["target", "matching_parameter"])?;
    let mut pairs = Vec::new();
    for target in targets(call, target)? {
        let Some(entry) = target.as_dict() else {
            let message = "Elements value for option 'target' is not a dictionary with `before` and `after`";
            return Err(TemplateError::value(message));
        };
        if let Some(before) = optional_text(entry.get("before"))? {
            pairs.push((before, entry.get("after").cloned().unwrap_or(Value::Null)));
        }
    }
    check_input(call, "replace operation")?;
    rename(&call.input, &Renaming { pairs, rule: KeyMatch::parse(rule.as_ref())? })
}

fn rename(data: &Value, names: &Renaming) -> Result<Value, TemplateError> {
    match data {
        Value::List(items) | Value::Tuple(items) => {
            Ok(Value::list(items.iter().map(|item| rename(item, names)).collect::<Result<Vec<_>, _>>()?))
        }
        Value::Dict(dict) => {
            let mut renamed = Dict::new();
            for (key, value) in dict.iter() {
                renamed.insert(key.clone(), rename(value, names)?);
            }
            // A renamed entry moves to the end, and replaces one that has its new name already.
            for (before, after) in &names.pairs {
                for key in renamed.keys().cloned().collect::<Vec<_>>() {
                    if names.rule.matches(&key, before)?
                        && let Some(value) = renamed.remove_value(&key)
                    {
                        renamed.insert(after.clone(), value);
                    }
                }
            }
            Ok(renamed.into())
        }
        other => Ok(other.clone()),
    }
}
