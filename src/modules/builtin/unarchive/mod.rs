//! `unarchive`: the content of an archive, in a folder. The archives are read by `tar` and `unzip`.

mod tar;
mod zip;

use std::path::{Path, PathBuf};

use super::copy::{not_found, open};
use super::files::attributes::Changes;
use super::files::disk::Said;
use super::files::{Attributes, COMMON, Disk, Writing, describe, shown};
use crate::modules::spec::{CheckSupport, Kind, Param};
use crate::modules::{Args, Diff, Failure, Local, Module, Outcome, Spec, TaskContext};
use crate::value::{Value, python};

static SPEC: Spec = Spec {
    mutually_exclusive: &[&["include", "exclude"]],
    ..Spec::new("ansible.builtin.unarchive", "Unpacks an archive.").check(CheckSupport::Partial).params(&[
        &[
            Param::path("src", "The archive."),
            Param::path("dest", "The folder, which has to be there."),
            Param::bool("remote_src", "The archive is on the host.").default("false"),
            Param::path("creates", "Do nothing if this is there."),
            Param::bool("list_files", "Return the names in the archive.").default("false"),
            Param::bool("keep_newer", "Keep files that are newer than those in the archive.").default("false"),
            Param::list("exclude", &Kind::Str, "Leave these out."),
            Param::list("include", &Kind::Str, "Unpack only these."),
            Param::list("extra_opts", &Kind::Str, "More words for the program that unpacks."),
            Param::bool("validate_certs", "Accepted, without effect.").default("true"),
            Param::int("io_buffer_size", "Accepted, without effect.").default("65536"),
            Param::bool("copy", "The opposite of `remote_src`."),
            Param::bool("decrypt", "Open vaulted archives.").default("true"),
        ],
        COMMON,
    ])
};

/// The module.
pub struct Unarchive;

impl Module for Unarchive {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run<'a>(&'a self, args: &'a Args, context: &'a TaskContext<'a>) -> Local<'a, Result<Outcome, Failure>> {
        Box::pin(run(args, context))
    }
}

/// What is known of an archive.
pub(super) struct Look {
    /// The name of the kind of archive in results.
    pub handler: &'static str,
    /// Names in the archive.
    pub files: Vec<String>,
    /// Nothing would be changed by unpacking.
    pub unpacked: bool,
    /// What would be changed, one a line.
    pub diff: String,
}

/// What the task wants of an archive.
pub(super) struct Order {
    pub archive: PathBuf,
    pub dest: String,
    pub exclude: Vec<String>,
    pub include: Vec<String>,
    pub extra: Vec<String>,
    pub keep_newer: bool,
    pub attributes: Attributes,
}

async fn run(args: &Args, context: &TaskContext<'_>) -> Result<Outcome, Failure> {
    let disk = Disk::of(context);
    let (Some(source), Some(dest)) = (args.str("src"), args.str("dest")) else {
        return Err(Failure::new("src (or content) and dest are required"));
    };
    if let Some(creates) = args.str("creates").filter(|path| disk.exists(Path::new(path))) {
        let outcome = Outcome { skipped: true, ..Outcome::default() };
        return Ok(outcome.with("msg", format!("skipped, since {creates} exists")));
    }
    let on_host = match args.get("copy").and_then(Value::as_bool) {
        Some(copy) => !copy,
        None => args.bool("remote_src"),
    };
    if source.contains("://") {
        let message = if on_host {
            format!("cannot unpack from an address ({source}); fetch it with get_url first")
        } else {
            format!("Unsupported option, an URI src ({source}) is only supported when remote_src is True")
        };
        return Err(Failure::new(message));
    }
    let mut opened = None;
    let archive = if on_host {
        PathBuf::from(source)
    } else {
        let path = context.find_file("files", source).ok_or_else(|| not_found(context, "files", source))?;
        let decrypt = args.get("decrypt").and_then(Value::as_bool).unwrap_or(true);
        let (content, vaulted) = open(context, &path, decrypt)?;
        if vaulted { opened.insert(Opened::with(&content)?).0.clone() } else { path }
    };
    if !disk.is_dir(Path::new(dest)) {
        return Err(Failure::new(format!("dest '{dest}' must be an existing dir")));
    }
    let texts = |name: &str| {
        args.get(name).and_then(Value::as_slice).unwrap_or_default().iter().map(python::str).collect::<Vec<_>>()
    };
    let order = Order {
        archive,
        dest: dest.to_owned(),
        exclude: texts("exclude"),
        include: texts("include"),
        extra: texts("extra_opts"),
        keep_newer: args.bool("keep_newer"),
        attributes: Attributes::of(args),
    };
    order.unpack(disk, source, args.bool("list_files")).await
}

