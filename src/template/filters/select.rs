//! Filters that apply an attribute, a filter or a test to every member: `map`, `select`, `rejectattr`, `groupby`, ..

use std::sync::Arc;

use crate::template::error::Fault;
use crate::template::plugin::{Args, Call, Context, Filter};
use crate::template::python::coerce::{flag, ignore_case, items, lazy_items, required, sort_by_key, text, touch};
use crate::value::Value;
use crate::value::python::repr;

/// The family.
pub const TABLE: &[Filter] = &[
    Filter::new("attr", attr, "Gives an attribute of the input."),
    Filter::new("groupby", groupby, "Groups members by an attribute, in its order.").named(),
    Filter::new("map", map, "Applies a filter to every member, or takes an attribute of each.").sets_taint(),
    Filter::new("reject", reject, "Keeps the members that do not pass a test."),
    Filter::new("rejectattr", rejectattr, "Keeps the members whose attribute does not pass a test."),
    Filter::new("select", select, "Keeps the members that pass a test."),
    Filter::new("selectattr", selectattr, "Keeps the members whose attribute passes a test."),
];

/// A way to an attribute: `a.0.b`, or a number.
pub struct Path(Vec<Value>);

impl Path {
    /// Reads an attribute argument; parts made of digits are positions.
    ///
    /// # Errors
    /// If it is undefined.
    pub fn new(attribute: &Value) -> Result<Self, Fault> {
        let Value::Str(dotted) = touch(attribute)? else { return Ok(Self(vec![attribute.clone()])) };
        let part = |part: &str| match part.parse::<i64>() {
            Ok(number) if part.bytes().all(|b| b.is_ascii_digit()) => Value::Int(number),
            _ => Value::text(part),
        };
        Ok(Self(dotted.split('.').map(part).collect()))
    }

    /// The attribute of a value; undefined if it is not there, unless there is a default.
    ///
    /// # Errors
    /// If something on the way is undefined and there is no default.
    pub fn of(&self, value: &Value, default: Option<&Value>, context: &dyn Context) -> Result<Value, Fault> {
        let mut value = value.clone();
        for part in &self.0 {
            if let Value::Unknown(_) = value {
                return Ok(value);
            }
            if default.is_none() {
                touch(&value)?;
            }
            value = context.member(&value, part);
            if let (Value::Undefined(_), Some(default)) = (&value, default) {
                value = default.clone();
            }
        }
        Ok(value)
    }
}

fn attr(call: &Call<'_>) -> Result<Value, Fault> {
    let [name] = call.args.bind(["name"])?;
    let name = required(name, "name")?;
    let found = call.context.member(&call.input, &name);
    // Only attributes count here: of a mapping those are its methods, never its keys.
    Ok(match (&call.input, &found) {
        (Value::Dict(_), Value::Object(_)) => found,
        (Value::Dict(_), _) => Value::undefined(format!("object of type 'dict' has no attribute {}", repr(&name))),
        _ => found,
    })
}

fn groupby(call: &Call<'_>) -> Result<Value, Fault> {
    let [attribute, default, case_sensitive] = call.args.bind(["attribute", "default", "case_sensitive"])?;
    let path = Path::new(&required(attribute, "attribute")?)?;
    let exact = flag(case_sensitive.as_ref(), false);
    let fold = |key: Value| if exact { key } else { ignore_case(key) };
    let mut keyed = Vec::new();
    for item in items(call)? {
        let key = path.of(&item, default.as_ref().filter(|default| !default.is_null()), call.context)?;
        if key.is_unknown() {
            return Ok(key);
        }
        // Where case does not count the key that is shown is read again, without the default.
        let shown = if exact { key.clone() } else { touch(&path.of(&item, None, call.context)?)?.clone() };
        keyed.push((fold(touch(&key)?.clone()), Value::tuple([shown, item])));
    }
    let mut groups: Vec<(Value, Value, Vec<Value>)> = Vec::new();
    for pair in sort_by_key(keyed, false)? {
        let Some([key, item]) = pair.as_slice() else { continue };
        let folded = fold(key.clone());
        match groups.last_mut() {
            Some((last, _, members)) if *last == folded => members.push(item.clone()),
            _ => groups.push((folded, key.clone(), vec![item.clone()])),
        }
    }
    Ok(Value::list(groups.into_iter().map(|(_, key, members)| Value::tuple([key, Value::list(members)]))))
}

