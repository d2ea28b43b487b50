//! A value as the type that a parameter has, by the reference's rules and in its words.

use crate::value::json::{self, JsonStyle};
use crate::value::{Dict, Value, python};

use super::error::ArgumentError;
use super::rules::Type;

const TRUE: [&str; 6] = ["y", "yes", "on", "1", "true", "t"];
const FALSE: [&str; 6] = ["n", "no", "off", "0", "false", "f"];

/// The value as the type; members of lists are converted by the caller, who names them in messages.
///
/// # Errors
/// With the reason as the reference words it (`"'soon'" cannot be converted to an int`).
pub fn convert_value(value: &Value, kind: &Type) -> Result<Value, ArgumentError> {
    let converted = convert_plain(value.below_taint(), kind);
    if !value.holds_secret() {
        return converted;
    }
    let converted = converted.map_err(|error| error.mask_shown(|text| value.mask_in(text)))?;
    // Text that was made of a collection holds its secrets.
    let tainted = value.is_tainted() || matches!(converted, Value::Str(_));
    Ok(if tainted { converted.into_tainted() } else { converted })
}

fn convert_plain(value: &Value, kind: &Type) -> Result<Value, ArgumentError> {
    if value.is_unknown() {
        return Ok(value.clone());
    }
    let refuse = |wanted| ArgumentError::Class { class: value.type_name(), wanted };
    match kind {
        Type::Raw => Ok(value.clone()),
        Type::Str => Ok(to_text(value)),
        Type::Path => match to_text(value) {
            path if path.has_unknown() => Ok(path),
            path => Ok(expand_path(path.as_str().unwrap_or_default()).into()),
        },
        Type::Bool => match value {
            Value::Bool(_) => Ok(value.clone()),
            Value::Str(_) | Value::Int(_) | Value::Float(_) | Value::Big(_) => to_boolean(value),
            _ => Err(refuse("bool")),
        },
        Type::Int => match value {
            Value::Int(_) | Value::Big(_) => Ok(value.clone()),
            Value::Bool(b) => Ok(Value::Int(i64::from(*b))),
            _ => to_integer(value).ok_or_else(|| ArgumentError::Integer { shown: python::repr(value) }),
        },
        Type::Float => {
            let number = match value {
                Value::Float(f) => Some(*f),
                #[allow(clippy::cast_precision_loss)]
                Value::Int(i) => Some(*i as f64),
                Value::Bool(b) => Some(f64::from(u8::from(*b))),
                Value::Str(text) => text.trim().parse().ok(),
                _ => None,
            };
            number.map(Value::Float).ok_or_else(|| refuse("float"))
        }
        Type::List(_) => match value {
            Value::List(_) => Ok(value.clone()),
            Value::Tuple(items) | Value::Set(items) => Ok(Value::List(items.clone())),
            Value::Str(text) => Ok(Value::list(text.split(',').map(Value::text))),
            Value::Int(_) | Value::Big(_) | Value::Float(_) | Value::Bool(_) => {
                Ok(Value::list([Value::text(python::str(value))]))
            }
            _ => Err(refuse("list")),
        },
        Type::Dict(_) => match value {
            Value::Dict(_) => Ok(value.clone()),
            Value::Str(text) => parse_mapping(text),
            _ => Err(refuse("dict")),
        },
        Type::Json => match value {
            Value::Str(text) => Ok(text.trim().into()),
            Value::List(_) | Value::Tuple(_) | Value::Dict(_) => Ok(json::to_string(value, JsonStyle::PYTHON).into()),
            _ => Err(refuse("json string")),
        },
        Type::Bytes => parse_size(&python::str(value), 'B').map(Value::Int).ok_or_else(|| refuse("Byte value")),
        Type::Bits => parse_size(&python::str(value), 'b').map(Value::Int).ok_or_else(|| refuse("Bit value")),
    }
}

fn to_text(value: &Value) -> Value {
    match value {
        Value::Str(_) => value.clone(),
        Value::Null => "".into(),
        other => python::str(other).into(),
    }
}

