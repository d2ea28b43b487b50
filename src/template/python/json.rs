//! Python's `json.loads`: bare `NaN` and `Infinity`, integers of any size, Python's complaints.

use num_bigint::BigInt;

use crate::template::error::TemplateError;
use crate::value::{Dict, Value};

/// Nesting deeper than any honest document; Python stops a little later.
const DEEPEST: usize = 500;

/// Reads a JSON text.
///
/// # Errors
/// With what was expected, its line, column and position.
pub fn read(text: &str) -> Result<Value, TemplateError> {
    let mut reader = Reader { text, at: 0, depth: 0 };
    reader.skip_blanks();
    let value = reader.read_value()?;
    reader.skip_blanks();
    if reader.at < text.len() { Err(reader.syntax_error("Extra data", reader.at)) } else { Ok(value) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn syntax_error(&self, what: &str, at: usize) -> TemplateError {
        let before = &self.text[..at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
        let position = before.chars().count();
        TemplateError::value(format!("{what}: line {line} column {column} (char {position})"))
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn skip_blanks(&mut self) {
        self.at += self.rest().bytes().take_while(|b| b" \t\n\r".contains(b)).count();
    }

    fn consume_sign(&mut self, sign: &str) -> bool {
        let found = self.rest().starts_with(sign);
        if found {
            self.at += sign.len();
        }
        found
    }

    fn read_value(&mut self) -> Result<Value, TemplateError> {
        const WORDS: [(&str, Value); 6] = [
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("NaN", Value::Float(f64::NAN)),
            ("Infinity", Value::Float(f64::INFINITY)),
            ("-Infinity", Value::Float(f64::NEG_INFINITY)),
        ];
        if self.depth > DEEPEST {
            return Err(self.syntax_error("Nested too deeply", self.at));
        }
        match self.rest().bytes().next() {
            Some(b'"') => {
                self.at += 1;
                self.read_string().map(Value::text)
            }
            Some(b'[') => self.read_list(),
            Some(b'{') => self.read_dict(),
            _ => {
                if let Some((word, value)) = WORDS.iter().find(|(word, _)| self.rest().starts_with(word)) {
                    self.at += word.len();
                    return Ok(value.clone());
                }
                self.read_number().ok_or_else(|| self.syntax_error("Expecting value", self.at))
            }
        }
    }

    fn read_number(&mut self) -> Option<Value> {
        let bytes = self.rest().as_bytes();
        let digits =
            |from: usize| bytes.get(from..).map_or(0, |rest| rest.iter().take_while(|b| b.is_ascii_digit()).count());
        let start = usize::from(bytes.first() == Some(&b'-'));
        let whole = if bytes.get(start) == Some(&b'0') { 1 } else { digits(start) };
        if whole == 0 {
            return None;
        }
        let mut end = start + whole;
        let mut float = false;
        if bytes.get(end) == Some(&b'.') && digits(end + 1) > 0 {
            end += 1 + digits(end + 1);
            float = true;
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            let exponent = digits(end + 1 + sign);
            if exponent > 0 {
                end += 1 + sign + exponent;
                float = true;
            }
        }
        let written = &self.text[self.at..self.at + end];
        let value =
            if float { Value::Float(written.parse().ok()?) } else { Value::big(written.parse::<BigInt>().ok()?) };
        self.at += end;
        Some(value)
    }

    /// After the opening quote.
    fn read_string(&mut self) -> Result<String, TemplateError> {
        let begin = self.at - 1;
        let mut out = String::new();
        loop {
            let Some(c) = self.rest().chars().next() else {
                return Err(self.syntax_error("Unterminated string starting at", begin));
            };
            let here = self.at;
            self.at += c.len_utf8();
            match c {
                '"' => return Ok(out),
                '\\' => out.push(self.read_escape(here)?),
                c if (c as u32) < 0x20 => return Err(self.syntax_error("Invalid control character at", here)),
                c => out.push(c),
            }
        }
    }

    fn read_escape(&mut self, begin: usize) -> Result<char, TemplateError> {
        let Some(c) = self.rest().chars().next() else {
            return Err(self.syntax_error("Unterminated string starting at", begin));
        };
        self.at += c.len_utf8();
        Ok(match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.read_hex4(begin)?;
                if (0xd800..0xdc00).contains(&first) && self.consume_sign("\\u") {
                    let second = self.read_hex4(begin)?;
                    let joined = 0x10000 + ((first - 0xd800) << 10) + (second.wrapping_sub(0xdc00) & 0x3ff);
                    char::from_u32(joined).unwrap_or('\u{fffd}')
                } else {
                    char::from_u32(first).unwrap_or('\u{fffd}')
                }
            }
            _ => return Err(self.syntax_error("Invalid \\escape", begin)),
        })
    }

    fn read_hex4(&mut self, begin: usize) -> Result<u32, TemplateError> {
        let code = self.rest().get(..4).filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = code.and_then(|code| u32::from_str_radix(code, 16).ok());
        let code = code.ok_or_else(|| self.syntax_error("Invalid \\uXXXX escape", begin + 1))?;
        self.at += 4;
        Ok(code)
    }

    fn read_list(&mut self) -> Result<Value, TemplateError> {
        self.at += 1;
        self.depth += 1;
        let mut items = Vec::new();
        self.skip_blanks();
        if !self.consume_sign("]") {
            loop {
                self.skip_blanks();
                items.push(self.read_value()?);
                self.skip_blanks();
                if self.consume_sign("]") {
                    break;
                }
                if !self.consume_sign(",") {
                    return Err(self.syntax_error("Expecting ',' delimiter", self.at));
                }
            }
        }
        self.depth -= 1;
        Ok(Value::list(items))
    }

    fn read_dict(&mut self) -> Result<Value, TemplateError> {
        self.at += 1;
        self.depth += 1;
        let mut dict = Dict::new();
        self.skip_blanks();
        if !self.consume_sign("}") {
            loop {
                self.skip_blanks();
                if !self.consume_sign("\"") {
                    return Err(self.syntax_error("Expecting property name enclosed in double quotes", self.at));
                }
                let key = self.read_string()?;
                self.skip_blanks();
                if !self.consume_sign(":") {
                    return Err(self.syntax_error("Expecting ':' delimiter", self.at));
                }
                self.skip_blanks();
                let value = self.read_value()?;
                dict.set(key, value);
                self.skip_blanks();
                if self.consume_sign("}") {
                    break;
                }
                if !self.consume_sign(",") {
                    return Err(self.syntax_error("Expecting ',' delimiter", self.at));
                }
            }
        }
        self.depth -= 1;
        Ok(Value::from(dict))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(text: &str, expected: &str) {
        let shown = read(text).map_or_else(|fault| fault.message, |value| crate::value::python::repr(&value));
        assert_eq!(shown, expected);
    }

    #[test]
    fn values_are_read_and_errors_located() {
        case(r#"{"a": [1, 2.0, 1e400, NaN], "b": "\u00e9\ud83d\ude00"}"#, "{'a': [1, 2.0, inf, nan], 'b': 'é😀'}");
        case("12345678901234567890123", "12345678901234567890123");
        case(r#"{"a":1,"a":2}"#, "{'a': 2}");
        case(r#"{"a": 1"#, "Expecting ',' delimiter: line 1 column 8 (char 7)");
        case("", "Expecting value: line 1 column 1 (char 0)");
        case("1 2", "Extra data: line 1 column 3 (char 2)");
        case("{a}", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)");
        case("[\n1,]", "Expecting value: line 2 column 3 (char 4)");
    }
}
