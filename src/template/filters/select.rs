//! Filters that apply an attribute, a filter or a test to every member: `map`, `select`, `rejectattr`, `groupby`, ..

use std::sync::Arc;

use crate::template::error::TemplateError;
use crate::template::plugin::{Context, FilterPlugin, PluginArgs, PluginCall};
use crate::template::python::coerce::{
    flag_or, ignore_case, input_members, lazy_items, require_arg, require_defined, sort_by_key, to_text,
};
use crate::value::Value;
use crate::value::python::repr;

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new("attr", attr, "Returns an attribute of the input."),
    FilterPlugin::new("groupby", groupby, "Groups members by an attribute, sorted by it.").named(),
    FilterPlugin::new("map", map, "Applies a filter to every member, or returns an attribute of each.").sets_taint(),
    FilterPlugin::new("reject", reject, "Returns the members that do not pass a test."),
    FilterPlugin::new("rejectattr", rejectattr, "Returns the members whose attribute does not pass a test."),
    FilterPlugin::new("select", select, "Returns the members that pass a test."),
    FilterPlugin::new("selectattr", selectattr, "Returns the members whose attribute passes a test."),
];

/// A way to an attribute: `a.0.b`, or a number.
pub struct Path(Vec<Value>);

impl Path {
    /// Reads an attribute argument; parts made of digits are positions.
    ///
    /// # Errors
    /// If it is undefined.
    pub fn new(attribute: &Value) -> Result<Self, TemplateError> {
        let Value::Str(dotted) = require_defined(attribute)? else { return Ok(Self(vec![attribute.clone()])) };
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
    pub fn read_attribute(
        &self,
        value: &Value,
        default: Option<&Value>,
        context: &dyn Context,
    ) -> Result<Value, TemplateError> {
        let mut value = value.clone();
        for part in &self.0 {
            if let Value::Unknown(_) = value {
                return Ok(value);
            }
            if default.is_none() {
                require_defined(&value)?;
            }
            value = context.get_member(&value, part);
            if let (Value::Undefined(_), Some(default)) = (&value, default) {
                value = default.clone();
            }
        }
        Ok(value)
    }
}

fn attr(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [name] = call.args.bind(["name"])?;
    let name = require_arg(name, "name")?;
    let found = call.context.get_member(&call.input, &name);
    // Only attributes count here: of a mapping those are its methods, never its keys.
    Ok(match (&call.input, &found) {
        (Value::Dict(_), Value::Object(_)) => found,
        (Value::Dict(_), _) => Value::undefined(format!("object of type 'dict' has no attribute {}", repr(&name))),
        _ => found,
    })
}

fn groupby(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [attribute, default, case_sensitive] = call.args.bind(["attribute", "default", "case_sensitive"])?;
    let path = Path::new(&require_arg(attribute, "attribute")?)?;
    let exact = flag_or(case_sensitive.as_ref(), false);
    let fold = |key: Value| if exact { key } else { ignore_case(key) };
    let (mut keyed, mut found) = (Vec::new(), Vec::new());
    for item in input_members(call)? {
        let key = path.read_attribute(&item, default.as_ref().filter(|default| !default.is_null()), call.context)?;
        if key.is_unknown() {
            return Ok(key);
        }
        // Where case does not count the key that is shown is read again, without the default.
        let shown = if exact {
            key.clone()
        } else {
            require_defined(&path.read_attribute(&item, None, call.context)?)?.clone()
        };
        keyed.push((fold(require_defined(&key)?.clone()), Value::from(found.len())));
        found.push((shown, item));
    }
    // The key that is shown, the key that is compared, and the members.
    let mut groups: Vec<(Value, Value, Vec<Value>)> = Vec::new();
    for number in sort_by_key(keyed, false)? {
        let number = number.as_int().and_then(|number| usize::try_from(number).ok());
        let Some((key, item)) = number.and_then(|number| found.get(number)) else { continue };
        match groups.last_mut() {
            Some((last, first, members)) if last == key || *first == fold(key.clone()) => members.push(item.clone()),
            _ => groups.push((key.clone(), fold(key.clone()), vec![item.clone()])),
        }
    }
    Ok(Value::list(groups.into_iter().map(|(key, _, members)| Value::tuple([key, Value::list(members)]))))
}

/// The members of the input; what counts as false has none, whatever it is.
fn read_members(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    match require_defined(&call.input)? {
        Value::Null | Value::Bool(false) | Value::Int(0) => Ok(Vec::new()),
        Value::Float(number) if *number == 0.0 => Ok(Vec::new()),
        _ => lazy_items(call),
    }
}

fn map(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let members = read_members(call)?;
    if members.is_empty() && call.args.positional.is_empty() && call.args.named.is_empty() {
        return Ok(Value::list([]));
    }
    if let (true, Some(attribute)) = (call.args.positional.is_empty(), call.args.get_named("attribute")) {
        let unknown = call.args.named.iter().find(|(name, _)| !matches!(&**name, "attribute" | "default"));
        if let Some((name, _)) = unknown {
            return Err(TemplateError::value(format!("Unexpected keyword argument '{name}'")));
        }
        let path = Path::new(attribute)?;
        let default = call.args.get_named("default");
        let taken: Result<Vec<_>, _> =
            members.iter().map(|item| path.read_attribute(item, default, call.context)).collect();
        return taken.map(Value::list);
    }
    let Some((name, rest)) = call.args.positional.split_first() else {
        return Err(TemplateError::value("map requires a filter argument"));
    };
    let name = to_text(name)?;
    let args = PluginArgs { positional: rest.to_vec(), named: call.args.named.clone() };
    let mapped: Result<Vec<_>, _> =
        members.into_iter().map(|item| call.context.call_filter(&name, item, args.clone())).collect();
    mapped.map(Value::list)
}

fn select(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    keep_matching(call, &call.args.positional, None, true)
}

fn reject(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    keep_matching(call, &call.args.positional, None, false)
}

fn selectattr(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    keep_by_attribute(call, true)
}

fn rejectattr(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    keep_by_attribute(call, false)
}

fn keep_by_attribute(call: &PluginCall<'_>, wanted: bool) -> Result<Value, TemplateError> {
    let Some((attribute, rest)) = call.args.positional.split_first() else {
        return Err(TemplateError::value("Missing parameter for attribute name"));
    };
    keep_matching(call, rest, Some(&Path::new(attribute)?), wanted)
}

/// Keeps the members whose test (the first of `test`, else truth) gives what is wanted.
fn keep_matching(
    call: &PluginCall<'_>,
    test: &[Value],
    path: Option<&Path>,
    wanted: bool,
) -> Result<Value, TemplateError> {
    let test = match test.split_first() {
        Some((name, rest)) => {
            let named: Vec<(Arc<str>, Value)> = call.args.named.clone();
            Some((to_text(name)?, PluginArgs { positional: rest.to_vec(), named }))
        }
        None => None,
    };
    let mut kept = Vec::new();
    for item in read_members(call)? {
        let subject = match path {
            Some(path) => path.read_attribute(&item, None, call.context)?,
            None => item.clone(),
        };
        let passes = match &test {
            // A test that has no answer yet makes the whole list unknown, except `defined` and the like, which have.
            Some((name, _)) if subject.is_unknown() && !answers_unknown(name) => return Ok(subject.new_computed()),
            Some((name, args)) => call.context.call_test(name, subject, args.clone())?,
            None if subject.is_unknown() => return Ok(subject.new_computed()),
            None => require_defined(&subject)?.is_true(),
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
