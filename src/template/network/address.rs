//! One IP address.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Version of the internet protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 32 bits.
    V4,
    /// 128 bits.
    V6,
}

impl Version {
    /// Returns the number of bits of an address.
    pub const fn width(self) -> u8 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }

    /// Returns the number that users write for it.
    pub const fn number(self) -> i64 {
        match self {
            Self::V4 => 4,
            Self::V6 => 6,
        }
    }

    /// Returns the highest address as an integer.
    pub const fn highest(self) -> u128 {
        match self {
            Self::V4 => u32::MAX as u128,
            Self::V6 => u128::MAX,
        }
    }

    /// Returns the mask of the bits behind a prefix.
    pub fn host_mask(self, prefix: u8) -> u128 {
        let bits = u32::from(self.width() - prefix.min(self.width()));
        1_u128.checked_shl(bits).map_or(u128::MAX, |bit| bit - 1)
    }
}

/// An IP address: its bits as an integer that fits its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// Version.
    pub version: Version,
    /// The bits.
    pub bits: u128,
}

impl Address {
    /// Reads an address in dotted or colon notation; nothing else (leading zeros, missing parts) is accepted.
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_as(Version::V4, text).or_else(|| Self::parse_as(Version::V6, text))
    }

    /// Reads an address of one version.
    pub fn parse_as(version: Version, text: &str) -> Option<Self> {
        let bits = match version {
            Version::V4 => u128::from(text.parse::<Ipv4Addr>().ok()?.to_bits()),
            Version::V6 => text.parse::<Ipv6Addr>().ok()?.to_bits(),
        };
        Some(Self { version, bits })
    }

    /// Makes an address of an integer; small integers are IPv4.
    pub const fn of_integer(bits: u128) -> Self {
        let version = if bits <= Version::V4.highest() { Version::V4 } else { Version::V6 };
        Self { version, bits }
    }

    /// Makes an address of an integer if it fits the version.
    pub fn new(version: Version, bits: u128) -> Option<Self> {
        (bits <= version.highest()).then_some(Self { version, bits })
    }

    /// Whether the bits are ones followed by zeros.
    pub fn is_netmask(self) -> bool {
        let rest = self.bits ^ self.version.highest();
        rest & rest.wrapping_add(1) == 0
    }

    /// Whether the bits are zeros followed by ones.
    pub fn is_hostmask(self) -> bool {
        self.bits & self.bits.wrapping_add(1) == 0
    }

    /// Returns the name under `in-addr.arpa.` or `ip6.arpa.`, with its final dot.
    pub fn reverse_name(self) -> String {
        let parts: Vec<String> = match self.version {
            Version::V4 => (0..4).map(|part| (self.bits >> (8 * part) & 0xff).to_string()).collect(),
            Version::V6 => (0..32).map(|part| format!("{:x}", self.bits >> (4 * part) & 0xf)).collect(),
        };
        let domain = if self.version == Version::V4 { "in-addr" } else { "ip6" };
        format!("{}.{domain}.arpa.", parts.join("."))
    }

    /// Writes the address without dotted parts, as Python's `ipaddress` does.
    pub fn without_dots(self) -> String {
        let text = self.to_string();
        if self.version == Version::V4 || !text.contains('.') {
            return text;
        }
        let (high, low) = (self.bits >> 16 & 0xffff, self.bits & 0xffff);
        let start = text.rsplit_once(':').map_or("::", |(start, _)| start);
        format!("{start}:{high:x}:{low:x}")
    }
}

/// As the C library writes it: addresses that hold an IPv4 address end in its dotted form.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let low = u32::try_from(self.bits & u128::from(u32::MAX)).unwrap_or_default();
        match self.version {
            Version::V4 => Ipv4Addr::from_bits(low).fmt(f),
            Version::V6 if self.bits >> 32 == 0 && self.bits >> 16 != 0 => write!(f, "::{}", Ipv4Addr::from_bits(low)),
            Version::V6 => Ipv6Addr::from_bits(self.bits).fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_is_written_as_the_c_library_writes_it() {
        for text in ["10.0.0.1", "2001:db8::1", "::ffff:1.2.3.4", "::1.2.3.4", "::1", "::", "1:0:0:2::"] {
            assert_eq!(Address::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Address::parse("::ffff:1.2.3.4").unwrap().without_dots(), "::ffff:102:304");
    }

    #[test]
    fn odd_notation_is_no_address() {
        for text in ["", "1.2.3", "01.2.3.4", " 1.2.3.4", "1.2.3.4/8", "1:2", "5", "::1%eth0"] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }

    #[test]
    fn reverse_name_ends_in_a_dot() {
        assert_eq!(Address::parse("192.0.2.7").unwrap().reverse_name(), "7.2.0.192.in-addr.arpa.");
        assert!(Address::parse("2001:db8::1").unwrap().reverse_name().starts_with("1.0.0.0."));
    }
}
