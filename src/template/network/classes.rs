//! Address ranges with a meaning: private, loopback, reserved, ..

use super::address::{Address, Version};
use super::range::Network;

/// Ranges that are not reachable from the whole internet (IANA special-purpose address registries).
const NOT_GLOBAL: [&str; 25] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.0.170/31",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "255.255.255.255/32",
    "::1/128",
    "::/128",
    "::ffff:0:0/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "fc00::/7",
    "fe80::/10",
];

/// Ranges inside those that are reachable all the same.
const GLOBAL_ALL_THE_SAME: [&str; 8] = [
    "192.0.0.9/32",
    "192.0.0.10/32",
    "2001:1::1/128",
    "2001:1::2/128",
    "2001:3::/32",
    "2001:4:112::/48",
    "2001:20::/28",
    "2001:30::/28",
];

/// Ranges kept for the future.
const RESERVED: [&str; 16] = [
    "240.0.0.0/4",
    "::/8",
    "100::/8",
    "200::/7",
    "400::/6",
    "800::/5",
    "1000::/4",
    "4000::/3",
    "6000::/3",
    "8000::/3",
    "a000::/3",
    "c000::/3",
    "e000::/4",
    "f000::/5",
    "f800::/6",
    "fe00::/9",
];

impl Network {
    fn is_in_any(self, ranges: &[&str]) -> bool {
        ranges.iter().filter_map(|range| Self::parse(range)).any(|range| range.contains(self))
    }

    /// Whether all of it is multicast.
    pub fn is_multicast(self) -> bool {
        self.is_in_any(&["224.0.0.0/4", "ff00::/8"])
    }

    /// Whether all of it is loopback.
    pub fn is_loopback(self) -> bool {
        self.is_in_any(&["127.0.0.0/8", "::1/128"])
    }

    /// Whether all of it is link-local.
    pub fn is_link_local(self) -> bool {
        self.is_in_any(&["169.254.0.0/16", "fe80::/10"])
    }

    /// Whether all of it is reserved.
    pub fn is_reserved(self) -> bool {
        self.is_in_any(&RESERVED)
    }
}

impl Address {
    /// Whether it can be reached from the whole internet.
    pub fn is_global(self) -> bool {
        let host = Network::of_host(self);
        !host.is_in_any(&NOT_GLOBAL) || host.is_in_any(&GLOBAL_ALL_THE_SAME)
    }

    /// Whether it is private as Python's `ipaddress` has it: not global, and not of carrier-grade address translation,
    /// which is neither. An IPv6 address that maps an IPv4 one is as private as that.
    pub fn is_private(self) -> bool {
        let address = self.mapped().unwrap_or(self);
        !address.is_global() && !Network::of_host(address).is_in_any(&["100.64.0.0/10"])
    }

    /// Returns the IPv4 address that an IPv6 address maps (`::ffff:1.2.3.4`).
    pub fn mapped(self) -> Option<Self> {
        let is_mapped = self.version == Version::V6 && self.bits >> 32 == 0xffff;
        is_mapped.then_some(Self { version: Version::V4, bits: self.bits & u128::from(u32::MAX) })
    }
}
