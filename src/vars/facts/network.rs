//! Interfaces and addresses, from the tables of the kernel.

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Facts, read_trimmed};
use crate::value::{Dict, Value};

/// A line of the routing table of version 4.
#[derive(Debug, Clone, PartialEq)]
struct Route {
    interface: String,
    target: Ipv4Addr,
    gateway: Ipv4Addr,
    mask: Ipv4Addr,
    metric: u32,
}

/// An address of version 6 with its interface.
struct Address6 {
    interface: String,
    address: Ipv6Addr,
    prefix: u32,
    scope: &'static str,
}

pub(super) fn collect_interfaces(facts: &mut Facts<'_>) {
    let routes = parse_routes(&read_trimmed("/proc/net/route").unwrap_or_default());
    let four = parse_addresses4(&read_trimmed("/proc/net/fib_trie").unwrap_or_default(), &routes);
    let six = parse_addresses6(&read_trimmed("/proc/net/if_inet6").unwrap_or_default());
    let mut names: Vec<String> = fs::read_dir("/sys/class/net")
        .map(|entries| entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
        .unwrap_or_default();
    names.retain(|name| fs::metadata(format!("/sys/class/net/{name}")).is_ok_and(|about| about.is_dir()));
    names.sort();
    for name in &names {
        // Variables have no dashes and dots in their names.
        facts.set(&name.replace(['-', '.', ':'], "_"), describe_interface(name, &four, &six));
    }
    facts.set("interfaces", Value::list(names.iter().map(|name| Value::text(name.replace(['.', ':'], "_")))));
    let outside = four.iter().filter(|(_, address, _)| !address.is_loopback());
    facts.set("all_ipv4_addresses", Value::list(outside.map(|(_, address, _)| Value::text(address.to_string()))));
    let outside = six.iter().filter(|entry| !entry.address.is_loopback());
    facts.set("all_ipv6_addresses", Value::list(outside.map(|entry| Value::text(entry.address.to_string()))));
    facts.set("default_ipv4", find_default4(&routes, &four));
    facts.set("default_ipv6", find_default6(&six));
}

fn read_device_file(name: &str, file: &str) -> Option<String> {
    read_trimmed(format!("/sys/class/net/{name}/{file}")).filter(|text| !text.is_empty())
}

fn interface_kind(name: &str) -> &'static str {
    match read_device_file(name, "type").as_deref() {
        Some("1") => "ether",
        Some("32") => "infiniband",
        Some("772") => "loopback",
        Some("512") => "ppp",
        _ => "unknown",
    }
}

/// Physical address, MTU and kind, as both an interface and a default route show them.
fn set_basics(name: &str, entry: &mut Dict) {
    if let Some(address) = read_device_file(name, "address").filter(|address| address != "00:00:00:00:00:00") {
        entry.set("macaddress", Value::text(address));
    }
    if let Some(mtu) = read_device_file(name, "mtu").and_then(|mtu| mtu.parse::<i64>().ok()) {
        entry.set("mtu", Value::Int(mtu));
    }
    entry.set("type", Value::text(interface_kind(name)));
}

fn describe_interface(name: &str, four: &[(String, Ipv4Addr, u32)], six: &[Address6]) -> Dict {
    let mut entry = Dict::new();
    entry.set("device", Value::text(name));
    set_basics(name, &mut entry);
    let up =
        read_device_file(name, "flags").and_then(|flags| u32::from_str_radix(flags.trim_start_matches("0x"), 16).ok());
    entry.set("active", Value::Bool(up.is_some_and(|flags| flags & 1 != 0)));
    entry.set("promisc", Value::Bool(up.is_some_and(|flags| flags & 0x100 != 0)));
    if let Some(speed) = read_device_file(name, "speed").and_then(|speed| speed.parse::<i64>().ok()) {
        entry.set("speed", Value::Int(speed));
    }
    let mut own = four.iter().filter(|(interface, ..)| interface == name);
    if let Some((_, address, prefix)) = own.next() {
        entry.set("ipv4", describe_network4(*address, *prefix).into());
    }
    let others: Vec<Value> = own.map(|(_, address, prefix)| describe_network4(*address, *prefix).into()).collect();
    if !others.is_empty() {
        entry.set("ipv4_secondaries", Value::list(others));
    }
    let own: Vec<Value> = six
        .iter()
        .filter(|address| address.interface == name)
        .map(|address| {
            Value::dict([
                ("address", Value::text(address.address.to_string())),
                ("prefix", Value::text(address.prefix.to_string())),
                ("scope", Value::text(address.scope)),
            ])
        })
        .collect();
    if !own.is_empty() {
        entry.set("ipv6", Value::list(own));
    }
    entry
}

