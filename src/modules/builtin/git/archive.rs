//! Archives of a version.

use std::path::Path;

use super::GitCheckout;
use crate::host::WriteOptions;
use crate::modules::Failure;

impl GitCheckout<'_> {
    /// Creates the archive that the task asks for, unless there is the same already; says whether it did.
    pub async fn create_archive(&self) -> Result<bool, Failure> {
        let Some(path) = self.args.str("archive") else { return Ok(false) };
        let format = match Path::new(path).extension().and_then(|ending| ending.to_str()) {
            Some("zip") => "zip",
            Some("gz") => "tar.gz",
            Some("tar") => "tar",
            Some("tgz") => "tgz",
            _ => {
                return Err(Failure::new(format!("Unable to get file extension from archive file name : {path}"))
                    .with(
                        "details",
                        "Please specify archive as filename with extension. File extension can be one of \
                     ['tar', 'tar.gz', 'zip', 'tgz']",
                    ));
            }
        };
        if self.context.check {
            return Ok(true);
        }
        let failed = |why: std::io::Error| Failure::new(format!("Failed to perform archive operation: {why}"));
        let folder = tempfile::tempdir().map_err(failed)?;
        let new = folder.path().join(format!("archive.{format}"));
        let output = new.to_string_lossy().into_owned();
        let prefix = self.args.str("archive_prefix").map(|prefix| format!("--prefix={prefix}"));
        let mut words = vec!["archive", "--format", format, "--output", &output];
        words.extend(prefix.as_deref());
        words.push(self.version);
        let said = self.git.run_command(&words).await?;
        if said.rc != 0 {
            let details = format!("cannot create {path} from {}: {}", self.dest.display(), said.stderr);
            return Err(said.into_failure("Failed to perform archive operation").with("details", details));
        }
        let host = self.context.host;
        let content = host.read(&new).map_err(failed)?;
        if host.read(Path::new(path)).is_ok_and(|old| old == content) {
            return Ok(false);
        }
        host.write(Path::new(path), &content, WriteOptions::default()).map_err(failed)?;
        Ok(true)
    }
}
