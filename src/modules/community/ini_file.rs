//! `ini_file`: an option, or a section, that is or is not in an INI file.

use std::path::{Path, PathBuf};

use super::ini_text::{IniCondition, IniStyle, IniTarget};
use crate::modules::builtin::edit::{self, Edited};
use crate::modules::builtin::files::{COMMON, describe_path};
use crate::modules::spec::{HandsOn, Param, ParamKind};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::value::{Value, python};

static SPEC: Spec = Spec {
    mutually_exclusive: &[&["value", "values"]],
    ..Spec::new("community.general.ini_file", "Adds, changes or removes options and sections of an INI file.")
        .examples(include_str!("examples/ini_file.yml"))
        .hands_on(HandsOn::InFile)
        .params(&[
            &[
                Param::path("path", "Path of the file.").aliases(&["dest"]).required(),
                Param::str("section", "The section; default: the lines before the first section."),
                Param::list("section_has_values", &ParamKind::Dict(CONDITION), "Options that identify the section."),
                Param::str("option", "The option; default: the section itself."),
                Param::str("value", "Value of the option."),
                Param::list("values", &ParamKind::Str, "Values of the option, one per line."),
                Param::bool("backup", "Keep a backup of the changed file.").default("false"),
                Param::str("state", "Whether the option or section must exist.")
                    .default("present")
                    .choices(&["absent", "present"]),
                Param::bool("exclusive", "Remove all other values of the option.").default("true"),
                Param::bool("no_extra_spaces", "Write no spaces around the equals sign.").default("false"),
                Param::bool("ignore_spaces", "Keep lines that differ only in spaces.").default("false"),
                Param::bool("allow_no_value", "Allow an option without a value.").default("false"),
                Param::bool("modify_inactive_option", "Change a commented-out option.").default("true"),
                Param::bool("create", "Create the file if it does not exist.").default("true"),
                Param::bool("follow", "Change the target of a link.").default("false"),
            ],
            COMMON,
        ])
};

const CONDITION: &[Param] = &[
    Param::str("option", "Name of the option.").required(),
    Param::str("value", "Value of the option."),
    Param::list("values", &ParamKind::Str, "Possible values of the option."),
];

/// The module.
pub struct IniFile;

impl TaskModule for IniFile {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(run_ini_file(args, context))
    }
}

async fn run_ini_file(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<ModuleOutcome, Failure> {
    let target = read_target(args);
    let is_present = args.str("state") != Some("absent");
    if is_present && target.values.is_empty() && !target.style.allow_no_value {
        let message = "Parameter 'value(s)' must be defined if state=present and allow_no_value=False.";
        return Err(Failure::new(message));
    }
    let named = args.str("path").unwrap_or_default();
    let host = context.host;
    let path = match Path::new(named) {
        path if args.bool("follow") && host.is_link(path) => host.real_path(path),
        path => PathBuf::from(path),
    };
    edit::refuse_folder(host, &path)?;
    let old = edit::read_file(host, &path)?;
    if old.is_none() && !args.bool("create") {
        return Err(Failure::new(format!("Destination {} does not exist!", path.display())).with("rc", 257));
    }
    let content = old.as_deref().unwrap_or_default();
    let not_text = |_| Failure::new(format!("{} is not UTF-8", path.display()));
    let text = std::str::from_utf8(content).map_err(not_text)?.trim_start_matches('\u{feff}');
    // Line ends become those of Unix, in lines that stay as well.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let made = if is_present { target.set(&text) } else { target.remove(&text) };
    // What is not there is not made to remove something from it.
    let changed = made.changed && (is_present || old.is_some());
    let old = old.map(|_| text.into_bytes());
    let edited = Edited { new: made.text.into_bytes(), old, changed, message: made.message.to_owned() };
    let mut outcome = edit::finish_edit(args, context, &path, edited, None).await?.with("path", named);
    outcome.data.set("msg", Value::text(made.message));
    keep_content_diff(&mut outcome);
    describe_path(&path, &mut outcome.data);
    Ok(outcome)
}

/// The module shows one difference, that of the content; attributes are in none.
fn keep_content_diff(outcome: &mut ModuleOutcome) {
    outcome.diff.truncate(1);
    outcome.diff.iter_mut().for_each(|diff| diff.listed = false);
    if let Some(Value::List(shown)) = outcome.data.get("diff").cloned() {
        outcome.data.set("diff", shown.first().cloned().unwrap_or(Value::Null));
    }
}

/// Reads what the task wants.
fn read_target(args: &ModuleArgs) -> IniTarget {
    let list = |value: Option<&Value>| -> Vec<String> {
        value.and_then(Value::as_slice).unwrap_or_default().iter().map(python::str).collect()
    };
    let mut values = match args.str("value") {
        Some(value) => vec![value.to_owned()],
        None => list(args.get("values")),
    };
    let mut seen = std::collections::HashSet::new();
    values.retain(|value| seen.insert(value.clone()));
    let conditions = args.get("section_has_values").and_then(Value::as_slice).unwrap_or_default();
    let conditions = conditions.iter().filter_map(Value::as_dict).map(|condition| IniCondition {
        option: condition.get("option").map(python::str).unwrap_or_default(),
        values: match condition.get("value").filter(|value| !value.is_null()) {
            Some(value) => vec![python::str(value)],
            None => list(condition.get("values")),
        },
    });
    IniTarget {
        section: args.str("section").map(str::to_owned),
        conditions: conditions.collect(),
        option: args.str("option").map(str::to_owned),
        values,
        exclusive: args.bool("exclusive"),
        style: IniStyle {
            tight: args.bool("no_extra_spaces"),
            ignore_blanks: args.bool("ignore_spaces"),
            allow_no_value: args.bool("allow_no_value"),
            use_inactive: args.bool("modify_inactive_option"),
        },
    }
}
