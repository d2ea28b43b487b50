//! Bytes as hexadecimal digits.

use std::fmt::Write as _;

/// Returns two lower-case digits for each byte.
pub fn encode_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut digits, byte| {
        // Writing to text cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

/// Returns the bytes that pairs of digits stand for; `None` for anything else.
pub fn decode_hex(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_come_back_as_bytes() {
        assert_eq!(encode_hex(&[0, 10, 255]), "000aff");
        assert_eq!(decode_hex("000aFF"), Some(vec![0, 10, 255]));
        assert_eq!(decode_hex("zz"), None);
    }
}
