//! `'{0:>8}'.format(x)`: fields, specs and number forms.

use crate::template::budget;
use crate::template::engine::TemplateEngine;
use crate::template::error::TemplateError;
use crate::template::plugin::PluginArgs;
use crate::template::python::coerce;
use crate::template::python::number::{self, format_exponent, format_general};
use crate::template::python::numeric;
use crate::value::{Value, python};

/// Formats text as Python's `str.format` does.
pub fn format_text(engine: &TemplateEngine<'_>, template: &str, args: &PluginArgs) -> Result<Value, TemplateError> {
    format_fields(engine, template, args, &mut Numbering::Undecided, 0).map(Value::text)
}

/// How the fields of a text come by their arguments: one of the ways for all of them.
enum Numbering {
    Undecided,
    /// `{}`, and how many there were.
    Automatic(usize),
    /// `{0}`
    Manual,
}

impl Numbering {
    /// The number of the next `{}`.
    fn next(&mut self) -> Result<usize, TemplateError> {
        let at = match self {
            Self::Undecided => 0,
            Self::Automatic(count) => *count,
            Self::Manual => {
                return Err(TemplateError::value(
                    "cannot switch from manual field specification to automatic field numbering",
                ));
            }
        };
        *self = Self::Automatic(at + 1);
        Ok(at)
    }

    fn by_hand(&mut self) -> Result<(), TemplateError> {
        if matches!(self, Self::Automatic(_)) {
            return Err(TemplateError::value(
                "cannot switch from automatic field numbering to manual field specification",
            ));
        }
        *self = Self::Manual;
        Ok(())
    }
}

fn format_fields(
    engine: &TemplateEngine<'_>,
    template: &str,
    args: &PluginArgs,
    auto: &mut Numbering,
    level: usize,
) -> Result<String, TemplateError> {
    if level > 2 {
        return Err(TemplateError::value("Max string recursion exceeded"));
    }
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            out.push_str(brace);
            rest = after;
            continue;
        }
        if brace == "}" {
            return Err(TemplateError::value("Single '}' encountered in format string"));
        }
        let end = find_closing(rest).ok_or_else(|| TemplateError::value("expected '}' before end of string"))?;
        let field = &rest[..end];
        rest = &rest[end + 1..];
        let (name, spec) = field.split_once(':').unwrap_or((field, ""));
        let (name, conversion) = match name.split_once('!') {
            Some((name, conversion)) => (name, Some(conversion)),
            None => (name, None),
        };
        let mut value = lookup_field(engine, name, args, auto)?;
        match conversion {
            Some("r" | "a") => value = Value::text(coerce::repr(&value)?),
            Some("s") => value = Value::text(coerce::to_text(&value)?),
            Some(other) => return Err(TemplateError::value(format!("Unknown conversion specifier {other}"))),
            None => {}
        }
        let spec = format_fields(engine, spec, args, auto, level + 1)?;
        let filled = with_spec(&value, &spec)?;
        budget::reserve_bytes(out.len() + filled.len())?;
        out.push_str(&filled);
    }
    out.push_str(rest);
    Ok(out)
}

fn find_closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn lookup_field(
    engine: &TemplateEngine<'_>,
    name: &str,
    args: &PluginArgs,
    auto: &mut Numbering,
) -> Result<Value, TemplateError> {
    let end = name.find(['.', '[']).unwrap_or(name.len());
    let (first, mut path) = name.split_at(end);
    let by_index = |at: usize| {
        args.positional.get(at).cloned().ok_or_else(|| {
            TemplateError::value(format!("Replacement index {at} out of range for positional args tuple"))
        })
    };
    let mut value = if first.is_empty() {
        by_index(auto.next()?)?
    } else if let Ok(at) = first.parse() {
        auto.by_hand()?;
        by_index(at)?
    } else {
        args.get_named(first).cloned().ok_or_else(|| TemplateError::value(format!("'{first}'")))?
    };
    while !path.is_empty() {
        if let Some(after) = path.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            // Only in templates are the keys of a mapping attributes.
            if let Value::Dict(_) = value {
                return Err(TemplateError::value(format!("'dict' object has no attribute '{}'", &after[..end])));
            }
            value = engine.get_attribute(&value, &after[..end])?;
            path = &after[end..];
        } else {
            let Some((key, after)) = path[1..].split_once(']') else {
                return Err(TemplateError::value("Missing ']' in format string"));
            };
            let key = key.parse().map_or_else(|_| Value::text(key), Value::Int);
            value = engine.get_item(&value, &key)?;
            path = after;
        }
        if let Value::Undefined(why) = &value {
            return Err(TemplateError::from_undefined(why));
        }
    }
    Ok(value)
}

