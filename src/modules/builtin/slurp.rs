//! `slurp`: a file of the host as base64.

use std::io::ErrorKind;
use std::path::Path;

use base64::Engine as _;

use crate::host::HostApi;
use crate::modules::spec::Param;
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};

static SPEC: Spec = Spec::new("ansible.builtin.slurp", "Reads a file of the host, encoded as base64.")
    .examples(include_str!("examples/slurp.yml"))
    .params(&[&[Param::path("src", "Path of the file.").aliases(&["path"]).required()]]);

/// The module.
pub struct Slurp;

impl TaskModule for Slurp {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(async move {
            let source = args.str("src").unwrap_or_default();
            let content = slurp_file(context.host, source).map_err(Failure::from_error)?;
            let content = base64::engine::general_purpose::STANDARD.encode(content);
            Ok(ModuleOutcome::default().with("content", content).with("source", source).with("encoding", "base64"))
        })
    }
}

/// A file of the host that cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum SlurpError {
    /// The file does not exist.
    #[error("File not found: {0}")]
    NotFound(String),
    /// The file belongs to others.
    #[error("File is not readable: {0}")]
    NotReadable(String),
    /// The path is a folder.
    #[error("Source is a directory and must be a file: {0}")]
    Folder(String),
    /// The system says why.
    #[error("Unable to slurp file: {path}: {why}")]
    Read {
        /// The path.
        path: String,
        /// Error of the system.
        why: std::io::Error,
    },
}

/// Returns the content of a file.
pub(super) fn slurp_file(host: &dyn HostApi, source: &str) -> Result<Vec<u8>, SlurpError> {
    host.read(Path::new(source)).map_err(|why| {
        let path = source.to_owned();
        match why.kind() {
            ErrorKind::NotFound => SlurpError::NotFound(path),
            ErrorKind::PermissionDenied => SlurpError::NotReadable(path),
            ErrorKind::IsADirectory => SlurpError::Folder(path),
            _ => SlurpError::Read { path, why },
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::builtin::files::testing::Folder;

    #[test]
    fn failures_say_why() {
        let folder = Folder::new();
        let name = |path: &Path| path.to_string_lossy().into_owned();
        let missing = name(&folder.path().join("no"));
        assert_eq!(slurp_file(folder.host(), &missing).unwrap_err().to_string(), format!("File not found: {missing}"));
        let dir = name(folder.path());
        let message = slurp_file(folder.host(), &dir).unwrap_err().to_string();
        assert_eq!(message, format!("Source is a directory and must be a file: {dir}"));
        let file = name(&folder.write("f", "x"));
        assert_eq!(slurp_file(folder.host(), &file).unwrap(), b"x");
    }
}
