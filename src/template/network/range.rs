//! An address with a prefix: a network, or a host in one.

use std::fmt;

use num_bigint::BigInt;

use super::address::{Address, Version};

/// An address and the length of its network's prefix; bits behind the prefix may be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// The address as written.
    pub address: Address,
    /// Length of the prefix in bits.
    pub prefix: u8,
}

impl Network {
    /// Makes a network, if the prefix fits the version.
    pub fn new(address: Address, prefix: u8) -> Option<Self> {
        (prefix <= address.version.width()).then_some(Self { address, prefix })
    }

    /// Makes the network that has one address only.
    pub const fn of_host(address: Address) -> Self {
        Self { address, prefix: address.version.width() }
    }

    /// Reads `ADDRESS`, `ADDRESS/PREFIX`, `ADDRESS/NETMASK` or `ADDRESS/HOSTMASK`, host bits allowed.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, suffix) = text.split_once('/').map_or((text, None), |(address, suffix)| (address, Some(suffix)));
        let address = Address::parse(address)?;
        let Some(suffix) = suffix else { return Some(Self::of_host(address)) };
        if let Some(number) = python_integer(suffix) {
            return Self::new(address, u8::try_from(number).ok()?);
        }
        let mask = Address::parse_as(address.version, suffix)?;
        Self::new(address, prefix_of_mask(mask)?)
    }

    /// Reads a network as Python's `ip_network` does: a decimal prefix, masks for IPv4 only, no host bits.
    pub fn parse_strict(text: &str) -> Option<Self> {
        let (address, suffix) = text.split_once('/').map_or((text, None), |(address, suffix)| (address, Some(suffix)));
        let address = Address::parse(address)?;
        let Some(suffix) = suffix else { return Some(Self::of_host(address)) };
        let is_decimal = !suffix.is_empty() && suffix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = match (is_decimal, address.version) {
            (true, _) => suffix.parse().ok()?,
            (false, Version::V4) => prefix_of_mask(Address::parse_as(Version::V4, suffix)?)?,
            (false, Version::V6) => return None,
        };
        Self::new(address, prefix).filter(|network| network.address == network.first())
    }

    /// Returns the version.
    pub const fn version(self) -> Version {
        self.address.version
    }

    /// Returns the lowest address.
    pub fn first(self) -> Address {
        Address { bits: self.address.bits & !self.hostmask().bits, ..self.address }
    }

    /// Returns the highest address.
    pub fn last(self) -> Address {
        Address { bits: self.address.bits | self.hostmask().bits, ..self.address }
    }

    /// Returns the mask of the bits behind the prefix.
    pub fn hostmask(self) -> Address {
        Address { version: self.version(), bits: self.version().host_mask(self.prefix) }
    }

    /// Returns the mask of the prefix.
    pub fn netmask(self) -> Address {
        Address { version: self.version(), bits: self.version().highest() ^ self.hostmask().bits }
    }

    /// Returns the broadcast address; networks of one or two addresses have none.
    pub fn broadcast(self) -> Option<Address> {
        (self.version().width() - self.prefix > 1).then(|| self.last())
    }

    /// Returns the network without host bits.
    #[must_use]
    pub fn without_host(self) -> Self {
        Self { address: self.first(), ..self }
    }

    /// Returns the number of addresses.
    pub fn size(self) -> BigInt {
        BigInt::from(1) << (self.version().width() - self.prefix)
    }

    /// Returns the number of addresses if it is at most four, else `None`.
    pub fn small_size(self) -> Option<u8> {
        match self.version().width() - self.prefix {
            bits @ 0..=2 => Some(1 << bits),
            _ => None,
        }
    }

    /// Whether it has more than one address.
    pub const fn is_many(self) -> bool {
        self.prefix < self.version().width()
    }

    /// Whether another one lies in this one.
    pub fn contains(self, other: Self) -> bool {
        self.version() == other.version()
            && self.prefix <= other.prefix
            && (self.address.bits ^ other.address.bits) & !self.hostmask().bits == 0
    }

    /// Returns the address at a position, counted from the end if it is negative.
    pub fn address_at(self, position: &BigInt) -> Option<Address> {
        let from_start =
            if position.sign() == num_bigint::Sign::Minus { position + self.size() } else { position.clone() };
        if from_start.sign() == num_bigint::Sign::Minus || from_start >= self.size() {
            return None;
        }
        let offset = u128::try_from(from_start).ok()?;
        Address::new(self.version(), self.first().bits.checked_add(offset)?)
    }

    /// Returns the first and last address that a host can have; `None` for a single address.
    pub fn usable(self) -> Option<(u128, u128)> {
        match self.small_size() {
            Some(1) => None,
            Some(2) => Some((self.first().bits, self.last().bits)),
            _ => Some((self.first().bits + 1, self.last().bits - 1)),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

fn prefix_of_mask(mask: Address) -> Option<u8> {
    let ones = u8::try_from(mask.bits.count_ones()).ok()?;
    match (mask.is_netmask(), mask.is_hostmask()) {
        (true, _) => Some(ones),
        (false, true) => Some(mask.version.width() - ones),
        (false, false) => None,
    }
}

/// Reads an integer as Python's `int(text)` does: blanks around it, a sign, single underscores between digits.
pub fn python_integer(text: &str) -> Option<BigInt> {
    let text = text.trim();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let ends_well = digits.starts_with(|c: char| c.is_ascii_digit()) && digits.ends_with(|c: char| c.is_ascii_digit());
    if !ends_well || digits.contains("__") {
        return None;
    }
    text.replace('_', "").trim_start_matches('+').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_is_read_with_prefix_or_mask() {
        for (text, shown) in [
            ("10.1.2.3", "10.1.2.3/32"),
            ("10.1.2.3/8", "10.1.2.3/8"),
            ("10.1.2.3/255.255.0.0", "10.1.2.3/16"),
            ("10.1.2.3/0.0.0.255", "10.1.2.3/24"),
            ("::1/ 64 ", "::1/64"),
        ] {
            assert_eq!(Network::parse(text).unwrap().to_string(), shown);
        }
        for text in ["10.1.2.3/33", "10.1.2.3/255.0.255.0", "10.1.2.3/-1", "10.1.2.3/8/8", "x/8", "10.1.2.3/"] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }

    #[test]
    fn strict_network_has_no_host_bits() {
        assert!(Network::parse_strict("10.0.0.0/8").is_some() && Network::parse_strict("10.0.0.0/255.0.0.0").is_some());
        assert!(Network::parse_strict("10.0.0.1/8").is_none() && Network::parse_strict("::/ffff::").is_none());
    }

    #[test]
    fn whole_internet_has_a_size() {
        let all = Network::parse("::/0").unwrap();
        assert_eq!(all.size(), BigInt::from(1) << 128);
        assert_eq!(all.address_at(&BigInt::from(-1)).unwrap().bits, u128::MAX);
    }
}