fn describe_network4(address: Ipv4Addr, prefix: u32) -> Dict {
    let mask = u32::MAX.checked_shl(32 - prefix.min(32)).unwrap_or(0);
    let network = address.to_bits() & mask;
    let broadcast =
        if address.is_loopback() { String::new() } else { Ipv4Addr::from_bits(network | !mask).to_string() };
    [
        ("address", address.to_string()),
        ("broadcast", broadcast),
        ("netmask", Ipv4Addr::from_bits(mask).to_string()),
        ("network", Ipv4Addr::from_bits(network).to_string()),
        ("prefix", prefix.to_string()),
    ]
    .into_iter()
    .map(|(name, value)| (Value::text(name), Value::text(value)))
    .collect()
}

fn find_default4(routes: &[Route], four: &[(String, Ipv4Addr, u32)]) -> Dict {
    let default = routes.iter().filter(|route| route.mask.is_unspecified()).min_by_key(|route| route.metric);
    let Some(route) = default else { return Dict::new() };
    let mut entry = Dict::new();
    entry.set("gateway", Value::text(route.gateway.to_string()));
    entry.set("interface", Value::text(route.interface.as_str()));
    entry.set("alias", Value::text(route.interface.as_str()));
    if let Some((_, address, prefix)) = four.iter().find(|(interface, ..)| *interface == route.interface) {
        entry.extend(&describe_network4(*address, *prefix));
    }
    set_basics(&route.interface, &mut entry);
    entry
}

fn find_default6(six: &[Address6]) -> Dict {
    let table = read_trimmed("/proc/net/ipv6_route").unwrap_or_default();
    let default = table.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let default =
            fields.len() >= 10 && fields[1] == "00" && fields[0].bytes().all(|b| b == b'0') && fields[9] != "lo";
        let gateway = Ipv6Addr::from_bits(u128::from_str_radix(fields.get(4)?, 16).ok()?);
        (default && !gateway.is_unspecified()).then(|| (gateway, fields[9].to_owned()))
    });
    let Some((gateway, name)) = default else { return Dict::new() };
    let mut entry = Dict::new();
    entry.set("gateway", Value::text(gateway.to_string()));
    entry.set("interface", Value::text(name.as_str()));
    if let Some(own) = six.iter().find(|own| own.interface == name && own.scope == "global") {
        entry.set("address", Value::text(own.address.to_string()));
        entry.set("prefix", Value::text(own.prefix.to_string()));
        entry.set("scope", Value::text(own.scope));
    }
    set_basics(&name, &mut entry);
    entry
}

fn parse_routes(table: &str) -> Vec<Route> {
    // The kernel writes addresses as numbers in the order of this machine's bytes.
    let address = |hex: &str| Some(Ipv4Addr::from(u32::from_str_radix(hex, 16).ok()?.to_ne_bytes()));
    let route = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        Some(Route {
            interface: (*fields.first()?).to_owned(),
            target: address(fields.get(1)?)?,
            gateway: address(fields.get(2)?)?,
            metric: fields.get(6)?.parse().ok()?,
            mask: address(fields.get(7)?)?,
        })
    };
    table.lines().skip(1).filter_map(route).collect()
}

