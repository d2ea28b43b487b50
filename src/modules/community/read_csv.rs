//! `read_csv`: the rows of a CSV file.

use std::path::Path;

use crate::modules::builtin::files::python_io_error;
use crate::modules::spec::{Param, ParamKind};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::template::filters::community_general::tables::{read_dialect, table_rows};
use crate::template::python::csv::{CsvDialect, CsvTable};
use crate::value::{Dict, Value};

static SPEC: Spec = Spec::new("community.general.read_csv", "Reads the rows of a CSV file as mappings.")
    .examples(include_str!("examples/read_csv.yml"))
    .params(&[&[
        Param::path("path", "Path of the file.").aliases(&["filename"]).required(),
        Param::str("key", "Column with the keys of the returned mapping."),
        Param::str("dialect", "Dialect of the file: `excel`, `excel-tab` or `unix`.").default("excel"),
        Param::list("fieldnames", &ParamKind::Str, "Names of the columns, if the file has no header."),
        Param::bool("unique", "Fail if two rows have the same key.").default("true"),
        Param::str("delimiter", "Delimiter of fields."),
        Param::bool("skipinitialspace", "Ignore spaces after the delimiter."),
        Param::bool("strict", "Fail at misplaced quotes."),
    ]]);

/// The module.
pub struct ReadCsv;

impl TaskModule for ReadCsv {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(async move { read_csv(args, context) })
    }
}

fn read_csv(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<ModuleOutcome, Failure> {
    let given = |name: &str| args.get(name).and_then(Value::as_bool);
    let name = args.str("dialect").unwrap_or("excel");
    let dialect = read_dialect(name, args.str("delimiter"), given("skipinitialspace"), given("strict"))
        .map_err(|why| suggest_dialect(Failure::from_error(why), name, context))?;
    let path = Path::new(args.str("path").unwrap_or_default());
    let not_open = |error| Failure::new(format!("Unable to open file: {}", python_io_error(&error, path)));
    let content = context.host.read(path).map_err(not_open)?;
    let text = String::from_utf8_lossy(&content);
    let names: Option<Vec<String>> = args
        .get("fieldnames")
        .and_then(Value::as_slice)
        .filter(|names| !names.is_empty())
        .map(|names| names.iter().map(crate::value::python::str).collect());
    let table = CsvTable::parse(text.trim_start_matches('\u{feff}'), dialect, names)
        .map_err(|why| Failure::new(format!("Unable to process file: {why}")))?;
    let rows = table_rows(&table);
    let Some(key) = args.str("key").filter(|key| !key.is_empty()) else {
        let rows = rows.into_iter().map(Value::from);
        return Ok(ModuleOutcome::default().with("dict", Dict::new()).with("list", Value::list(rows)));
    };
    if !table.columns.iter().any(|column| column == key) {
        let columns = table.columns.join(", ");
        let message = format!("Key '{key}' was not found in the CSV header fields: {columns}");
        return Err(Failure::new(message));
    }
    let mut by_key = Dict::new();
    for row in rows {
        let value = row.get(key).cloned().unwrap_or(Value::Null);
        if args.bool("unique") && by_key.get_value(&value).is_some() {
            let value = crate::value::python::str(&value);
            return Err(Failure::new(format!("Key '{key}' is not unique for value '{value}'")));
        }
        by_key.insert(value, row.into());
    }
    Ok(ModuleOutcome::default().with("dict", by_key).with("list", Value::list([])))
}

/// Adds the place of the argument and the nearest dialect.
fn suggest_dialect(failure: Failure, name: &str, context: &TaskContext<'_>) -> Failure {
    let message = crate::diagnostic::Diagnostic::error(failure.message.clone()).at(context.span, "");
    failure.with_diagnostic(message.suggest(name, &CsvDialect::NAMES))
}
