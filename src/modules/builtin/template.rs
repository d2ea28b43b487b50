//! `template`: a file rendered with the variables of the task.

use super::copy::place::{Parcel, Placing};
use super::copy::{not_found, open_file, refuse_unsupported, with_diff, without_diff};
use super::files::{COMMON, base_name, display_path};
use crate::modules::spec::{HandsOn, Param, ParamKind};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::template::python::charset::Encoding;
use crate::template::{FILE_OPTIONS, FileOptions, own_variables};
use crate::value::{Value, python};

static SPEC: Spec = Spec::new("ansible.builtin.template", "Renders a template file.")
    .examples(include_str!("examples/template.yml"))
    .bound_to_run()
    .hands_on(HandsOn::InFile)
    .params(&[
        &[
            Param::path("src", "Path of the template."),
            Param::path("dest", "Destination file, or its folder."),
            Param::bool("backup", "Keep a backup of the replaced file.").default("false"),
            Param::bool("force", "Replace an existing file.").default("true"),
            Param::bool("follow", "Write to the target if the destination is a link.").default("false"),
            Param::str("validate", "Command that validates the new file; `%s` is its name."),
            Param::str("newline_sequence", "Line ending: `\\n`, `\\r` or `\\r\\n`.").default("\n"),
            Param::str("block_start_string", "Start of a block.").default("{%"),
            Param::str("block_end_string", "End of a block.").default("%}"),
            Param::str("variable_start_string", "Start of an expression.").default("{{"),
            Param::str("variable_end_string", "End of an expression.").default("}}"),
            Param::str("comment_start_string", "Start of a comment.").default("{#"),
            Param::str("comment_end_string", "End of a comment.").default("#}"),
            Param::bool("trim_blocks", "Remove the line break after a block.").default("true"),
            Param::bool("lstrip_blocks", "Remove spaces before a block.").default("false"),
            Param::str("output_encoding", "Encoding of the result.").default("utf-8"),
            Param::str("state", "Not allowed for templates.").hidden(),
            Param::new("directory_mode", ParamKind::Raw, "Permissions of new folders."),
        ],
        COMMON,
    ])
    .checked_late(&[&["src"], &["dest"]]);

/// The module.
pub struct TemplateFileModule;

impl TaskModule for TemplateFileModule {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(async move { run_template(args, context).await.map_err(|failure| without_diff(failure, context)) })
    }
}

async fn run_template(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<ModuleOutcome, Failure> {
    if args.get("state").is_some() {
        return Err(Failure::new("'state' cannot be specified on a template"));
    }
    if args.get("content").is_some() {
        return Err(Failure::new("src and content are mutually exclusive"));
    }
    let (Some(name), Some(dest)) = (args.str("src"), args.str("dest")) else {
        return Err(Failure::new("src and dest are required"));
    };
    let options = read_options(args)?;
    let path = context.find_file("templates", name).ok_or_else(|| not_found(context, "templates", name))?;
    let opened = open_file(context, &path, true)?;
    let text = String::from_utf8(opened.content)
        .map_err(|_| Failure::new(format!("the template {} is not UTF-8", path.display())))?;
    let result = options.render_file(
        context.template,
        &display_path(&path),
        &text,
        own_variables(context.template, name, &path, Some(dest)),
    )?;
    let rendered = text_of(&result);
    let bits = context.host.stat(&path).map(|meta| meta.bits);
    let parcel = Parcel {
        content: Encoding::from_name(args.str("output_encoding").unwrap_or_default())?.encode(&rendered)?,
        secret: opened.vaulted || result.holds_secret(),
        tainted: opened.tainted || result.holds_secret(),
        awaits: result.as_unknown().map(|unknown| unknown.describe_missing()),
        name: base_name(&display_path(&path)).to_owned(),
        source: Some(path.clone()),
        source_bits: bits,
    };
    let placing = Placing { refusal: refuse_unsupported(args, context, &SPEC), ..Placing::from_args(args) };
    let placed = placing.place_parcel(context.host, &parcel).await?;
    let untouched = || ModuleOutcome::default().with("dest", dest).with("src", display_path(&path));
    Ok(placed.map_or_else(untouched, |placed| with_diff(placed, context)))
}

/// Reads the options for the template file from the arguments.
fn read_options(args: &ModuleArgs) -> Result<FileOptions, Failure> {
    let mut options = FileOptions::default();
    for name in FILE_OPTIONS {
        if let Some(value) = args.get(name) {
            options.set_option(name, value)?;
        }
    }
    Ok(options)
}

/// The text of a result.
fn text_of(result: &Value) -> String {
    match result {
        Value::Null => String::new(),
        Value::Unknown(unknown) => unknown.shown.clone(),
        other => python::str(other),
    }
}