/// The machine's own addresses. The table does not name interfaces; the route that covers an address does.
fn parse_addresses4(table: &str, routes: &[Route]) -> Vec<(String, Ipv4Addr, u32)> {
    let mut found: Vec<(String, Ipv4Addr, u32)> = Vec::new();
    let mut last = None;
    for line in table.lines() {
        if let Some(address) = line.trim().strip_prefix("|-- ") {
            last = address.parse::<Ipv4Addr>().ok();
        } else if line.contains("/32 host LOCAL")
            && let Some(address) = last
            && !found.iter().any(|(_, known, _)| *known == address)
        {
            let covers = |route: &&Route| {
                !route.mask.is_unspecified() && address.to_bits() & route.mask.to_bits() == route.target.to_bits()
            };
            let route = routes.iter().filter(covers).max_by_key(|route| route.mask.to_bits());
            match route {
                Some(route) => found.push((route.interface.clone(), address, route.mask.to_bits().count_ones())),
                None if address.is_loopback() => found.push(("lo".to_owned(), address, 8)),
                None => {}
            }
        }
    }
    found
}

fn parse_addresses6(table: &str) -> Vec<Address6> {
    let entry = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        Some(Address6 {
            interface: (*fields.get(5)?).to_owned(),
            address: Ipv6Addr::from_bits(u128::from_str_radix(fields.first()?, 16).ok()?),
            prefix: u32::from_str_radix(fields.get(2)?, 16).ok()?,
            scope: match *fields.get(3)? {
                "10" => "host",
                "20" => "link",
                "40" => "site",
                _ => "global",
            },
        })
    };
    table.lines().filter_map(entry).collect()
}

pub(super) fn collect_dns(facts: &mut Facts<'_>) {
    let mut dns = Dict::new();
    let mut servers = Vec::new();
    for line in read_trimmed("/etc/resolv.conf").unwrap_or_default().lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("nameserver") => servers.extend(words.next().map(Value::text)),
            Some("domain") => dns.set("domain", words.next().map(str::to_owned).into()),
            Some("search") => dns.set("search", Value::list(words.map(Value::text))),
            _ => {}
        }
    }
    if !servers.is_empty() {
        dns.set("nameservers", Value::list(servers));
    }
    facts.set("dns", dns);
}

#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::*;

    const ROUTES: &str = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n\
        eth0 00000000 010200C0 0003 0 0 0 00000000 0 0 0\n\
        eth0 000200C0 00000000 0001 0 0 0 00FFFFFF 0 0 0\n";
    const TRIE: &str = "Local:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 127.0.0.1\n        /32 host LOCAL\n     |-- 192.0.2.2\n        /32 host LOCAL\n     |-- 192.0.2.255\n        /32 link BROADCAST\n";

    #[test]
    fn tables_of_the_kernel() {
        let routes = parse_routes(ROUTES);
        assert_eq!(routes[0].gateway, Ipv4Addr::new(192, 0, 2, 1));
        let four = parse_addresses4(TRIE, &routes);
        assert_eq!(
            four,
            [("lo".to_owned(), Ipv4Addr::LOCALHOST, 8), ("eth0".to_owned(), Ipv4Addr::new(192, 0, 2, 2), 24)]
        );
        let entry = find_default4(&routes, &four);
        for (name, value) in [
            ("address", "192.0.2.2"),
            ("gateway", "192.0.2.1"),
            ("netmask", "255.255.255.0"),
            ("broadcast", "192.0.2.255"),
        ] {
            assert_eq!(entry.get(name).and_then(Value::as_str), Some(value), "{name}");
        }
        let six = parse_addresses6("00000000000000000000000000000001 01 80 10 80 lo\n");
        assert_eq!((six[0].address, six[0].prefix, six[0].scope), (Ipv6Addr::LOCALHOST, 128, "host"));
    }
}
