//! `unarchive`: unpacks an archive into a folder.

mod error;
mod tar;
mod zip;
mod zip_list;

use std::io::Write;
use std::path::{Path, PathBuf};

use super::copy::{not_found, open_file};
use super::files::attributes::AttributeChanges;
use super::files::{Attributes, COMMON, describe_path, display_path};
use super::web;
use crate::modules::spec::{Param, ParamKind};
use crate::modules::{Diff, Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::value::{Dict, Value, python};

static SPEC: Spec = Spec {
    mutually_exclusive: &[&["include", "exclude"]],
    ..Spec::new("ansible.builtin.unarchive", "Unpacks an archive into a folder.")
        .examples(include_str!("../examples/unarchive.yml"))
        .bound_to_run()
        .params(&[
            &[
                Param::path("src", "Archive: zip, or tar, plain or compressed with gzip, bzip2, xz or zstd.")
                    .required(),
                Param::path("dest", "Destination folder; must exist.").required(),
                Param::bool("remote_src", "Whether the archive is on the host, or a URL.").default("false"),
                Param::path("creates", "Do not unpack if this file exists."),
                Param::bool("list_files", "Return the list of files in the archive.").default("false"),
                Param::bool("keep_newer", "Keep files that are newer than in the archive.").default("false"),
                Param::list("exclude", &ParamKind::Str, "Names or patterns to exclude.").default(""),
                Param::list("include", &ParamKind::Str, "Names or patterns to unpack; default: all.").default(""),
                Param::list("extra_opts", &ParamKind::Str, "Further options for `tar` or `unzip`.").default(""),
                Param::bool("validate_certs", "Verify the certificate of the server.").default("true"),
                Param::int("io_buffer_size", "Accepted, without effect.").default("65536"),
                Param::bool("copy", "Deprecated opposite of `remote_src`."),
                Param::bool("decrypt", "Decrypt a vaulted archive.").default("true"),
            ],
            COMMON,
        ])
};

/// The module.
pub struct Unarchive;

impl TaskModule for Unarchive {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(run_unarchive(args, context))
    }
}

/// Archive, destination and options.
struct Job<'a> {
    context: &'a TaskContext<'a>,
    archive: PathBuf,
    dest: PathBuf,
    attributes: Attributes,
    keep_newer: bool,
    exclude: Vec<String>,
    include: Vec<String>,
    options: Vec<String>,
}

/// An archive that could be read.
struct Opened {
    /// Ansible's name of the handler.
    handler: &'static str,
    /// The names in it that are asked for.
    names: Vec<String>,
    /// Everything is there as it is in the archive.
    is_there: bool,
    /// One line for each name that is not, in a notation known from rsync.
    differences: Option<String>,
    /// The command that unpacks it.
    unpack: Vec<String>,
}

