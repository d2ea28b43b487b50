//! Values from tables: CSV files.

use super::call::{fault, known, must_find, text};
use super::terms;
use crate::template::call::{Call, Lookup};
use crate::template::fault::Fault;
use crate::value::{Value, python};

/// `csvfile`
pub const TABLE: &[Lookup] =
    &[Lookup::new("csvfile", csvfile, "The field of a CSV file in the row that begins with a key.")];

const OPTIONS: [&str; 6] = ["file", "delimiter", "col", "keycol", "default", "encoding"];

fn csvfile(call: &Call<'_>) -> Result<Vec<Value>, Fault> {
    known(call, &OPTIONS)?;
    let mut values = Vec::new();
    for term in &call.args.positional {
        let (key, written) = terms::parse(&text(call, term)?);
        if let Some((name, _)) = written.iter().find(|(name, _)| !OPTIONS.contains(&name.as_str())) {
            return Err(fault(format!("the lookup `csvfile` has no option `{name}`")).suggest(name, OPTIONS.iter()));
        }
        if key.is_empty() {
            return Err(fault("the lookup `csvfile` needs a key to look for"));
        }
        let option = |name: &str| -> Option<Value> {
            let inline =
                written.iter().rev().find(|(known, _)| known == name).map(|(_, value)| Value::text(value.as_str()));
            inline.or_else(|| call.args.named(name).cloned())
        };
        let column = |name: &str, default: usize| match option(name) {
            None => Ok(default),
            Some(value) => python::str(&value)
                .parse()
                .map_err(|_| fault(format!("`{name}` must be the number of a column, not {}", python::repr(&value)))),
        };
        let word =
            |name: &str, default: &str| option(name).map_or_else(|| default.to_owned(), |value| python::str(&value));
        let delimiter = match word("delimiter", "TAB").as_str() {
            "TAB" | "\\t" | "\t" => '\t',
            other => {
                let mut chars = other.chars();
                chars
                    .next()
                    .filter(|_| chars.next().is_none())
                    .ok_or_else(|| fault("`delimiter` must be one character"))?
            }
        };
        let path = must_find(call, "files", &word("file", "ansible.csv"))?;
        let Value::Str(content) = super::call::read(call, &path)? else { continue };
        let (col, keycol) = (column("col", 1)?, column("keycol", 0)?);
        let row = rows(&content, delimiter).into_iter().find(|row| row.get(keycol) == Some(&key));
        match row {
            Some(row) => match row.get(col) {
                Some(field) => values.push(Value::text(field.as_str())),
                None => return Err(fault(format!("the row of `{key}` in `{}` has no column {col}", path.display()))),
            },
            None => match option("default") {
                Some(Value::List(items)) => values.extend(items.iter().cloned()),
                Some(Value::Null) | None => {}
                Some(default) => values.push(default),
            },
        }
    }
    Ok(values)
}

/// The rows of a CSV text: fields may be quoted, a quote inside is doubled, line breaks inside quotes are kept.
fn rows(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut started) = (false, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted => match chars.next_if_eq(&'"') {
                Some(_) => field.push('"'),
                None => quoted = false,
            },
            _ if quoted => field.push(c),
            '"' if field.is_empty() => (quoted, started) = (true, true),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' => {
                if started || !field.is_empty() || !row.is_empty() {
                    row.push(std::mem::take(&mut field));
                }
                rows.push(std::mem::take(&mut row));
                started = false;
            }
            c if c == delimiter => {
                row.push(std::mem::take(&mut field));
                started = true;
            }
            c => field.push(c),
        }
    }
    if started || !field.is_empty() || !row.is_empty() {
        row.push(field);
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::lookups::stage::Stage;

    #[test]
    fn csv() {
        assert_eq!(
            rows("a,\"b, \"\"c\"\"\"\n\nd,\r\n\"e\nf\",g", ','),
            [
                vec!["a".to_owned(), "b, \"c\"".to_owned()],
                vec![],
                vec!["d".to_owned(), String::new()],
                vec!["e\nf".to_owned(), "g".to_owned()],
            ]
        );
    }

    #[test]
    fn fields() {
        let stage = Stage::default();
        stage.write("e.csv", "Symbol,Number,Mass\nLi,3,6.94\nQ,\"a, b\",0\n");
        stage.write("files/ansible.csv", "key1\ttabbed\n");
        let case = |term: &str, options: &str, results: &str| {
            assert_eq!(stage.json("csvfile", &format!("[{term:?}]"), options).unwrap(), results, "{term}");
        };
        case("Li file=e.csv delimiter=,", "{}", r#"["3"]"#);
        case("Li file=e.csv delimiter=, col=2", "{}", r#"["6.94"]"#);
        case("Li", r#"{"file": "e.csv", "delimiter": ",", "col": 0}"#, r#"["Li"]"#);
        case("3 keycol=1 col=0 file=e.csv delimiter=,", "{}", r#"["Li"]"#);
        case("Zz file=e.csv delimiter=, default=none", "{}", r#"["none"]"#);
        case("Zz file=e.csv delimiter=,", "{}", "[]");
        case("key1", "{}", r#"["tabbed"]"#);
        case("Q", r#"{"file": "e.csv", "delimiter": ","}"#, r#"["a, b"]"#);
        assert!(stage.json("csvfile", r#"["Li col=9 file=e.csv delimiter=,"]"#, "{}").is_err());
        assert!(stage.json("csvfile", r#"["Li fle=e.csv"]"#, "{}").is_err());
    }
}