/// A vaulted archive, opened for as long as it is needed.
struct Opened(PathBuf);

impl Opened {
    fn with(content: &[u8]) -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("ionplay_{:016x}", rand::random::<u64>()));
        Disk::real()
            .write(&path, content, Writing { bits: Some(0o600), unsafe_writes: false })
            .map_err(|error| Failure::new(format!("cannot write {}: {error}", path.display())))?;
        Ok(Self(path))
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Order {
    async fn unpack(&self, disk: Disk, source: &str, list: bool) -> Result<Outcome, Failure> {
        let begin = self.beginning(disk, source)?;
        let is_zip = begin.starts_with(b"PK");
        if disk.is_dry() && !is_zip {
            let outcome = Outcome { skipped: true, ..Outcome::default() };
            let message = "remote module (ansible.legacy.unarchive) does not support check mode when using gtar";
            return Ok(outcome.with("msg", message));
        }
        let look = if is_zip { zip::look(self, disk).await? } else { tar::look(self, disk, &begin).await? };
        let mut outcome = Outcome { changed: !look.unpacked, ..Outcome::default() }
            .with("handler", look.handler)
            .with("dest", self.dest.as_str())
            .with("src", source);
        if !look.unpacked && !disk.is_dry() {
            let words = if is_zip { zip::command(self, disk)? } else { tar::command(self, disk, &begin)? };
            let said = self.ask(disk, &words).await?;
            let results = Value::dict([
                ("cmd", Value::list(words.iter().map(|word| Value::text(word.as_str())))),
                ("rc", said.rc.into()),
                ("out", said.stdout.into()),
                ("err", said.stderr.into()),
            ]);
            outcome.data.set("extract_results", results);
            if said.rc != 0 {
                let message = format!("failed to unpack {source} to {}", self.dest);
                return Err(Failure { message, data: outcome.data, ..Failure::default() });
            }
        }
        if !look.diff.is_empty() {
            outcome.diff.push(Diff {
                before_header: String::new(),
                after_header: String::new(),
                before: Value::Null,
                after: Value::Null,
                prepared: Some(look.diff),
            });
        }
        if !disk.is_dry() {
            for name in &look.files {
                let path = Path::new(&self.dest).join(name.trim_end_matches('/'));
                if disk.lstat(&path).is_some() {
                    outcome.changed |= self.attributes.apply(disk, &path, &mut Changes::default())?;
                }
            }
        }
        if list {
            outcome.data.set("files", look.files.into());
        }
        describe(Path::new(&self.dest), &mut outcome.data);
        Ok(outcome)
    }

    /// The first bytes of the archive, which tell its kind.
    fn beginning(&self, disk: Disk, source: &str) -> Result<Vec<u8>, Failure> {
        use std::io::Read;
        let Some(meta) = disk.stat(&self.archive) else {
            return Err(Failure::new(format!("Source '{source}' does not exist")));
        };
        if !disk.is_readable(&self.archive) {
            return Err(Failure::new(format!("Source '{source}' not readable")));
        }
        if meta.size == 0 {
            return Err(Failure::new(format!("Invalid archive '{source}', the file is 0 bytes")));
        }
        let mut begin = Vec::new();
        std::fs::File::open(&self.archive)
            .and_then(|file| file.take(512).read_to_end(&mut begin))
            .map_err(|error| Failure::new(format!("Source '{source}' not readable, {error}")))?;
        Ok(begin)
    }

    async fn ask(&self, disk: Disk, words: &[String]) -> Result<Said, Failure> {
        let plain = ["/usr/bin/env".to_owned(), "LC_ALL=C.UTF-8".to_owned()];
        let words: Vec<String> = plain.into_iter().chain(words.iter().cloned()).collect();
        disk.ask(&words).await.map_err(|error| Failure::new(format!("cannot run {}: {error}", words[2..].join(" "))))
    }

    /// The failure for a file that no program understands.
    fn no_archive(&self, why: &str) -> Failure {
        Failure::new(format!(
            "Failed to find handler for \"{}\". Make sure the required command to extract the file is installed.\n{why}",
            shown(&self.archive)
        ))
    }

    /// Where a program is.
    fn program(&self, disk: Disk, names: &[&str]) -> Result<String, Failure> {
        names.iter().find_map(|name| disk.program(name)).map(|path| shown(&path)).ok_or_else(|| {
            self.no_archive(&format!("Unable to find required '{}' binary in the path.", names.join("' or '")))
        })
    }
}

#[cfg(test)]
mod tests;
