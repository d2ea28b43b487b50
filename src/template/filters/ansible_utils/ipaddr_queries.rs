//! The named queries of `ipaddr`, one row each.

use num_bigint::BigInt;

use crate::template::error::TemplateError;
use crate::template::network::{Address, Network, Version};
use crate::value::Value;

/// Subject of a query.
pub(super) struct Subject {
    /// The address, with its prefix.
    pub network: Network,
    /// Whether a prefix was written.
    pub is_network: bool,
    /// The value that is kept if the query holds.
    pub value: Value,
}

type Answer = Result<Value, TemplateError>;

type Query = fn(&Subject) -> Answer;

/// Names and answers.
const QUERIES: &[(&str, Query)] = &[
    ("", |s| Ok(s.as_given())),
    ("6to4", six_to_four),
    ("address", |s| Ok(s.host().map_or(Value::Null, shown))),
    ("address/prefix", address_prefix),
    ("bool", |_| Ok(Value::Bool(true))),
    ("broadcast", |s| Ok(s.broadcast().map_or(Value::Null, shown))),
    ("cidr", |s| Ok(shown(s.network))),
    ("first_usable", |s| s.in_network(|n| Ok(n.usable().map_or(Value::Null, |(first, _)| of_bits(first))))),
    ("gateway", address_prefix),
    ("gw", address_prefix),
    ("host", |s| Ok(s.plain_host().map_or(Value::Null, shown))),
    ("host/prefix", address_prefix),
    ("hostmask", |s| Ok(shown(s.network.hostmask()))),
    ("hostnet", address_prefix),
    ("int", integer),
    ("ip", |s| Ok(s.host().map_or(Value::Null, shown))),
    ("ip/prefix", |s| Ok(s.host_of_many().map_or(Value::Null, shown))),
    ("ip_netmask", |s| Ok(s.host_of_many().map_or(Value::Null, |n| with(n.address, n.netmask())))),
    ("ipv4", to_ipv4),
    ("ipv6", to_ipv6),
    ("last_usable", |s| s.in_network(|n| Ok(n.usable().map_or(Value::Null, |(_, last)| of_bits(last))))),
    ("link-local", |s| Ok(s.if_so(Network::of_host(s.network.address).is_link_local()))),
    ("lo", |s| Ok(s.if_so(Network::of_host(s.network.address).is_loopback()))),
    ("loopback", |s| Ok(s.if_so(Network::of_host(s.network.address).is_loopback()))),
    ("multicast", |s| Ok(s.if_so(s.network.is_multicast()))),
    ("net", net),
    ("netmask", |s| Ok(shown(s.network.netmask()))),
    ("network", |s| Ok(shown(s.network.first()))),
    ("network/prefix", |s| Ok(shown(s.network.without_host()))),
    ("network_id", |s| Ok(shown(s.network.first()))),
    ("network_netmask", |s| Ok(with(s.network.first(), s.network.netmask()))),
    ("network_wildcard", |s| Ok(with(s.network.first(), s.network.hostmask()))),
    ("next_usable", |s| s.in_network(|n| neighbour(n, 1))),
    ("peer", |s| s.in_network(peer)),
    ("prefix", |s| Ok(Value::Int(i64::from(s.network.prefix)))),
    ("previous_usable", |s| s.in_network(|n| neighbour(n, -1))),
    ("private", |s| Ok(s.if_so(!s.network.address.is_global()))),
    ("public", |s| Ok(s.if_so(is_public(s.network.address)))),
    ("range_usable", |s| s.in_network(usable_range)),
    ("revdns", |s| Ok(Value::text(s.network.address.reverse_name()))),
    ("router", address_prefix),
    ("size", |s| Ok(Value::big(s.network.size()))),
    ("size_usable", size_usable),
    ("subnet", |s| Ok(shown(s.network.without_host()))),
    ("type", |s| Ok(Value::text(if s.is_whole_network() { "network" } else { "address" }))),
    ("unicast", |s| Ok(s.if_so(!s.network.is_multicast()))),
    ("v4", to_ipv4),
    ("v6", to_ipv6),
    ("version", |s| Ok(Value::Int(s.network.version().number()))),
    ("wildcard", |s| Ok(shown(s.network.hostmask()))),
    ("wrap", wrap),
];

/// Returns the names of all queries.
pub(super) fn names() -> impl Iterator<Item = &'static &'static str> {
    QUERIES.iter().map(|(name, _)| name)
}

/// Whether there is a query of this name.
pub(super) fn is_query(name: &str) -> bool {
    QUERIES.iter().any(|(known, _)| *known == name)
}

/// Returns the answer to a query; `None` if there is no such query.
pub(super) fn answer(subject: &Subject, query: &str) -> Option<Answer> {
    let (_, run) = QUERIES.iter().find(|(name, _)| *name == query)?;
    Some(run(subject))
}

impl Subject {
    /// The address, with the prefix if one was written.
    pub(super) fn as_given(&self) -> Value {
        if self.is_network { shown(self.network) } else { shown(self.network.address) }
    }

    fn if_so(&self, holds: bool) -> Value {
        if holds { self.value.clone() } else { Value::Null }
    }

    /// Whether it names a network of several addresses, and none of them.
    fn is_whole_network(&self) -> bool {
        self.network.is_many() && self.network.address == self.network.first()
    }

    /// The address, unless it only names a network.
    fn host(&self) -> Option<Address> {
        let network = self.network;
        let names_host = !self.is_whole_network() || network.broadcast().is_none() || network.version() == Version::V6;
        names_host.then_some(network.address)
    }

