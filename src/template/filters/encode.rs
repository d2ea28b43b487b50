//! Base64, hashes, UUIDs.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use blake2::{Blake2b512, Blake2s256};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256};
use sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512};
use uuid::Uuid;

use crate::template::error::TemplateError;
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::charset::Encoding;
use crate::template::python::coerce::{flag_or, text_or, to_text};
use crate::value::{Value, python};

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new("b64decode", b64decode, "Decodes base64 to text."),
    FilterPlugin::new("b64encode", b64encode, "Encodes text as base64."),
    FilterPlugin::new("checksum", checksum, "Returns the SHA-1 hash of text."),
    FilterPlugin::new("hash", hash, "Returns the hash of text by the given algorithm."),
    FilterPlugin::new("md5", md5, "Returns the MD5 hash of text."),
    FilterPlugin::new("sha1", checksum, "Returns the SHA-1 hash of text."),
    FilterPlugin::new("to_uuid", to_uuid, "Returns a UUID derived from text."),
];

fn b64encode(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [encoding, urlsafe] = call.args.bind(["encoding", "urlsafe"])?;
    let bytes = match &call.input {
        Value::Bytes(bytes) => bytes.to_vec(),
        other => Encoding::from_name(&text_or(encoding.as_ref(), "utf-8")?)?.encode(&to_text(other)?)?,
    };
    let engine = if flag_or(urlsafe.as_ref(), false) { &URL_SAFE } else { &STANDARD };
    Ok(Value::text(engine.encode(bytes)))
}

fn b64decode(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [encoding, urlsafe] = call.args.bind(["encoding", "urlsafe"])?;
    let encoding = Encoding::from_name(&text_or(encoding.as_ref(), "utf-8")?)?;
    let urlsafe = flag_or(urlsafe.as_ref(), false);
    let input = to_text(&call.input)?;
    // Python skips what is not a digit of base64, line breaks above all.
    let extra = if urlsafe { "-_" } else { "+/" };
    let mut digits: String = input.chars().filter(|c| c.is_ascii_alphanumeric() || extra.contains(*c)).collect();
    let padding = input.chars().filter(|c| *c == '=').count();
    let wanted = (4 - digits.len() % 4) % 4;
    if wanted == 3 {
        let count = digits.len();
        return Err(TemplateError::value(format!(
            "Invalid base64-encoded string: number of data characters ({count}) cannot be 1 more than a multiple of 4"
        )));
    }
    if padding < wanted {
        return Err(TemplateError::value("Incorrect padding"));
    }
    digits.extend(std::iter::repeat_n('=', wanted));
    let loose = base64::engine::GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    let alphabet = if urlsafe { &base64::alphabet::URL_SAFE } else { &base64::alphabet::STANDARD };
    let engine = base64::engine::GeneralPurpose::new(alphabet, loose);
    let bytes = engine.decode(digits).map_err(|error| TemplateError::value(format!("not base64: {error}")))?;
    Ok(Value::text(encoding.decode_lossy(&bytes)))
}

fn hash_by<D: Digest>(data: &str) -> String {
    crate::hex::encode_hex(&D::digest(data.as_bytes()))
}

fn hash(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [name] = call.args.bind(["hashtype"])?;
    let name = text_or(name.as_ref(), "sha1")?;
    let data = to_text(&call.input)?;
    Ok(Value::text(match name.to_lowercase().as_str() {
        "md5" => hash_by::<Md5>(&data),
        "sha1" => hash_by::<Sha1>(&data),
        "sha224" => hash_by::<Sha224>(&data),
        "sha256" => hash_by::<Sha256>(&data),
        "sha384" => hash_by::<Sha384>(&data),
        "sha512" => hash_by::<Sha512>(&data),
        "sha512_224" => hash_by::<Sha512_224>(&data),
        "sha512_256" => hash_by::<Sha512_256>(&data),
        "sha3_224" => hash_by::<Sha3_224>(&data),
        "sha3_256" => hash_by::<Sha3_256>(&data),
        "sha3_384" => hash_by::<Sha3_384>(&data),
        "sha3_512" => hash_by::<Sha3_512>(&data),
        "blake2b" => hash_by::<Blake2b512>(&data),
        "blake2s" => hash_by::<Blake2s256>(&data),
        other => {
            let fault = TemplateError::value(format!("unsupported hash type {name}"));
            return Err(fault.hint(format!("known are {}", HASHES.join(", "))).suggest_name(other, HASHES));
        }
    }))
}

/// The algorithms that `hash` knows.
const HASHES: [&str; 14] = [
    "md5",
    "sha1",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "sha512_224",
    "sha512_256",
    "sha3_224",
    "sha3_256",
    "sha3_384",
    "sha3_512",
    "blake2b",
    "blake2s",
];

fn checksum(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(Value::text(hash_by::<Sha1>(&to_text(&call.input)?)))
}

fn md5(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(Value::text(hash_by::<Md5>(&to_text(&call.input)?)))
}

/// The namespace that Ansible chose for its UUIDs.
const NAMESPACE: Uuid = uuid::uuid!("361e6d51-faec-444a-9079-341386da8e2e");

fn to_uuid(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [namespace] = call.args.bind(["namespace"])?;
    let namespace = match namespace {
        None => NAMESPACE,
        Some(namespace) => to_text(&namespace)?.trim_matches(['{', '}']).parse().map_err(|_| {
            let shown = python::repr(&namespace);
            TemplateError::value(format!("Invalid value {shown} for 'namespace': badly formed hexadecimal UUID string"))
        })?,
    };
    Ok(Value::text(Uuid::new_v5(&namespace, to_text(&call.input)?.as_bytes()).to_string()))
}
