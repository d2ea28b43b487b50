//! `template`: a file rendered with the variables of the task.

use std::path::PathBuf;

use super::copy::place::{Parcel, Placing};
use super::copy::{not_found, open, refusal, with_diff, without_diff};
use super::files::{COMMON, base_name, shown, users};
use crate::modules::spec::{Kind, Param};
use crate::modules::{Args, Failure, Local, Module, Outcome, Spec, TaskContext};
use crate::template::python::charset::Encoding;
use crate::template::{FILE_OPTIONS, FileOptions};
use crate::value::{Time, Value, python};

static SPEC: Spec = Spec::new("ansible.builtin.template", "Renders a template file.")
    .params(&[
        &[
            Param::path("src", "The template."),
            Param::path("dest", "The file, or the folder to put it in."),
            Param::bool("backup", "Keep a copy of what is replaced.").default("false"),
            Param::bool("force", "Replace what is there already.").default("true"),
            Param::bool("follow", "Write what a link at the destination points to.").default("false"),
            Param::str("validate", "A command that has to accept the new file, with `%s` for its name."),
            Param::str("newline_sequence", "How lines end.").default("\n"),
            Param::str("block_start_string", "Begins a block.").default("{%"),
            Param::str("block_end_string", "Ends a block.").default("%}"),
            Param::str("variable_start_string", "Begins an expression.").default("{{"),
            Param::str("variable_end_string", "Ends an expression.").default("}}"),
            Param::str("comment_start_string", "Begins a comment.").default("{#"),
            Param::str("comment_end_string", "Ends a comment.").default("#}"),
            Param::bool("trim_blocks", "Remove the line break after a block.").default("true"),
            Param::bool("lstrip_blocks", "Remove blanks before a block.").default("false"),
            Param::str("output_encoding", "How the result is encoded.").default("utf-8"),
            Param::str("state", "Not for templates.").hidden(),
            Param::new("directory_mode", Kind::Raw, "Permissions of folders that are created."),
        ],
        COMMON,
    ])
    .checked_late(&[&["src"], &["dest"]]);

/// The module.
pub struct Template;

impl Module for Template {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run<'a>(&'a self, args: &'a Args, context: &'a TaskContext<'a>) -> Local<'a, Result<Outcome, Failure>> {
        Box::pin(async move { run(args, context).await.map_err(|failure| without_diff(failure, context)) })
    }
}

async fn run(args: &Args, context: &TaskContext<'_>) -> Result<Outcome, Failure> {
    use std::os::unix::fs::PermissionsExt;
    if args.get("state").is_some() {
        return Err(Failure::new("'state' cannot be specified on a template"));
    }
    if args.get("content").is_some() {
        return Err(Failure::new("src and content are mutually exclusive"));
    }
    let (Some(name), Some(dest)) = (args.str("src"), args.str("dest")) else {
        return Err(Failure::new("src and dest are required"));
    };
    let options = options(args)?;
    let path = context.find_file("templates", name).ok_or_else(|| not_found(context, "templates", name))?;
    let (content, secret) = open(context, &path, true)?;
    let text = String::from_utf8(content)
        .map_err(|_| Failure::new(format!("the template {} is not UTF-8", path.display())))?;
    let result = options.render(context.template, &shown(&path), &text, variables(context, name, &path, dest))?;
    let rendered = text_of(&result);
    let bits = std::fs::metadata(&path).ok().map(|meta| meta.permissions().mode() & 0o7777);
    let parcel = Parcel {
        content: Encoding::find(args.str("output_encoding").unwrap_or_default())?.encode(&rendered)?,
        secret,
        awaits: result.as_unknown().map(|unknown| unknown.sentence()),
        name: base_name(&shown(&path)).to_owned(),
        source: Some(path.clone()),
        source_bits: bits,
    };
    let placing = Placing { refusal: refusal(args, context, &SPEC), ..Placing::of(args) };
    let placed = placing.place(context.host, &parcel).await?;
    let untouched = || Outcome::default().with("dest", dest).with("src", shown(&path));
    Ok(placed.map_or_else(untouched, |placed| with_diff(placed, context)))
}

/// Reads the options for the template file from the arguments.
fn options(args: &Args) -> Result<FileOptions, Failure> {
    let mut options = FileOptions::default();
    for name in FILE_OPTIONS {
        if let Some(value) = args.get(name) {
            options.set(name, value)?;
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

/// Returns the variables that describe the template to itself.
fn variables(context: &TaskContext<'_>, name: &str, path: &PathBuf, dest: &str) -> Vec<(String, Value)> {
    use std::os::unix::fs::MetadataExt;
    let meta = std::fs::metadata(path).ok();
    let owner = meta.as_ref().map_or(0, MetadataExt::uid);
    let zone = jiff::tz::TimeZone::system();
    let local = |stamp: jiff::Timestamp| Value::Time(Time::Naive(zone.to_datetime(stamp)));
    let written = meta.and_then(|meta| meta.modified().ok()).and_then(|time| jiff::Timestamp::try_from(time).ok());
    let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let mut variables = vec![
        ("template_host".to_owned(), machine.into()),
        ("template_path".to_owned(), name.into()),
        ("template_mtime".to_owned(), written.map_or(Value::Null, local)),
        ("template_uid".to_owned(), users::user_name(owner).map_or_else(|| owner.into(), Value::text)),
        ("template_run_date".to_owned(), local(jiff::Timestamp::now())),
        ("template_destpath".to_owned(), dest.into()),
        ("template_fullpath".to_owned(), shown(path).into()),
    ];
    if !matches!(context.template.variable("ansible_managed"), Ok(Some(_)) | Err(_)) {
        variables.push(("ansible_managed".to_owned(), "Ansible managed".into()));
    }
    variables
}
