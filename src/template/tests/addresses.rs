//! Tests of `ansible.utils` on addresses and networks.

use crate::template::error::TemplateError;
use crate::template::network::{Address, Network, Version, looks_like_mac};
use crate::template::plugin::{PluginCall, Test};
use crate::template::python::coerce::{list_members, require_arg, to_text};

/// The family.
pub const TABLE: &[Test] = &[
    Test::new("ansible.utils.in_any_network", in_any_network, "Whether the value is in at least one of the networks."),
    Test::new("ansible.utils.in_network", in_network, "Whether the value is in a network."),
    Test::new("ansible.utils.in_one_network", in_one_network, "Whether the value is in exactly one of the networks."),
    Test::new(
        "ansible.utils.ip",
        |call| network_test(call, |_| true),
        "Whether the value is an IP address or network.",
    ),
    Test::new("ansible.utils.ip_address", |call| address_test(call, |_| true), "Whether the value is an IP address."),
    Test::new(
        "ansible.utils.ipv4",
        |call| network_test(call, |n| n.version() == Version::V4),
        "Whether the value is IPv4.",
    ),
    Test::new("ansible.utils.ipv4_address", |call| address_test(call, is_v4), "Whether the value is an IPv4 address."),
    Test::new("ansible.utils.ipv4_hostmask", ipv4_hostmask, "Whether the value is a mask of host bits."),
    Test::new("ansible.utils.ipv4_netmask", ipv4_netmask, "Whether the value is a mask of network bits."),
    Test::new(
        "ansible.utils.ipv6",
        |call| network_test(call, |n| n.version() == Version::V6),
        "Whether the value is IPv6.",
    ),
    Test::new(
        "ansible.utils.ipv6_address",
        |call| address_test(call, |a| !is_v4(a)),
        "Whether the value is an IPv6 address.",
    ),
    Test::new(
        "ansible.utils.ipv6_ipv4_mapped",
        |call| address_test(call, is_mapped),
        "Whether the value maps an IPv4 address.",
    ),
    Test::new(
        "ansible.utils.ipv6_sixtofour",
        |call| address_test(call, is_six_to_four),
        "Whether the value is a 6to4 address.",
    ),
    Test::new(
        "ansible.utils.ipv6_teredo",
        |call| address_test(call, is_teredo),
        "Whether the value is a Teredo address.",
    ),
    Test::new(
        "ansible.utils.loopback",
        |call| address_test(call, |a| host(a).is_loopback()),
        "Whether the value is loopback.",
    ),
    Test::new("ansible.utils.mac", mac, "Whether the value is a hardware address."),
    Test::new(
        "ansible.utils.multicast",
        |call| address_test(call, |a| host(a).is_multicast()),
        "Whether the value is multicast.",
    ),
    Test::new("ansible.utils.private", |call| address_test(call, Address::is_private), "Whether the value is private."),
    Test::new("ansible.utils.public", |call| address_test(call, is_public), "Whether the value is public."),
    Test::new(
        "ansible.utils.reserved",
        |call| address_test(call, |a| host(a).is_reserved()),
        "Whether the value is reserved.",
    ),
    Test::new("ansible.utils.subnet_of", subnet_of, "Whether the network is a subnet of another."),
    Test::new("ansible.utils.supernet_of", supernet_of, "Whether the network contains another."),
    Test::new(
        "ansible.utils.unspecified",
        |call| address_test(call, |a| a.bits == 0),
        "Whether the value is the zero address.",
    ),
];

fn host(address: Address) -> Network {
    Network::of_host(address)
}

fn is_v4(address: Address) -> bool {
    address.version == Version::V4
}

fn is_mapped(address: Address) -> bool {
    address.mapped().is_some()
}

fn is_public(address: Address) -> bool {
    let mapped = address.mapped().unwrap_or(address);
    let is_shared = is_v4(mapped) && mapped.bits >> 22 == 0x0191;
    !mapped.is_private() && !is_shared
}

fn is_six_to_four(address: Address) -> bool {
    !is_v4(address) && address.bits >> 112 == 0x2002
}

fn is_teredo(address: Address) -> bool {
    !is_v4(address) && address.bits >> 96 == 0x2001_0000
}

fn address_test(call: &PluginCall<'_>, holds: fn(Address) -> bool) -> Result<bool, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(Address::parse(&to_text(&call.input)?).is_some_and(holds))
}

fn network_test(call: &PluginCall<'_>, holds: fn(Network) -> bool) -> Result<bool, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(Network::parse_strict(&to_text(&call.input)?).is_some_and(holds))
}

fn is_in(inner: &str, outer: &str) -> bool {
    let (inner, outer) = (Network::parse_strict(inner), Network::parse_strict(outer));
    inner.zip(outer).is_some_and(|(inner, outer)| outer.contains(inner))
}

fn in_network(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let [network] = call.args.bind(["network"])?;
    Ok(is_in(&to_text(&call.input)?, &to_text(&require_arg(network, "network")?)?))
}

/// The number of networks that hold the input.
fn count_networks(call: &PluginCall<'_>) -> Result<usize, TemplateError> {
    let [networks] = call.args.bind(["networks"])?;
    let inner = to_text(&call.input)?;
    let networks = list_members(call, &require_arg(networks, "networks")?)?;
    let networks = networks.iter().map(to_text).collect::<Result<Vec<_>, _>>()?;
    Ok(networks.iter().filter(|outer| is_in(&inner, outer)).count())
}

fn in_any_network(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    count_networks(call).map(|count| count > 0)
}

fn in_one_network(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    count_networks(call).map(|count| count == 1)
}

fn subnet_of(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let [other] = call.args.bind(["network_b"])?;
    Ok(is_in(&to_text(&call.input)?, &to_text(&require_arg(other, "network_b")?)?))
}

fn supernet_of(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let [other] = call.args.bind(["network_b"])?;
    Ok(is_in(&to_text(&require_arg(other, "network_b")?)?, &to_text(&call.input)?))
}

fn ipv4_hostmask(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    mask_test(call, Network::hostmask)
}

fn ipv4_netmask(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    mask_test(call, Network::netmask)
}

fn mask_test(call: &PluginCall<'_>, mask: fn(Network) -> Address) -> Result<bool, TemplateError> {
    let [] = call.args.bind([])?;
    let written = to_text(&call.input)?;
    let network = Network::parse(&format!("0.0.0.0/{written}"));
    Ok(network.is_some_and(|network| mask(network).to_string() == written))
}

fn mac(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(looks_like_mac(&to_text(&call.input)?))
}
