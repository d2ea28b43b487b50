//! `'%s-%d' % (a, b)`

use super::format::{exponent, general, group_sign};
use crate::template::engine::Engine;
use crate::template::fault::Fault;
use crate::template::ops;
use crate::value::{Text, Value, python};

struct Spec {
    left: bool,
    plus: bool,
    blank: bool,
    alternate: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
}

/// Formats text as Python's `%` does.
pub fn format(format: &Text, values: &Value, engine: &Engine<'_>) -> Result<Value, Fault> {
    let values = engine.deep(values.clone())?;
    let tuple = match &values {
        Value::Tuple(items) => items.to_vec(),
        other => vec![other.clone()],
    };
    let (mut out, mut next, mut by_key) = (String::new(), 0, false);
    let mut chars = format.chars().peekable();
    let take = |next: &mut usize| {
        let value = tuple.get(*next).cloned();
        *next += 1;
        value.ok_or_else(|| Fault::value("not enough arguments for format string"))
    };
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut keyed = None;
        if chars.peek() == Some(&'(') {
            chars.next();
            let key: String = chars.by_ref().take_while(|c| *c != ')').collect();
            let Value::Dict(dict) = &values else { return Err(Fault::value("format requires a mapping")) };
            keyed = Some(dict.get(&key).cloned().ok_or_else(|| Fault::value(format!("'{key}'")))?);
            by_key = true;
        }
        let mut spec =
            Spec { left: false, plus: false, blank: false, alternate: false, zero: false, width: 0, precision: None };
        while let Some(flag) = chars.peek() {
            match flag {
                '-' => spec.left = true,
                '+' => spec.plus = true,
                ' ' => spec.blank = true,
                '#' => spec.alternate = true,
                '0' => spec.zero = true,
                _ => break,
            }
            chars.next();
        }
        let mut number = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>| -> Result<usize, Fault> {
            if chars.peek() == Some(&'*') {
                chars.next();
                return match take(&mut next)? {
                    Value::Int(i) => Ok(usize::try_from(i).unwrap_or(0).min(100_000)),
                    _ => Err(Fault::value("* wants int")),
                };
            }
            let mut digits = 0usize;
            while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
                digits = (digits * 10 + digit as usize).min(100_000);
                chars.next();
            }
            Ok(digits)
        };
        spec.width = number(&mut chars)?;
        if chars.peek() == Some(&'.') {
            chars.next();
            spec.precision = Some(number(&mut chars)?);
        }
        while matches!(chars.peek(), Some('h' | 'l' | 'L')) {
            chars.next();
        }
        let Some(kind) = chars.next() else { return Err(Fault::value("incomplete format")) };
        if kind == '%' {
            out.push('%');
            continue;
        }
        let value = match keyed {
            Some(value) => value,
            None => take(&mut next)?,
        };
        if value.is_unknown() {
            return Ok(value);
        }
        let (sign, body) = one(kind, &value, &spec, engine)?;
        pad(&mut out, &sign, &body, &spec);
    }
    if next < tuple.len() && !by_key && !matches!(values, Value::Dict(_) | Value::List(_)) {
        return Err(Fault::value("not all arguments converted during string formatting"));
    }
    Ok(Value::text(out))
}

/// The sign (with the prefix of a base) and the rest of one conversion.
fn one(kind: char, value: &Value, spec: &Spec, engine: &Engine<'_>) -> Result<(String, String), Fault> {
    let cut = |text: String| match spec.precision {
        Some(length) => text.chars().take(length).collect(),
        None => text,
    };
    match kind {
        's' => Ok((String::new(), cut(engine.tilde_text(value)?))),
        'r' | 'a' => Ok((String::new(), cut(python::repr(value)))),
        'c' => match value {
            Value::Str(text) if text.chars().count() == 1 => Ok((String::new(), text.as_str().to_owned())),
            Value::Int(i) => match u32::try_from(*i).ok().and_then(char::from_u32) {
                Some(c) => Ok((String::new(), c.to_string())),
                None => Err(Fault::value("%c arg not in range(0x110000)")),
            },
            _ => Err(Fault::value("%c requires int or char")),
        },
        'd' | 'i' | 'u' | 'x' | 'X' | 'o' => {
            let whole = matches!(kind, 'd' | 'i' | 'u');
            if !whole && matches!(value, Value::Float(_)) {
                return Err(Fault::value(format!("%{kind} format: an integer is required, not float")));
            }
            let number = ops::to_integer(value).ok_or_else(|| {
                let wants = if whole { "a real number is required" } else { "an integer is required" };
                Fault::value(format!("%{kind} format: {wants}, not {}", value.type_name()))
            })?;
            let (base, prefix) = match kind {
                'x' => (16, "0x"),
                'X' => (16, "0X"),
                'o' => (8, "0o"),
                _ => (10, ""),
            };
            let mut digits = number.magnitude().to_str_radix(base);
            if kind == 'X' {
                digits = digits.to_uppercase();
            }
            if let Some(least) = spec.precision {
                digits = format!("{digits:0>least$}");
            }
            let negative = number.sign() == num_bigint::Sign::Minus;
            let mut sign = group_sign(negative, spec.plus, spec.blank).to_owned();
            if spec.alternate {
                sign.push_str(prefix);
            }
            Ok((sign, digits))
        }
        'f' | 'F' | 'e' | 'E' | 'g' | 'G' => {
            let number = ops::to_float(value)
                .ok_or_else(|| Fault::value(format!("must be real number, not {}", value.type_name())))?;
            let precision = spec.precision.unwrap_or(6);
            let magnitude = number.abs();
            let mut body = match kind.to_ascii_lowercase() {
                _ if !number.is_finite() => python::float(magnitude),
                'f' => format!("{magnitude:.precision$}"),
                'e' => exponent(magnitude, precision),
                _ => general(magnitude, precision, spec.alternate),
            };
            if kind.is_ascii_uppercase() {
                body = body.to_uppercase();
            }
            Ok((group_sign(number.is_sign_negative(), spec.plus, spec.blank).to_owned(), body))
        }
        other => Err(Fault::value(format!("unsupported format character '{other}'"))),
    }
}

fn pad(out: &mut String, sign: &str, body: &str, spec: &Spec) {
    let length = sign.chars().count() + body.chars().count();
    let fill = spec.width.saturating_sub(length);
    if spec.left {
        out.push_str(sign);
        out.push_str(body);
        out.extend(std::iter::repeat_n(' ', fill));
    } else if spec.zero {
        out.push_str(sign);
        out.extend(std::iter::repeat_n('0', fill));
        out.push_str(body);
    } else {
        out.extend(std::iter::repeat_n(' ', fill));
        out.push_str(sign);
        out.push_str(body);
    }
}
