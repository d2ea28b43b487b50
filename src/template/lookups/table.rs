//! Values from tables: CSV files.

use super::call::{lookup_error, must_find, read_decoded, require_text, warn_unknown_options};
use super::terms::TermOptions;
use crate::template::error::TemplateError;
use crate::template::plugin::{Lookup, PluginCall};
use crate::template::python::csv::{CsvDialect, parse_csv};
use crate::value::Value;

/// `csvfile`
pub const TABLE: &[Lookup] =
    &[Lookup::new("csvfile", csvfile, "Returns a field of the row with a given key in a CSV file.")];

const OPTIONS: [&str; 6] = ["file", "delimiter", "col", "keycol", "default", "encoding"];

fn csvfile(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &OPTIONS);
    let mut values = Vec::new();
    let missing = || lookup_error("Search key is required but was not found");
    if call.args.positional.is_empty() {
        return Err(missing());
    }
    for term in &call.args.positional {
        let (key, options) = TermOptions::from_term(call, &require_text(call, term)?, &OPTIONS)?;
        if key.is_empty() {
            return Err(missing());
        }
        let delimiter = match options.read_text("delimiter", "TAB").as_str() {
            "TAB" | "\\t" | "\t" => '\t',
            other => {
                let mut chars = other.chars();
                let first = chars.next().filter(|_| chars.next().is_none());
                first.ok_or_else(|| lookup_error("`delimiter` must be a 1-character string"))?
            }
        };
        let (col, keycol) = (options.read_number("col", 1)?, options.read_number("keycol", 0)?);
        let path = must_find(call, "files", &options.read_text("file", "ansible.csv"))?;
        let content = read_decoded(call, &path, &options.read_text("encoding", "utf-8"))?;
        let rows = parse_csv(&content, CsvDialect::separated_by(delimiter))
            .map_err(|error| lookup_error(error.to_string()))?;
        match rows.into_iter().find(|row| row.get(keycol) == Some(&key)) {
            Some(row) => match row.get(col) {
                Some(field) => values.push(Value::text(field.as_str())),
                None => {
                    return Err(lookup_error(format!(
                        "the row of `{key}` in `{}` has no column {col}",
                        path.display()
                    )));
                }
            },
            None => match options.get("default") {
                Some(Value::List(items)) => values.extend(items.iter().cloned()),
                Some(default) => values.push(default),
                None => {}
            },
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use crate::template::lookups::stage::Stage;

    #[test]
    fn fields() {
        let stage = Stage::default();
        stage.write("e.csv", "Symbol,Number,Mass\nLi,3,6.94\nQ,\"a, b\",0\n");
        stage.write("files/ansible.csv", "key1\ttabbed\n");
        let case = |term: &str, options: &str, results: &str| {
            assert_eq!(stage.run_to_json("csvfile", &format!("[{term:?}]"), options).unwrap(), results, "{term}");
        };
        case("Li file=e.csv delimiter=,", "{}", r#"["3"]"#);
        case("Li file=e.csv delimiter=, col=2", "{}", r#"["6.94"]"#);
        case("Li", r#"{"file": "e.csv", "delimiter": ",", "col": 0}"#, r#"["Li"]"#);
        case("3 keycol=1 col=0 file=e.csv delimiter=,", "{}", r#"["Li"]"#);
        case("Zz file=e.csv delimiter=, default=none", "{}", r#"["none"]"#);
        case("Zz file=e.csv delimiter=,", "{}", "[]");
        case("key1", "{}", r#"["tabbed"]"#);
        case("Q", r#"{"file": "e.csv", "delimiter": ","}"#, r#"["a, b"]"#);
        stage.write("q.csv", "\"\"\"The Rock\"\" Johnson\",Dwayne\n");
        case("\"The Rock\" Johnson file=q.csv delimiter=,", "{}", r#"["Dwayne"]"#);
        for (terms, says) in [
            (r#"[]"#, "Search key is required but was not found"),
            (r#"["file=e.csv"]"#, "Search key is required but was not found"),
            (r#"["Li col=2, file=e.csv"]"#, "has an invalid value"),
            (r#"["Li nope=1"]"#, "'nope' is not a valid option"),
        ] {
            let problem = stage.run_to_json("csvfile", terms, "{}").unwrap_err();
            assert!(problem.message.contains(says), "{terms}: {}", problem.message);
        }
        assert!(stage.run_to_json("csvfile", r#"["Li col=9 file=e.csv delimiter=,"]"#, "{}").is_err());
        assert!(stage.run_to_json("csvfile", r#"["Li fle=e.csv"]"#, "{}").is_err());
    }
}
