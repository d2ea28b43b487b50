//! The envelope: a header line, then hexadecimal salt, checksum and ciphertext, all in hexadecimal once more.
//!
//! The key is PBKDF2-HMAC-SHA256 of the password with 10000 rounds: 32 bytes for AES-256 in counter mode, 32 for the
//! checksum (HMAC-SHA256 of the ciphertext), 16 for the first counter. The plain text is padded as PKCS#7 says.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use ctr::cipher::{KeyIvInit, StreamCipher};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use super::VaultError;
use super::secret::DEFAULT_ID;
use crate::hex::encode_hex;

/// First word of every envelope.
const MAGIC: &str = "$ANSIBLE_VAULT";
const ROUNDS: u32 = 10_000;
const SALT_LENGTH: usize = 32;
const BLOCK: usize = 16;
const LINE: usize = 80;

/// Whether a text (a whole file, or a `!vault` value) is an envelope.
pub fn is_vaulted(text: &str) -> bool {
    text.trim_start().starts_with("$ANSIBLE_VAULT;")
}

/// The id in the header of an envelope; `None` for version 1.1, which has none.
///
/// # Errors
/// If the text is not vaulted or the header is not one of ours.
pub fn vault_id(envelope: &str) -> Result<Option<String>, VaultError> {
    parse_header(envelope).map(|(id, _)| id.map(str::to_owned))
}

/// Seals a text. With an id other than `default` the header says so (version 1.2). A salt is drawn unless one is given.
pub fn encrypt_text(plain: &[u8], secret: &[u8], id: Option<&str>, salt: Option<&[u8]>) -> String {
    let salt = salt.map_or_else(|| rand::random::<[u8; SALT_LENGTH]>().to_vec(), <[u8]>::to_vec);
    let keys = Keys::derive_keys(secret, &salt);
    let padding = BLOCK - plain.len() % BLOCK;
    let mut text = Zeroizing::new(Vec::with_capacity(plain.len() + padding));
    text.extend_from_slice(plain);
    text.resize(plain.len() + padding, u8::try_from(padding).unwrap_or(16));
    keys.apply_cipher(&mut text);
    let checksum = keys.checksum(&text).finalize().into_bytes();
    let inner = format!("{}\n{}\n{}", encode_hex(&salt), encode_hex(&checksum), encode_hex(&text));
    let mut out = match id.filter(|id| *id != DEFAULT_ID) {
        Some(id) => format!("{MAGIC};1.2;AES256;{id}\n"),
        None => format!("{MAGIC};1.1;AES256\n"),
    };
    let body = encode_hex(inner.as_bytes());
    for (index, c) in body.chars().enumerate() {
        if index > 0 && index % LINE == 0 {
            out.push('\n');
        }
        out.push(c);
    }
    out.push('\n');
    out
}

/// Opens an envelope with one secret.
///
/// # Errors
/// If the text is not an envelope, is damaged, or the secret does not fit.
pub fn decrypt_envelope(envelope: &str, secret: &[u8]) -> Result<Vec<u8>, VaultError> {
    let (_, body) = parse_header(envelope)?;
    let inner = decode_hex(body.split_whitespace().flat_map(str::bytes))?;
    let mut parts = inner.split(|b| *b == b'\n');
    let (Some(salt), Some(checksum), Some(text), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(VaultError::Damaged("it does not have a salt, a checksum and a text".to_owned()));
    };
    let part = |hex: &[u8]| decode_hex(hex.iter().copied());
    let (salt, checksum, mut text) = (part(salt)?, part(checksum)?, part(text)?);
    let keys = Keys::derive_keys(secret, &salt);
    keys.checksum(&text).verify_slice(&checksum).map_err(|_| VaultError::WrongSecret(Vec::new()))?;
    keys.apply_cipher(&mut text);
    let padding = usize::from(text.last().copied().unwrap_or(0));
    if padding == 0 || padding > BLOCK || padding > text.len() {
        text.zeroize();
        return Err(VaultError::Damaged("its padding is wrong".to_owned()));
    }
    text.truncate(text.len() - padding);
    Ok(text)
}

/// The id and the body after a header that is understood.
fn parse_header(envelope: &str) -> Result<(Option<&str>, &str), VaultError> {
    let envelope = envelope.trim_start();
    let (header, body) = envelope.split_once('\n').unwrap_or((envelope, ""));
    let fields: Vec<&str> = header.trim().split(';').map(str::trim).collect();
    match fields[..] {
        [MAGIC, "1.1" | "1.0", "AES256"] => Ok((None, body)),
        [MAGIC, "1.1", "AES256", ..] => Ok((None, body)),
        [MAGIC, "1.2", "AES256", id, ..] => Ok((Some(id), body)),
        [MAGIC, "1.2", "AES256"] => Ok((None, body)),
        [MAGIC, _, ..] => Err(VaultError::Unsupported(fields[1..].join(";"))),
        _ => Err(VaultError::NotVaulted),
    }
}

/// Keys derived from a password and a salt.
#[derive(Clone)]
struct Keys(Zeroizing<[u8; 80]>);

