//! `copy`: files, folders and contents, put where they belong.

mod on_host;
pub mod place;
mod tree;

use std::path::{Path, PathBuf};

use super::files::{COMMON, base_name, display_path};
use crate::diagnostic::Diagnostic;
use crate::modules::spec::{HandsOn, Param, ParamKind};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::value::json::{self, JsonStyle};
use crate::value::{Sealed, Value, python};
use place::{Parcel, Placing};

static SPEC: Spec = Spec::new("ansible.builtin.copy", "Copies files, folders or literal content.")
    .examples(include_str!("../examples/copy.yml"))
    .bound_to_run()
    .hands_on(HandsOn::InFile)
    .params(&[
        &[
            Param::path("src", "Source file or folder; with a slash at the end, only the contents of the folder."),
            Param::str("_original_basename", "For internal use.").hidden(),
            Param::new(
                "content",
                ParamKind::Raw,
                "Content of the file, instead of `src`; data structures become JSON.",
            ),
            Param::path("dest", "Destination file, or its folder."),
            Param::bool("backup", "Keep a backup of the replaced file.").default("false"),
            Param::bool("force", "Replace an existing file.").default("true"),
            Param::str("validate", "Command that validates the new file; `%s` is its name."),
            Param::new("directory_mode", ParamKind::Raw, "Permissions of new folders."),
            Param::bool("remote_src", "Whether the source is on the host.").default("false"),
            Param::bool("local_follow", "Copy the targets of links in the source."),
            Param::str("checksum", "Expected SHA-1 of the content."),
            Param::bool("follow", "Write to the target if the destination is a link.").default("false"),
            Param::bool("decrypt", "Decrypt vaulted sources.").default("true"),
        ],
        COMMON,
    ])
    .checked_late(&[&["dest"], &["src", "content"]])
    .may_be_unknown(&["content"]);

/// The module.
pub struct Copy;

impl TaskModule for Copy {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(async move { run_copy(args, context).await.map_err(|failure| without_diff(failure, context)) })
    }
}

