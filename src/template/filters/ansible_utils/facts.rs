//! Data compared with data: differences, parameter lists, sources joined by a key.

use super::missing;
use crate::template::error::TemplateError;
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::coerce::{flag_or, input_members, list_members, only_text, require_all_defined, to_text};
use crate::template::python::regex::{Pattern, RegexFlags};
use crate::unified_diff::unified_diff;
use crate::value::json::{self, JsonStyle};
use crate::value::{Dict, Value};

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new("ansible.utils.consolidate", consolidate, "Merges lists of mappings by a common key."),
    FilterPlugin::new("ansible.utils.fact_diff", fact_diff, "Returns the lines in which two values differ."),
    FilterPlugin::new(
        "ansible.utils.param_list_compare",
        param_list_compare,
        "Returns the members of a list that another list names, or does not name.",
    ),
];

fn fact_diff(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [after, plugin, common] = call.args.bind(["after", "plugin", "common"])?;
    let after = after.ok_or_else(|| missing("after"))?;
    let plugin = plugin.unwrap_or_else(|| Dict::new().into());
    if let Some(name) = plugin.get("name").and_then(Value::as_str).filter(|name| *name != "ansible.utils.native") {
        let fault = TemplateError::value(format!("`fact_diff` has no plugin `{name}`"));
        return Err(fault.hint("`ansible.utils.native` is the plugin that is built in"));
    }
    let skip = match plugin.member_at("vars.skip_lines") {
        None | Some(Value::Null) => None,
        Some(Value::Str(one)) => Some(vec![Value::Str(one.clone())]),
        Some(several) => Some(list_members(call, several)?),
    };
    let skip = skip.map(|skip| skip.iter().map(compile).collect::<Result<Vec<_>, _>>()).transpose()?;
    let (before, after) = (comparable(&call.input, skip.as_deref())?, comparable(&after, skip.as_deref())?);
    Ok(Value::list(diff_lines(&before, &after, flag_or(common.as_ref(), false)).into_iter().map(Value::text)))
}

fn compile(pattern: &Value) -> Result<std::rc::Rc<Pattern>, TemplateError> {
    Pattern::compile(only_text(pattern)?, RegexFlags::default())
}

