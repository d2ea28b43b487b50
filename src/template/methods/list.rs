//! Methods of lists, tuples and sets.

use std::sync::Arc;

use super::{integer, need};
use crate::template::call::Args;
use crate::template::engine::Engine;
use crate::template::fault::Fault;
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

pub fn call(engine: &Engine<'_>, items: &[Value], name: &str, args: &Args) -> Result<Value, Fault> {
    match name {
        "copy" => Ok(Value::list(items.to_vec())),
        "count" | "index" => {
            let [wanted, start, stop] = args.bind(["value", "start", "stop"])?;
            let wanted = need(wanted, name, "value")?;
            let Value::List(items) = engine.deep(Value::list(items.to_vec()))? else { return Ok(Value::Null) };
            if name == "count" {
                return Ok(Value::from(items.iter().filter(|item| **item == wanted).count()));
            }
            let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
            let bound = |at: Option<i64>, default: i64| {
                let at = at.unwrap_or(default);
                usize::try_from(if at < 0 { at + length } else { at }.clamp(0, length)).unwrap_or(0)
            };
            let (from, to) = (bound(integer(start)?, 0), bound(integer(stop)?, length));
            let found = (from..to).find(|at| items[*at] == wanted);
            found.map(Value::from).ok_or_else(|| Fault::value(format!("{} is not in list", python::repr(&wanted))))
        }
        "pop" => {
            let [at] = args.bind(["index"])?;
            if items.is_empty() {
                return Err(Fault::value("pop from empty list"));
            }
            let at = Value::Int(integer(at)?.unwrap_or(-1));
            match crate::template::ops::index(&at, items.len()) {
                Some(at) => Ok(items[at].clone()),
                None => Err(Fault::value("pop index out of range")),
            }
        }
        "remove" => {
            let [wanted] = args.bind(["value"])?;
            let wanted = need(wanted, name, "value")?;
            if items.contains(&wanted) { Ok(Value::Null) } else { Err(Fault::value("list.remove(x): x not in list")) }
        }
        // The variable is a copy by the time the method is called, so what these change is never seen.
        "append" | "insert" | "extend" => {
            if args.positional.is_empty() {
                return Err(Fault::value(format!("list.{name}() takes exactly one argument (0 given)")));
            }
            if name == "extend" {
                engine.members_of(&args.positional[0])?;
            }
            Ok(Value::Null)
        }
        "clear" | "reverse" | "sort" => Ok(Value::Null),
        other => Err(Fault::value(format!("'list' object has no attribute '{other}'"))),
    }
}

pub fn call_set(engine: &Engine<'_>, items: &[Value], name: &str, args: &Args) -> Result<Value, Fault> {
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
        other => return Err(Fault::value(format!("'set' object has no attribute '{other}'"))),
    })
}
