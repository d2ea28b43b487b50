//! Methods of lists, tuples and sets.

use std::sync::Arc;

use super::{integer_arg, require_arg};
use crate::template::budget;
use crate::template::engine::TemplateEngine;
use crate::template::error::TemplateError;
use crate::template::plugin::PluginArgs;
use crate::value::{Value, python};

pub const NAMES: &[&str] =
    &["append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse", "sort"];

pub const SET_NAMES: &[&str] = &[
    "add",
    "copy",
    "difference",
    "intersection",
    "isdisjoint",
    "issubset",
    "issuperset",
    "symmetric_difference",
    "union",
];

/// Calls a method of `of`, which has these items now.
pub fn call(
    engine: &TemplateEngine<'_>,
    of: &Value,
    items: &[Value],
    name: &str,
    args: &PluginArgs,
) -> Result<Value, TemplateError> {
    let change = |items: Vec<Value>| engine.changes.set_current(of, Value::list(items));
    match name {
        "copy" => Ok(Value::list(items.to_vec())),
        "count" | "index" => {
            let [wanted, start, stop] = args.bind(["value", "start", "stop"])?;
            let wanted = require_arg(wanted, name, "value")?;
            let Value::List(items) = engine.resolve_deep(Value::list(items.to_vec()))? else { return Ok(Value::Null) };
            if name == "count" {
                let found = |(at, item): &(usize, &Value)| **item == wanted && engine.changes.is_found(of, *at);
                return Ok(Value::from(items.iter().enumerate().filter(found).count()));
            }
            let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
            let bound = |at: Option<i64>, default: i64| {
                let at = at.unwrap_or(default);
                usize::try_from(if at < 0 { at.saturating_add(length) } else { at }.clamp(0, length)).unwrap_or(0)
            };
            let (from, to) = (bound(integer_arg(start)?, 0), bound(integer_arg(stop)?, length));
            let found = (from..to).find(|at| items[*at] == wanted);
            engine.changes.look_at(of, from..found.map_or(to, |at| at + 1));
            found
                .map(Value::from)
                .ok_or_else(|| TemplateError::value(format!("{} is not in list", python::repr(&wanted))))
        }
        "pop" => {
            let [at] = args.bind(["index"])?;
            if items.is_empty() {
                return Err(TemplateError::value("pop from empty list"));
            }
            let at = Value::Int(integer_arg(at)?.unwrap_or(-1));
            let Some(at) = crate::template::index::index(&at, items.len()) else {
                return Err(TemplateError::value("pop index out of range"));
            };
            let mut items = items.to_vec();
            let gone = items.remove(at);
            change(items);
            Ok(gone)
        }
        "remove" => {
            let [wanted] = args.bind(["value"])?;
            let wanted = require_arg(wanted, name, "value")?;
            let Some(at) = items.iter().position(|item| *item == wanted) else {
                return Err(TemplateError::value("list.remove(x): x not in list"));
            };
            let mut items = items.to_vec();
            items.remove(at);
            change(items);
            Ok(Value::Null)
        }
        "append" => {
            let [item] = require_args(args, name)?;
            budget::grow_members(items.len() + 1)?;
            change(items.iter().cloned().chain([item]).collect());
            Ok(Value::Null)
        }
        "insert" => {
            let [at, item] = require_args(args, name)?;
            let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
            let at = integer_arg(Some(at))?.unwrap_or(0);
            let at = if at < 0 { at.saturating_add(length) } else { at }.clamp(0, length);
            let mut items = items.to_vec();
            items.insert(usize::try_from(at).unwrap_or(0), item);
            change(items);
            Ok(Value::Null)
        }
        "extend" => {
            let [more] = require_args(args, name)?;
            let more = engine.members_of(&more)?;
            budget::grow_members(items.len() + more.len())?;
            change(items.iter().cloned().chain(more).collect());
            Ok(Value::Null)
        }
        "clear" => {
            change(Vec::new());
            Ok(Value::Null)
        }
        "reverse" => {
            change(items.iter().rev().cloned().collect());
            Ok(Value::Null)
        }
        "sort" => {
            if args.get_named("key").is_some_and(|key| !matches!(key, Value::Null | Value::Object(_))) {
                return Err(TemplateError::value("the `key` of sort() is not callable"));
            }
            let down = args.get_named("reverse").is_some_and(Value::is_true);
            change(sort_items(engine, items, down)?);
            Ok(Value::Null)
        }
        other => Err(TemplateError::value(format!("'list' object has no attribute '{other}'"))),
    }
}

/// Just these many arguments, without names.
fn require_args<const N: usize>(args: &PluginArgs, method: &str) -> Result<[Value; N], TemplateError> {
    let given = args.positional.len();
    let wanted = if N == 1 { "exactly one argument".to_owned() } else { format!("exactly {N} arguments") };
    <[Value; N]>::try_from(args.positional.clone())
        .map_err(|_| TemplateError::value(format!("list.{method}() takes {wanted} ({given} given)")))
}

/// The items in order; those that have none are an error.
fn sort_items(engine: &TemplateEngine<'_>, items: &[Value], down: bool) -> Result<Vec<Value>, TemplateError> {
    let mut rows = Vec::with_capacity(items.len());
    for item in items {
        rows.push((engine.resolve_deep(item.clone())?, item.clone()));
    }
    let mut unorderable = None;
    rows.sort_by(|(a, _), (b, _)| {
        let (a, b) = if down { (b, a) } else { (a, b) };
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

pub fn call_set(
    engine: &TemplateEngine<'_>,
    items: &[Value],
    name: &str,
    args: &PluginArgs,
) -> Result<Value, TemplateError> {
    let mut other = Vec::new();
    for value in &args.positional {
        other.extend(engine.members_of(value)?);
    }
    let set = |members: Vec<Value>| {
        let mut distinct: Vec<Value> = Vec::new();
        for member in members {
            if !distinct.contains(&member) {
                distinct.push(member);
            }
        }
        Value::Set(Arc::new(distinct))
    };
    let without = |of: &[Value], gone: &[Value]| -> Vec<Value> {
        of.iter().filter(|item| !gone.contains(item)).cloned().collect()
    };
    Ok(match name {
        "add" => Value::Null,
        "copy" => Value::Set(Arc::new(items.to_vec())),
        "difference" => set(without(items, &other)),
        "intersection" => set(items.iter().filter(|item| other.contains(item)).cloned().collect()),
        "symmetric_difference" => {
            let mut members = without(items, &other);
            members.extend(without(&other, items));
            set(members)
        }
        "union" => set(items.iter().cloned().chain(other).collect()),
        "isdisjoint" => Value::Bool(!items.iter().any(|item| other.contains(item))),
        "issubset" => Value::Bool(items.iter().all(|item| other.contains(item))),
        "issuperset" => Value::Bool(other.iter().all(|item| items.contains(item))),
        other => return Err(TemplateError::value(format!("'set' object has no attribute '{other}'"))),
    })
}
