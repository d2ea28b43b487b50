//! Lists as sets that keep their order, and lists of mappings joined by a key.

use crate::template::error::TemplateError;
use crate::template::filters::dict::{ListMerge, merge_dicts};
use crate::template::plugin::{FilterPlugin, PluginArgs, PluginCall};
use crate::template::python::coerce::{
    compare_values, contains_value, flag_or, input_members, list_members, only_text, require_all_defined, sort_by_key,
    unknown_among,
};
use crate::template::python::version::{VersionRules, compare_versions};
use crate::value::{Dict, Value, python};

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new("community.general.accumulate", accumulate, "Returns cumulative sums of the members."),
    FilterPlugin::new("community.general.lists_difference", difference, "Returns the members that no other list has."),
    FilterPlugin::new("community.general.lists_intersect", intersect, "Returns the members that all lists have."),
    FilterPlugin::new("community.general.lists_mergeby", mergeby, "Merges lists of mappings by a common key."),
    FilterPlugin::new(
        "community.general.lists_symmetric_difference",
        symmetric_difference,
        "Returns the members that are in only one of two lists.",
    ),
    FilterPlugin::new("community.general.lists_union", union, "Returns the members of all lists, without duplicates."),
    FilterPlugin::new("community.general.version_sort", version_sort, "Sorts version numbers."),
];

fn distinct(items: impl IntoIterator<Item = Value>) -> Vec<Value> {
    let mut kept = Vec::new();
    for item in items {
        if !contains_value(&kept, &item) {
            kept.push(item);
        }
    }
    kept
}

/// The lists that a filter combines: the input and the arguments; with `flatten`, lists inside are taken apart once.
fn lists_of(call: &PluginCall<'_>) -> Result<Vec<Vec<Value>>, TemplateError> {
    let mut flatten = false;
    for (name, value) in &call.args.named {
        match &**name {
            "flatten" => flatten = value.is_true(),
            other => {
                let fault =
                    TemplateError::value(format!("'flatten' is the only valid keyword argument, not '{other}'"));
                return Err(fault.suggest_name(other, ["flatten"]));
            }
        }
    }
    let mut all = vec![call.input.clone()];
    all.extend(call.args.positional.iter().cloned());
    if flatten {
        let is_list = |value: &Value| matches!(value, Value::List(_) | Value::Tuple(_));
        all = all
            .into_iter()
            .flat_map(|list| match list.as_slice() {
                Some(members) if members.iter().any(is_list) => members.to_vec(),
                _ => vec![list],
            })
            .collect();
    }
    all.iter()
        .map(|list| match require_all_defined(list)? {
            Value::List(_) | Value::Tuple(_) | Value::Set(_) | Value::Object(_) | Value::Unknown(_) => {
                list_members(call, list)
            }
            other => {
                let kind = other.type_name();
                Err(TemplateError::value(format!("can only concatenate list (not \"{kind}\") to list")))
            }
        })
        .collect()
}

/// Combines lists two by two; one list alone stays as it is.
fn fold(call: &PluginCall<'_>, combine: fn(&[Value], &[Value]) -> Vec<Value>) -> Result<Value, TemplateError> {
    if let Some(unknown) = unknown_among(std::iter::once(&call.input).chain(call.args.all_values())) {
        return Ok(unknown);
    }
    let lists = lists_of(call)?;
    let mut lists = lists.into_iter();
    let mut result = lists.next().unwrap_or_default();
    for list in lists {
        result = combine(&result, &list);
    }
    Ok(Value::list(result))
}

fn union(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    fold(call, |a, b| distinct(a.iter().chain(b).cloned()))
}

fn intersect(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    fold(call, |a, b| distinct(a.iter().filter(|item| contains_value(b, item)).cloned()))
}

fn difference(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    fold(call, |a, b| distinct(a.iter().filter(|item| !contains_value(b, item)).cloned()))
}

fn symmetric_difference(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    fold(call, |a, b| {
        let left = a.iter().filter(|item| !contains_value(b, item));
        let right = b.iter().filter(|item| !contains_value(a, item));
        distinct(left.chain(right).cloned())
    })
}

fn mergeby(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let (recursive, rule) = read_merge_rules(call)?;
    let Some((index, others)) = call.args.positional.split_last() else {
        return Err(TemplateError::value("At least one list and index are needed."));
    };
    let Value::Str(index) = index else {
        let (shown, kind) = (python::str(index), index.type_name());
        let message = format!("First argument after the lists for {} must be string. {shown} is {kind}", call.name);
        return Err(TemplateError::value(message));
    };
    let lists = read_merged_lists(call, others)?;
    if let [one] = lists.as_slice() {
        return Ok(one.clone());
    }
    let mut entries: Vec<(Value, Dict)> = Vec::new();
    for item in lists.iter().flat_map(|list| list.as_slice().unwrap_or_default()) {
        let Some(entry) = item.as_dict() else {
            let (shown, kind) = (python::str(item), item.type_name());
            let message =
                format!("Elements of list arguments for {} must be dictionaries. {shown} is {kind}", call.name);
            return Err(TemplateError::value(message));
        };
        let Some(key) = entry.get(index) else { continue };
        match entries.iter_mut().find(|(known, _)| known == key) {
            Some((_, known)) => *known = merge_dicts(known, entry, recursive, rule),
            None => entries.push((key.clone(), entry.clone())),
        }
    }
    let keyed = entries.into_iter().map(|(key, entry)| (key, Value::from(entry))).collect();
    Ok(Value::list(sort_by_key(keyed, false)?))
}