/// A boolean in any of the spellings that a parameter may have.
pub fn parse_bool(value: &Value) -> Option<bool> {
    let text = match value.below_taint() {
        Value::Bool(b) => return Some(*b),
        Value::Int(0) => return Some(false),
        Value::Int(1) => return Some(true),
        Value::Float(0.0) => return Some(false),
        Value::Float(1.0) => return Some(true),
        Value::Str(text) => text.trim().to_lowercase(),
        _ => return None,
    };
    match text.as_str() {
        text if TRUE.contains(&text) => Some(true),
        text if FALSE.contains(&text) => Some(false),
        _ => None,
    }
}

fn to_boolean(value: &Value) -> Result<Value, ArgumentError> {
    parse_bool(value).map(Value::Bool).ok_or_else(|| {
        let quoted = TRUE.iter().chain(&FALSE).map(|word| format!("'{word}'"));
        let known: Vec<_> = quoted.chain(["0".to_owned(), "1".to_owned()]).collect();
        ArgumentError::Boolean { shown: python::str(value), known: known.join(", ") }
    })
}

/// Decimal text without a fraction is an integer too: `3`, ` 3.0 `, `1e3`.
fn to_integer(value: &Value) -> Option<Value> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number = match value {
        Value::Float(f) => *f,
        Value::Str(text) => {
            let text = text.trim().replace('_', "");
            if let Ok(number) = text.parse::<num_bigint::BigInt>() {
                return Some(Value::big(number));
            }
            text.parse().ok()?
        }
        _ => return None,
    };
    #[allow(clippy::cast_possible_truncation)]
    (number.fract() == 0.0 && number.abs() < EXACT).then_some(Value::Int(number as i64))
}

/// JSON text, or `a=1, b="two words"`.
fn parse_mapping(text: &str) -> Result<Value, ArgumentError> {
    if text.starts_with('{') {
        return match json::from_str(text).or_else(|_| json::from_str(&python_to_json(text))) {
            Ok(value) if value.as_dict().is_some() => Ok(value),
            _ => Err(ArgumentError::MappingText),
        };
    }
    if !text.contains('=') {
        return Err(ArgumentError::NoMapping);
    }
    let mut fields = vec![String::new()];
    let (mut quote, mut escaped) = (None, false);
    for c in text.trim().chars() {
        let last = fields.len() - 1;
        match c {
            c if escaped => {
                fields[last].push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '\'' | '"' if quote.is_none() => quote = Some(c),
            c if quote == Some(c) => quote = None,
            ',' | ' ' if quote.is_none() => fields.push(String::new()),
            c => fields[last].push(c),
        }
    }
    let mut dict = Dict::new();
    for field in fields.iter().filter(|field| !field.is_empty()) {
        let Some((key, value)) = field.split_once('=') else {
            return Err(ArgumentError::MappingPart);
        };
        dict.set(key, value.into());
    }
    Ok(dict.into())
}

/// A Python literal of plain texts, numbers and constants as JSON, for text such as `{'a': True}`.
fn python_to_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' | '"' => {
                let mut inside = String::new();
                while let Some(next) = chars.next() {
                    match next {
                        '\\' => inside.push(match chars.next() {
                            Some('n') => '\n',
                            Some('t') => '\t',
                            Some(other) => other,
                            None => '\\',
                        }),
                        next if next == c => break,
                        next => inside.push(next),
                    }
                }
                json::write(&mut out, &Value::text(inside), JsonStyle::PYTHON, 0);
            }
            c if c.is_alphabetic() => {
                let mut word = c.to_string();
                while let Some(next) = chars.next_if(|next| next.is_alphanumeric()) {
                    word.push(next);
                }
                out.push_str(match word.as_str() {
                    "True" => "true",
                    "False" => "false",
                    "None" => "null",
                    other => other,
                });
            }
            c => out.push(c),
        }
    }
    out
}

