//! Digests, which detect changes.

use sha2::{Digest, Sha256};

use crate::hex::encode_hex;

/// The SHA-256 digest of some bytes, in hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    encode_hex(&Sha256::digest(bytes))
}
