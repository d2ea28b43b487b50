//! How Python writes values: `str(x)` and `repr(x)`. Playbooks see these forms wherever a value is put into text.

use super::{Time, Value};

/// Python's `str(x)`.
pub fn str(value: &Value) -> String {
    let mut out = String::new();
    write_str(&mut out, value);
    out
}

/// Python's `repr(x)`.
pub fn repr(value: &Value) -> String {
    let mut out = String::new();
    write_repr(&mut out, value);
    out
}

/// Appends Python's `str(x)`.
pub fn write_str(out: &mut String, value: &Value) {
    match value {
        Value::Str(text) => out.push_str(text),
        Value::Time(time) => out.push_str(&time.to_text()),
        Value::Tainted(inner) => write_str(out, inner),
        other => write_repr(out, other),
    }
}

/// Appends Python's `repr(x)`.
pub fn write_repr(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(b) => out.push_str(if *b { "True" } else { "False" }),
        Value::Int(i) => out.push_str(&i.to_string()),
        Value::Big(number) => out.push_str(&number.to_string()),
        Value::Float(f) => out.push_str(&format_float(*f)),
        Value::Str(text) => write_quoted(out, text),
        Value::Bytes(bytes) => write_bytes(out, bytes),
        Value::List(items) => write_items(out, "[", items, "]"),
        Value::Tuple(items) if items.len() == 1 => write_items(out, "(", items, ",)"),
        Value::Tuple(items) => write_items(out, "(", items, ")"),
        Value::Set(items) if items.is_empty() => out.push_str("set()"),
        Value::Set(items) => write_items(out, "{", items, "}"),
        Value::Dict(dict) => {
            out.push('{');
            for (index, (key, value)) in dict.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_repr(out, key);
                out.push_str(": ");
                write_repr(out, value);
            }
            out.push('}');
        }
        Value::Time(time) => write_time(out, *time),
        Value::Undefined(_) => out.push_str("Undefined"),
        Value::Unknown(unknown) => out.push_str(&unknown.shown),
        Value::Omit => out.push_str("<<Omit>>"),
        Value::Sealed(sealed) => write_quoted(out, &sealed.envelope),
        Value::Tainted(inner) => write_repr(out, inner),
        Value::Object(object) => match (object.shown_text(), object.members()) {
            (Some(text), _) => out.push_str(&text),
            (None, Some(members)) => write_items(out, "[", &members, "]"),
            (None, None) => out.push_str(&format!("<{}>", object.type_name())),
        },
    }
}

fn write_items(out: &mut String, open: &str, items: &[Value], close: &str) {
    out.push_str(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write_repr(out, item);
    }
    out.push_str(close);
}

/// A string literal as Python writes it: single quotes unless only those occur inside.
fn write_quoted(out: &mut String, text: &str) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if (c as u32) < 0x20 || c as u32 == 0x7f => out.push_str(&format!("\\x{:02x}", c as u32)),
            '\u{80}'..='\u{a0}' | '\u{ad}' => out.push_str(&format!("\\x{:02x}", c as u32)),
            '\u{2028}' | '\u{2029}' | '\u{200b}'..='\u{200f}' | '\u{feff}' => {
                out.push_str(&format!("\\u{:04x}", c as u32));
            }
            c => out.push(c),
        }
    }
    out.push(quote);
}

fn write_bytes(out: &mut String, bytes: &[u8]) {
    out.push_str("b'");
    for byte in bytes {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'\'' => out.push_str("\\'"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x20..=0x7e => out.push(*byte as char),
            other => out.push_str(&format!("\\x{other:02x}")),
        }
    }
    out.push('\'');
}

fn write_time(out: &mut String, time: Time) {
    let fields = |t: jiff::civil::DateTime| {
        let mut text = format!("{}, {}, {}, {}, {}", t.year(), t.month(), t.day(), t.hour(), t.minute());
        let micros = t.subsec_nanosecond() / 1000;
        if t.second() != 0 || micros != 0 {
            text.push_str(&format!(", {}", t.second()));
        }
        if micros != 0 {
            text.push_str(&format!(", {micros}"));
        }
        text
    };
    match time {
        Time::Date(d) => out.push_str(&format!("datetime.date({}, {}, {})", d.year(), d.month(), d.day())),
        Time::Naive(t) => out.push_str(&format!("datetime.datetime({})", fields(t))),
        Time::Aware(t, 0) => out.push_str(&format!("datetime.datetime({}, tzinfo=datetime.timezone.utc)", fields(t))),
        Time::Aware(t, offset) => {
            out.push_str(&format!("datetime.datetime({}, tzinfo=datetime.timezone(", fields(t)));
            write_time(out, Time::from_micros(i128::from(offset) * 1_000_000));
            out.push_str("))");
        }
        Time::Delta(micros) => {
            let micros = micros.get();
            let (days, rest) = (micros.div_euclid(86_400_000_000), micros.rem_euclid(86_400_000_000));
            let parts = [("days", days), ("seconds", rest / 1_000_000), ("microseconds", rest % 1_000_000)];
            let shown: Vec<_> = parts.iter().filter(|(_, n)| *n != 0).map(|(name, n)| format!("{name}={n}")).collect();
            let inner = if shown.is_empty() { "0".to_owned() } else { shown.join(", ") };
            out.push_str(&format!("datetime.timedelta({inner})"));
        }
    }
}

/// A float as Python's `repr` writes it: shortest digits that read back, exponent from 1e16 and below 1e-4.
pub fn format_float(f: f64) -> String {
    if f.is_nan() {
        return "nan".to_owned();
    }
    if f.is_infinite() {
        return if f > 0.0 { "inf".to_owned() } else { "-inf".to_owned() };
    }
    let magnitude = f.abs();
    if magnitude != 0.0 && !(1e-4..1e16).contains(&magnitude) {
        // Rust writes `1e20` and `1.5e-7`; Python wants a sign and at least two digits of exponent.
        let text = format!("{f:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = match exponent.strip_prefix('-') {
            Some(rest) => ('-', rest),
            None => ('+', exponent),
        };
        return format!("{digits}e{sign}{exponent:0>2}");
    }
    let text = format!("{f}");
    if text.contains('.') { text } else { format!("{text}.0") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_look_like_pythons() {
        let list = Value::list([
            Value::Int(1),
            Value::text("a"),
            Value::text("it's"),
            Value::Bool(true),
            Value::Null,
            Value::tuple([Value::Float(1.0)]),
        ]);
        assert_eq!(str(&list), r#"[1, 'a', "it's", True, None, (1.0,)]"#);
        assert_eq!(str(&Value::dict([("k", Value::text("v\n"))])), r"{'k': 'v\n'}");
    }

    #[test]
    fn floats_look_like_pythons() {
        let cases = [
            (1.0, "1.0"),
            (1e20, "1e+20"),
            (1e-7, "1e-07"),
            (1.5e-7, "1.5e-07"),
            (1e16, "1e+16"),
            (0.0001, "0.0001"),
            (123456789.125, "123456789.125"),
            (-0.0, "-0.0"),
        ];
        for (number, expected) in cases {
            assert_eq!(format_float(number), expected);
        }
    }
}
