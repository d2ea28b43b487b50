//! Values as JSON: one writer for events, filters and the screen, and a reader that keeps integers whole.

use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{Dict, STARS, Value, python};

/// How JSON is written.
#[derive(Debug, Clone, Copy)]
pub struct JsonStyle<'a> {
    /// Blanks for one level; `None` writes everything on one line.
    pub indent: Option<usize>,
    /// Keys in order of their text.
    pub sort_keys: bool,
    /// Keys that are the same in JSON, as `1` and `'1'` are, are one key, which has the last of their values.
    pub distinct_keys: bool,
    /// Everything beyond ASCII as `\uXXXX`.
    pub ascii: bool,
    /// Between entries on one line.
    pub item_separator: &'a str,
    /// Between key and value.
    pub key_separator: &'a str,
    /// Not-a-number and the infinities as the strings of the event format; otherwise as Python's bare words.
    pub quote_specials: bool,
    /// Everything derived from a secret as stars. What leaves the process is redacted once more by literal value.
    pub mask_secrets: bool,
}

impl JsonStyle<'static> {
    /// One line, as Python's `json.dumps` writes it.
    pub const PYTHON: Self = Self {
        indent: None,
        sort_keys: false,
        distinct_keys: true,
        ascii: true,
        item_separator: ", ",
        key_separator: ": ",
        quote_specials: false,
        mask_secrets: false,
    };

    /// One line for machines: events and logs.
    pub const EVENT: Self = Self { ascii: false, quote_specials: true, ..Self::PYTHON };

    /// Format of results on the screen: four blanks a level.
    pub const SCREEN: Self = Self { indent: Some(4), ascii: false, ..Self::PYTHON };
}

/// A value as JSON text.
pub fn to_string(value: &Value, style: JsonStyle<'_>) -> String {
    let mut out = String::new();
    write(&mut out, value, style, 0);
    out
}

/// Appends a value as JSON text, beginning at a level of indentation.
pub fn write(out: &mut String, value: &Value, style: JsonStyle<'_>, level: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Int(i) => out.push_str(&i.to_string()),
        Value::Big(number) => out.push_str(&number.to_string()),
        Value::Float(f) => write_float(out, *f, style),
        secret if style.mask_secrets && secret.is_tainted() => write_text(out, STARS, style),
        Value::Tainted(inner) => write(out, inner, style, level),
        Value::Str(text) => write_text(out, text, style),
        Value::Bytes(bytes) => write_text(out, &String::from_utf8_lossy(bytes), style),
        Value::List(items) | Value::Tuple(items) | Value::Set(items) => write_list(out, items, style, level),
        Value::Dict(dict) => write_dict(out, dict, style, level),
        Value::Time(time) => write_text(out, &time.isoformat(), style),
        Value::Undefined(why) => write_text(out, &format!("<< error 1 - {} >>", why.message), style),
        Value::Unknown(unknown) => write_text(out, &unknown.shown, style),
        Value::Omit => write_text(out, "<<Omit>>", style),
        Value::Sealed(_) => write_text(out, "<redacted>", style),
        Value::Object(object) => match object.members() {
            Some(items) => write_list(out, &items, style, level),
            None => write_text(out, &python::str(value), style),
        },
    }
}

fn write_float(out: &mut String, f: f64, style: JsonStyle<'_>) {
    let special = if f.is_nan() {
        "NaN"
    } else if f == f64::INFINITY {
        "Infinity"
    } else if f == f64::NEG_INFINITY {
        "-Infinity"
    } else {
        out.push_str(&python::format_float(f));
        return;
    };
    if style.quote_specials { write_text(out, special, style) } else { out.push_str(special) }
}

fn write_list(out: &mut String, items: &[Value], style: JsonStyle<'_>, level: usize) {
    if items.is_empty() {
        return out.push_str("[]");
    }
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        write_separator(out, index, style, level + 1);
        write(out, item, style, level + 1);
    }
    write_close(out, style, level);
    out.push(']');
}

