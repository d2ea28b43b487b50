//! Receipts: salted digests of delivered passwords, which do not reveal them.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::hex::{decode_hex, encode_hex};

/// Proof of a delivery: what the sink has can be compared with it later.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// `SALT:DIGEST` in hexadecimal; absent where the sink cannot be read.
    pub digest: Option<String>,
}

impl Receipt {
    /// A receipt for content that can be read back.
    pub fn from_content(content: &[u8]) -> Self {
        let salt = rand::random::<[u8; 16]>();
        Self { digest: Some(format!("{}:{}", encode_hex(&salt), encode_hex(&compute_digest(&salt, content)))) }
    }

    /// A receipt of a sink that cannot be read.
    pub fn new_unreadable() -> Self {
        Self::default()
    }

    /// Returns whether this content was delivered; `None` if the receipt cannot say.
    pub fn matches_content(&self, content: &[u8]) -> Option<bool> {
        let (salt, expected) = self.digest.as_ref()?.split_once(':')?;
        Some(encode_hex(&compute_digest(&decode_hex(salt)?, content)) == expected)
    }
}

fn compute_digest(salt: &[u8], content: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(salt).expect("HMAC takes keys of any length");
    mac.update(content);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipt_knows_its_content_and_tells_nothing_of_it() {
        let (one, other) = (Receipt::from_content(b"secret"), Receipt::from_content(b"secret"));
        assert_eq!(one.matches_content(b"secret"), Some(true));
        assert_eq!(one.matches_content(b"Secret"), Some(false));
        assert_ne!(one, other);
        assert_eq!(Receipt::new_unreadable().matches_content(b"secret"), None);
    }
}