/// Derivation takes milliseconds on purpose; one salt is asked for again whenever a value is used again. The password
/// itself is not kept, only its digest together with the salt.
static DERIVED: LazyLock<Mutex<HashMap<[u8; 32], Keys>>> = LazyLock::new(Mutex::default);
const REMEMBERED: usize = 512;

impl Keys {
    fn derive_keys(secret: &[u8], salt: &[u8]) -> Self {
        let mut digest = Sha256::new();
        digest.update((salt.len() as u64).to_le_bytes());
        digest.update(salt);
        digest.update(secret);
        let name: [u8; 32] = digest.finalize().into();
        if let Some(keys) = DERIVED.lock().unwrap_or_else(PoisonError::into_inner).get(&name) {
            return keys.clone();
        }
        let mut bytes = Zeroizing::new([0; 80]);
        pbkdf2::pbkdf2_hmac::<Sha256>(secret, salt, ROUNDS, bytes.as_mut_slice());
        let keys = Self(bytes);
        let mut derived = DERIVED.lock().unwrap_or_else(PoisonError::into_inner);
        if derived.len() >= REMEMBERED {
            derived.clear();
        }
        derived.insert(name, keys.clone());
        keys
    }

    /// Counter mode is its own inverse.
    fn apply_cipher(&self, text: &mut [u8]) {
        ctr::Ctr128BE::<aes::Aes256>::new_from_slices(&self.0[..32], &self.0[64..])
            .expect("the slices have the lengths that AES-256 wants")
            .apply_keystream(text);
    }

    fn checksum(&self, ciphertext: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0[32..64]).expect("HMAC takes keys of any length");
        mac.update(ciphertext);
        mac
    }
}

fn decode_hex(digits: impl Iterator<Item = u8>) -> Result<Vec<u8>, VaultError> {
    let damaged = |why: &str| VaultError::Damaged(why.to_owned());
    let mut bytes = Vec::new();
    let mut high = None;
    for digit in digits {
        let half = char::from(digit).to_digit(16).ok_or_else(|| damaged("it has other than hexadecimal digits"))?;
        let half = u8::try_from(half).unwrap_or(0);
        match high.take() {
            None => high = Some(half),
            Some(high) => bytes.push(high << 4 | half),
        }
    }
    if high.is_some() { Err(damaged("it has an odd number of digits")) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn opens_what_the_reference_sealed() {
        let envelope = include_str!("testdata/reference.vault");
        assert_eq!(decrypt_envelope(envelope, b"swordfish").unwrap(), b"hello: world\n");
        assert_eq!(vault_id(envelope).unwrap().as_deref(), Some("dev"));
        assert_eq!(decrypt_envelope(envelope, b"other"), Err(VaultError::WrongSecret(Vec::new())));
    }

    #[test]
    fn seals_with_the_header_that_fits_the_id() {
        assert!(encrypt_text(b"x", b"pw", None, None).starts_with("$ANSIBLE_VAULT;1.1;AES256\n"));
        assert!(encrypt_text(b"x", b"pw", Some("default"), None).starts_with("$ANSIBLE_VAULT;1.1;AES256\n"));
        assert!(encrypt_text(b"x", b"pw", Some("dev"), None).starts_with("$ANSIBLE_VAULT;1.2;AES256;dev\n"));
        let salt = Some(&b"0123456789abcdef0123456789abcdef"[..]);
        assert_eq!(encrypt_text(b"x", b"pw", None, salt), encrypt_text(b"x", b"pw", None, salt));
        assert!(encrypt_text(b"x", b"pw", None, salt).lines().all(|line| line.len() <= 80));
    }

    #[track_caller]
    fn case(envelope: &str, problem: &str) {
        assert_eq!(decrypt_envelope(envelope, b"pw").unwrap_err().to_string(), problem);
    }

    #[test]
    fn says_what_is_wrong() {
        case("hello", "the text is not vaulted (it does not begin with `$ANSIBLE_VAULT;`)");
        case(
            "$ANSIBLE_VAULT;9.9;ROT13\n00",
            "vault format `9.9;ROT13` is not supported, only versions 1.1 and 1.2 with AES256 are",
        );
        case("$ANSIBLE_VAULT;1.1;AES256\nxyz", "the vaulted text is damaged: it has other than hexadecimal digits");
        case("$ANSIBLE_VAULT;1.1;AES256\n123", "the vaulted text is damaged: it has an odd number of digits");
        case(
            "$ANSIBLE_VAULT;1.1;AES256\n",
            "the vaulted text is damaged: it does not have a salt, a checksum and a text",
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn round_trip(plain: Vec<u8>, secret: Vec<u8>, id in "[a-z]{0,5}") {
            let id = Some(id.as_str()).filter(|id| !id.is_empty());
            let envelope = encrypt_text(&plain, &secret, id, None);
            prop_assert!(is_vaulted(&envelope));
            prop_assert_eq!(decrypt_envelope(&envelope, &secret).unwrap(), plain);
        }
    }
}