/// Whether mappings are merged in depth, and how lists are.
fn read_merge_rules(call: &PluginCall<'_>) -> Result<(bool, ListMerge), TemplateError> {
    let (mut recursive, mut rule) = (false, ListMerge::from_word("replace")?);
    for (name, value) in &call.args.named {
        match &**name {
            "recursive" => match value {
                Value::Bool(flag) => recursive = *flag,
                _ => return Err(TemplateError::value("'recursive' must be a boolean")),
            },
            "list_merge" => rule = ListMerge::from_word(only_text(value)?)?,
            _ => {
                let message = "'recursive' and 'list_merge' are the only valid keyword arguments.";
                return Err(TemplateError::value(message).suggest_name(name, ["recursive", "list_merge"]));
            }
        }
    }
    Ok((recursive, rule))
}

/// The input and the other lists; a list of lists stands for its members.
fn read_merged_lists(call: &PluginCall<'_>, others: &[Value]) -> Result<Vec<Value>, TemplateError> {
    let mut lists = Vec::new();
    for list in std::iter::once(&call.input).chain(others) {
        let Value::List(items) = require_all_defined(list)? else {
            let (shown, kind) = (python::str(list), list.type_name());
            let message = format!(
                "All arguments before the argument index for {} must be lists. {shown} is <class '{kind}'>",
                call.name
            );
            return Err(TemplateError::value(message));
        };
        match items.iter().all(|item| matches!(item, Value::List(_))) {
            true => lists.extend(items.iter().cloned()),
            false => lists.push(list.clone()),
        }
    }
    Ok(lists)
}

fn accumulate(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    let items: Vec<Value> = match require_all_defined(&call.input)? {
        Value::Str(text) => text.chars().map(|c| Value::text(c.to_string())).collect(),
        Value::List(_) | Value::Tuple(_) | Value::Object(_) => input_members(call)?,
        other => {
            let (shown, kind) = (python::str(other), other.type_name());
            return Err(TemplateError::value(format!(
                "Invalid value type (<class '{kind}'>) for accumulate ({shown})"
            )));
        }
    };
    let mut sums: Vec<Value> = Vec::new();
    for item in items {
        let sum = match sums.last() {
            None => item,
            Some(before) => add(call, before, &item)?,
        };
        sums.push(sum);
    }
    Ok(Value::list(sums))
}

/// Python's `a + b` for numbers, text and lists.
fn add(call: &PluginCall<'_>, a: &Value, b: &Value) -> Result<Value, TemplateError> {
    match (a, b) {
        (Value::Str(a), Value::Str(b)) => Ok(Value::text(format!("{}{}", a.as_str(), b.as_str()))),
        (Value::List(a), Value::List(b)) => Ok(Value::list(a.iter().chain(b.iter()).cloned())),
        (Value::Str(_) | Value::List(_) | Value::Dict(_), _) | (_, Value::Str(_) | Value::List(_) | Value::Dict(_)) => {
            let (a, b) = (a.type_name(), b.type_name());
            Err(TemplateError::value(format!("unsupported operand type(s) for +: '{a}' and '{b}'")))
        }
        _ => call.context.call_filter("sum", Value::list([a.clone(), b.clone()]), PluginArgs::default()),
    }
}

fn version_sort(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [reverse] = call.args.bind(["reverse"])?;
    let mut versions = Vec::new();
    for item in input_members(call)? {
        match item {
            Value::Str(_) => versions.push(item),
            other => {
                let kind = other.type_name();
                return Err(TemplateError::value(format!("expected string or bytes-like object, got '{kind}'")));
            }
        }
    }
    let mut failure = None;
    let reverse = flag_or(reverse.as_ref(), false);
    versions.sort_by(|a, b| {
        let (a, b) = if reverse { (b, a) } else { (a, b) };
        let (left, right) = (a.as_str().unwrap_or(""), b.as_str().unwrap_or(""));
        compare_versions(left, right, VersionRules::Loose).or_else(|_| compare_values(a, b, "<")).unwrap_or_else(
            |why| {
                failure.get_or_insert(why);
                std::cmp::Ordering::Equal
            },
        )
    });
    failure.map_or_else(|| Ok(Value::list(versions)), Err)
}
