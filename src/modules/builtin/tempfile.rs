//! `tempfile`: a new file or folder that nothing else uses.

use std::path::{Path, PathBuf};

use super::files::{describe_path, display_path, python_io_error};
use crate::host::HostApi;
use crate::modules::spec::{CheckSupport, Param};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::value::python;

static SPEC: Spec = Spec::new("ansible.builtin.tempfile", "Creates a temporary file or folder.")
    .examples(include_str!("examples/tempfile.yml"))
    .check(CheckSupport::None)
    .params(&[&[
        Param::str("state", "Type to create.").default("file").choices(&["file", "directory"]),
        Param::path("path", "Parent folder; default: the system's folder for temporary files."),
        Param::str("prefix", "Prefix of the name.").default("ansible."),
        Param::str("suffix", "Suffix of the name.").default(""),
    ]]);

/// The module.
pub struct TempFile;

impl TaskModule for TempFile {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(async move { create_temp(args, context.host) })
    }
}

fn create_temp(args: &ModuleArgs, host: &dyn HostApi) -> Result<ModuleOutcome, Failure> {
    let part = |name: &str, default| {
        let text = args.str(name).unwrap_or(default);
        if text.contains('/') {
            let given = python::repr(&text.into());
            return Err(Failure::new(format!("{name} must be a valid file name component, got {given}")));
        }
        Ok(text)
    };
    let (prefix, suffix) = (part("prefix", "ansible.")?, part("suffix", "")?);
    let folder = args.str("path").map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = std::path::absolute(&folder).unwrap_or(folder);
    loop {
        let path = folder.join(format!("{prefix}{}{suffix}", random_name()));
        let created = if args.str("state") == Some("directory") {
            host.make_dir(&path, 0o700)
        } else {
            host.create_new(&path, 0o600)
        };
        match created {
            Ok(()) => return Ok(created_at(&path)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Failure::new(python_io_error(&error, &path))),
        }
    }
}

fn created_at(path: &Path) -> ModuleOutcome {
    let mut outcome = ModuleOutcome { changed: true, ..ModuleOutcome::default() }.with("path", display_path(path));
    describe_path(path, &mut outcome.data);
    outcome
}

fn random_name() -> String {
    const LETTERS: &[u8; 37] = b"abcdefghijklmnopqrstuvwxyz0123456789_";
    (0..8).map(|_| char::from(LETTERS[rand::random_range(0..LETTERS.len())])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::RealHost;
    use crate::modules::builtin::files::testing::Folder;
    use crate::value::{Dict, Value};

    fn with(options: &[(&str, &str)]) -> Result<ModuleOutcome, Failure> {
        let values: Dict = options.iter().map(|(name, text)| (Value::text(*name), (*text).into())).collect();
        create_temp(&ModuleArgs::new(values), &RealHost)
    }

    #[test]
    fn files_and_folders_are_for_their_owner_only() {
        let folder = Folder::new();
        let dir = display_path(folder.path());
        let made = with(&[("path", &dir), ("state", "directory"), ("prefix", "pb"), ("suffix", ".d")]).unwrap();
        let path = made.data.get("path").and_then(Value::as_str).unwrap();
        assert!(path.starts_with(&format!("{dir}/pb")) && path.ends_with(".d"));
        assert_eq!(made.data.get("mode"), Some(&"0700".into()));
        assert_eq!(made.data.get("state"), Some(&"directory".into()));
        let made = with(&[("path", &dir)]).unwrap();
        assert_eq!(made.data.get("mode"), Some(&"0600".into()));
        assert!(made.changed);
    }

    #[test]
    fn failures_say_why() {
        let failure = with(&[("prefix", "a/b")]).unwrap_err();
        assert_eq!(failure.message, "prefix must be a valid file name component, got 'a/b'");
        let failure = with(&[("path", "/no/such")]).unwrap_err();
        assert!(failure.message.starts_with("[Errno 2] No such file or directory: '/no/such/ansible."));
    }
}