fn write_dict(out: &mut String, dict: &Dict, style: JsonStyle<'_>, level: usize) {
    if dict.is_empty() {
        return out.push_str("{}");
    }
    let shown = |key: &Value| match style.mask_secrets && key.is_tainted() {
        true => STARS.to_owned(),
        false => key_text(key),
    };
    let mut entries: Vec<(String, &Value)> = dict.iter().map(|(key, value)| (shown(key), value)).collect();
    // Names that are hidden look alike, and are not one.
    if style.distinct_keys && !style.mask_secrets {
        entries = entries.into_iter().collect::<IndexMap<_, _>>().into_iter().collect();
    }
    if style.sort_keys {
        entries.sort_by(|a, b| a.0.cmp(&b.0));
    }
    out.push('{');
    for (index, (key, value)) in entries.iter().enumerate() {
        write_separator(out, index, style, level + 1);
        write_text(out, key, style);
        out.push_str(style.key_separator);
        write(out, value, style, level + 1);
    }
    write_close(out, style, level);
    out.push('}');
}

/// JSON has only text keys: numbers as digits, booleans and null as JSON's words.
pub fn key_text(key: &Value) -> String {
    match key {
        Value::Str(text) => text.as_str().to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Null => "null".to_owned(),
        Value::Time(time) => time.isoformat(),
        Value::Tainted(inner) => key_text(inner),
        other => python::str(other),
    }
}

fn write_separator(out: &mut String, index: usize, style: JsonStyle<'_>, level: usize) {
    match style.indent {
        Some(width) => {
            if index > 0 {
                // At the end of a line the blank after the comma is left out, as Python does.
                out.push_str(style.item_separator.trim_end());
            }
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', width * level));
        }
        None if index > 0 => out.push_str(style.item_separator),
        None => {}
    }
}

fn write_close(out: &mut String, style: JsonStyle<'_>, level: usize) {
    if let Some(width) = style.indent {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', width * level));
    }
}

fn write_text(out: &mut String, text: &str, style: JsonStyle<'_>) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if (c as u32) < 0x20 || (style.ascii && c as u32 == 0x7f) => {
                out.push_str(&format!("\\u{:04x}", c as u32));
            }
            c if style.ascii && !c.is_ascii() => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Reads JSON text; what it gives is data, never a template.
///
/// # Errors
/// With serde's sentence (line and column) if the text is not JSON.
pub fn from_str(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text)
}

/// A serde value as one of ours.
pub fn from_serde(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(b) => Value::Bool(*b),
        serde_json::Value::Number(n) => match (n.as_i64(), n.as_u64()) {
            (Some(i), _) => Value::Int(i),
            (None, Some(u)) => Value::from(u),
            _ => Value::Float(n.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::String(text) => Value::text(text.as_str()),
        serde_json::Value::Array(items) => Value::list(items.iter().map(from_serde)),
        serde_json::Value::Object(map) => Value::dict(map.iter().map(|(k, v)| (k.as_str(), from_serde(v)))),
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, b: bool) -> Result<Value, E> {
        Ok(Value::Bool(b))
    }

    fn visit_i64<E>(self, i: i64) -> Result<Value, E> {
        Ok(Value::Int(i))
    }

    fn visit_u64<E>(self, u: u64) -> Result<Value, E> {
        Ok(Value::from(u))
    }

    fn visit_f64<E>(self, f: f64) -> Result<Value, E> {
        Ok(Value::Float(f))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::list(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut dict = Dict::new();
        while let Some((key, value)) = map.next_entry::<String, Value>()? {
            dict.set(key, value);
        }
        Ok(dict.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_types_and_order() {
        let value = from_str(r#"{"b": [1, 1.0, true, null], "a": "é\n"}"#).unwrap();
        assert_eq!(to_string(&value, JsonStyle::EVENT), r#"{"b": [1, 1.0, true, null], "a": "é\n"}"#);
        assert_eq!(to_string(&value, JsonStyle::PYTHON), r#"{"b": [1, 1.0, true, null], "a": "\u00e9\n"}"#);
        assert_eq!(to_string(&Value::Float(f64::INFINITY), JsonStyle::EVENT), r#""Infinity""#);
    }

    #[test]
    fn secrets_are_masked_where_asked() {
        let value = Value::dict([("password", Value::secret("hunter2"))]);
        let style = JsonStyle { mask_secrets: true, ..JsonStyle::EVENT };
        assert_eq!(to_string(&value, style), r#"{"password": "********"}"#);
        assert_eq!(format!("{value:?}"), r#"{"password": "********"}"#);
    }
}
