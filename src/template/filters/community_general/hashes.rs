//! Checksums, hash ids, hardware addresses by chance, Unicode forms.

use harsh::Harsh;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use num_bigint::BigInt;

use crate::template::error::TemplateError;
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::coerce::{optional_text, require_defined, text_or, to_integer, to_text};
use crate::template::python::random::Random;
use crate::value::{Value, python};

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new("community.general.crc32", crc32, "Returns the CRC-32 checksum of text."),
    FilterPlugin::new("community.general.hashids_decode", hashids_decode, "Returns the numbers in a hash id."),
    FilterPlugin::new("community.general.hashids_encode", hashids_encode, "Returns a short id for numbers."),
    FilterPlugin::new("community.general.random_mac", random_mac, "Completes a prefix to a random hardware address."),
    FilterPlugin::new(
        "community.general.unicode_normalize",
        unicode_normalize,
        "Converts text to a Unicode normal form.",
    ),
];

fn crc32(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    let Value::Str(text) = require_defined(&call.input)? else {
        let (shown, kind) = (python::str(&call.input), call.input.type_name());
        return Err(TemplateError::value(format!("Invalid value type (<class '{kind}'>) for crc32 ({shown})")));
    };
    Ok(Value::text(format!("{:x}", crc32fast::hash(text.as_bytes()))))
}

/// Reads the options of both directions.
fn read_hashids(call: &PluginCall<'_>) -> Result<Harsh, TemplateError> {
    let [salt, alphabet, min_length] = call.args.bind(["salt", "alphabet", "min_length"])?;
    let mut builder = Harsh::builder().salt(text_or(salt.as_ref().filter(|salt| !salt.is_null()), "")?);
    if let Some(length) = min_length.filter(|length| !length.is_null()) {
        let length = to_integer(&length)?;
        builder = builder.length(usize::try_from(length).unwrap_or(0).min(4096));
    }
    if let Some(alphabet) = optional_text(alphabet.as_ref())? {
        builder = builder.alphabet(alphabet);
    }
    builder.build().map_err(|_| TemplateError::value("Alphabet must contain at least 16 unique characters."))
}

fn hashids_encode(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let hashids = read_hashids(call)?;
    let number = |value: &Value| match value.below_taint() {
        Value::Int(number) => u64::try_from(*number).ok(),
        _ => None,
    };
    let numbers: Option<Vec<u64>> = match require_defined(&call.input)?.below_taint() {
        Value::List(items) | Value::Tuple(items) => items.iter().map(number).collect(),
        other => number(other).map(|number| vec![number]),
    };
    Ok(Value::text(numbers.map_or_else(String::new, |numbers| hashids.encode(&numbers))))
}

fn hashids_decode(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let hashids = read_hashids(call)?;
    let numbers = hashids.decode(to_text(&call.input)?).unwrap_or_default();
    Ok(Value::list(numbers.into_iter().map(Value::from)))
}

fn random_mac(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [seed] = call.args.bind(["seed"])?;
    let Value::Str(text) = require_defined(&call.input)? else {
        let (shown, kind) = (python::str(&call.input), call.input.type_name());
        return Err(TemplateError::value(format!("Invalid value type (<class '{kind}'>) for random_mac ({shown})")));
    };
    let prefix = text.to_lowercase();
    let parts: Vec<&str> = prefix.split(':').collect();
    let invalid = |why: String| Err(TemplateError::value(format!("Invalid value ({prefix}) for random_mac: {why}")));
    if parts.len() > 5 {
        return invalid("5 colon(:) separated items max".to_owned());
    }
    for part in &parts {
        let starts_well = part.len() >= 2 && part.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
        if part.is_empty() {
            return invalid("empty item".to_owned());
        }
        if !starts_well {
            return invalid(format!("{part} not hexa byte"));
        }
    }
    let mut random = match seed.filter(|seed| !seed.is_null()) {
        None => Random::from_system(),
        Some(Value::Int(number)) => Random::from_int(&BigInt::from(number)),
        Some(Value::Float(number)) => Random::from_float(number),
        Some(seed) => Random::from_text(&to_text(&seed)?),
    };
    let number = random.random_range(68_719_476_736, 1_099_511_627_776, 1).unwrap_or(68_719_476_736);
    let digits = format!("{number:x}");
    let mut result = prefix.clone();
    for index in 0..6 - parts.len() {
        result.push(':');
        result.push_str(digits.get(2 * index..2 * index + 2).unwrap_or("00"));
    }
    Ok(Value::text(result))
}

fn unicode_normalize(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [form] = call.args.bind(["form"])?;
    let Value::Str(text) = require_defined(&call.input)? else {
        return Err(TemplateError::value(format!("<class '{}'> is not a valid input type", call.input.type_name())));
    };
    let form = text_or(form.as_ref(), "NFC")?;
    let normal = match form.as_str() {
        "NFC" => ComposingNormalizerBorrowed::new_nfc().normalize(text),
        "NFD" => DecomposingNormalizerBorrowed::new_nfd().normalize(text),
        "NFKC" => ComposingNormalizerBorrowed::new_nfkc().normalize(text),
        "NFKD" => DecomposingNormalizerBorrowed::new_nfkd().normalize(text),
        other => {
            let fault = TemplateError::value(format!("{other} is not a valid form"));
            return Err(fault.suggest_name(other, ["NFC", "NFD", "NFKC", "NFKD"]));
        }
    };
    Ok(Value::text(normal.into_owned()))
}
