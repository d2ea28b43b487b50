//! Members of collections.

use crate::template::error::Fault;
use crate::template::plugin::{Call, Test};
use crate::template::python::coerce::{contains as has, items, lazy_items, required, touch};
use crate::template::tests::compare::is_member;
use crate::value::Value;

/// The family.
pub const TABLE: &[Test] = &[
    Test::new("all", all, "Whether all members are true."),
    Test::new("any", any, "Whether a member is true."),
    Test::new("contains", contains, "Whether something is a member."),
    Test::new("issubset", subset, "Whether all members are in another list."),
    Test::new("issuperset", superset, "Whether all members of another list are here."),
    Test::new("subset", subset, "Whether all members are in another list."),
    Test::new("superset", superset, "Whether all members of another list are here."),
];

fn all(call: &Call<'_>) -> Result<bool, Fault> {
    for item in lazy_items(call)? {
        if !touch(&item)?.is_true() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn any(call: &Call<'_>) -> Result<bool, Fault> {
    for item in lazy_items(call)? {
        if touch(&item)?.is_true() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn contains(call: &Call<'_>) -> Result<bool, Fault> {
    let [wanted] = call.args.bind(["value"])?;
    is_member(&required(wanted, "value")?, &call.input, call)
}

/// The members of the input and of the argument, all of which may be members of a set.
fn both(call: &Call<'_>) -> Result<(Vec<Value>, Vec<Value>), Fault> {
    let [other] = call.args.bind(["b"])?;
    let (a, b) = (items(call)?, call.context.iterate(&required(other, "b")?)?);
    for member in a.iter().chain(&b) {
        if !touch(member)?.is_hashable() {
            return Err(Fault::value(format!("unhashable type: '{}'", member.type_name())));
        }
    }
    Ok((a, b))
}

fn subset(call: &Call<'_>) -> Result<bool, Fault> {
    let (a, b) = both(call)?;
    Ok(a.iter().all(|member| has(&b, member)))
}

fn superset(call: &Call<'_>) -> Result<bool, Fault> {
    let (a, b) = both(call)?;
    Ok(b.iter().all(|member| has(&a, member)))
}
