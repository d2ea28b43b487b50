//! Places of tasks as machines read them.

use crate::value::Dict;

/// A place in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// The file, by its name in messages.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl Place {
    /// Reads `FILE:LINE:COLUMN`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.rsplitn(3, ':');
        let (column, line) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(Self { file: parts.next()?.to_owned(), line, column })
    }

    /// Adds the keys `file`, `line` and `column`.
    pub fn add_to(&self, object: &mut Dict) {
        object.set("file", self.file.as_str().into());
        object.set("line", number(self.line));
        object.set("column", number(self.column));
    }
}

/// A count as a value.
pub fn number(count: usize) -> crate::value::Value {
    crate::value::Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_with_colons_in_the_name_is_read_from_its_end() {
        let place = Place::parse("a:b.yml:12:3").unwrap();
        assert_eq!((place.file.as_str(), place.line, place.column), ("a:b.yml", 12, 3));
        assert_eq!(Place::parse("<stdin>"), None);
        assert_eq!(place.to_string(), "a:b.yml:12:3");
    }
}
