//! The words of JSON texts as Python's `json` reads them: blanks, constants, numbers and strings. What lists and mappings
//! become is up to the readers that use it.

use std::borrow::Cow;

use num_bigint::BigInt;

use super::Value;

/// Constants, with two numbers that are none in JSON proper.
const CONSTANTS: [(&str, Value); 6] = [
    ("null", Value::Null),
    ("true", Value::Bool(true)),
    ("false", Value::Bool(false)),
    ("NaN", Value::Float(f64::NAN)),
    ("Infinity", Value::Float(f64::INFINITY)),
    ("-Infinity", Value::Float(f64::NEG_INFINITY)),
];

/// So many digits fit into 64 bits, whatever they are.
const SHORT: usize = 18;

/// Text that is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct JsonError {
    /// The fault, in the words of Python.
    pub message: &'static str,
    /// The byte of the text.
    pub at: usize,
}

/// A place in a JSON text.
#[derive(Debug, Clone, Copy)]
pub struct JsonLexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> JsonLexer<'a> {
    /// At a byte of a text.
    pub fn new(text: &'a str, at: usize) -> Self {
        Self { text, at }
    }

    /// The byte at which it stands.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Whether nothing is left.
    pub fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// The next byte.
    pub fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// An error at this place.
    pub fn error(&self, message: &'static str) -> JsonError {
        JsonError { message, at: self.at }
    }

    /// Passes over a byte of ASCII.
    pub fn skip_byte(&mut self) {
        self.at += 1;
    }

    /// Passes over blanks.
    pub fn skip_blanks(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
    }

    /// Passes over blanks and then a sign, if that stands there.
    pub fn skip_sign(&mut self, sign: u8) -> bool {
        self.skip_blanks();
        let found = self.peek() == Some(sign);
        self.at += usize::from(found);
        found
    }

    /// Passes over a sign after blanks.
    ///
    /// # Errors
    /// With this message, if another one stands there.
    pub fn expect_sign(&mut self, sign: u8, message: &'static str) -> Result<(), JsonError> {
        if self.skip_sign(sign) { Ok(()) } else { Err(self.error(message)) }
    }

    /// Reads a constant or a number.
    ///
    /// # Errors
    /// If neither stands there.
    pub fn read_scalar(&mut self) -> Result<Value, JsonError> {
        if let Some(number) = self.read_number() {
            return Ok(number);
        }
        let Some((word, value)) = CONSTANTS.iter().find(|(word, _)| self.rest().starts_with(word)) else {
            return Err(self.error("Expecting value"));
        };
        self.at += word.len();
        Ok(value.clone())
    }

    fn read_number(&mut self) -> Option<Value> {
        let bytes = self.rest().as_bytes();
        let count_digits =
            |from: usize| bytes.get(from..).map_or(0, |rest| rest.iter().take_while(|b| b.is_ascii_digit()).count());
        let sign = usize::from(bytes.first() == Some(&b'-'));
        let whole = if bytes.get(sign) == Some(&b'0') { 1 } else { count_digits(sign) };
        if whole == 0 {
            return None;
        }
        let integer = sign + whole;
        let mut end = integer;
        if bytes.get(end) == Some(&b'.') {
            let fraction = count_digits(end + 1);
            end += if fraction > 0 { 1 + fraction } else { 0 };
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            let exponent = count_digits(end + 1 + sign);
            end += if exponent > 0 { 1 + sign + exponent } else { 0 };
        }
        let written = &self.text[self.at..self.at + end];
        let value = match (end > integer, whole <= SHORT) {
            (true, _) => Value::Float(written.parse().ok()?),
            (false, true) => Value::Int(written.parse().ok()?),
            (false, false) => Value::big(written.parse::<BigInt>().ok()?),
        };
        self.at += end;
        Some(value)
    }

    /// Reads a string from its opening quote to behind its closing one. Half of a surrogate pair becomes U+FFFD.
    ///
    /// # Errors
    /// If it does not end, has a control character, or an escape that there is not.
    pub fn read_string(&mut self) -> Result<Cow<'a, str>, JsonError> {
        let begin = self.at;
        let unterminated = JsonError { message: "Unterminated string starting at", at: begin };
        self.at += 1;
        let mut out = Cow::Borrowed("");
        loop {
            let rest = self.rest();
            let plain = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).ok_or(unterminated)?;
            self.at += plain;
            // Takes over the text as it is, unless something stands before it.
            out += &rest[..plain];
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    let escaped = self.read_escape(unterminated)?;
                    out.to_mut().push(escaped);
                }
                _ => return Err(self.error("Invalid control character at")),
            }
        }
        self.at += 1;
        Ok(out)
    }

    fn read_escape(&mut self, unterminated: JsonError) -> Result<char, JsonError> {
        let begin = self.at;
        let sign = self.rest().chars().nth(1).ok_or(unterminated)?;
        self.at += 1 + sign.len_utf8();
        Ok(match sign {
            '"' | '\\' | '/' => sign,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.read_code_unit(begin)?;
                let is_pair = (0xd800..0xdc00).contains(&first) && self.rest().starts_with("\\u");
                let second = if is_pair {
                    self.at += 2;
                    Some(self.read_code_unit(begin)?)
                } else {
                    None
                };
                let mut signs = char::decode_utf16(std::iter::once(first).chain(second));
                signs.next().and_then(Result::ok).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return Err(JsonError { message: "Invalid \\escape", at: begin }),
        })
    }

    /// The four digits of an escape.
    fn read_code_unit(&mut self, begin: usize) -> Result<u16, JsonError> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        self.at += 4;
        unit.ok_or(JsonError { message: "Invalid \\uXXXX escape", at: begin + 1 })
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn scalar(text: &str, value: Result<Value, &str>, left: &str) {
        let mut lexer = JsonLexer::new(text, 0);
        assert_eq!(lexer.read_scalar().map_err(|error| error.message), value, "{text}");
        assert_eq!(lexer.rest(), left, "{text}");
    }

    #[test]
    fn numbers_end_where_python_ends_them() {
        scalar("-0,", Ok(Value::Int(0)), ",");
        scalar("01", Ok(Value::Int(0)), "1");
        scalar("1.", Ok(Value::Int(1)), ".");
        scalar("1e", Ok(Value::Int(1)), "e");
        scalar("1.5E-1]", Ok(Value::Float(0.15)), "]");
        scalar("-Infinity", Ok(Value::Float(f64::NEG_INFINITY)), "");
        scalar("12345678901234567890", Ok(Value::big(12_345_678_901_234_567_890_u64.into())), "");
        scalar("-", Err("Expecting value"), "-");
    }

    #[track_caller]
    fn string(text: &str, value: Result<&str, (&str, usize)>) {
        let read = JsonLexer::new(text, 0).read_string().map_err(|error| (error.message, error.at));
        assert_eq!(read.as_deref().map_err(|error| *error), value, "{text}");
    }

    #[test]
    fn strings_have_the_escapes_of_json() {
        string(r#""a\n\/\u00e9\ud83d\ude00ß""#, Ok("a\n/é😀ß"));
        string(r#""\ud83d""#, Ok("\u{fffd}"));
        string("\"a", Err(("Unterminated string starting at", 0)));
        string("\"a\\", Err(("Unterminated string starting at", 0)));
        string("\"a\tb\"", Err(("Invalid control character at", 2)));
        string(r#""\x""#, Err(("Invalid \\escape", 1)));
        string(r#""\u12g4""#, Err(("Invalid \\uXXXX escape", 2)));
    }
}
