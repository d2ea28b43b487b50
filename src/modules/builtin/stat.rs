//! `stat`: what a path is.

use std::path::Path;

use super::files::attributes::flag_names;
use super::files::{digest, display_path};
use crate::host::{HostApi, HostCommand, Meta, PathKind};
use crate::input::describe_io_error;
use crate::modules::spec::Param;
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::value::{Dict, Value};
use crate::vars::users;

static SPEC: Spec = Spec::new("ansible.builtin.stat", "Returns the status of a path.")
    .examples(include_str!("examples/stat.yml"))
    .params(&[&[
        Param::path("path", "Path.").aliases(&["dest", "name"]).required(),
        Param::bool("follow", "Return the status of a link's target.").default("false"),
        Param::bool("get_checksum", "Compute the checksum of a file.").default("true"),
        Param::bool("get_mime", "Determine type and encoding with `file`.").default("true").aliases(&[
            "mime",
            "mime_type",
            "mime-type",
        ]),
        Param::bool("get_attributes", "Determine flags with `lsattr`.")
            .default("true")
            .aliases(&["attr", "attributes"]),
        Param::str("checksum_algorithm", "Algorithm of the checksum.")
            .default("sha1")
            .choices(digest::ALGORITHMS)
            .aliases(&["checksum", "checksum_algo"]),
    ]]);

/// The module.
pub struct Stat;

impl TaskModule for Stat {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(async move { Ok(ModuleOutcome::default().with("stat", stat_path(args, context.host).await?)) })
    }
}

async fn stat_path(args: &ModuleArgs, host: &dyn HostApi) -> Result<Dict, Failure> {
    let path = Path::new(args.str("path").unwrap_or_default());
    let meta = match host.metadata(path, args.bool("follow")) {
        Ok(meta) => meta,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok([(Value::text("exists"), false.into())].into_iter().collect());
        }
        Err(error) => return Err(Failure::new(describe_io_error(&error))),
    };
    let mut stat = Dict::new();
    stat.set("exists", true.into());
    stat.set("path", display_path(path).into());
    stat.extend(&stat_fields(&meta));
    stat.set("blocks", meta.blocks.into());
    stat.set("block_size", meta.block_size.into());
    stat.set("device_type", meta.rdev.into());
    let readable = host.is_readable(path);
    stat.set("readable", readable.into());
    stat.set("writeable", host.is_writable(path).into());
    stat.set("executable", host.is_executable(path).into());
    if meta.is_link() {
        stat.set("lnk_source", display_path(&host.real_path(path)).into());
        stat.set("lnk_target", host.read_link(path).map(|target| display_path(&target)).unwrap_or_default().into());
    }
    if let Some(name) = users::user_name(meta.uid) {
        stat.set("pw_name", name.into());
    }
    if let Some(name) = users::group_name(meta.gid) {
        stat.set("gr_name", name.into());
    }
    if meta.is_file() && readable && args.bool("get_checksum") {
        let content = host.read(path).map_err(|error| Failure::new(describe_io_error(&error)))?;
        let algorithm = args.str("checksum_algorithm").unwrap_or("sha1");
        stat.set("checksum", digest::by_name(algorithm, &content).into());
    }
    if args.bool("get_mime") {
        let (kind, charset) = detect_mime(host, path).await.unwrap_or_else(|| ("unknown".into(), "unknown".into()));
        stat.set("mimetype", kind.into());
        stat.set("charset", charset.into());
    }
    if args.bool("get_attributes") {
        let flags = host.file_flags(path);
        let letters = flags.as_ref().map(|flags| flags.letters.clone()).unwrap_or_default();
        stat.set("version", flags.map(|flags| flags.version).into());
        stat.set("attributes", flag_names(&letters).into());
        stat.set("attr_flags", letters.into());
    }
    Ok(stat)
}

/// Returns the fields that `stat` and `find` have in common.
pub(super) fn stat_fields(meta: &Meta) -> Dict {
    let bit = |mask: u32| Value::Bool(meta.bits & mask != 0);
    let is = |kind: PathKind| Value::Bool(meta.kind == kind);
    [
        ("mode", Value::text(format!("{:04o}", meta.bits))),
        ("isdir", is(PathKind::Directory)),
        ("ischr", is(PathKind::Character)),
        ("isblk", is(PathKind::Block)),
        ("isreg", is(PathKind::File)),
        ("isfifo", is(PathKind::Fifo)),
        ("islnk", is(PathKind::Link)),
        ("issock", is(PathKind::Socket)),
        ("uid", meta.uid.into()),
        ("gid", meta.gid.into()),
        ("size", meta.size.into()),
        ("inode", meta.inode.into()),
        ("dev", meta.dev.into()),
        ("nlink", meta.nlink.into()),
        ("atime", meta.atime.into()),
        ("mtime", meta.mtime.into()),
        ("ctime", meta.ctime.into()),
        ("wusr", bit(0o200)),
        ("rusr", bit(0o400)),
        ("xusr", bit(0o100)),
        ("wgrp", bit(0o020)),
        ("rgrp", bit(0o040)),
        ("xgrp", bit(0o010)),
        ("woth", bit(0o002)),
        ("roth", bit(0o004)),
        ("xoth", bit(0o001)),
        ("isuid", bit(0o4000)),
        ("isgid", bit(0o2000)),
    ]
    .into_iter()
    .map(|(key, value)| (Value::text(key), value))
    .collect()
}

/// Type and encoding as `file` gives them: `name: text/plain; charset=us-ascii`.
async fn detect_mime(host: &dyn HostApi, path: &Path) -> Option<(String, String)> {
    let program = display_path(&host.find_program("file")?);
    let command = HostCommand::new([program, "--mime-type".into(), "--mime-encoding".into(), display_path(path)]);
    let said = host.run_query(&command).await.ok().filter(|said| said.rc == 0)?.stdout_text();
    let (kind, charset) = said.rsplit_once(':')?.1.split_once(';')?;
    Some((kind.trim().to_owned(), charset.split_once('=')?.1.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::RealHost;
    use crate::modules::builtin::files::testing::Folder;

    async fn stat(path: &Path, options: &[(&str, bool)]) -> Dict {
        let mut values = Dict::new();
        values.set("path", display_path(path).into());
        values.set("get_checksum", true.into());
        for (name, on) in options {
            values.set(*name, (*on).into());
        }
        stat_path(&ModuleArgs::new(values), &RealHost).await.unwrap()
    }

    #[tokio::test(flavor = "current_thread")]
    async fn files_links_and_nothing() {
        let folder = Folder::new();
        let file = folder.write("f.txt", "hello\n");
        folder.host().set_bits(&file, 0o644).unwrap();
        let found = stat(&file, &[]).await;
        assert_eq!(found.get("checksum"), Some(&"f572d396fae9206628714fb2ce00f72e94f2258f".into()));
        assert_eq!(found.get("mode"), Some(&"0644".into()));
        assert_eq!(found.get("size"), Some(&6.into()));
        assert_eq!(found.get("isreg"), Some(&true.into()));

        let link = folder.path().join("ln");
        folder.host().replace_symlink(Path::new("f.txt"), &link).unwrap();
        let found = stat(&link, &[]).await;
        assert_eq!(found.get("islnk"), Some(&true.into()));
        assert_eq!(found.get("lnk_target"), Some(&"f.txt".into()));
        assert!(!found.contains("checksum"));
        assert_eq!(stat(&link, &[("follow", true)]).await.get("islnk"), Some(&false.into()));

        let missing = stat(&folder.path().join("no"), &[]).await;
        assert_eq!(Value::from(missing), Value::dict([("exists", false.into())]));
    }
}
