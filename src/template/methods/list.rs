//! Methods of lists and tuples.

use super::integer_arg;
use super::table::{MethodCall, MethodPlugin};
use crate::template::budget;
use crate::template::engine::TemplateEngine;
use crate::template::error::TemplateError;
use crate::template::plugin::PluginArgs;
use crate::value::{Value, python};

type ListCall<'a> = MethodCall<'a, [Value]>;

/// The methods, sorted by name.
pub const TABLE: &[MethodPlugin<[Value]>] = &[
    MethodPlugin::new("append", append),
    MethodPlugin::new("clear", clear),
    MethodPlugin::new("copy", copy),
    MethodPlugin::new("count", count),
    MethodPlugin::new("extend", extend),
    MethodPlugin::new("index", index),
    MethodPlugin::new("insert", insert),
    MethodPlugin::new("pop", pop),
    MethodPlugin::new("remove", remove),
    MethodPlugin::new("reverse", reverse),
    MethodPlugin::new("sort", sort),
];

/// The methods of a list that tuples and ranges have, too.
pub const SEQUENCE_TABLE: &[MethodPlugin<[Value]>] =
    &[MethodPlugin::new("count", count), MethodPlugin::new("index", index)];

/// Replaces the list, which gives nothing.
fn replace_list(call: &ListCall<'_>, now: Vec<Value>) -> Result<Value, TemplateError> {
    call.change_to(Value::list(now));
    Ok(Value::Null)
}

fn copy(call: &ListCall<'_>) -> Result<Value, TemplateError> {
    Ok(Value::list(call.data.to_vec()))
}

fn count(call: &ListCall<'_>) -> Result<Value, TemplateError> {
    let [wanted, _start, _stop] = call.args.bind(["value", "start", "stop"])?;
    let wanted = call.require_arg(wanted, "value")?;
    let Value::List(items) = call.engine.resolve_deep(Value::list(call.data.to_vec()))? else { return Ok(Value::Null) };
    let found = |(at, item): &(usize, &Value)| **item == wanted && call.engine.changes.is_found(call.of, *at);
    Ok(Value::from(items.iter().enumerate().filter(found).count()))
}

fn index(call: &ListCall<'_>) -> Result<Value, TemplateError> {
    let [wanted, start, stop] = call.args.bind(["value", "start", "stop"])?;
    let wanted = call.require_arg(wanted, "value")?;
    let Value::List(items) = call.engine.resolve_deep(Value::list(call.data.to_vec()))? else { return Ok(Value::Null) };
    let from = clamp_index(integer_arg(start)?.unwrap_or(0), items.len());
    let to = integer_arg(stop)?.map_or(items.len(), |stop| clamp_index(stop, items.len()));
    let found = (from..to).find(|at| items[*at] == wanted);
    call.engine.changes.look_at(call.of, from..found.map_or(to, |at| at + 1));
    found.map(Value::from).ok_or_else(|| TemplateError::value(format!("{} is not in list", python::repr(&wanted))))
}

/// A position from the start, or from the end if it is negative, within the list or right behind it.
fn clamp_index(at: i64, length: usize) -> usize {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let at = if at < 0 { at.saturating_add(length) } else { at };
    usize::try_from(at.clamp(0, length)).unwrap_or(0)
}

fn pop(call: &ListCall<'_>) -> Result<Value, TemplateError> {
    let [at] = call.args.bind(["index"])?;
    if call.data.is_empty() {
        return Err(TemplateError::value("pop from empty list"));
    }
    let at = Value::Int(integer_arg(at)?.unwrap_or(-1));
    let Some(at) = crate::template::index::index(&at, call.data.len()) else {
        return Err(TemplateError::value("pop index out of range"));
    };
    let mut items = call.data.to_vec();
    let gone = items.remove(at);
    call.change_to(Value::list(items));
    Ok(gone)
}

fn remove(call: &ListCall<'_>) -> Result<Value, TemplateError> {
    let [wanted] = call.args.bind(["value"])?;
    let wanted = call.require_arg(wanted, "value")?;
    let Some(at) = call.data.iter().position(|item| *item == wanted) else {
        return Err(TemplateError::value("list.remove(x): x not in list"));
    };
    let mut items = call.data.to_vec();
    items.remove(at);
    replace_list(call, items)
}

fn append(call: &ListCall<'_>) -> Result<Value, TemplateError> {
    let [item] = require_args(call.args, call.name)?;
    budget::grow_members(call.data.len() + 1)?;
    replace_list(call, call.data.iter().cloned().chain([item]).collect())
}

fn insert(call: &ListCall<'_>) -> Result<Value, TemplateError> {
    let [at, item] = require_args(call.args, call.name)?;
    let at = clamp_index(integer_arg(Some(at))?.unwrap_or(0), call.data.len());
    let mut items = call.data.to_vec();
    items.insert(at, item);
    replace_list(call, items)
}

fn extend(call: &ListCall<'_>) -> Result<Value, TemplateError> {
    let [more] = require_args(call.args, call.name)?;
    let more = call.engine.members_of(&more)?;
    budget::grow_members(call.data.len() + more.len())?;
    replace_list(call, call.data.iter().cloned().chain(more).collect())
}

fn clear(call: &ListCall<'_>) -> Result<Value, TemplateError> {
    replace_list(call, Vec::new())
}

fn reverse(call: &ListCall<'_>) -> Result<Value, TemplateError> {
    replace_list(call, call.data.iter().rev().cloned().collect())
}

fn sort(call: &ListCall<'_>) -> Result<Value, TemplateError> {
    if call.args.get_named("key").is_some_and(|key| !matches!(key, Value::Null | Value::Object(_))) {
        return Err(TemplateError::value("the `key` of sort() is not callable"));
    }
    let is_reverse = call.args.get_named("reverse").is_some_and(Value::is_true);
    let order = if is_reverse { SortOrder::Descending } else { SortOrder::Ascending };
    replace_list(call, sort_items(call.engine, call.data, order)?)
}

/// Just these many arguments, without names.
fn require_args<const N: usize>(args: &PluginArgs, method: &str) -> Result<[Value; N], TemplateError> {
    let given = args.positional.len();
    let wanted = if N == 1 { "exactly one argument".to_owned() } else { format!("exactly {N} arguments") };
    <[Value; N]>::try_from(args.positional.clone())
        .map_err(|_| TemplateError::value(format!("list.{method}() takes {wanted} ({given} given)")))
}

#[derive(Clone, Copy)]
enum SortOrder {
    Ascending,
    Descending,
}

/// The items in order; those that have none are an error.
fn sort_items(engine: &TemplateEngine<'_>, items: &[Value], order: SortOrder) -> Result<Vec<Value>, TemplateError> {
    let mut rows = Vec::with_capacity(items.len());
    for item in items {
        rows.push((engine.resolve_deep(item.clone())?, item.clone()));
    }
    let mut unorderable = None;
    rows.sort_by(|(a, _), (b, _)| {
        let (a, b) = match order {
            SortOrder::Ascending => (a, b),
            SortOrder::Descending => (b, a),
        };
        a.compare_order(b).unwrap_or_else(|_| {
            unorderable.get_or_insert_with(|| (a.type_name(), b.type_name()));
            std::cmp::Ordering::Equal
        })
    });
    match unorderable {
        Some((a, b)) => Err(TemplateError::value(format!("'<' not supported between instances of '{a}' and '{b}'"))),
        None => Ok(rows.into_iter().map(|(_, item)| item).collect()),
    }
}