    /// The same with its prefix; the first address of an IPv6 network counts as its name.
    fn plain_host(&self) -> Option<Network> {
        (!self.is_whole_network() || self.network.broadcast().is_none()).then_some(self.network)
    }

    fn host_of_many(&self) -> Option<Network> {
        let is_host = self.network.is_many() && self.network.address != self.network.first();
        (self.network.small_size() == Some(2) || is_host).then_some(self.network)
    }

    fn broadcast(&self) -> Option<Address> {
        self.network.broadcast()
    }

    fn in_network(&self, run: impl FnOnce(Network) -> Answer) -> Answer {
        if self.is_network { run(self.network) } else { Err(TemplateError::value("Not a network address")) }
    }
}

fn shown(part: impl std::fmt::Display) -> Value {
    Value::text(part.to_string())
}

fn with(address: Address, mask: Address) -> Value {
    Value::text(format!("{address} {mask}"))
}

fn of_bits(bits: u128) -> Value {
    shown(Address::of_integer(bits))
}

fn address_prefix(subject: &Subject) -> Answer {
    let network = subject.network;
    let is_end = network.address == network.first() || Some(network.address) == network.broadcast();
    let is_large = network.small_size().is_none_or(|size| size > 2);
    Ok(if is_large && is_end { Value::Bool(false) } else { shown(network) })
}

fn six_to_four(subject: &Subject) -> Answer {
    let network = subject.network;
    let address = network.address;
    if network.version() == Version::V6 {
        let relay = Network { address: Address { version: Version::V6, bits: 0x2002 << 112 }, prefix: 16 };
        let asked = !subject.is_network || address != network.first();
        let holds = asked && relay.contains(Network::of_host(address));
        return Ok(if holds { subject.value.clone() } else { Value::Bool(false) });
    }
    if subject.is_whole_network() || (address.is_global() && !is_public(address)) {
        return Ok(Value::Bool(false));
    }
    let (high, low) = (address.bits >> 16, address.bits & 0xffff);
    Ok(Value::text(format!("2002:{high:04x}:{low:04x}::1/48")))
}

fn integer(subject: &Subject) -> Answer {
    let bits = subject.network.address.bits;
    Ok(match subject.is_network {
        true => Value::text(format!("{bits}/{}", subject.network.prefix)),
        false => Value::big(BigInt::from(bits)),
    })
}

fn to_ipv4(subject: &Subject) -> Answer {
    let network = subject.network;
    if network.version() == Version::V4 {
        return Ok(subject.value.clone());
    }
    const MAPPED: u128 = 0xffff_0000_0000;
    let bits = network.address.bits;
    let low = if bits <= Version::V4.highest() { Some(bits) } else { bits.checked_sub(MAPPED) };
    let found = low.and_then(|bits| Network::new(Address::new(Version::V4, bits)?, network.prefix.checked_sub(96)?));
    Ok(found.map_or(Value::Bool(false), shown))
}

fn to_ipv6(subject: &Subject) -> Answer {
    let network = subject.network;
    if network.version() == Version::V6 {
        return Ok(subject.value.clone());
    }
    let address = Address { version: Version::V6, bits: 0xffff_0000_0000 + network.address.bits };
    Ok(shown(Network { address, prefix: network.prefix + 96 }))
}

fn net(subject: &Subject) -> Answer {
    Ok(if subject.is_whole_network() { shown(subject.network) } else { Value::Null })
}

fn neighbour(network: Network, step: i8) -> Answer {
    let Some((first, last)) = network.usable() else { return Ok(Value::Null) };
    let Some(bits) = network.address.bits.checked_add_signed(i128::from(step)) else {
        return Err(TemplateError::value("the next address would be outside of all addresses"));
    };
    Ok(if (first..=last).contains(&bits) { of_bits(bits) } else { Value::Null })
}

fn peer(network: Network) -> Answer {
    let bits = network.address.bits;
    match (network.small_size(), bits % 4) {
        (Some(2), _) => Ok(of_bits(bits ^ 1)),
        (Some(4), 0) => Err(TemplateError::value("Network address of /30 has no peer")),
        (Some(4), 3) => Err(TemplateError::value("Broadcast address of /30 has no peer")),
        (Some(4), _) => Ok(of_bits(bits ^ 3)),
        _ => Err(TemplateError::value("Not a point-to-point network")),
    }
}

fn is_public(address: Address) -> bool {
    let host = Network::of_host(address);
    address.is_global()
        && !host.is_multicast()
        && !host.is_loopback()
        && !address.is_netmask()
        && !address.is_hostmask()
}

fn usable_range(network: Network) -> Answer {
    let range = network.usable();
    Ok(range.map_or(Value::Null, |(first, last)| {
        Value::text(format!("{}-{}", Address::of_integer(first), Address::of_integer(last)))
    }))
}

fn size_usable(subject: &Subject) -> Answer {
    Ok(match subject.network.small_size() {
        Some(1) => Value::Int(0),
        Some(2) => Value::Int(2),
        _ => Value::big(subject.network.size() - 2),
    })
}

fn wrap(subject: &Subject) -> Answer {
    let Network { address, prefix } = subject.network;
    Ok(match (address.version, subject.is_network) {
        (Version::V4, _) => subject.value.clone(),
        (Version::V6, false) => Value::text(format!("[{address}]")),
        (Version::V6, true) => Value::text(format!("[{address}]/{prefix}")),
    })
}
