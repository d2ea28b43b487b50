//! `ini_file`: options and sections of an INI file.

use std::path::Path;

use super::ini_lines::{Condition, IniEdit};
use super::list_texts;
use crate::host::HostApi;
use crate::modules::builtin::edit::content_diff;
use crate::modules::builtin::files::write::FileWriteArgs;
use crate::modules::builtin::files::{AttributeChanges, Attributes, COMMON, describe_path, target_path};
use crate::modules::spec::{HandsOn, Param, ParamKind};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::value::{Value, python};

static SPEC: Spec = Spec {
    mutually_exclusive: &[&["value", "values"]],
    ..Spec::new("community.general.ini_file", "Makes sure that an option or a section is in an INI file, or is not.")
        .hands_on(HandsOn::InFile)
        .params(&[
            &[
                Param::path("path", "The file.").aliases(&["dest"]).required(),
                Param::str("section", "The section; without it, the options before the first section."),
                Param::list(
                    "section_has_values",
                    &ParamKind::Dict(&[
                        Param::str("option", "The option that the section must have.").required(),
                        Param::str("value", "The value that it must have."),
                        Param::list("values", &ParamKind::Str, "The values of which it must have one."),
                    ]),
                    "Of several sections of this name, the first that has these options is meant.",
                ),
                Param::str("option", "The option; without it, the section itself."),
                Param::str("value", "Value of the option."),
                Param::list("values", &ParamKind::Str, "Values of the option, one line each."),
                Param::bool("backup", "Keep a copy of what is changed.").default("false"),
                Param::str("state", "Whether it is to be there.").default("present").choices(&["absent", "present"]),
                Param::bool("exclusive", "Other lines with the option are removed.").default("true"),
                Param::bool("no_extra_spaces", "No blanks around the equals sign.").default("false"),
                Param::bool("ignore_spaces", "Blanks around the equals sign alone are no reason to change a line.")
                    .default("false"),
                Param::bool("allow_no_value", "The option may stand without a value and equals sign.").default("false"),
                Param::bool("modify_inactive_option", "An option that is commented out is used for the new one.")
                    .default("true"),
                Param::bool("create", "Create the file if it is not there.").default("true"),
                Param::bool("follow", "Change the target of a link instead of the link.").default("false"),
            ],
            COMMON,
        ])
};

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
        Box::pin(async move { edit_ini_file(args, context) })
    }
}

/// Returns the edit that the arguments describe.
fn read_edit(args: &ModuleArgs) -> Result<IniEdit, Failure> {
    let present = args.str("state") != Some("absent");
    let values: Vec<String> = match args.get("value") {
        Some(value) => vec![python::str(value)],
        None => list_texts(args.get("values")),
    };
    if present && !args.bool("allow_no_value") && values.is_empty() {
        return Err(Failure::new("Parameter 'value(s)' must be defined if state=present and allow_no_value=False."));
    }
    let mut conditions = Vec::new();
    for entry in args.get("section_has_values").and_then(Value::as_slice).unwrap_or_default() {
        let member = |name: &str| entry.as_dict().and_then(|entry| entry.get(name)).filter(|value| !value.is_null());
        if member("value").is_some() && member("values").is_some() {
            return Err(Failure::new("parameters are mutually exclusive: value|values found in section_has_values"));
        }
        let values = match member("value") {
            Some(value) => vec![python::str(value)],
            None => list_texts(member("values")),
        };
        conditions.push(Condition { option: member("option").map(python::str).unwrap_or_default(), values });
    }
    let mut unique: Vec<String> = Vec::new();
    for value in values {
        if !unique.contains(&value) {
            unique.push(value);
        }
    }
    Ok(IniEdit {
        section: args.str("section").unwrap_or_default().to_owned(),
        conditions,
        option: args.str("option").filter(|option| !option.is_empty()).map(str::to_owned),
        values: unique,
        present,
        exclusive: args.bool("exclusive"),
        separator: if args.bool("no_extra_spaces") { "=" } else { " = " },
        ignore_spaces: args.bool("ignore_spaces"),
        allow_no_value: args.bool("allow_no_value"),
        use_inactive: args.bool("modify_inactive_option"),
    })
}

fn read_text(host: &dyn HostApi, path: &Path) -> Result<String, Failure> {
    let unread = |why: String| Failure::new(format!("Unable to read the contents of {}: {why}", path.display()));
    let content = host.read(path).map_err(|error| unread(error.to_string()))?;
    let text = String::from_utf8(content).map_err(|error| unread(format!("it is not UTF-8: {error}")))?;
    // As Python's text files: no mark of the byte order, and all ends of lines are newlines.
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).replace("\r\n", "\n").replace('\r', "\n"))
}

fn edit_ini_file(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<ModuleOutcome, Failure> {
    let edit = read_edit(args)?;
    let host = context.host;
    let path = Path::new(args.str("path").unwrap_or_default());
    let target = target_path(host, path, args.bool("follow"));
    let before = match host.exists(&target) {
        true => read_text(host, &target)?,
        false if !args.bool("create") => {
            let message = format!("Destination {} does not exist!", target.display());
            return Err(Failure::new(message).with("rc", 257));
        }
        false => String::new(),
    };
    let edited = edit.apply_to_text(&before)?;
    let mut kept = None;
    if edited.changed {
        let failed = |error| Failure::new(format!("Unable to write {}: {error}", target.display()));
        if let Some(folder) = target.parent().filter(|folder| *folder != Path::new("") && !host.exists(folder)) {
            host.make_dirs(folder).map_err(failed)?;
        }
        let manner = FileWriteArgs::from_args(args);
        kept = manner.back_up_file(host, &target)?;
        host.write(&target, edited.text.as_bytes(), manner.write_options()).map_err(failed)?;
    }
    let mut changed = edited.changed;
    if !host.is_dry_run() && host.exists(path) {
        let mut changes = AttributeChanges::default();
        changed |= Attributes::from_args(args).apply_to_path(host, &target, &mut changes)?;
    }
    let mut outcome = ModuleOutcome { changed, ..ModuleOutcome::default() }
        .with("msg", edited.message)
        .with("path", args.str("path"));
    let (before, after) = if context.diff { (before.as_str(), edited.text.as_str()) } else { ("", "") };
    let diff = content_diff(&format!("{} (content)", path.display()), before.as_bytes(), after.as_bytes());
    if context.diff {
        outcome.diff = vec![diff];
    } else {
        outcome.data.set("diff", diff.to_value());
    }
    if let Some(kept) = kept.filter(|_| !host.is_dry_run()) {
        outcome.data.set("backup_file", kept.into());
    }
    describe_path(path, &mut outcome.data);
    Ok(outcome)
}