/// The text that is compared: lines of text and of lists, JSON of mappings.
fn comparable(value: &Value, skip: Option<&[std::rc::Rc<Pattern>]>) -> Result<String, TemplateError> {
    let text = match require_all_defined(value)? {
        Value::Str(text) => text.as_str().to_owned(),
        Value::List(items) | Value::Tuple(items) => {
            let lines = items.iter().map(to_text).collect::<Result<Vec<_>, _>>()?;
            lines.iter().map(|line| format!("{line}\n")).collect()
        }
        dict @ Value::Dict(_) => {
            let style = JsonStyle { indent: Some(4), sort_keys: true, ..JsonStyle::PYTHON };
            format!("{}\n", json::to_string(dict, style))
        }
        other => {
            return Err(TemplateError::value(format!("'{}' object has no attribute 'splitlines'", other.type_name())));
        }
    };
    let Some(skip) = skip else { return Ok(text) };
    let mut kept = String::new();
    for line in text.lines() {
        let mut is_skipped = false;
        for pattern in skip {
            is_skipped |= pattern.match_start(line)?.is_some();
        }
        if !is_skipped {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    Ok(kept)
}

/// The lines of a difference; only those that both have where `common` is wanted.
fn diff_lines(before: &str, after: &str, common: bool) -> Vec<String> {
    if before == after {
        return Vec::new();
    }
    let text = unified_diff(before, after, 1_000_000, ("before", "after"));
    let lines = text.split('\n').map(str::to_owned);
    if common { lines.filter(|line| !line.starts_with(['+', '-'])).collect() } else { lines.collect() }
}

fn param_list_compare(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [target] = call.args.bind(["target"])?;
    let Some(target) = target.filter(|target| !target.is_null()) else {
        return Err(TemplateError::value("Missing either 'base' or 'other value in filter input"));
    };
    let base = input_members(call)?;
    let target = match target {
        Value::Str(text) => text.split(',').map(Value::text).collect(),
        other => list_members(call, &other)?,
    };
    let words = target.iter().map(only_text).collect::<Result<Vec<_>, _>>()?;
    let has = |word: &str| base.iter().any(|item| item.as_str() == Some(word));
    let excluded: Vec<&str> = words.iter().filter_map(|word| word.strip_prefix('!')).collect();
    let named: Vec<&&str> = words.iter().filter(|word| !word.starts_with('!')).collect();
    let takes_all = named.iter().any(|word| **word == "all");
    let chosen = |item: &Value| {
        let word = item.as_str().unwrap_or("");
        if takes_all { !excluded.contains(&word) } else { named.iter().any(|name| **name == word) }
    };
    let actionable = base.iter().filter(|item| chosen(item)).cloned();
    let unsupported = named.iter().filter(|word| ***word != "all" && !has(word));
    let mut result = Dict::new();
    result.set("actionable", Value::list(actionable));
    result.set("unsupported", Value::list(unsupported.map(|word| Value::text(**word))));
    Ok(result.into())
}

/// One list of mappings that is joined with others.
struct DataSource {
    name: Value,
    entries: Vec<(Value, Value)>,
}

/// The mistakes in data sources that are errors.
struct ConsolidateChecks {
    missing_key: bool,
    missing_value: bool,
    duplicate: bool,
}

fn consolidate_error(what: String) -> TemplateError {
    TemplateError::value(format!("Error when using plugin 'consolidate': {what}"))
}

fn consolidate(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [missing_key, missing_value, duplicate] =
        call.args.bind(["fail_missing_match_key", "fail_missing_match_value", "fail_duplicate"])?;
    let is_strict = |flag: Option<Value>| flag_or(flag.as_ref(), true);
    let checks = ConsolidateChecks {
        missing_key: is_strict(missing_key),
        missing_value: is_strict(missing_value),
        duplicate: is_strict(duplicate),
    };
    let mut sources = Vec::new();
    for (number, source) in (1..).zip(input_members(call)?) {
        sources.push(read_data_source(call, &source, number, &checks)?);
    }
    let mut all: Vec<Value> = Vec::new();
    for (value, _) in sources.iter().flat_map(|source| &source.entries) {
        if !all.contains(value) {
            all.push(value.clone());
        }
    }
    if checks.missing_value {
        check_missing_values(&sources, &all)?;
    }
    let joined = all.into_iter().map(|value| {
        let parts = sources.iter().map(|source| {
            let found = source.entries.iter().find(|(known, _)| *known == value);
            (source.name.clone(), found.map_or_else(|| Dict::new().into(), |(_, entry)| entry.clone()))
        });
        let parts: Dict = parts.collect();
        (value, Value::from(parts))
    });
    Ok(joined.collect::<Dict>().into())
}

/// Reads one of the data sources, which are counted from 1.
fn read_data_source(
    call: &PluginCall<'_>,
    source: &Value,
    number: i32,
    checks: &ConsolidateChecks,
) -> Result<DataSource, TemplateError> {
    let field = |name: &str| {
        source
            .get(name)
            .cloned()
            .ok_or_else(|| TemplateError::value(format!("missing required arguments: {name} found in data_sources")))
    };
    let (data, key, name) = (list_members(call, &field("data")?)?, field("match_key")?, field("name")?);
    let mut entries: Vec<(Value, Value)> = Vec::new();
    for (position, entry) in (1..).zip(data) {
        let Some(value) = entry.as_dict().and_then(|entry| entry.get_value(&key)) else {
            if checks.missing_key {
                let key = to_text(&key)?;
                return Err(consolidate_error(format!(
                    "'fail_missing_match_key' reported missing match key '{key}' in data source {number} in list entry {position}"
                )));
            }
            continue;
        };
        match entries.iter_mut().find(|(known, _)| known == value) {
            Some(_) if checks.duplicate => {
                return Err(consolidate_error(format!(
                    "'fail_duplicate' reported duplicate values in data source {number}"
                )));
            }
            Some((_, known)) => *known = entry.clone(),
            None => entries.push((value.clone(), entry.clone())),
        }
    }
    Ok(DataSource { name, entries })
}

/// Refuses a data source that lacks one of the values of all sources.
fn check_missing_values(sources: &[DataSource], all: &[Value]) -> Result<(), TemplateError> {
    for (number, source) in (1..).zip(sources) {
        let lacking: Vec<&Value> =
            all.iter().filter(|value| source.entries.iter().all(|(known, _)| known != *value)).collect();
        if !lacking.is_empty() {
            let lacking = lacking.iter().map(|value| to_text(value)).collect::<Result<Vec<_>, _>>()?.join(", ");
            return Err(consolidate_error(format!(
                "'fail_missing_match_value' reported missing match value {lacking} in data source {number}"
            )));
        }
    }
    Ok(())
}
