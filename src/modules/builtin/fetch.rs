//! `fetch`: a file of the host, brought to where the playbook runs.

use std::path::Path;

use super::files::{base_name, digest, normalize_path};
use super::slurp::{self, SlurpError};
use crate::host::{HostApi, WriteOptions};
use crate::modules::spec::{CheckSupport, Param};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::value::Value;

static SPEC: Spec = Spec::new("ansible.builtin.fetch", "Copies a file from the host to the controller.")
    .examples(include_str!("examples/fetch.yml"))
    .bound_to_run()
    .check(CheckSupport::None)
    .params(&[&[
        Param::path("src", "Path of the file on the host."),
        Param::path("dest", "Destination folder; the file is put in a subfolder for the host."),
        Param::bool("flat", "`dest` is the file itself, or its folder if it ends with a slash.").default("false"),
        Param::bool("fail_on_missing", "Fail if the file does not exist.").default("true"),
        Param::bool("validate_checksum", "Compare checksums after the copy.").default("true"),
    ]])
    .needs(&[&["src"], &["dest"]]);

/// The module.
pub struct Fetch;

impl TaskModule for Fetch {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(async move { fetch_file(args, context.host, context.host_name, context.base_dir) })
    }
}

fn fetch_file(args: &ModuleArgs, host: &dyn HostApi, owner: &str, base: &Path) -> Result<ModuleOutcome, Failure> {
    let (Some(source), Some(dest)) = (args.str("src"), args.str("dest")) else {
        return Err(Failure::new("src and dest are required"));
    };
    let strict = args.bool("fail_on_missing");
    if host.is_dir(Path::new(source)) {
        let message = "remote file is a directory, fetch cannot work on directories";
        return if strict {
            Err(Failure::new(message))
        } else {
            Ok(ModuleOutcome::default().with("msg", format!("{message}, not transferring, ignored")))
        };
    }
    let content = match slurp::slurp_file(host, source) {
        Ok(content) => content,
        Err(error) => {
            let message = match error {
                SlurpError::NotFound(_) => "the remote file does not exist, not transferring, ignored".to_owned(),
                other => other.to_string(),
            };
            return if strict {
                Err(Failure::new(message))
            } else {
                Ok(ModuleOutcome::default().with("file", source).with("msg", message))
            };
        }
    };
    let absolute = |path: &str| {
        if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", base.display()) }
    };
    let dest = match args.bool("flat") {
        true => flat_destination(host, source, dest).map(|dest| normalize_path(&absolute(&dest)))?,
        false => normalize_path(&format!("{}/{owner}/{source}", absolute(dest))),
    };
    let path = Path::new(&dest);
    let (checksum, md5) = (digest::sha1_hex(&content), digest::md5_hex(&content));
    if host.read(path).is_ok_and(|old| old == content) {
        return Ok(ModuleOutcome::default()
            .with("md5sum", md5)
            .with("file", source)
            .with("dest", dest)
            .with("checksum", checksum));
    }
    let failed = |error| Failure::new(format!("Failed to fetch the file. {error}"));
    if let Some(folder) = path.parent() {
        host.make_dirs(folder).map_err(failed)?;
    }
    host.write(path, &content, WriteOptions::default()).map_err(failed)?;
    Ok(ModuleOutcome { changed: true, ..ModuleOutcome::default() }
        .with("md5sum", md5)
        .with("dest", dest.as_str())
        .with("remote_md5sum", Value::Null)
        .with("checksum", checksum.as_str())
        .with("remote_checksum", checksum.as_str()))
}

/// The destination without folders for host and source: the file itself, or one of the same name in a folder.
fn flat_destination(host: &dyn HostApi, source: &str, dest: &str) -> Result<String, Failure> {
    if let Some(folder) = dest.strip_suffix('/') {
        let dest = format!("{folder}/{}", base_name(source));
        if host.is_dir(Path::new(&dest)) {
            return Err(Failure::new(format!(
                "calculated dest '{dest}' is an existing directory, use another path that does not point to an \
                 existing directory"
            )));
        }
        return Ok(dest);
    }
    if host.is_dir(Path::new(dest)) {
        return Err(Failure::new(
            "dest is an existing directory, use a trailing slash if you want to fetch src into that directory",
        ));
    }
    Ok(dest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::builtin::files::display_path;
    use crate::modules::builtin::files::testing::Folder;
    use crate::value::Dict;

    fn run(folder: &Folder, src: &str, dest: &str, options: &[(&str, bool)]) -> Result<ModuleOutcome, Failure> {
        let mut values = Dict::new();
        values.set("src", format!("{}/{src}", display_path(folder.path())).into());
        values.set("dest", dest.into());
        values.set("fail_on_missing", true.into());
        for (name, on) in options {
            values.set(*name, (*on).into());
        }
        fetch_file(&ModuleArgs::new(values), folder.host(), "web1", folder.path())
    }

    #[test]
    fn files_come_under_the_name_of_the_host() {
        let folder = Folder::new();
        let source = display_path(&folder.write("f.txt", "hello\n"));
        let fetched = run(&folder, "f.txt", "got", &[]).unwrap();
        let expected = format!("{}/got/web1{source}", display_path(folder.path()));
        assert!(fetched.changed);
        assert_eq!(fetched.data.get("dest"), Some(&expected.as_str().into()));
        assert_eq!(std::fs::read_to_string(&expected).unwrap(), "hello\n");
        assert!(!run(&folder, "f.txt", "got", &[]).unwrap().changed);
    }

    #[test]
    fn flat_names() {
        let folder = Folder::new();
        folder.write("f.txt", "x");
        run(&folder, "f.txt", "flat.txt", &[("flat", true)]).unwrap();
        assert_eq!(folder.read("flat.txt"), "x");
        run(&folder, "f.txt", "in/", &[("flat", true)]).unwrap();
        assert_eq!(folder.read("in/f.txt"), "x");
        let dir = display_path(folder.path());
        let failure = run(&folder, "f.txt", &dir, &[("flat", true)]).unwrap_err();
        assert!(failure.message.starts_with("dest is an existing directory"));
    }

    #[test]
    fn files_that_are_not_there() {
        let folder = Folder::new();
        let message = "the remote file does not exist, not transferring, ignored";
        assert_eq!(run(&folder, "no", "got", &[]).unwrap_err().message, message);
        let ignored = run(&folder, "no", "got", &[("fail_on_missing", false)]).unwrap();
        assert_eq!(ignored.data.get("msg"), Some(&message.into()));
        assert!(!ignored.changed);
    }
}
