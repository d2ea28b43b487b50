//! CSV as Python's `csv` module reads it.

/// How a CSV text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CsvDialect {
    /// Between fields.
    pub delimiter: char,
    /// Blanks after a delimiter are not part of the field.
    pub skip_initial_space: bool,
    /// Text after a closing quote, or a quote that is not closed, is an error.
    pub strict: bool,
}

impl CsvDialect {
    /// Names of the dialects that Python has.
    pub const NAMES: [&str; 3] = ["excel", "excel-tab", "unix"];

    /// Returns a dialect by its name.
    pub fn find(name: &str) -> Option<Self> {
        let delimiter = match name {
            "excel" | "unix" => ',',
            "excel-tab" => '\t',
            _ => return None,
        };
        Some(Self::separated_by(delimiter))
    }

    /// The usual dialect with another delimiter.
    pub const fn separated_by(delimiter: char) -> Self {
        Self { delimiter, skip_initial_space: false, strict: false }
    }
}

/// A table that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CsvError {
    /// Text follows a closing quote, in a strict dialect.
    #[error("'{delimiter}' expected after '\"'")]
    AfterQuote {
        /// The delimiter of the dialect.
        delimiter: char,
    },
    /// A quote is not closed, in a strict dialect.
    #[error("unexpected end of data")]
    OpenQuote,
    /// A dialect does not exist.
    #[error("Dialect '{0}' is not supported by your version of python.")]
    UnknownDialect(String),
    /// A delimiter is not one character.
    #[error("Unable to create custom dialect: \"delimiter\" must be a 1-character string")]
    Delimiter,
}

/// Reads rows of fields: fields may be quoted, a quote inside is doubled, line breaks inside quotes are kept.
///
/// # Errors
/// In a strict dialect, with what is wrong.
pub fn parse_csv(text: &str, dialect: CsvDialect) -> Result<Vec<Vec<String>>, CsvError> {
    let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut started, mut closed) = (false, false, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted => match chars.next_if_eq(&'"') {
                Some(_) => field.push('"'),
                None => (quoted, closed) = (false, true),
            },
            _ if quoted => field.push(c),
            '"' if field.is_empty() && !closed => (quoted, started) = (true, true),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' | '\r' => {
                if started || !field.is_empty() || !row.is_empty() {
                    row.push(std::mem::take(&mut field));
                }
                rows.push(std::mem::take(&mut row));
                (started, closed) = (false, false);
            }
            c if c == dialect.delimiter => {
                row.push(std::mem::take(&mut field));
                (started, closed) = (true, false);
            }
            ' ' if dialect.skip_initial_space && field.is_empty() && !closed => {}
            _ if closed && dialect.strict => return Err(CsvError::AfterQuote { delimiter: dialect.delimiter }),
            c => field.push(c),
        }
    }
    if quoted && dialect.strict {
        return Err(CsvError::OpenQuote);
    }
    if started || !field.is_empty() || !row.is_empty() {
        row.push(field);
        rows.push(row);
    }
    Ok(rows)
}

/// A table with named columns.
pub struct CsvTable {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Rows that have at least one field.
    pub rows: Vec<Vec<String>>,
}

impl CsvTable {
    /// Reads a table; its first row names the columns, unless names are given.
    ///
    /// # Errors
    /// In a strict dialect, with what is wrong.
    pub fn parse(text: &str, dialect: CsvDialect, names: Option<Vec<String>>) -> Result<Self, CsvError> {
        let mut rows = parse_csv(text, dialect)?;
        let columns = match names {
            Some(names) => names,
            None if rows.is_empty() => Vec::new(),
            None => rows.remove(0),
        };
        rows.retain(|row| !row.is_empty());
        Ok(Self { columns, rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_line_breaks_are_read() {
        let rows = parse_csv("a,\"b, \"\"c\"\"\"\n\nd,\r\n\"e\nf\",g", CsvDialect::separated_by(',')).unwrap();
        assert_eq!(rows, [vec!["a", "b, \"c\""], vec![], vec!["d", ""], vec!["e\nf", "g"]]);
    }

    #[test]
    fn strict_dialect_refuses_text_after_a_quote() {
        let dialect = CsvDialect { strict: true, ..CsvDialect::separated_by(',') };
        assert!(parse_csv("\"a\"b", dialect).is_err() && parse_csv("\"a", dialect).is_err());
        assert_eq!(parse_csv("\"a\"b", CsvDialect::separated_by(',')).unwrap(), [["ab"]]);
    }
}
