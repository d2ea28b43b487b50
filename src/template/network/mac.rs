//! Hardware addresses.

use super::range::python_integer;

/// A hardware address of 48 or 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mac {
    /// The bits.
    pub bits: u64,
    /// 48 or 64.
    pub width: u8,
}

/// How a hardware address is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `1A2B3C4D5E6F`
    Bare,
    /// `1a2b.3c4d.5e6f`
    Cisco,
    /// `1A-2B-3C-4D-5E-6F`
    Windows,
    /// `1a:2b:3c:4d:5e:0f`
    Linux,
    /// `1a2b3c:4d5e6f`
    Postgresql,
    /// `1a:2b:3c:4d:5e:f`
    Unix,
}

/// Notations of 48 bits: separator, number of groups, fewest and most digits in one.
const SHORT: [(&str, usize, usize, usize); 8] = [
    (":", 6, 1, 2),
    ("-", 6, 1, 2),
    (":", 3, 1, 4),
    ("-", 3, 1, 4),
    (".", 3, 1, 4),
    ("-", 2, 5, 6),
    (":", 2, 5, 6),
    ("", 1, 11, 12),
];

/// Notations of 64 bits.
const LONG: [(&str, usize, usize, usize); 6] =
    [("-", 8, 1, 2), (":", 8, 1, 2), ("-", 4, 1, 4), (":", 4, 1, 4), (".", 4, 1, 4), ("", 1, 16, 16)];

impl Mac {
    /// Reads an address in any usual notation, or as a decimal number.
    pub fn parse(text: &str) -> Option<Self> {
        let number = python_integer(text);
        let of_number = |most: u64| u64::try_from(number.clone()?).ok().filter(|bits| *bits <= most);
        let short = SHORT.iter().find_map(|row| read_groups(text, row, 48)).or_else(|| of_number((1 << 48) - 1));
        if let Some(bits) = short {
            return Some(Self { bits, width: 48 });
        }
        let long = LONG.iter().find_map(|row| read_groups(text, row, 64)).or_else(|| of_number(u64::MAX))?;
        Some(Self { bits: long, width: 64 })
    }

    /// Writes the address.
    pub fn format(self, dialect: Dialect) -> String {
        let (digits, separator) = match dialect {
            Dialect::Bare => (12, ""),
            Dialect::Cisco => (4, "."),
            Dialect::Windows => (2, "-"),
            Dialect::Linux | Dialect::Unix => (2, ":"),
            Dialect::Postgresql => (6, ":"),
        };
        let groups = usize::from(self.width).div_ceil(4 * digits);
        let group = |index: usize| {
            let bits = self.bits >> (4 * digits * (groups - 1 - index)) & ((1 << (4 * digits)) - 1);
            match dialect {
                Dialect::Bare | Dialect::Windows => format!("{bits:0digits$X}"),
                Dialect::Unix => format!("{bits:x}"),
                _ => format!("{bits:0digits$x}"),
            }
        };
        (0..groups).map(group).collect::<Vec<_>>().join(separator)
    }

    /// Returns the last 64 bits of the IPv6 address that a host with this address gives itself.
    pub fn interface_id(self) -> u64 {
        let long = match self.width {
            48 => (self.bits >> 24) << 40 | 0xff_fe00_0000 | self.bits & 0xff_ffff,
            _ => self.bits,
        };
        long ^ 0x0200_0000_0000_0000
    }
}

fn read_groups(text: &str, row: &(&str, usize, usize, usize), width: usize) -> Option<u64> {
    let (separator, count, fewest, most) = *row;
    let groups: Vec<&str> = if separator.is_empty() { vec![text] } else { text.split(separator).collect() };
    let fits =
        |group: &&str| (fewest..=most).contains(&group.len()) && group.bytes().all(|byte| byte.is_ascii_hexdigit());
    if groups.len() != count || !groups.iter().all(fits) {
        return None;
    }
    let bits = width / count;
    groups.iter().try_fold(0_u64, |sum, group| {
        let value = u64::from_str_radix(group, 16).ok()?;
        Some(if count == 1 { value } else { sum << bits | value })
    })
}

/// Whether text is six pairs, three groups of four or twelve hexadecimal digits, as the test `mac` has it.
pub fn looks_like_mac(text: &str) -> bool {
    let are_digits =
        |part: &str, count: usize| part.len() == count && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let pairs: Vec<&str> = text.split([':', '-']).collect();
    let groups: Vec<&str> = text.split('.').collect();
    are_digits(text, 12)
        || (pairs.len() == 6 && pairs.iter().all(|pair| are_digits(pair, 2)))
        || (groups.len() == 3 && groups.iter().all(|group| are_digits(group, 4)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mac_is_read_in_every_notation() {
        for text in ["1a:2b:3c:4d:5e:6f", "1A-2B-3C-4D-5E-6F", "1a2b.3c4d.5e6f", "1a2b3c:4d5e6f", "1a2b3c4d5e6f"] {
            assert_eq!(Mac::parse(text), Some(Mac { bits: 0x1a2b_3c4d_5e6f, width: 48 }), "{text}");
        }
        assert_eq!(Mac::parse("12").unwrap().bits, 12);
        assert_eq!(Mac::parse("nope"), None);
        assert_eq!(Mac::parse("1a:2b:3c:4d:5e:6f:70:81").unwrap().width, 64);
    }

    #[test]
    fn mac_is_written_in_every_dialect() {
        let mac = Mac::parse("0a:2b:3c:4d:5e:6f").unwrap();
        for (dialect, shown) in [
            (Dialect::Bare, "0A2B3C4D5E6F"),
            (Dialect::Cisco, "0a2b.3c4d.5e6f"),
            (Dialect::Windows, "0A-2B-3C-4D-5E-6F"),
            (Dialect::Linux, "0a:2b:3c:4d:5e:6f"),
            (Dialect::Postgresql, "0a2b3c:4d5e6f"),
            (Dialect::Unix, "a:2b:3c:4d:5e:6f"),
        ] {
            assert_eq!(mac.format(dialect), shown);
        }
    }
}
