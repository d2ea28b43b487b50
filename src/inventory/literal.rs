//! Python literals, as values in an INI inventory are read: `5`, `0x10`, `[1, 'a']`, `{'k': None}`, `True`.

use std::sync::Arc;

use num_bigint::BigInt;

use crate::source::Span;
use crate::value::{Dict, Text, Value};

/// Deeper nesting than this is not read as a literal.
const DEPTH: usize = 50;

/// Reads a value: the literal that it is, else its text. Texts are the user's own (templates), with the place given.
pub fn read_literal(text: &str, origin: &Span) -> Value {
    let mut reader = Reader { rest: text.trim_start_matches([' ', '\t']), origin };
    match reader.parse_value(0) {
        // As in Python a comment may follow.
        Some(value) if reader.skip_blanks().is_empty() || reader.rest.starts_with('#') => value,
        _ => Value::Str(Text::from_source(text, origin.clone())),
    }
}

struct Reader<'a> {
    rest: &'a str,
    origin: &'a Span,
}

impl<'a> Reader<'a> {
    fn skip_blanks(&mut self) -> &'a str {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
        self.rest
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        match self.skip_blanks().strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn parse_value(&mut self, depth: usize) -> Option<Value> {
        if depth > DEPTH {
            return None;
        }
        let first = self.skip_blanks().chars().next()?;
        match first {
            '[' => self.parse_items("[", "]", depth).map(|(items, _)| Value::list(items)),
            '(' => {
                let (mut items, comma) = self.parse_items("(", ")", depth)?;
                // Brackets round one value are just brackets.
                if items.len() == 1 && !comma { items.pop() } else { Some(Value::list(items)) }
            }
            '{' => self.parse_braces(depth),
            '\'' | '"' => self.parse_strings(),
            '+' | '-' => {
                self.rest = &self.rest[1..];
                self.skip_blanks();
                let number = self.parse_number()?;
                if first == '+' { Some(number) } else { negate_number(number) }
            }
            '.' if self.take_sign("...") => Some(self.make_text("...")),
            '0'..='9' | '.' => self.parse_number(),
            _ => self.parse_word(),
        }
    }

    /// Members up to a closing sign, and whether the last was followed by a comma.
    fn parse_items(&mut self, open: &str, close: &str, depth: usize) -> Option<(Vec<Value>, bool)> {
        self.take_sign(open);
        let (mut items, mut comma) = (Vec::new(), false);
        loop {
            if self.take_sign(close) {
                return Some((items, comma));
            }
            if !items.is_empty() && !comma {
                return None;
            }
            items.push(self.parse_value(depth + 1)?);
            comma = self.take_sign(",");
        }
    }

    fn parse_braces(&mut self, depth: usize) -> Option<Value> {
        self.take_sign("{");
        let (mut dict, mut set, mut comma) = (Dict::new(), Vec::new(), true);
        loop {
            if self.take_sign("}") {
                return Some(if set.is_empty() { Value::from(dict) } else { Value::list(set) });
            }
            if !comma {
                return None;
            }
            let key = self.parse_value(depth + 1).filter(Value::is_hashable)?;
            if set.is_empty() && self.take_sign(":") {
                let value = self.parse_value(depth + 1)?;
                dict.insert(key, value);
            } else if dict.is_empty() {
                if !set.contains(&key) {
                    set.push(key);
                }
            } else {
                return None;
            }
            comma = self.take_sign(",");
        }
    }

    fn parse_word(&mut self) -> Option<Value> {
        let end = self.rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        let value = match word {
            "None" => Value::Null,
            "True" => Value::Bool(true),
            "False" => Value::Bool(false),
            _ if rest.starts_with(['\'', '"']) && is_prefix(word) => return self.parse_strings(),
            "set" => {
                self.rest = rest;
                return (self.take_sign("(") && self.take_sign(")")).then(|| Value::list([]));
            }
            _ => return None,
        };
        self.rest = rest;
        Some(value)
    }

