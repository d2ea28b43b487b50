//! Hardware addresses, and IPv6 addresses made of them.

use super::ipaddr::ask;
use super::required_text;
use crate::template::error::TemplateError;
use crate::template::network::{Address, Dialect, Mac, Network, Version};
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::coerce::{optional_text, to_text};
use crate::value::Value;

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new(
        "ansible.utils.hwaddr",
        hwaddr,
        "Validates a hardware address, or converts it to another notation.",
    ),
    FilterPlugin::new("ansible.utils.macaddr", macaddr, "Same as `hwaddr`."),
    FilterPlugin::new("ansible.utils.slaac", slaac, "Returns the SLAAC IPv6 address for a hardware address."),
];

/// Notations by the names that the query has for them.
const DIALECTS: [(&str, Dialect); 10] = [
    ("bare", Dialect::Bare),
    ("cisco", Dialect::Cisco),
    ("eui48", Dialect::Windows),
    ("linux", Dialect::Linux),
    ("pgsql", Dialect::Postgresql),
    ("postgresql", Dialect::Postgresql),
    ("psql", Dialect::Postgresql),
    ("unix", Dialect::Unix),
    ("win", Dialect::Windows),
    ("", Dialect::Windows),
];

fn hwaddr(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [query, alias] = call.args.bind(["query", "alias"])?;
    let alias = optional_text(alias.as_ref())?.unwrap_or_else(|| "hwaddr".to_owned());
    answer(call, query.as_ref(), &alias)
}

fn macaddr(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [query] = call.args.bind(["query"])?;
    answer(call, query.as_ref(), "macaddr")
}

fn answer(call: &PluginCall<'_>, query: Option<&Value>, alias: &str) -> Result<Value, TemplateError> {
    let query = optional_text(query)?.unwrap_or_default();
    let written = to_text(&call.input)?;
    let mac = Mac::parse(&written);
    match (query.as_str(), mac) {
        ("", Some(_)) => Ok(Value::text(written)),
        ("bool", Some(_)) => Ok(Value::Bool(true)),
        ("" | "bool", None) => Ok(Value::Null),
        (_, None) => Err(TemplateError::value(format!("{alias}: not a hardware address: {written}"))),
        ("int", Some(mac)) => Ok(Value::from(mac.bits)),
        (query, Some(mac)) => match DIALECTS.iter().find(|(name, _)| *name == query) {
            Some((_, dialect)) => Ok(Value::text(mac.format(*dialect))),
            None => {
                let names = DIALECTS.iter().map(|(name, _)| *name).chain(["bool", "int"]).collect::<Vec<_>>();
                let fault = TemplateError::value(format!("{alias}: unknown filter type: {query}"));
                Err(fault.suggest_name(query, names.iter().copied()))
            }
        },
    }
}

fn slaac(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [query] = call.args.bind(["query"])?;
    let value = Value::text(required_text(Some(&call.input), "value")?);
    let query = optional_text(query.as_ref())?.unwrap_or_default();
    let no = Ok(Value::Bool(false));
    let network = ask(&value, "subnet")?.as_str().and_then(Network::parse);
    let (Some(network), Some(mac)) = (network, Mac::parse(&query)) else { return no };
    if network.version() != Version::V6 {
        return no;
    }
    let Some(bits) = network.first().bits.checked_add(u128::from(mac.interface_id())) else { return no };
    Ok(Value::text(Address { version: Version::V6, bits }.to_string()))
}
