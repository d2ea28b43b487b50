//! Python's `json.loads`: bare `NaN` and `Infinity`, integers of any size, Python's complaints.

use crate::template::error::TemplateError;
use crate::value::json_lexer::{JsonError, JsonLexer};
use crate::value::{Dict, Value};

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
    let mut lexer = JsonLexer::new(text, 0);
    lexer.skip_blanks();
    let value = read_value(&mut lexer, 0)?;
    lexer.skip_blanks();
    if lexer.is_at_end() { Ok(value) } else { Err(lexer.error("Extra data")) }
}

fn describe_error(text: &str, error: JsonError) -> TemplateError {
    let before = &text[..error.at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    let position = before.chars().count();
    TemplateError::value(format!("{error}: line {line} column {column} (char {position})"))
}

fn read_value(lexer: &mut JsonLexer<'_>, depth: usize) -> Result<Value, JsonError> {
    if depth > DEEPEST {
        return Err(lexer.error("Nested too deeply"));
    }
    match lexer.peek() {
        Some(b'"') => lexer.read_string().map(Value::text),
        Some(b'[') => read_list(lexer, depth + 1),
        Some(b'{') => read_dict(lexer, depth + 1),
        _ => lexer.read_scalar(),
    }
}

fn read_list(lexer: &mut JsonLexer<'_>, depth: usize) -> Result<Value, JsonError> {
    lexer.skip_byte();
    let mut items = Vec::new();
    if !lexer.skip_sign(b']') {
        loop {
            lexer.skip_blanks();
            items.push(read_value(lexer, depth)?);
            if lexer.skip_sign(b']') {
                break;
            }
            lexer.expect_sign(b',', NO_COMMA)?;
        }
    }
    Ok(Value::list(items))
}

fn read_dict(lexer: &mut JsonLexer<'_>, depth: usize) -> Result<Value, JsonError> {
    lexer.skip_byte();
    let mut dict = Dict::new();
    if !lexer.skip_sign(b'}') {
        loop {
            lexer.skip_blanks();
            if lexer.peek() != Some(b'"') {
                return Err(lexer.error("Expecting property name enclosed in double quotes"));
            }
            let key = lexer.read_string()?;
            lexer.expect_sign(b':', "Expecting ':' delimiter")?;
            lexer.skip_blanks();
            let value = read_value(lexer, depth)?;
            dict.set(key, value);
            if lexer.skip_sign(b'}') {
                break;
            }
            lexer.expect_sign(b',', NO_COMMA)?;
        }
    }
    Ok(Value::from(dict))
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