    fn parse_number(&mut self) -> Option<Value> {
        let text = self.rest;
        let mut end = 0;
        let bytes = text.as_bytes();
        while let Some(byte) = bytes.get(end) {
            let sign_of_exponent = matches!(byte, b'+' | b'-')
                && matches!(bytes[end.saturating_sub(1)], b'e' | b'E')
                && !text.starts_with("0x");
            if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_') || sign_of_exponent {
                end += 1;
            } else {
                break;
            }
        }
        let (digits, rest) = text.split_at(end);
        self.rest = rest;
        // There are no complex numbers in playbooks: they are kept as Python writes them.
        if let Some(imaginary) = digits.strip_suffix(['j', 'J']) {
            let number = match parse_number(imaginary)? {
                Value::Float(float) if float.fract() == 0.0 => format!("{float:.0}"),
                number => crate::value::python::str(&number),
            };
            return Some(self.make_text(format!("{number}j")));
        }
        parse_number(digits)
    }

    fn make_text(&self, text: impl Into<Arc<str>>) -> Value {
        Value::Str(Text::from_source(text, self.origin.clone()))
    }

    /// One string literal, or several side by side, which Python joins.
    fn parse_strings(&mut self) -> Option<Value> {
        let mut text = String::new();
        loop {
            let start = self.rest.find(['\'', '"']).unwrap_or(self.rest.len());
            let (prefix, rest) = self.rest.split_at(start);
            if rest.is_empty() || !is_prefix(prefix) {
                break;
            }
            self.rest = rest;
            self.parse_string(prefix.contains(['r', 'R']), &mut text)?;
            self.skip_blanks();
        }
        Some(Value::Str(Text::from_source(text, self.origin.clone())))
    }

    fn parse_string(&mut self, raw: bool, out: &mut String) -> Option<()> {
        let quote = &self.rest[..1];
        let triple = quote.repeat(3);
        let close = if self.rest.starts_with(&triple) { triple.as_str() } else { quote };
        let mut rest = &self.rest[close.len()..];
        loop {
            if let Some(after) = rest.strip_prefix(close) {
                self.rest = after;
                return Some(());
            }
            let c = rest.chars().next()?;
            rest = &rest[c.len_utf8()..];
            if c != '\\' || raw {
                out.push(c);
                if c == '\\' {
                    let next = rest.chars().next()?;
                    out.push(next);
                    rest = &rest[next.len_utf8()..];
                }
                continue;
            }
            let escaped = rest.chars().next()?;
            rest = &rest[escaped.len_utf8()..];
            match escaped {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'r' => out.push('\r'),
                'a' => out.push('\u{7}'),
                'b' => out.push('\u{8}'),
                'f' => out.push('\u{c}'),
                'v' => out.push('\u{b}'),
                '\\' | '\'' | '"' => out.push(escaped),
                'x' | 'u' | 'U' => {
                    let width = match escaped {
                        'x' => 2,
                        'u' => 4,
                        _ => 8,
                    };
                    let digits = rest.get(..width)?;
                    out.push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?);
                    rest = &rest[width..];
                }
                '0'..='7' => {
                    let more = rest.bytes().take(2).take_while(|b| matches!(b, b'0'..=b'7')).count();
                    let digits = format!("{escaped}{}", &rest[..more]);
                    out.push(char::from_u32(u32::from_str_radix(&digits, 8).ok()?)?);
                    rest = &rest[more..];
                }
                other => {
                    out.push('\\');
                    out.push(other);
                }
            }
        }
    }
}

/// Tests for a string prefix before the quotes; bytes become text.
fn is_prefix(word: &str) -> bool {
    ["", "r", "u", "b", "br", "rb"].iter().any(|prefix| word.eq_ignore_ascii_case(prefix))
}

fn negate_number(number: Value) -> Option<Value> {
    match number {
        Value::Int(i) => Some(i.checked_neg().map_or_else(|| Value::big(-BigInt::from(i)), Value::Int)),
        Value::Big(big) => Some(Value::big(-(*big).clone())),
        Value::Float(f) => Some(Value::Float(-f)),
        _ => None,
    }
}

fn parse_number(text: &str) -> Option<Value> {
    // Underscores stand between digits only (or after the prefix of a base).
    if text.starts_with('_') || text.ends_with('_') || text.contains("__") {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = lower.strip_prefix(prefix) {
            return BigInt::parse_bytes(digits.replace('_', "").as_bytes(), radix).map(Value::big);
        }
    }
    let digits = lower.replace('_', "");
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        // `010` is not a Python literal, `00` is.
        if digits.len() > 1 && digits.starts_with('0') && digits.bytes().any(|b| b != b'0') {
            return None;
        }
        return BigInt::parse_bytes(digits.as_bytes(), 10).map(Value::big);
    }
    let float = digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'+' | b'-'));
    float.then(|| digits.parse().ok().map(Value::Float)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;
    use crate::value::python;

    #[track_caller]
    fn case(text: &str, repr: &str) {
        assert_eq!(python::repr(&read_literal(text, &Source::new("t", text).span(0..text.len()))), repr, "{text}");
    }

    #[test]
    fn literals() {
        case("5", "5");
        case("-5", "-5");
        case("1_0", "10");
        case("0x10", "16");
        case("0o17", "15");
        case("1.5", "1.5");
        case("1e3", "1000.0");
        case("123456789012345678901234567890", "123456789012345678901234567890");
        case("None", "None");
        case("True", "True");
        case("[1, 'x', [2.0,],]", "[1, 'x', [2.0]]");
        case("(1,2)", "[1, 2]");
        case("(1)", "1");
        case("()", "[]");
        case("{'k': {'l': None}}", "{'k': {'l': None}}");
        case("{1,2}", "[1, 2]");
        case(r"'a\n\x41' 'b'", r"'a\nAb'");
        case(r"r'\d'", r"'\\d'");
        case("\"quoted\"", "'quoted'");
        case("[..., 1.0j, set(), b'x' rb\"\\d\"]", "['...', '1j', [], 'x\\\\d']");
    }

    #[test]
    fn everything_else_is_text() {
        for text in ["true", "010", "1+2", "hello # c", "[1, 2", "a b", "", "x=1", "1_", "{1: 2, 3}", "[1 2]"] {
            case(text, &python::repr(&Value::text(text)));
        }
        let Value::Str(text) = read_literal("{{ x }}", &Source::new("t", "{{ x }}").span(0..7)) else {
            panic!("not text")
        };
        assert!(text.is_template());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_answered(text in "[\\[\\](){},:'\"a-z0-9._ +\\\\-]{0,24}") {
            read_literal(&text, &Source::new("t", text.as_str()).span(0..text.len()));
        }
    }
}
