//! Signatures of webhooks, compared in constant time.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use hyper::HeaderMap;
use jiff::Timestamp;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::Zeroizing;

use super::Sender;

/// How far the timestamp of a request may be from now, in seconds.
const TIMESTAMP_TOLERANCE: i64 = 5 * 60;

/// Prefix of keys that the Standard Webhooks specification defines.
const KEY_PREFIX: &str = "whsec_";

/// Why a webhook is not accepted. The sender is told none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HookError {
    /// No header that carries a signature, or several of one name.
    #[error("the request has no signature, or several under one name")]
    Missing,
    /// The signature was made with another secret, or over another body.
    #[error("the signature is wrong")]
    Signature,
    /// The timestamp is not a number, or more than five minutes away.
    #[error("the timestamp is more than five minutes away")]
    Timestamp,
}

/// Verifies the requests to the hook of one job.
pub struct HookVerifier {
    sender: Option<Sender>,
    secrets: Vec<Zeroizing<String>>,
}

impl HookVerifier {
    /// Takes the sender that the file pins, and the contents of the secret files: one, or two while a secret is
    /// changed. White space around a secret does not count. None without a secret: no secret, no hook.
    pub fn new<T: AsRef<str>>(sender: Option<Sender>, secrets: impl IntoIterator<Item = T>) -> Option<Self> {
        let secrets: Vec<_> = secrets
            .into_iter()
            .map(|secret| Zeroizing::new(secret.as_ref().trim().to_owned()))
            .filter(|secret| !secret.is_empty())
            .collect();
        (!secrets.is_empty()).then_some(Self { sender, secrets })
    }

    /// Returns a verifier that accepts nothing and takes as long as a real one.
    pub fn new_decoy() -> Self {
        let secret = uuid::Uuid::new_v4().to_string();
        Self { sender: None, secrets: vec![Zeroizing::new(secret)] }
    }

    /// Verifies a request.
    ///
    /// # Errors
    /// If the request is not signed with one of the secrets, or is too old.
    pub fn verify_request(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<Sender, HookError> {
        let sender = self.sender.or_else(|| Sender::from_headers(headers)).ok_or(HookError::Missing)?;
        let header = sender.signature_header(headers);
        let signature = single_header(headers, header)?;
        // Every secret is tried, also after one has matched, so that the time says nothing about which.
        let mut matches = false;
        if header == "webhook-signature" {
            let (id, sent) = (single_header(headers, "webhook-id")?, single_header(headers, "webhook-timestamp")?);
            check_timestamp(sent, now)?;
            let mut signed = format!("{id}.{sent}.").into_bytes();
            signed.extend_from_slice(body);
            for secret in &self.secrets {
                matches |= is_standard_signature(secret, signature, &signed);
            }
        } else if header == "x-gitlab-token" {
            for secret in &self.secrets {
                matches |= bool::from(secret.as_bytes().ct_eq(signature.as_bytes()));
            }
        } else {
            let digest = read_hex_digest(sender, signature).ok_or(HookError::Signature)?;
            for secret in &self.secrets {
                matches |= compute_hmac(secret.as_bytes(), body).verify_slice(&digest).is_ok();
            }
        }
        if matches { Ok(sender) } else { Err(HookError::Signature) }
    }
}

impl std::fmt::Debug for HookVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HookVerifier({:?}, {} secrets)", self.sender, self.secrets.len())
    }
}

/// Returns the one value of a header.
fn single_header<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, HookError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().map_err(|_| HookError::Missing),
        _ => Err(HookError::Missing),
    }
}

fn check_timestamp(sent: &str, now: Timestamp) -> Result<(), HookError> {
    let sent: i64 = sent.parse().map_err(|_| HookError::Timestamp)?;
    let distance = now.as_second().checked_sub(sent).ok_or(HookError::Timestamp)?;
    if distance.unsigned_abs() > TIMESTAMP_TOLERANCE.unsigned_abs() { Err(HookError::Timestamp) } else { Ok(()) }
}

/// Compares `v1,BASE64` signatures, of which a sender that changes its key gives several, separated by spaces.
fn is_standard_signature(secret: &str, signatures: &str, signed: &[u8]) -> bool {
    let mut matches = false;
    for key in read_keys(secret) {
        for signature in signatures.split_ascii_whitespace() {
            let Some(digest) = signature.strip_prefix("v1,").and_then(|text| STANDARD.decode(text).ok()) else {
                continue;
            };
            matches |= compute_hmac(&key, signed).verify_slice(&digest).is_ok();
        }
    }
    matches
}

/// Returns the keys that a secret may stand for: the specification writes keys as base64, with or without a prefix, and
/// some senders take the text itself.
fn read_keys(secret: &str) -> Vec<Zeroizing<Vec<u8>>> {
    let decoded = |text: &str| STANDARD.decode(text).ok().map(Zeroizing::new);
    match secret.strip_prefix(KEY_PREFIX) {
        Some(text) => decoded(text).into_iter().collect(),
        None => decoded(secret).into_iter().chain([Zeroizing::new(secret.as_bytes().to_vec())]).collect(),
    }
}

/// Reads the digest of a header: bare for Gitea and its kin, after `sha256=` for the others.
fn read_hex_digest(sender: Sender, signature: &str) -> Option<Vec<u8>> {
    let text = match sender {
        Sender::Forgejo | Sender::Gitea | Sender::Gogs => signature,
        _ => signature.strip_prefix("sha256=")?,
    };
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

fn compute_hmac(key: &[u8], message: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac
}
