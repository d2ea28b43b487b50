//! Checksums of contents, in hex.

use sha1::Digest;

use crate::hex::encode_hex;

/// SHA-1, the checksum of results.
pub fn sha1_hex(bytes: &[u8]) -> String {
    encode_hex(&sha1::Sha1::digest(bytes))
}

/// MD5, which results carry besides.
pub fn md5_hex(bytes: &[u8]) -> String {
    encode_hex(&md5::Md5::digest(bytes))
}

/// The algorithms that parameters may name.
pub const ALGORITHMS: &[&str] = &["md5", "sha1", "sha224", "sha256", "sha384", "sha512"];

/// A checksum by the name of its algorithm; `None` for a name not in [`ALGORITHMS`].
pub fn by_name(algorithm: &str, bytes: &[u8]) -> Option<String> {
    Some(match algorithm {
        "md5" => md5_hex(bytes),
        "sha1" => sha1_hex(bytes),
        "sha224" => encode_hex(&sha2::Sha224::digest(bytes)),
        "sha256" => encode_hex(&sha2::Sha256::digest(bytes)),
        "sha384" => encode_hex(&sha2::Sha384::digest(bytes)),
        "sha512" => encode_hex(&sha2::Sha512::digest(bytes)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_the_known_ones() {
        assert_eq!(sha1_hex(b"hello\n"), "f572d396fae9206628714fb2ce00f72e94f2258f");
        assert_eq!(md5_hex(b"hello\n"), "b1946ac92492d2347c6235b4d2611184");
        let sha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
        assert_eq!(by_name("sha256", b"hello\n").as_deref(), Some(sha256));
        assert_eq!(by_name("crc", b""), None);
        assert!(ALGORITHMS.iter().all(|name| by_name(name, b"").is_some()));
    }
}
