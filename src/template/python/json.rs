//! Python's `json.loads`: bare `NaN` and `Infinity`, integers of any size, Python's complaints.

use std::sync::Arc;

use crate::template::error::TemplateError;
use crate::value::json_lexer::{JsonError, JsonLexer};
use crate::value::{Dict, SharedTexts, Value};

/// Nesting deeper than any honest document; Python stops a little later.
const DEEPEST: usize = 500;

const NO_COMMA: &str = "Expecting ',' delimiter";

/// Reads a JSON text.
///
/// # Errors
/// With what was expected, its line, column and position.
pub fn read(text: &str) -> Result<Value, TemplateError> {
    read_document(text).map_err(|error| describe_error(text, error))
}

fn read_document(text: &str) -> Result<Value, JsonError> {
    let mut reader =
        Reader { lexer: JsonLexer::new(text, 0), shared: SharedTexts::new((text.len() / 64).min(MOST_SHARED)) };
    reader.lexer.skip_blanks();
    let value = reader.read_value(0)?;
    reader.lexer.skip_blanks();
    if reader.lexer.is_at_end() { Ok(value) } else { Err(reader.lexer.error("Extra data")) }
}

fn describe_error(text: &str, error: JsonError) -> TemplateError {
    let before = &text[..error.at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    let position = before.chars().count();
    TemplateError::value(format!("{error}: line {line} column {column} (char {position})"))
}

/// The largest number of texts of a document that are remembered: it repeats its keys, and many of its values.
const MOST_SHARED: usize = 512;

struct Reader<'a> {
    lexer: JsonLexer<'a>,
    shared: SharedTexts,
}

impl Reader<'_> {
    fn read_value(&mut self, depth: usize) -> Result<Value, JsonError> {
        if depth > DEEPEST {
            return Err(self.lexer.error("Nested too deeply"));
        }
        match self.lexer.peek() {
            Some(b'"') => self.read_text(),
            Some(b'[') => self.read_list(depth + 1),
            Some(b'{') => self.read_dict(depth + 1),
            _ => self.lexer.read_scalar(),
        }
    }

    fn read_text(&mut self) -> Result<Value, JsonError> {
        let text = self.lexer.read_string()?;
        Ok(Value::text(self.shared.share(&text)))
    }

    fn read_list(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.lexer.skip_byte();
        let mut items = Vec::new();
        if !self.lexer.skip_sign(b']') {
            loop {
                self.lexer.skip_blanks();
                items.push(self.read_value(depth)?);
                if self.lexer.skip_sign(b']') {
                    break;
                }
                self.lexer.expect_sign(b',', NO_COMMA)?;
            }
        }
        items.shrink_to_fit();
        Ok(Value::List(Arc::new(items)))
    }

    fn read_dict(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.lexer.skip_byte();
        let mut dict = Dict::new();
        if !self.lexer.skip_sign(b'}') {
            loop {
                self.lexer.skip_blanks();
                if self.lexer.peek() != Some(b'"') {
                    return Err(self.lexer.error("Expecting property name enclosed in double quotes"));
                }
                let key = self.read_text()?;
                self.lexer.expect_sign(b':', "Expecting ':' delimiter")?;
                self.lexer.skip_blanks();
                let value = self.read_value(depth)?;
                dict.insert(key, value);
                if self.lexer.skip_sign(b'}') {
                    break;
                }
                self.lexer.expect_sign(b',', NO_COMMA)?;
            }
        }
        dict.shrink_to_fit();
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
