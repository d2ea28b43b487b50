//! Tables: CSV read, rows drawn with lines.

use unicode_width::UnicodeWidthStr;

use crate::template::error::TemplateError;
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::coerce::{flag_or, list_members, optional_text, require_all_defined, text_or, to_text};
use crate::template::python::csv::{CsvDialect, CsvError, CsvTable};
use crate::value::{Dict, Value, python};

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new("community.general.from_csv", from_csv, "Parses CSV text to a list of mappings."),
    FilterPlugin::new("community.general.to_prettytable", to_prettytable, "Formats a list of mappings as a table."),
];

/// Reads the options of a CSV reader, those of the filter and those of the module `read_csv`.
///
/// # Errors
/// If there is no such dialect, or the delimiter is not one character.
pub fn read_dialect(
    name: &str,
    delimiter: Option<&str>,
    skip_initial_space: Option<bool>,
    strict: Option<bool>,
) -> Result<CsvDialect, CsvError> {
    let mut dialect = CsvDialect::find(name).ok_or_else(|| CsvError::UnknownDialect(name.to_owned()))?;
    if let Some(delimiter) = delimiter {
        let mut chars = delimiter.chars();
        dialect.delimiter = chars.next().filter(|_| chars.next().is_none()).ok_or(CsvError::Delimiter)?;
    }
    dialect.skip_initial_space = skip_initial_space.unwrap_or(false);
    dialect.strict = strict.unwrap_or(false);
    Ok(dialect)
}

/// Returns the rows of a table as mappings; fields beyond the columns are under the key null, missing ones are null.
pub fn table_rows(table: &CsvTable) -> Vec<Dict> {
    let rows = table.rows.iter().map(|row| {
        let field = |index: usize| row.get(index).map_or(Value::Null, |field| Value::text(field.as_str()));
        let mut entries = Dict::new();
        for (index, name) in table.columns.iter().enumerate() {
            entries.set(name.as_str(), field(index));
        }
        if let Some(rest) = row.get(table.columns.len()..).filter(|rest| !rest.is_empty()) {
            entries.insert(Value::Null, Value::list(rest.iter().map(|field| Value::text(field.as_str()))));
        }
        entries
    });
    rows.collect()
}

fn from_csv(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [dialect, fieldnames, delimiter, skip, strict] =
        call.args.bind(["dialect", "fieldnames", "delimiter", "skipinitialspace", "strict"])?;
    let switch =
        |value: Option<Value>| value.filter(|value| !value.is_null()).map(|value| flag_or(Some(&value), false));
    let name = text_or(dialect.as_ref(), "excel")?;
    let delimiter = optional_text(delimiter.as_ref())?;
    let dialect = read_dialect(&name, delimiter.as_deref(), switch(skip), switch(strict))
        .map_err(|why| TemplateError::value(why.to_string()).suggest_name(&name, CsvDialect::NAMES))?;
    let names = match fieldnames.filter(Value::is_true) {
        None => None,
        Some(names) => Some(list_members(call, &names)?.iter().map(to_text).collect::<Result<Vec<_>, _>>()?),
    };
    let table = CsvTable::parse(&to_text(&call.input)?, dialect, names)
        .map_err(|why| TemplateError::value(format!("Unable to process file: {why}")))?;
    Ok(Value::list(table_rows(&table).into_iter().map(Value::from)))
}

/// Where text stands in its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alignment {
    Left,
    Center,
    Right,
}

impl Alignment {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "l" | "left" => Some(Self::Left),
            "c" | "center" => Some(Self::Center),
            "r" | "right" => Some(Self::Right),
            _ => None,
        }
    }

    fn pad(self, text: &str, width: usize) -> String {
        let free = width.saturating_sub(text.width());
        let left = match self {
            Self::Left => 0,
            Self::Right => free,
            // A blank that cannot be shared stands before text of even width, and after text of odd width.
            Self::Center if free % 2 == 1 && text.width().is_multiple_of(2) => free / 2 + 1,
            Self::Center => free / 2,
        };
        format!("{}{text}{}", " ".repeat(left), " ".repeat(free - left))
    }
}

const OPTIONS: [&str; 3] = ["column_order", "header_names", "column_alignments"];

/// Checks a list of names, and makes text of them.
fn names(list: &Value, what: &str) -> Result<Vec<String>, TemplateError> {
    let Value::List(items) = list else {
        let kind = if matches!(list, Value::Str(_)) { "string" } else { list.type_name() };
        return Err(TemplateError::value(format!("Expected a list of {what}s, got a {kind}")));
    };
    items
        .iter()
        .map(|item| match item {
            Value::Str(text) => Ok(text.as_str().to_owned()),
            other => Err(TemplateError::value(format!("Expected a string for {what}, got a {}", other.type_name()))),
        })
        .collect()
}

fn table_input(call: &PluginCall<'_>) -> Result<Vec<Dict>, TemplateError> {
    let items = match require_all_defined(&call.input)? {
        Value::List(items) | Value::Tuple(items) => items.to_vec(),
        other => {
            let kind = if matches!(other, Value::Str(_)) { "string" } else { other.type_name() };
            return Err(TemplateError::value(format!("Expected a list of dictionaries, got a {kind}")));
        }
    };
    items
        .iter()
        .map(|item| {
            item.as_dict().cloned().ok_or_else(|| {
                let kind = item.type_name();
                TemplateError::value(format!("Expected all items in the list to be dictionaries, got a {kind}"))
            })
        })
        .collect()
}

