//! `read_csv`: the rows of a CSV file.

use std::path::Path;

use crate::modules::spec::{Param, ParamKind};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::template::filters::community_general::tables::{read_dialect, table_rows};
use crate::template::python::csv::CsvTable;
use crate::value::{Dict, Value, python};

static SPEC: Spec = Spec::new("community.general.read_csv", "Reads the rows of a CSV file.").params(&[&[
    Param::path("path", "The file.").aliases(&["filename"]).required(),
    Param::str("dialect", "How the file is written: `excel`, `excel-tab` or `unix`.").default("excel"),
    Param::str("key", "The column whose values name the rows in `dict`; without it the rows are in `list`."),
    Param::list("fieldnames", &ParamKind::Str, "Names of the columns, for a file without a header."),
    Param::bool("unique", "A value of `key` that is there twice is a failure.").default("true"),
    Param::str("delimiter", "The character between fields, instead of that of the dialect."),
    Param::bool("skipinitialspace", "Blanks after a delimiter are not part of the field."),
    Param::bool("strict", "Bad input is a failure."),
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
    let path = Path::new(args.str("path").unwrap_or_default());
    let switch = |name: &str| args.get(name).and_then(Value::as_bool);
    let name = args.str("dialect").unwrap_or("excel");
    let dialect = read_dialect(name, args.str("delimiter"), switch("skipinitialspace"), switch("strict"))
        .map_err(Failure::new)?;
    let content = context
        .host
        .read(path)
        .map_err(|error| Failure::new(format!("Unable to open file: {}: {error}", path.display())))?;
    let text = String::from_utf8(content)
        .map_err(|error| Failure::new(format!("Unable to process file: {} is not UTF-8: {error}", path.display())))?;
    let names = Some(super::list_texts(args.get("fieldnames"))).filter(|names| !names.is_empty());
    let table = CsvTable::parse(text.strip_prefix('\u{feff}').unwrap_or(&text), dialect, names)
        .map_err(|why| Failure::new(format!("Unable to process file: {why}")))?;
    let (mut by_key, mut list) = (Dict::new(), Vec::new());
    match args.str("key").filter(|key| !key.is_empty()) {
        None => list.extend(table_rows(&table).into_iter().map(Value::from)),
        Some(key) if !table.columns.iter().any(|column| column == key) => {
            let columns = table.columns.join(", ");
            return Err(Failure::new(format!("Key '{key}' was not found in the CSV header fields: {columns}")));
        }
        Some(key) => {
            for row in table_rows(&table) {
                let name = row.get(key).cloned().unwrap_or(Value::Null);
                if args.bool("unique") && by_key.get_value(&name).is_some() {
                    let name = python::str(&name);
                    return Err(Failure::new(format!("Key '{key}' is not unique for value '{name}'")));
                }
                by_key.insert(name, row.into());
            }
        }
    }
    Ok(ModuleOutcome::default().with("dict", by_key).with("list", Value::list(list)))
}
