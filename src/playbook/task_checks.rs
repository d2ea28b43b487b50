//! What can be said of a task's keywords before it runs.

use super::LoadResult;
use super::action::{RawArgs, TaskAction};
use super::keyword::{Keyword, KeywordPlace, Keywords};
use super::task::Task;
use crate::diagnostic::Diagnostic;
use crate::value::Value;
use crate::yaml::{MappingEntry, YamlNode};

/// The options of `loop_control`.
pub const LOOP_CONTROL: &[&str] =
    &["loop_var", "index_var", "label", "pause", "extended", "extended_allitems", "break_when"];

/// Complains about options that are none.
///
/// # Errors
/// For the first one.
pub fn check_loop_control(control: &YamlNode) -> Result<(), Diagnostic> {
    for entry in control.entries().unwrap_or_default() {
        let name = entry.key.as_str().unwrap_or_default();
        if !LOOP_CONTROL.contains(&name) {
            return Err(Diagnostic::error(format!("`{name}` is not an option of `loop_control`"))
                .at(entry.key.span(), "")
                .suggest(name, LOOP_CONTROL));
        }
        if name != "break_when" && (entry.value.entries().is_some() || entry.value.items().is_some()) {
            let what = entry.value.description();
            return Err(
                Diagnostic::error(format!("`{name}` must be a single value, not {what}")).at(entry.value.span(), "")
            );
        }
    }
    Ok(())
}

/// Complains about what cannot be a handler.
///
/// # Errors
/// If it is a role.
pub fn check_handler(action: &TaskAction, entry: &MappingEntry) -> LoadResult<()> {
    if matches!(action.short_name(), "include_role" | "import_role") {
        return Err(Diagnostic::error(format!("Using '{}' as a handler is not supported.", action.short_name()))
            .at(entry.key.span(), "")
            .hint("include a file of tasks with `include_tasks`, and the role in there")
            .into());
    }
    Ok(())
}

/// Complains about the end of a role where there is none.
///
/// # Errors
/// If a task that is in no role, or a handler, is to end it.
pub fn check_end_of_role(task: &Task) -> LoadResult<()> {
    let what = task.args.values.get("_raw_params").and_then(Value::as_str).map(str::trim);
    if task.action.short_name() != "meta" || what != Some("end_role") || (!task.handler && task.role().is_some()) {
        return Ok(());
    }
    let place = if task.handler { "from a handler" } else { "from outside of a role" };
    Err(Diagnostic::error(format!("Cannot execute 'end_role' {place}")).at(&task.args.span, "").into())
}

/// Options of `include_role` and `import_role`; `apply` is for includes.
pub const ROLE_OPTIONS: &[&str] = &[
    "name",
    "role",
    "tasks_from",
    "vars_from",
    "defaults_from",
    "handlers_from",
    "allow_duplicates",
    "public",
    "rolespec_validate",
    "apply",
];

/// Complains about names of the files of a role that are not text.
fn check_role_parts(args: &RawArgs) -> LoadResult<()> {
    for name in ["tasks_from", "vars_from", "defaults_from", "handlers_from"] {
        let Some(value) = args.values.get(name) else { continue };
        if matches!(value, Value::Str(_) | Value::Sealed(_)) {
            continue;
        }
        let place = args.node.as_ref().and_then(|node| node.get(name)).map_or(&args.span, |node| node.span());
        let summary = format!("Expected a string for {name} but got {} instead", value.type_name());
        return Err(Diagnostic::error(summary)
            .at(place, "")
            .hint(format!("name one file of the role, such as `{name}: main.yml`"))
            .into());
    }
    Ok(())
}

/// Complains about includes and imports that name nothing, and about options and keywords that they do not know.
///
/// # Errors
/// For the first one.
pub fn check_include(
    action: &TaskAction,
    args: &RawArgs,
    keywords: &Keywords,
    entries: &[MappingEntry],
) -> LoadResult<()> {
    let (needed, options): (_, &[&str]) = match action.short_name() {
        "include_tasks" | "import_tasks" => (["file", "_raw_params"], &["file"]),
        "include_role" | "import_role" => (["name", "role"], ROLE_OPTIONS),
        _ => return Ok(()),
    };
    for name in args.values.keys().filter_map(Value::as_str) {
        let fine = match name {
            "apply" => action.short_name().starts_with("include_"),
            name => options.contains(&name) || needed.contains(&name),
        };
        if !fine {
            let span =
                args.node.as_ref().and_then(|node| node.entry(name)).map_or(&args.span, |entry| entry.key.span());
            return Err(Diagnostic::error(format!("`{}` has no option `{name}`", action.short_name()))
                .at(span, "")
                .suggest(name, options)
                .into());
        }
    }
    check_role_parts(args)?;
    let named = |name: &&str| args.values.get(name).is_some_and(|value| !value.is_null());
    if args.template.is_none() && !needed.iter().any(named) {
        let what = if options.len() == 1 { "file" } else { "role" };
        return Err(Diagnostic::error(format!("`{}` does not say which {what}", action.short_name()))
            .at(&args.span, "")
            .hint(format!("write `{}: {}`", action.short_name(), if what == "file" { "FILE" } else { "{name: ROLE}" }))
            .into());
    }
    // Imports hand all keywords down to the tasks inside; includes are tasks of their own.
    if action.short_name().starts_with("import_") {
        return Ok(());
    }
    for entry in entries {
        let Some(keyword) = entry.key.as_str().and_then(Keyword::from_name) else { continue };
        if keywords.has(keyword) && !keyword.row().is_allowed(KeywordPlace::Include) {
            let name = keyword.row().name;
            return Err(Diagnostic::error(format!("`{name}` is not a keyword of `{}`", action.short_name()))
                .at(entry.key.span(), "")
                .hint(format!("to apply it to the tasks inside, write it under `apply`: `apply: {{{name}: ...}}`"))
                .into());
        }
    }
    Ok(())
}
