//! Keys of a list of mappings kept, removed, renamed.

use crate::template::error::TemplateError;
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::coerce::{require_all_defined, text_or};
use crate::template::python::regex::{Pattern, RegexFlags};
use crate::value::{Dict, Value, python};

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new("community.general.keep_keys", keep_keys, "Keeps only some keys of mappings in a list."),
    FilterPlugin::new("community.general.remove_keys", remove_keys, "Removes some keys of mappings in a list."),
    FilterPlugin::new("community.general.replace_keys", replace_keys, "Renames keys of mappings in a list."),
];

const RULES: [&str; 4] = ["equal", "starts_with", "ends_with", "regex"];

fn class(value: &Value) -> String {
    format!("{} is <class '{}'>", python::str(value), value.type_name())
}

/// The mappings of the input.
fn rows(call: &PluginCall<'_>) -> Result<Vec<Dict>, TemplateError> {
    let items = match require_all_defined(&call.input)? {
        Value::List(items) | Value::Tuple(items) => items.to_vec(),
        Value::Object(_) => call.context.collect_members(&call.input)?,
        Value::Str(_) => {
            return Err(TemplateError::value(format!("The data items must be dictionaries. {}", class(&call.input))));
        }
        other => return Err(TemplateError::value(format!("First argument must be a list. {}", class(other)))),
    };
    items
        .iter()
        .map(|item| {
            let Some(row) = item.as_dict() else {
                return Err(TemplateError::value(format!("The data items must be dictionaries. {}", class(item))));
            };
            if row.keys().any(|key| key.as_str().is_none()) {
                let keys = python::repr(&Value::list(row.keys().cloned()));
                return Err(TemplateError::value(format!("Top level keys must be strings. keys: dict_keys({keys})")));
            }
            Ok(row.clone())
        })
        .collect()
}

fn read_rule(rule: Option<&Value>) -> Result<String, TemplateError> {
    let rule = text_or(rule, "equal")?;
    if RULES.contains(&rule.as_str()) {
        return Ok(rule);
    }
    let message = format!(
        "The matching_parameter must be one of ['equal', 'starts_with', 'ends_with', 'regex']. matching_parameter={rule}"
    );
    Err(TemplateError::value(message).suggest_name(&rule, RULES))
}

fn matches(rule: &str, key: &str, target: &str) -> Result<bool, TemplateError> {
    Ok(match rule {
        "starts_with" => key.starts_with(target),
        "ends_with" => key.ends_with(target),
        "regex" => compile(target)?.match_start(key)?.is_some(),
        _ => key == target,
    })
}

fn compile(target: &str) -> Result<std::rc::Rc<Pattern>, TemplateError> {
    Pattern::compile(target, RegexFlags::default()).map_err(|_| {
        let message = format!("The target must be a valid regex if matching_parameter=regex. target is {target}");
        TemplateError::value(message)
    })
}

/// Rule and names of `keep_keys` and `remove_keys`.
fn read_targets(call: &PluginCall<'_>) -> Result<(String, Vec<String>), TemplateError> {
    let [target, rule] = call.args.bind(["target", "matching_parameter"])?;
    let rule = read_rule(rule.as_ref())?;
    let targets = match target.unwrap_or(Value::Null) {
        Value::Str(text) => vec![text.as_str().to_owned()],
        Value::List(items) => items
            .iter()
            .map(|item| match item {
                Value::Str(text) => Ok(text.as_str().to_owned()),
                other => Err(TemplateError::value(format!("The target items must be strings. {}", class(other)))),
            })
            .collect::<Result<_, _>>()?,
        other => {
            let kind = other.type_name();
            let message = format!("The target must be a string or a list. target is <class '{kind}'>.");
            return Err(TemplateError::value(message));
        }
    };
    if targets.is_empty() {
        return Err(TemplateError::value("The target can't be empty."));
    }
    if rule == "regex" {
        if targets.len() > 1 {
            let message = "Single item is required in the target list if matching_parameter=regex.";
            return Err(TemplateError::value(message));
        }
        compile(&targets[0])?;
    }
    Ok((rule, targets))
}

/// The rows with the keys for which it is `wanted` that they match.
fn select_keys(call: &PluginCall<'_>, wanted: Selection) -> Result<Value, TemplateError> {
    let (rule, targets) = read_targets(call)?;
    let mut result = Vec::new();
    for row in rows(call)? {
        let mut kept = Dict::new();
        for (key, value) in row.iter() {
            let mut found = false;
            for target in &targets {
                found |= matches(&rule, key.as_str().unwrap_or(""), target)?;
            }
            if found == (wanted == Selection::Matching) {
                kept.insert(key.clone(), value.clone());
            }
        }
        result.push(Value::from(kept));
    }
    Ok(Value::list(result))
}

/// Which keys stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Selection {
    Matching,
    Others,
}

fn keep_keys(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    select_keys(call, Selection::Matching)
}

fn remove_keys(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    select_keys(call, Selection::Others)
}

fn replace_keys(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [target, rule] = call.args.bind(["target", "matching_parameter"])?;
    let rule = read_rule(rule.as_ref())?;
    let pairs = match target.unwrap_or(Value::Null) {
        Value::List(items) => read_pairs(&items)?,
        other => return Err(TemplateError::value(format!("The target must be a list. target {}.", class(&other)))),
    };
    let mut result = Vec::new();
    for row in rows(call)? {
        let mut renamed = Dict::new();
        for (key, value) in row.iter() {
            let mut name = key.clone();
            for (before, after) in &pairs {
                if matches(&rule, key.as_str().unwrap_or(""), before)? {
                    name = Value::text(after.as_str());
                    break;
                }
            }
            renamed.insert(name, value.clone());
        }
        result.push(Value::from(renamed));
    }
    Ok(Value::list(result))
}

fn read_pairs(items: &[Value]) -> Result<Vec<(String, String)>, TemplateError> {
    if items.is_empty() {
        return Err(TemplateError::value("The target can't be empty."));
    }
    items
        .iter()
        .map(|item| {
            let Some(pair) = item.as_dict() else {
                return Err(TemplateError::value(format!("The target items must be dictionaries. {}", class(item))));
            };
            let text = |name: &str| pair.get(name).map(python::str);
            text("before").zip(text("after")).ok_or_else(|| {
                TemplateError::value("All dictionaries in target must include attributes: after, before.")
            })
        })
        .collect()
}