/// The members of the input; what counts as false has none, whatever it is.
fn members(call: &Call<'_>) -> Result<Vec<Value>, Fault> {
    match touch(&call.input)? {
        Value::Null | Value::Bool(false) | Value::Int(0) => Ok(Vec::new()),
        Value::Float(number) if *number == 0.0 => Ok(Vec::new()),
        _ => lazy_items(call),
    }
}

fn map(call: &Call<'_>) -> Result<Value, Fault> {
    let members = members(call)?;
    if members.is_empty() && call.args.positional.is_empty() && call.args.named.is_empty() {
        return Ok(Value::list([]));
    }
    if let (true, Some(attribute)) = (call.args.positional.is_empty(), call.args.named("attribute")) {
        let unknown = call.args.named.iter().find(|(name, _)| !matches!(&**name, "attribute" | "default"));
        if let Some((name, _)) = unknown {
            return Err(Fault::value(format!("Unexpected keyword argument '{name}'")));
        }
        let path = Path::new(attribute)?;
        let default = call.args.named("default");
        let taken: Result<Vec<_>, _> = members.iter().map(|item| path.of(item, default, call.context)).collect();
        return taken.map(Value::list);
    }
    let Some((name, rest)) = call.args.positional.split_first() else {
        return Err(Fault::value("map requires a filter argument"));
    };
    let name = text(name)?;
    let args = Args { positional: rest.to_vec(), named: call.args.named.clone() };
    let mapped: Result<Vec<_>, _> =
        members.into_iter().map(|item| call.context.filter(&name, item, args.clone())).collect();
    mapped.map(Value::list)
}

fn select(call: &Call<'_>) -> Result<Value, Fault> {
    keep(call, &call.args.positional, None, true)
}

fn reject(call: &Call<'_>) -> Result<Value, Fault> {
    keep(call, &call.args.positional, None, false)
}

fn selectattr(call: &Call<'_>) -> Result<Value, Fault> {
    keep_by_attribute(call, true)
}

fn rejectattr(call: &Call<'_>) -> Result<Value, Fault> {
    keep_by_attribute(call, false)
}

fn keep_by_attribute(call: &Call<'_>, wanted: bool) -> Result<Value, Fault> {
    let Some((attribute, rest)) = call.args.positional.split_first() else {
        return Err(Fault::value("Missing parameter for attribute name"));
    };
    keep(call, rest, Some(&Path::new(attribute)?), wanted)
}

/// Keeps the members whose test (the first of `test`, else truth) gives what is wanted.
fn keep(call: &Call<'_>, test: &[Value], path: Option<&Path>, wanted: bool) -> Result<Value, Fault> {
    let test = match test.split_first() {
        Some((name, rest)) => {
            let named: Vec<(Arc<str>, Value)> = call.args.named.clone();
            Some((text(name)?, Args { positional: rest.to_vec(), named }))
        }
        None => None,
    };
    let mut kept = Vec::new();
    for item in members(call)? {
        let subject = match path {
            Some(path) => path.of(&item, None, call.context)?,
            None => item.clone(),
        };
        let passes = match &test {
            // A test that has no answer yet makes the whole list unknown, except `defined` and the like, which have.
            Some((name, _)) if subject.is_unknown() && !answers_unknown(name) => return Ok(subject.computed()),
            Some((name, args)) => call.context.test(name, subject, args.clone())?,
            None if subject.is_unknown() => return Ok(subject.computed()),
            None => touch(&subject)?.is_true(),
        };
        if passes == wanted {
            kept.push(item);
        }
    }
    Ok(Value::list(kept))
}

/// Whether a test has an answer for values that only the server can say.
fn answers_unknown(test: &str) -> bool {
    let name = crate::template::plugin::short_name(test);
    crate::template::tests::FAMILIES.iter().flat_map(|(_, table)| *table).any(|t| t.name == name && t.takes_unknown)
}
