//! The spellings in which a secret can turn up in text that a program writes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::value::{Value, json, python};

/// Shorter pieces of base 64 would be found where nothing was encoded.
const SHORTEST_ENCODED: usize = 8;

/// Returns the secret as it is, reversed, quoted (JSON, Python, shell) and escaped (URL, HTML). The case of ASCII letters
/// does not matter to the search, so forms that differ in nothing else are not listed.
pub fn spell_as_text(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned(), secret.chars().rev().collect()];
    // Most passwords are spelled in one way everywhere.
    if secret.bytes().all(is_unreserved) {
        return forms;
    }
    let value = Value::text(secret);
    let unquoted = |text: String| text[1..text.len() - 1].to_owned();
    let json = unquoted(json::to_string(&value, json::JsonStyle::EVENT));
    forms.push(escape_angles(&json));
    forms.push(escape_angles(&json).replace('\'', "\\u0027"));
    forms.push(json.replace('/', "\\/"));
    forms.push(json);
    forms.push(unquoted(json::to_string(&value, json::JsonStyle::PYTHON)));
    forms.push(unquoted(python::repr(&value)));
    forms.push(secret.replace('\'', "'\"'\"'"));
    forms.push(secret.replace('\'', "'\\''"));
    forms.push(percent_encode(secret, b""));
    forms.push(percent_encode(secret, b"/"));
    forms.push(percent_encode(secret, b" ").replace(' ', "+"));
    for [quote, apostrophe] in [["&quot;", "&#x27;"], ["&#34;", "&#39;"], ["&quot;", "&#39;"], ["\"", "'"]] {
        let escaped = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        forms.push(escaped.replace('"', quote).replace('\'', apostrophe));
    }
    if !secret.is_ascii() {
        let other = [secret.to_lowercase(), secret.to_uppercase()];
        forms.extend(other);
    }
    forms.sort();
    forms.dedup();
    forms
}

/// Returns the secret in hexadecimal digits and in base 64, in both alphabets and behind any number of other bytes: the
/// digits that depend on the secret alone. These can be wrapped into lines.
pub fn spell_as_digits(secret: &str) -> Vec<String> {
    let mut forms: Vec<String> = ["", ":", " "].map(|between| hex_spelling(secret, between)).into();
    for before in 0..3 {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(secret.as_bytes());
        let digits = STANDARD_NO_PAD.encode(&bytes);
        // The first digits hold bits of what is before, the last one perhaps bits of what follows.
        let Some(own) = digits.get((before * 8).div_ceil(6)..bytes.len() * 8 / 6) else { continue };
        if own.len() < SHORTEST_ENCODED {
            continue;
        }
        if own.contains(['+', '/']) {
            forms.push(own.replace('+', "-").replace('/', "_"));
            // In a URL, or in the JSON of a program that escapes slashes.
            forms.push(own.replace('+', "%2B").replace('/', "%2F"));
            forms.push(own.replace('/', "\\/"));
        }
        forms.push(own.to_owned());
    }
    forms
}

/// Whether a byte stands for itself in URLs, and so in all other notations too.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)
}

fn percent_encode(secret: &str, safe: &[u8]) -> String {
    let mut out = String::with_capacity(secret.len());
    let mut buffer = [0; 4];
    for c in secret.chars() {
        match u8::try_from(c) {
            Ok(byte) if c.is_ascii() && (is_unreserved(byte) || safe.contains(&byte)) => out.push(c),
            _ => c.encode_utf8(&mut buffer).bytes().for_each(|byte| out.push_str(&format!("%{byte:02X}"))),
        }
    }
    out
}

/// Escapes `<`, `>` and `&` as some JSON writers do to make the text safe in HTML.
fn escape_angles(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

fn hex_spelling(secret: &str, between: &str) -> String {
    secret.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(between)
}
