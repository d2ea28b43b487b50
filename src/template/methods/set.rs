//! Methods of sets.

use std::sync::Arc;

use super::table::{MethodCall, MethodPlugin};
use crate::template::error::TemplateError;
use crate::value::Value;

type SetCall<'a> = MethodCall<'a, [Value]>;

/// The methods, sorted by name.
pub const TABLE: &[MethodPlugin<[Value]>] = &[
    MethodPlugin::new("add", add),
    MethodPlugin::new("copy", copy),
    MethodPlugin::new("difference", difference),
    MethodPlugin::new("intersection", intersection),
    MethodPlugin::new("isdisjoint", isdisjoint),
    MethodPlugin::new("issubset", issubset),
    MethodPlugin::new("issuperset", issuperset),
    MethodPlugin::new("symmetric_difference", symmetric_difference),
    MethodPlugin::new("union", union),
];

fn add(call: &SetCall<'_>) -> Result<Value, TemplateError> {
    other_members(call)?;
    Ok(Value::Null)
}

fn copy(call: &SetCall<'_>) -> Result<Value, TemplateError> {
    other_members(call)?;
    Ok(Value::Set(Arc::new(call.data.to_vec())))
}

fn difference(call: &SetCall<'_>) -> Result<Value, TemplateError> {
    Ok(distinct_set(members_without(call.data, &other_members(call)?)))
}

fn intersection(call: &SetCall<'_>) -> Result<Value, TemplateError> {
    let other = other_members(call)?;
    Ok(distinct_set(call.data.iter().filter(|item| other.contains(item)).cloned().collect()))
}

fn symmetric_difference(call: &SetCall<'_>) -> Result<Value, TemplateError> {
    let other = other_members(call)?;
    let mut members = members_without(call.data, &other);
    members.extend(members_without(&other, call.data));
    Ok(distinct_set(members))
}

fn union(call: &SetCall<'_>) -> Result<Value, TemplateError> {
    Ok(distinct_set(call.data.iter().cloned().chain(other_members(call)?).collect()))
}

fn isdisjoint(call: &SetCall<'_>) -> Result<Value, TemplateError> {
    let other = other_members(call)?;
    Ok(Value::Bool(!call.data.iter().any(|item| other.contains(item))))
}

fn issubset(call: &SetCall<'_>) -> Result<Value, TemplateError> {
    let other = other_members(call)?;
    Ok(Value::Bool(call.data.iter().all(|item| other.contains(item))))
}

fn issuperset(call: &SetCall<'_>) -> Result<Value, TemplateError> {
    Ok(Value::Bool(other_members(call)?.iter().all(|item| call.data.contains(item))))
}

/// The members of all arguments.
fn other_members(call: &SetCall<'_>) -> Result<Vec<Value>, TemplateError> {
    let mut members = Vec::new();
    for value in &call.args.positional {
        members.extend(call.engine.members_of(value)?);
    }
    Ok(members)
}

fn members_without(of: &[Value], gone: &[Value]) -> Vec<Value> {
    of.iter().filter(|item| !gone.contains(item)).cloned().collect()
}

fn distinct_set(members: Vec<Value>) -> Value {
    let mut distinct: Vec<Value> = Vec::new();
    for member in members {
        if !distinct.contains(&member) {
            distinct.push(member);
        }
    }
    Value::Set(Arc::new(distinct))
}
