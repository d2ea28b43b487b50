//! Arithmetic with addresses: parts of networks, neighbours, merging.

use num_bigint::BigInt;
use num_traits::{One, Signed, Zero};

use super::ipaddr::ask;
use super::{integer_parameter, missing, required_text};
use crate::template::budget;
use crate::template::error::TemplateError;
use crate::template::network::{Address, Network, Version, merge_networks, python_integer, span_networks};
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::coerce::{input_members, optional_text, to_text};
use crate::value::{Value, python};

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new(
        "ansible.utils.cidr_merge",
        cidr_merge,
        "Merges networks into as few as possible, or into one that contains all.",
    ),
    FilterPlugin::new("ansible.utils.ip4_hex", ip4_hex, "Converts an IPv4 address to hexadecimal."),
    FilterPlugin::new("ansible.utils.ipmath", ipmath, "Adds a number to an address."),
    FilterPlugin::new(
        "ansible.utils.ipsubnet",
        ipsubnet,
        "Returns a subnet of a network, or the number or position of subnets.",
    ),
    FilterPlugin::new(
        "ansible.utils.next_nth_usable",
        next_nth_usable,
        "Returns the address a given number of places higher.",
    ),
    FilterPlugin::new("ansible.utils.nthhost", nthhost, "Returns the address at a position in a network."),
    FilterPlugin::new(
        "ansible.utils.previous_nth_usable",
        previous_nth_usable,
        "Returns the address a given number of places lower.",
    ),
    FilterPlugin::new(
        "ansible.utils.usable_range",
        usable_range,
        "Returns all addresses of a network, and their number.",
    ),
];

/// The input as an address or a network with its prefix, as `ipaddr` reads it.
fn subject(value: &Value) -> Result<Option<Network>, TemplateError> {
    let value = Value::text(to_text(value)?);
    Ok(match ask(&value, "type")?.as_str() {
        Some("address") => ask(&value, "cidr")?.as_str().and_then(Network::parse),
        Some("network") => ask(&value, "subnet")?.as_str().and_then(Network::parse),
        _ => None,
    })
}

fn outside() -> TemplateError {
    TemplateError::value("result outside valid IP address boundary!")
}

fn shifted(address: Address, amount: &BigInt) -> Option<u128> {
    u128::try_from(BigInt::from(address.bits) + amount).ok()
}

fn ipmath(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [amount] = call.args.bind(["amount"])?;
    let written = to_text(&call.input)?;
    let address = match written.contains('/') {
        true => Network::parse(&written).map(|network| network.address),
        false => Address::parse(&written),
    };
    let amount = integer_parameter(&amount.ok_or_else(|| missing("amount"))?, "amount")?;
    let Some(address) = address else {
        return Err(TemplateError::value(format!("You must pass a valid IP address; {written} is invalid")));
    };
    let sum = shifted(address, &amount).and_then(|bits| Address::new(address.version, bits));
    sum.map(|sum| Value::text(sum.to_string())).ok_or_else(outside)
}

fn ip4_hex(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [delimiter] = call.args.bind(["delimiter"])?;
    let delimiter = optional_text(delimiter.as_ref())?.unwrap_or_default();
    let written = to_text(&call.input)?;
    let Some(address) = Address::parse_as(Version::V4, &written) else {
        return Err(TemplateError::value(format!("You must pass a valid IP address; {written} is invalid")));
    };
    let bytes = (0..4).rev().map(|part| format!("{:02x}", address.bits >> (8 * part) & 0xff));
    Ok(Value::text(bytes.collect::<Vec<_>>().join(&delimiter)))
}

fn nthhost(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [query] = call.args.bind(["query"])?;
    let no = Ok(Value::Bool(false));
    let Some(network) = subject(&call.input)? else { return no };
    let query = optional_text(query.as_ref())?.unwrap_or_default();
    let Some(position) = python_integer(&query).filter(|position| *position < network.size()) else { return no };
    let found = network.address_at(&position);
    found
        .map(|found| Value::text(found.to_string()))
        .ok_or_else(|| TemplateError::value("index out range for address range size!"))
}

fn next_nth_usable(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    nth_usable(call, |offset| offset)
}

fn previous_nth_usable(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    nth_usable(call, |offset| -offset)
}

fn nth_usable(call: &PluginCall<'_>, direct: fn(BigInt) -> BigInt) -> Result<Value, TemplateError> {
    let [offset] = call.args.bind(["offset"])?;
    let offset = integer_parameter(&offset.ok_or_else(|| missing("offset"))?, "offset")?;
    let Some(network) = subject(&call.input)? else { return Ok(Value::Bool(false)) };
    let Some((first, last)) = network.usable() else { return Ok(Value::Null) };
    let bits = shifted(network.address, &direct(offset)).ok_or_else(outside)?;
    Ok(match (first..=last).contains(&bits) {
        true => Value::text(Address::of_integer(bits).to_string()),
        false => Value::Null,
    })
}

fn ipsubnet(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [query, index] = call.args.bind(["query", "index"])?;
    let query = optional_text(query.as_ref())?.unwrap_or_default();
    let index = index.filter(|index| !index.is_null()).map(|index| integer_parameter(&index, "index")).transpose()?;
    let Some(network) = subject(&call.input)?.map(Network::without_host) else { return Ok(Value::Bool(false)) };
    if query.is_empty() {
        return Ok(Value::text(network.to_string()));
    }
    if !query.bytes().all(|byte| byte.is_ascii_digit()) {
        return position_in(network, &query);
    }
    let width = network.version().width();
    let Some(prefix) = query.parse::<u8>().ok().filter(|prefix| *prefix <= width) else {
        return Ok(Value::Bool(false));
    };
    match (network.is_many(), index) {
        (false, index) => supernet(network, prefix, index),
        (true, None) if prefix < network.prefix => {
            Err(TemplateError::value(format!("Requested subnet size of {prefix} is invalid")))
        }
        (true, None) => Ok(Value::text((BigInt::one() << (prefix - network.prefix)).to_string())),
        (true, Some(index)) => Ok(part(network, prefix, index).map_or(Value::Bool(false), Value::text)),
    }
}

