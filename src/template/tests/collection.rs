//! Members of collections.

use crate::template::error::TemplateError;
use crate::template::plugin::{PluginCall, Test};
use crate::template::python::coerce::{contains_value as has, input_members, lazy_items, require_arg, require_defined};
use crate::template::tests::compare::is_member;
use crate::value::Value;

/// The family.
pub const TABLE: &[Test] = &[
    Test::new("all", all, "Whether all members are true."),
    Test::new("any", any, "Whether a member is true."),
    Test::new("contains", contains, "Whether the list contains a value."),
    Test::new("issubset", subset, "Whether another list contains all members."),
    Test::new("issuperset", superset, "Whether the list contains all members of another list."),
    Test::new("subset", subset, "Whether another list contains all members."),
    Test::new("superset", superset, "Whether the list contains all members of another list."),
];

fn all(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    for item in lazy_items(call)? {
        if !require_defined(&item)?.is_true() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn any(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    for item in lazy_items(call)? {
        if require_defined(&item)?.is_true() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn contains(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let [wanted] = call.args.bind(["value"])?;
    is_member(&require_arg(wanted, "value")?, &call.input, call)
}

/// The members of the input and of the argument, all of which may be members of a set.
fn read_both(call: &PluginCall<'_>) -> Result<(Vec<Value>, Vec<Value>), TemplateError> {
    let [other] = call.args.bind(["b"])?;
    let (a, b) = (input_members(call)?, call.context.collect_members(&require_arg(other, "b")?)?);
    for member in a.iter().chain(&b) {
        if !require_defined(member)?.is_hashable() {
            return Err(TemplateError::value(format!("unhashable type: '{}'", member.type_name())));
        }
    }
    Ok((a, b))
}

fn subset(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let (a, b) = read_both(call)?;
    Ok(a.iter().all(|member| has(&b, member)))
}

fn superset(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let (a, b) = read_both(call)?;
    Ok(b.iter().all(|member| has(&a, member)))
}