/// `10M`, `1.5 GB`: in units of 1024.
fn parse_size(text: &str, unit: char) -> Option<i64> {
    let text = text.trim_end();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let suffix = text[digits..].trim_start();
    let mut letters = suffix.chars();
    let power = match letters.next() {
        None => 0,
        Some(first) => "BKMGTPEZY".find(first.to_ascii_uppercase())?,
    };
    let rest: String = letters.collect();
    let long = if unit == 'B' { "byte" } else { "bit" };
    let fits = rest.is_empty() || rest == unit.to_string() || suffix.to_lowercase() == long;
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
    fits.then(|| (number * 1024f64.powi(power as i32)).round() as i64)
}

/// `~`, `~user`, `$NAME` and `${NAME}` replaced; unknown names stay as they are.
pub fn expand_path(path: &str) -> String {
    expand_home(&expand_variables(path, |name| std::env::var(name).ok()))
}

/// `~` and `~user` at the beginning replaced.
pub(crate) fn expand_home(path: &str) -> String {
    let Some(rest) = path.strip_prefix('~') else { return path.to_owned() };
    let (user, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let home = if user.is_empty() { std::env::var("HOME").ok() } else { home_of(user) };
    match home {
        Some(home) => format!("{}{rest}", home.trim_end_matches('/')),
        None => path.to_owned(),
    }
}

fn home_of(user: &str) -> Option<String> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let line = users.lines().find(|line| line.split(':').next() == Some(user))?;
    line.split(':').nth(5).map(str::to_owned)
}

/// `$NAME` and `${NAME}` replaced.
pub(crate) fn expand_variables(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (name, length) = match after.strip_prefix('{').and_then(|inside| inside.split_once('}')) {
            Some((name, _)) => (name, name.len() + 2),
            None => {
                let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
                (&after[..end], end)
            }
        };
        match value(name).filter(|_| !name.is_empty()) {
            Some(found) => out.push_str(&found),
            None => out.push_str(&rest[at..=at + length]),
        }
        rest = &after[length..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(value: impl Into<Value>, kind: &Type, expected: Result<&str, &str>) {
        let got = convert_value(&value.into(), kind).map(|value| python::repr(&value));
        let got = got.map_err(|error| error.to_string());
        assert_eq!(got.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn values_become_the_wanted_type() {
        case("3", &Type::Int, Ok("3"));
        case("3.0", &Type::Int, Ok("3"));
        case(true, &Type::Int, Ok("1"));
        case("soon", &Type::Int, Err(r#""'soon'" cannot be converted to an int"#));
        case(1.5, &Type::Int, Err(r#""1.5" cannot be converted to an int"#));
        case("Yes", &Type::Bool, Ok("True"));
        case(0, &Type::Bool, Ok("False"));
        case("a,b", &Type::List(None), Ok("['a', 'b']"));
        case(1, &Type::List(None), Ok("['1']"));
        case(Dict::new(), &Type::List(None), Err("<class 'dict'> cannot be converted to a list"));
        case("a=1 b='two words'", &Type::Dict(None), Ok("{'a': '1', 'b': 'two words'}"));
        case("{'a': True, 'b': [1]}", &Type::Dict(None), Ok("{'a': True, 'b': [1]}"));
        case(r#"{"a": 1}"#, &Type::Dict(None), Ok("{'a': 1}"));
        case("x", &Type::Dict(None), Err("dictionary requested, could not parse JSON or key=value"));
        case(1.0, &Type::Str, Ok("'1.0'"));
        case("10M", &Type::Bytes, Ok("10485760"));
        case("1KB", &Type::Bytes, Ok("1024"));
        case("1Kb", &Type::Bytes, Err("<class 'str'> cannot be converted to a Byte value"));
        case(Value::list([Value::Int(1)]), &Type::Json, Ok("'[1]'"));
        let unknown = convert_value(&Value::unknown("x"), &Type::Int).unwrap();
        assert!(unknown.is_unknown());
    }

    #[test]
    fn variables_are_replaced_where_known() {
        let known = |name: &str| (name == "A").then(|| "x".to_owned());
        assert_eq!(expand_variables("$A/${A}b/$B ${B} $", known), "x/xb/$B ${B} $");
    }
}