async fn run_unarchive(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<ModuleOutcome, Failure> {
    let host = context.host;
    let given = |name: &str| context.raw_args.contains(name);
    if given("copy") && given("remote_src") {
        return Err(Failure::new("parameters are mutually exclusive: ('copy', 'remote_src')"));
    }
    let remote = if given("copy") { !args.bool("copy") } else { args.bool("remote_src") };
    let (source, dest) = (args.str("src").unwrap_or_default(), args.str("dest").unwrap_or_default());
    if let Some(path) = args.str("creates").filter(|path| !path.is_empty() && host.exists(Path::new(path))) {
        let message = format!("skipped, since {path} exists");
        return Ok(ModuleOutcome { skipped: true, ..ModuleOutcome::default() }.with("msg", message));
    }
    let mut scratch = None;
    let archive = match (remote, source.contains("://")) {
        (false, true) => {
            let address = web::mask_address(source);
            let message =
                format!("Unsupported option, an URI src ({address}) is only supported when remote_src is True");
            return Err(Failure::new(message));
        }
        (false, false) => open_local_archive(args, context, source, &mut scratch)?,
        (true, true) if !host.exists(Path::new(source)) => {
            download_archive(args, context, source, &mut scratch).await?
        }
        (true, _) => PathBuf::from(source),
    };
    if !host.is_dir(Path::new(dest)) {
        return Err(Failure::new(format!("dest '{dest}' must be an existing dir")));
    }
    let archive = std::path::absolute(&archive).unwrap_or(archive);
    let name = display_path(&archive);
    match host.stat(&archive) {
        None => return Err(Failure::new(format!("Source '{source}' does not exist"))),
        Some(_) if !host.is_readable(&archive) => {
            return Err(Failure::new(format!("Source '{source}' not readable")));
        }
        Some(meta) if meta.size == 0 => {
            return Err(Failure::new(format!("Invalid archive '{name}', the file is 0 bytes")));
        }
        Some(_) => {}
    }
    let texts = |key: &str| -> Vec<String> {
        let given = args.get(key).and_then(Value::as_slice).unwrap_or_default();
        given.iter().map(python::str).filter(|text| !text.is_empty()).collect()
    };
    let job = Job {
        context,
        archive,
        dest: std::path::absolute(dest).unwrap_or_else(|_| dest.into()),
        attributes: Attributes::from_args(args),
        keep_newer: args.bool("keep_newer"),
        exclude: texts("exclude"),
        include: texts("include"),
        options: texts("extra_opts"),
    };
    job.unpack_archive(&name, dest, args.bool("list_files")).await
}

/// The archive where the playbook is; a copy of it if it was vaulted.
fn open_local_archive(
    args: &ModuleArgs,
    context: &TaskContext<'_>,
    source: &str,
    scratch: &mut Option<tempfile::NamedTempFile>,
) -> Result<PathBuf, Failure> {
    let found = context.find_file("files", source).ok_or_else(|| not_found(context, "files", source))?;
    if !context.host.is_file(&found) {
        return Err(not_found(context, "files", source));
    }
    match open_file(context, &found, args.bool("decrypt"))? {
        opened if opened.vaulted => write_scratch(&opened.content, scratch),
        _ => Ok(found),
    }
}

async fn download_archive(
    args: &ModuleArgs,
    context: &TaskContext<'_>,
    address: &str,
    scratch: &mut Option<tempfile::NamedTempFile>,
) -> Result<PathBuf, Failure> {
    let request = web::UrlRequest { url: address.to_owned(), ..web::UrlRequest::from_args(args, context) };
    let reply = web::fetch_url(request).await;
    if !matches!(reply.status, None | Some(200)) {
        return Err(Failure::new(format!("Failure downloading {}, {}", web::mask_address(address), reply.message)));
    }
    write_scratch(&reply.body, scratch)
}

fn write_scratch(content: &[u8], scratch: &mut Option<tempfile::NamedTempFile>) -> Result<PathBuf, Failure> {
    let failed = |error: std::io::Error| Failure::new(format!("cannot keep the archive: {error}"));
    let mut file = tempfile::Builder::new().prefix("ionplay-").tempfile().map_err(failed)?;
    file.write_all(content).map_err(failed)?;
    Ok(scratch.insert(file).path().to_path_buf())
}

impl Job<'_> {
    async fn unpack_archive(&self, source: &str, dest: &str, list: bool) -> Result<ModuleOutcome, Failure> {
        let host = self.context.host;
        let opened = match zip::open_zip(self).await {
            Ok(opened) => opened,
            // The actions of `tar` are not known before it runs.
            Err(_) if host.is_dry_run() => {
                let message = "remote module (ansible.legacy.unarchive) does not support check mode when using gtar";
                return Ok(ModuleOutcome { skipped: true, ..ModuleOutcome::default() }.with("msg", message));
            }
            Err(no_zip) => tar::open_tar(self).await.map_err(|no_tar| {
                Failure::new(format!(
                    "Failed to find handler for \"{source}\". Make sure the required command to extract the file is \
                     installed.\n{no_zip}\n{no_tar}"
                ))
            })?,
        };
        let mut data = Dict::new();
        data.set("handler", opened.handler.into());
        data.set("dest", dest.into());
        data.set("src", source.into());
        let mut changed = !opened.is_there;
        if changed && !host.is_dry_run() {
            let said = host.run_command(&tar::tar_command(self, opened.unpack.clone())).await;
            let said = said.map_err(|error| Failure::new(format!("Failed to unpack {source} to {dest}: {error}")))?;
            let results = [
                ("cmd", Value::list(opened.unpack.iter().map(|word| Value::text(word.as_str())))),
                ("rc", said.rc.into()),
                ("out", said.stdout_text().into()),
                ("err", said.stderr_text().into()),
            ];
            data.set("extract_results", Value::dict(results));
            if said.rc != 0 {
                let message = format!("failed to unpack {source} to {dest}");
                return Err(Failure { data, ..Failure::new(message) });
            }
        }
        let mut diff = Vec::new();
        if let Some(lines) = opened.differences.filter(|lines| !lines.is_empty()) {
            let lines = Diff { prepared: Some(lines), ..Diff::default() };
            data.set("diff", lines.to_value());
            diff.push(lines);
        }
        if !host.is_dry_run() {
            changed |= self.adjust_attributes(&opened.names)?;
        }
        if list {
            data.set("files", Value::list(opened.names.iter().map(|name| Value::text(name.as_str()))));
        }
        describe_path(&self.dest, &mut data);
        Ok(ModuleOutcome { diff, ..ModuleOutcome::new(changed, data) })
    }

    /// Gives everything that was unpacked, and the folders at the top, what the task asks for.
    fn adjust_attributes(&self, names: &[String]) -> Result<bool, Failure> {
        let mut tops: Vec<&str> = Vec::new();
        let mut changed = false;
        for name in names {
            changed |= self.attributes.apply_to_path(
                self.context.host,
                &self.dest.join(name),
                &mut AttributeChanges::default(),
            )?;
            if let Some((top, _)) = name.split_once('/').filter(|(top, _)| !tops.contains(top)) {
                tops.push(top);
            }
        }
        for top in tops {
            changed |= self.attributes.apply_to_path(
                self.context.host,
                &self.dest.join(top),
                &mut AttributeChanges::default(),
            )?;
        }
        Ok(changed)
    }
}

#[cfg(test)]
mod tests;
