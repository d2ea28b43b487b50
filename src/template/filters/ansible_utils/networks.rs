//! Whether addresses are in networks.

use num_bigint::BigInt;

use super::ipaddr::ask;
use super::subnets::network_parameter;
use crate::template::error::TemplateError;
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::coerce::{input_members, to_text};
use crate::value::Value;

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new(
        "ansible.utils.network_in_network",
        in_network,
        "Returns whether an address or network is in a network.",
    ),
    FilterPlugin::new("ansible.utils.network_in_usable", in_usable, "Returns whether an address is usable for a host."),
    FilterPlugin::new(
        "ansible.utils.reduce_on_network",
        reduce_on_network,
        "Returns the addresses that are in a network.",
    ),
];

/// The network of an address; false if it is none.
fn normal(value: &Value) -> Value {
    let kind = ask(value, "type").unwrap_or(Value::Null);
    match kind.as_str() {
        Some("address" | "network") => ask(value, "subnet").unwrap_or(Value::Bool(false)),
        _ => Value::Bool(false),
    }
}

/// The number of the address that a query gives, or else of the network's address; zero if there is none.
fn end(network: &Value, query: &str) -> Result<BigInt, TemplateError> {
    let mut found = ask(network, query)?;
    if !found.is_true() {
        found = ask(network, "address")?;
    }
    Ok(match ask(&found, "int")? {
        Value::Int(number) => number.into(),
        Value::Big(number) => (*number).clone(),
        _ => BigInt::default(),
    })
}

fn ends(network: &Value, first: &str, last: &str) -> Result<(BigInt, BigInt), TemplateError> {
    Ok((end(network, first)?, end(network, last)?))
}

fn is_between(call: &PluginCall<'_>, first: &str, last: &str) -> Result<Value, TemplateError> {
    let [test] = call.args.bind(["test"])?;
    let outer = normal(&Value::text(to_text(&call.input)?));
    let inner = normal(&network_parameter(test, "test")?);
    let (outer, inner) = (ends(&outer, first, last)?, ends(&inner, "network", "broadcast")?);
    let holds = [inner.0, inner.1].iter().all(|number| (&outer.0..=&outer.1).contains(&number));
    Ok(Value::Bool(holds))
}

fn in_network(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    is_between(call, "network", "broadcast")
}

fn in_usable(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    is_between(call, "first_usable", "last_usable")
}

fn reduce_on_network(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [network] = call.args.bind(["network"])?;
    let network = normal(&network_parameter(network, "network")?);
    let (first, last) = ends(&network, "network", "broadcast")?;
    let mut kept = Vec::new();
    for value in input_members(call)? {
        let inner = ends(&normal(&value), "network", "broadcast")?;
        if [inner.0, inner.1].iter().all(|number| (&first..=&last).contains(&number)) {
            kept.push(value);
        }
    }
    Ok(Value::list(kept))
}