#[derive(Default)]
struct Spec {
    fill: Option<char>,
    align: Option<char>,
    sign: Option<char>,
    alternate: bool,
    width: usize,
    group: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

fn parse_spec(text: &str) -> Result<Spec, TemplateError> {
    let mut spec = Spec::default();
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    let is_align = |c: Option<&char>| matches!(c, Some('<' | '>' | '=' | '^'));
    if is_align(chars.get(1)) {
        spec.fill = Some(chars[0]);
        spec.align = Some(chars[1]);
        at = 2;
    } else if is_align(chars.first()) {
        spec.align = Some(chars[0]);
        at = 1;
    }
    if let Some(sign @ ('+' | '-' | ' ')) = chars.get(at) {
        spec.sign = Some(*sign);
        at += 1;
    }
    if chars.get(at) == Some(&'#') {
        spec.alternate = true;
        at += 1;
    }
    if chars.get(at) == Some(&'0') {
        spec.fill = spec.fill.or(Some('0'));
        spec.align = spec.align.or(Some('='));
        at += 1;
    }
    let number = |at: &mut usize| {
        let start = *at;
        let mut number = 0usize;
        while let Some(digit) = chars.get(*at).and_then(|c| c.to_digit(10)) {
            number = number.saturating_mul(10).saturating_add(digit as usize);
            *at += 1;
        }
        (*at > start).then_some(number)
    };
    spec.width = number(&mut at).unwrap_or(0);
    if let Some(group @ (',' | '_')) = chars.get(at) {
        spec.group = Some(*group);
        at += 1;
    }
    if chars.get(at) == Some(&'.') {
        at += 1;
        spec.precision =
            Some(number(&mut at).ok_or_else(|| TemplateError::value("Format specifier missing precision"))?);
    }
    spec.kind = chars.get(at).copied();
    if at + 1 < chars.len() {
        return Err(TemplateError::value("Invalid format specifier"));
    }
    Ok(spec)
}

/// A value by a format spec, as Python's `format(value, spec)`.
pub fn with_spec(value: &Value, text: &str) -> Result<String, TemplateError> {
    let value = value.below_taint();
    if text.is_empty() {
        return coerce::to_text(value);
    }
    if let Value::Time(time) = value {
        return super::time::strftime(*time, text).map(|value| python::str(&value));
    }
    let spec = parse_spec(text)?;
    let unknown = |kind: char| {
        TemplateError::value(format!("Unknown format code '{kind}' for object of type '{}'", value.type_name()))
    };
    let (sign, body, default) = match value {
        Value::Int(_) | Value::Big(_) | Value::Bool(_)
            if !matches!(spec.kind, Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%')) =>
        {
            format_integer(value, &spec).ok_or_else(|| unknown(spec.kind.unwrap_or('d')))?
        }
        Value::Int(_) | Value::Big(_) | Value::Bool(_) | Value::Float(_) => {
            let number =
                numeric::to_float(value).ok_or_else(|| TemplateError::value("int too large to convert to float"))?;
            format_float(number, &spec)?.ok_or_else(|| unknown(spec.kind.unwrap_or('f')))?
        }
        Value::Str(text) => match spec.kind {
            None | Some('s') => (String::new(), truncate_text(text, &spec), '<'),
            Some(kind) => return Err(unknown(kind)),
        },
        other => {
            let kind = other.type_name();
            return Err(TemplateError::value(format!("unsupported format string passed to {kind}.__format__")));
        }
    };
    align_text(&sign, &body, &spec, default)
}

fn truncate_text(text: &str, spec: &Spec) -> String {
    match spec.precision {
        Some(length) => text.chars().take(length).collect(),
        None => text.to_owned(),
    }
}

fn format_integer(value: &Value, spec: &Spec) -> Option<(String, String, char)> {
    let number = numeric::to_integer(value)?;
    let (base, prefix) = match spec.kind.unwrap_or('d') {
        'd' | 'n' => (10, ""),
        'x' => (16, "0x"),
        'X' => (16, "0X"),
        'o' => (8, "0o"),
        'b' => (2, "0b"),
        'c' => {
            let c = u32::try_from(&number).ok().and_then(char::from_u32)?;
            return Some((String::new(), c.to_string(), '<'));
        }
        _ => return None,
    };
    let mut digits = number.magnitude().to_str_radix(base);
    if spec.kind == Some('X') {
        digits = digits.to_uppercase();
    }
    let negative = number.sign() == num_bigint::Sign::Minus;
    let mut sign = format_sign(negative, spec).to_owned();
    if spec.alternate {
        sign.push_str(prefix);
    }
    let every = if base == 10 { 3 } else { 4 };
    Some((sign, group_digits(&digits, spec.group, every), '>'))
}

fn format_float(number: f64, spec: &Spec) -> Result<Option<(String, String, char)>, TemplateError> {
    let magnitude = number.abs();
    let precision = spec.precision.unwrap_or(6);
    let kind = spec.kind.map(|kind| kind.to_ascii_lowercase());
    let mut body = match kind {
        _ if !number.is_finite() => python::format_float(magnitude),
        Some('f') => number::format_fixed(magnitude, precision)?,
        Some('e') => format_exponent(magnitude, precision)?,
        Some('%') => number::format_fixed(magnitude * 100.0, precision)? + "%",
        Some('g' | 'n') => format_general(magnitude, precision, spec.alternate)?,
        None => match spec.precision {
            Some(precision) => {
                let text = format_general(magnitude, precision, false)?;
                if text.contains(['.', 'e']) { text } else { format!("{text}.0") }
            }
            None => python::format_float(magnitude),
        },
        Some(_) => return Ok(None),
    };
    if spec.kind.is_some_and(|kind| kind.is_ascii_uppercase()) {
        body = body.to_uppercase();
    }
    if spec.group.is_some() {
        let end = body.find(['.', 'e', '%']).unwrap_or(body.len());
        body = format!("{}{}", group_digits(&body[..end], spec.group, 3), &body[end..]);
    }
    Ok(Some((format_sign(number.is_sign_negative(), spec).to_owned(), body, '>')))
}

fn format_sign(negative: bool, spec: &Spec) -> &'static str {
    number::format_sign(negative, spec.sign == Some('+'), spec.sign == Some(' '))
}

fn group_digits(digits: &str, group: Option<char>, every: usize) -> String {
    let Some(group) = group else { return digits.to_owned() };
    let mut out = String::new();
    for (at, c) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(every) {
            out.push(group);
        }
        out.push(c);
    }
    out
}

fn align_text(sign: &str, body: &str, spec: &Spec, default: char) -> Result<String, TemplateError> {
    let length = sign.chars().count() + body.chars().count();
    let missing = spec.width.saturating_sub(length);
    let mut sign_of_fill = [0; 4];
    let fill = spec.fill.unwrap_or(' ').encode_utf8(&mut sign_of_fill);
    let fill = |count: usize| budget::repeat_text(fill, count);
    Ok(match spec.align.unwrap_or(default) {
        '<' => format!("{sign}{body}{}", fill(missing)?),
        '^' => format!("{}{sign}{body}{}", fill(missing / 2)?, fill(missing - missing / 2)?),
        '=' => format!("{sign}{}{body}", fill(missing)?),
        _ => format!("{}{sign}{body}", fill(missing)?),
    })
}