/// The networks around an address, the largest (with `prefix`) first.
fn supernet(network: Network, prefix: u8, index: Option<BigInt>) -> Result<Value, TemplateError> {
    let width = i64::from(network.version().width());
    let index = index.unwrap_or_default();
    if index > BigInt::from(width) + 1 - &index || index < BigInt::from(i64::from(prefix) - width) {
        return Ok(Value::Bool(false));
    }
    let count = width - i64::from(prefix);
    let index = if index.is_negative() { index + count } else { index };
    let longer = u8::try_from(index).ok().filter(|index| i64::from(*index) < count);
    let longer = longer.ok_or_else(|| TemplateError::value("list index out of range"))?;
    let found = Network { prefix: prefix + longer, ..network };
    Ok(Value::text(found.without_host().to_string()))
}

/// The part of a network with a longer prefix at a position.
fn part(network: Network, prefix: u8, index: BigInt) -> Option<String> {
    let count = match prefix.checked_sub(network.prefix) {
        Some(longer) => BigInt::one() << longer,
        // A prefix that is too short leaves less than one part, of which the first is asked for.
        None if index.is_zero() => BigInt::one(),
        None => return None,
    };
    let index = if index.is_negative() { index + &count } else { index };
    if index.is_negative() || index >= count {
        return None;
    }
    let offset = index << (network.version().width() - prefix);
    let address = Address::new(network.version(), shifted(network.address, &offset)?)?;
    Some(format!("{address}/{prefix}"))
}

/// The position of a network among those of its size in another one, from one.
fn position_in(network: Network, query: &str) -> Result<Value, TemplateError> {
    let Some(outer) = subject(&Value::text(query))? else {
        return Err(TemplateError::value(format!("You must pass a valid subnet or IP address; {query} is invalid")));
    };
    if !outer.contains(network) {
        let (network, outer) = (network.without_host(), outer.without_host());
        return Err(TemplateError::value(format!("{network} is not in the subnet {outer}")));
    }
    let offset = network.address.bits - outer.first().bits;
    let position: BigInt = BigInt::from(offset) >> (network.version().width() - network.prefix);
    Ok(Value::text((position + BigInt::one()).to_string()))
}

fn cidr_merge(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [action] = call.args.bind(["action"])?;
    let action = optional_text(action.as_ref())?.unwrap_or_else(|| "merge".to_owned());
    let values = match &call.input {
        Value::Str(text) => text.split(',').map(Value::text).collect(),
        _ => input_members(call)?,
    };
    let invalid = |value: &Value| {
        let shown = python::str(value);
        TemplateError::value(format!("cidr_merge: error in netaddr:\ninvalid IPNetwork {shown}"))
    };
    let read = |value: &Value| value.as_str().and_then(Network::parse).ok_or_else(|| invalid(value));
    match action.as_str() {
        "merge" => {
            let networks = values.iter().map(read).collect::<Result<Vec<_>, _>>()?;
            Ok(Value::list(merge_networks(&networks).iter().map(|network| Value::text(network.to_string()))))
        }
        "span" if values.is_empty() => Ok(Value::Null),
        "span" if values.len() == 1 => Ok(Value::text(read(&values[0])?.to_string())),
        "span" => {
            let networks = values.iter().map(read).collect::<Result<Vec<_>, _>>()?;
            let spanning = span_networks(&networks).map(|network| Value::text(network.to_string()));
            let message = "cidr_merge: error in netaddr:\nIP sequence cannot contain both IPv4 and IPv6!";
            spanning.ok_or_else(|| TemplateError::value(message))
        }
        other => Err(TemplateError::value(format!("cidr_merge: invalid action '{other}'"))
            .suggest_name(other, ["merge", "span"])),
    }
}

fn usable_range(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    let written = to_text(&call.input)?;
    let Some(network) = Network::parse_strict(&written) else {
        let what = match Network::parse(&written) {
            Some(_) => format!("{written} has host bits set"),
            None => format!("'{written}' does not appear to be an IPv4 or IPv6 network"),
        };
        return Err(TemplateError::value(format!("Error while using plugin 'usable_range': {what}")));
    };
    let size = network.size();
    let count = usize::try_from(&size).ok().filter(|count| *count <= 1 << 24);
    let Some(count) = count else {
        return Err(TemplateError::value(format!("`usable_range` would list {size} addresses"))
            .hint("take single addresses of a large network with `ansible.utils.nthhost`"));
    };
    budget::grow_members(count)?;
    let first = network.first();
    let address = |offset: usize| Address { bits: first.bits + offset as u128, ..first };
    let all = (0..count).map(|offset| Value::text(address(offset).without_dots()));
    Ok(Value::dict([("usable_ips", Value::list(all)), ("number_of_ips", Value::big(size))]))
}

/// Returns a text parameter under its name, for the filters next door.
pub(super) fn network_parameter(value: Option<Value>, name: &str) -> Result<Value, TemplateError> {
    required_text(value.as_ref(), name).map(Value::text)
}