async fn run_copy(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<ModuleOutcome, Failure> {
    if args.get("_original_basename").is_some() {
        return Err(Failure::new("Invalid parameter specified: \"_original_basename\""));
    }
    let refusal = refuse_unsupported(args, context, &SPEC);
    if let Some(refusal) = refusal.as_ref().filter(|_| args.bool("remote_src")) {
        return Err(refusal.clone());
    }
    let source = args.str("src").filter(|source| !source.is_empty());
    let content = args.get("content");
    let placing = Placing { refusal, ..Placing::from_args(args) };
    match (source, content) {
        (None, None) => Err(Failure::new("src (or content) is required")),
        _ if placing.dest.is_empty() => Err(Failure::new("dest is required")),
        (Some(_), Some(_)) => Err(Failure::new("src and content are mutually exclusive")),
        (None, Some(_)) if placing.dest.ends_with('/') => Err(Failure::new("can not use content with a dir as dest")),
        (None, Some(content)) => {
            let parcel = parcel_of(content);
            let placed = placing.place_parcel(context.host, &parcel).await?;
            Ok(placed.map_or_else(|| unchanged_outcome(&placing), |placed| with_diff(placed, context)))
        }
        (Some(source), None) if args.bool("remote_src") => {
            on_host::copy_on_host(args, context.host, source, &placing).await
        }
        (Some(source), None) => from_here(args, context, source, &placing).await,
    }
}

/// Refuses parameters that neither the module nor `copy`, which writes its file, has. One without a value is the rest
/// of an unquoted text with commas (`{mode: u=rw,g=r}`); Ansible accepts it, so this is only a warning.
pub(super) fn refuse_unsupported(args: &ModuleArgs, context: &TaskContext<'_>, of: &Spec) -> Option<Failure> {
    for (name, value) in args.values().iter() {
        let name = python::str(name);
        if of.find_param(&name).is_some() || SPEC.find_param(&name).is_some() {
            continue;
        }
        if value.is_null() {
            let module = of.short_name();
            context.warn(format!("`{name}` is not a parameter of `{module}`; quote the text that contains it"));
            continue;
        }
        let known: Vec<&str> = of.all_params().map(|param| param.name).collect();
        let message = format!(
            "Unsupported parameters for ({}) module: {name}. Supported parameters include: {}.",
            of.short_name(),
            known.join(", ")
        );
        return Some(Diagnostic::error(message).suggest(&name, &known).into());
    }
    None
}

/// A content as the task has it.
fn parcel_of(content: &Value) -> Parcel {
    let secret = content.holds_secret();
    let awaits = content.first_unknown().map(|unknown| unknown.describe_missing());
    let content = match content.below_taint() {
        Value::Bytes(bytes) => bytes.to_vec(),
        Value::List(_) | Value::Tuple(_) | Value::Dict(_) => {
            json::to_string(content, JsonStyle { distinct_keys: false, ..JsonStyle::PYTHON }).into_bytes()
        }
        Value::Unknown(unknown) => unknown.shown.clone().into_bytes(),
        other => python::str(other).into_bytes(),
    };
    Parcel { content, secret, tainted: secret, awaits, source: None, name: String::new(), source_bits: None }
}

fn unchanged_outcome(placing: &Placing) -> ModuleOutcome {
    ModuleOutcome::default().with("dest", placing.dest.as_str())
}

/// Results have an empty list of differences where none are asked for.
pub(super) fn with_diff(outcome: ModuleOutcome, context: &TaskContext<'_>) -> ModuleOutcome {
    if context.diff { outcome } else { outcome.with("diff", Value::list([])) }
}

/// The same for failures.
pub(super) fn without_diff(mut failure: Failure, context: &TaskContext<'_>) -> Failure {
    if !context.diff && failure.data.contains("diff") {
        failure.data.set("diff", Value::list([]));
    }
    failure
}

/// A source where the playbook is.
async fn from_here(
    args: &ModuleArgs,
    context: &TaskContext<'_>,
    source: &str,
    placing: &Placing,
) -> Result<ModuleOutcome, Failure> {
    let path = context.find_file("files", source).ok_or_else(|| not_found(context, "files", source))?;
    let host = context.host;
    if host.is_dir(&path) {
        return tree::copy_tree(args, context, &path, source.ends_with('/'), placing).await;
    }
    let parcel = read_parcel(args, context, &path, base_name(source).to_owned())?;
    let placed = placing.place_parcel(host, &parcel).await?;
    Ok(placed.map_or_else(
        || unchanged_outcome(placing).with("src", display_path(&path)),
        |placed| with_diff(placed, context),
    ))
}

/// A file where the playbook is, opened if it is vaulted.
fn read_parcel(args: &ModuleArgs, context: &TaskContext<'_>, path: &Path, name: String) -> Result<Parcel, Failure> {
    let decrypt = args.get("decrypt").and_then(Value::as_bool).unwrap_or(true);
    let opened = open_file(context, path, decrypt)?;
    let bits = context.host.stat(path).map(|meta| meta.bits);
    Ok(Parcel {
        content: opened.content,
        secret: opened.vaulted,
        tainted: opened.tainted,
        awaits: None,
        source: Some(path.to_path_buf()),
        name,
        source_bits: bits,
    })
}

/// The content of a file where the playbook is.
pub(super) struct Opened {
    /// The content, opened.
    pub content: Vec<u8>,
    /// It was vaulted.
    pub vaulted: bool,
    /// Vaulted values count as secrets.
    pub tainted: bool,
}

/// Reads the content of a file where the playbook is.
///
/// # Errors
/// If it cannot be read, or there is no secret that opens it.
pub(super) fn open_file(context: &TaskContext<'_>, path: &Path, decrypt: bool) -> Result<Opened, Failure> {
    let unread = |error| Failure::new(format!("could not find src={}, {error}", path.display()));
    let content = context.template.read(path).map_err(unread)?;
    if !decrypt || !content.starts_with(b"$ANSIBLE_VAULT;") {
        return Ok(Opened { content, vaulted: false, tainted: false });
    }
    let envelope = String::from_utf8_lossy(&content).into_owned();
    let text = context.template.open_sealed(&Sealed { envelope, span: None })?;
    Ok(Opened { content: text.as_bytes().to_vec(), vaulted: true, tainted: text.is_secret() })
}

/// The failure for a source that is nowhere: all places are named.
pub(super) fn not_found(context: &TaskContext<'_>, folder: &str, name: &str) -> Failure {
    let mut message = format!("Could not find or access '{name}'");
    if !name.starts_with('/') {
        let base = context.base_dir.to_path_buf();
        let places: Vec<PathBuf> = context
            .search_path
            .iter()
            .chain([&base])
            .flat_map(|place| [place.join(folder).join(name), place.join(name)])
            .collect();
        message.push_str("\nSearched in:");
        for place in places {
            message.push_str(&format!("\n\t{}", place.display()));
        }
    }
    message.push_str(
        " on the Ansible Controller.\nIf you are using a module and expect the file to exist on the remote, see the \
         remote_src option",
    );
    Failure::new(message).breaking_off()
}

#[cfg(test)]
mod tests;