/// The columns by their keys, in order.
fn read_columns(call: &PluginCall<'_>, rows: &[Dict]) -> Result<Vec<String>, TemplateError> {
    let available: Vec<String> = rows.first().map_or_else(Vec::new, |row| row.keys().map(python::str).collect());
    let order = call.args.get_named("column_order").filter(|order| !order.is_null());
    if order.is_some() && !call.args.positional.is_empty() {
        let message = "Cannot use both positional arguments and the 'column_order' keyword argument";
        return Err(TemplateError::value(message));
    }
    let chosen = match order {
        Some(order) => names(order, "column name")?,
        None => names(&Value::list(call.args.positional.iter().cloned()), "column name")?,
    };
    if chosen.len() > available.len() {
        let (given, count) = (chosen.len(), available.len());
        let message = format!("'column_order' has more elements ({given}) than available fields in data ({count})");
        return Err(TemplateError::value(message));
    }
    Ok(if chosen.is_empty() { available } else { chosen })
}

fn to_prettytable(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    if let Some((name, _)) = call.args.named.iter().find(|(name, _)| !OPTIONS.contains(&&**name)) {
        let message = format!("Unknown parameter(s) for to_prettytable filter: {name}");
        return Err(TemplateError::value(message).suggest_name(name, OPTIONS));
    }
    let rows = table_input(call)?;
    let columns = read_columns(call, &rows)?;
    let headers = match call.args.get_named("header_names").filter(|names| !names.is_null()) {
        Some(headers) => names(headers, "header name")?,
        None => columns.clone(),
    };
    if headers.len() > columns.len() {
        let (given, count) = (headers.len(), columns.len());
        let message = format!("'header_names' has more elements ({given}) than available fields in data ({count})");
        return Err(TemplateError::value(message));
    }
    if headers.len() < columns.len() {
        let (expected, actual) = (headers.len(), columns.len());
        let message = format!("Row has incorrect number of values, (actual) {actual}!={expected} (expected)");
        return Err(TemplateError::value(message));
    }
    if headers.iter().enumerate().any(|(index, name)| headers[..index].contains(name)) {
        return Err(TemplateError::value("Field names must be unique"));
    }
    let alignments = read_alignments(call, &headers)?;
    let cells = rows.iter().map(|row| {
        let cell = |key: &String| row.get(key).map_or_else(String::new, python::str);
        columns.iter().map(cell).collect::<Vec<String>>()
    });
    Ok(Value::text(draw(&headers, &cells.collect::<Vec<_>>(), &alignments)))
}

fn read_alignments(call: &PluginCall<'_>, headers: &[String]) -> Result<Vec<Alignment>, TemplateError> {
    let given = match call.args.get_named("column_alignments").filter(|given| !given.is_null()) {
        None => Dict::new(),
        Some(Value::Dict(given)) => (**given).clone(),
        Some(other) => {
            let kind = other.type_name();
            return Err(TemplateError::value(format!("Expected a dictionary for column_alignments, got a {kind}")));
        }
    };
    for (_, word) in given.iter() {
        let word = python::str(word);
        if Alignment::parse(&word).is_none() {
            let message = format!(
                "Invalid alignment '{word}' in 'column_alignments'. Valid alignments are: c, center, l, left, r, right"
            );
            return Err(TemplateError::value(message).suggest_name(&word, ["left", "center", "right"]));
        }
    }
    let find = |header: &String| given.get(header).and_then(|word| Alignment::parse(&python::str(word)));
    Ok(headers.iter().map(|header| find(header).unwrap_or(Alignment::Center)).collect())
}

fn draw(headers: &[String], rows: &[Vec<String>], alignments: &[Alignment]) -> String {
    if headers.is_empty() {
        return "++\n++".to_owned();
    }
    let width_of = |cell: &str| cell.lines().map(UnicodeWidthStr::width).max().unwrap_or(0);
    let column = |index: usize| {
        let cells = rows.iter().map(|row| row[index].as_str()).chain([headers[index].as_str()]);
        cells.map(width_of).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headers.len()).map(column).collect();
    let ruler: String = widths.iter().map(|width| format!("+{}", "-".repeat(width + 2))).collect::<String>() + "+";
    let draw_row = |cells: &[String]| {
        let height = cells.iter().map(|cell| cell.lines().count()).max().unwrap_or(1).max(1);
        let line = |number: usize| {
            let parts = cells.iter().zip(&widths).zip(alignments).map(|((cell, width), alignment)| {
                format!("| {} ", alignment.pad(cell.lines().nth(number).unwrap_or(""), *width))
            });
            parts.collect::<String>() + "|"
        };
        (0..height).map(line).collect::<Vec<_>>().join("\n")
    };
    let mut lines = vec![ruler.clone(), draw_row(headers), ruler.clone()];
    lines.extend(rows.iter().map(|row| draw_row(row)));
    lines.push(ruler);
    lines.join("\n")
}
