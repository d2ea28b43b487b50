//! Plans in files.

use std::io::{self, Write as _};
use std::path::Path;

use anyhow::{Context, anyhow, bail};

use super::model::{FORMAT, Plan};
use crate::playbook::loader::plain_error;

/// The text of a plan.
///
/// # Errors
/// Never in practice: a plan is plain data.
pub fn serialize_plan(plan: &Plan) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(plan)? + "\n")
}

/// Writes a plan atomically. Other users may not read it, because it describes an account.
///
/// # Errors
/// If the file cannot be written.
pub fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let failed = |error: io::Error| anyhow!("cannot write `{}`: {}", path.display(), plain_error(&error));
    // A link stays a link: what it points to is replaced.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    match target.metadata() {
        Ok(there) if there.is_dir() => return Err(failed(io::ErrorKind::IsADirectory.into())),
        // A device or a pipe is written to; nothing could be moved to its place.
        Ok(there) if !there.is_file() => return std::fs::write(&target, text).map_err(failed),
        _ => {}
    }
    let folder = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Names of drafts would say nothing to anybody.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|error| failed(strip_path(error)))?;
    file.write_all(text.as_bytes()).map_err(|error| failed(strip_path(error)))?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(&target).map_err(|error| failed(error.error))?;
    Ok(())
}

/// The error of the system without the name that was added to it.
fn strip_path(error: io::Error) -> io::Error {
    let text = error.to_string();
    io::Error::new(error.kind(), text.split(" at path ").next().unwrap_or(&text).to_owned())
}

/// Reads a plan.
///
/// # Errors
/// If the file cannot be read, is not a plan, is of another version of the format, or was altered.
pub fn read(path: &Path) -> anyhow::Result<Plan> {
    let bytes = crate::input::read_file(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let json: serde_json::Value = serde_json::from_slice(&bytes).with_context(|| {
        format!("`{}` is not a plan; create one with `ionplay plan PLAYBOOK -o FILE`", path.display())
    })?;
    match json.get("format").and_then(serde_json::Value::as_u64) {
        Some(format) if format == u64::from(FORMAT) => {}
        Some(other) => {
            bail!("`{}` has format {other}, but this program reads format {FORMAT}; make a new plan", path.display())
        }
        None => bail!("`{}` is not a plan: it has no `format`", path.display()),
    }
    let plan: Plan = serde_json::from_value(json).with_context(|| format!("`{}` is not a plan", path.display()))?;
    if plan.digest != plan.compute_digest() {
        bail!("`{}` was altered: its digest does not match its content; make a new plan", path.display());
    }
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let said = |path: &Path| write(path, "text").map_err(|error| error.to_string());
        assert_eq!(said(Path::new("/dev/null")), Ok(()));
        assert!(!Path::new("/dev/null").metadata().unwrap().is_file());
        assert_eq!(said(folder.path()), Err(format!("cannot write `{}`: is a directory", folder.path().display())));
        let missing = path("no/plan");
        let no_folder = format!("cannot write `{}`: no such file or directory", missing.display());
        assert_eq!(said(&missing), Err(no_folder));
        std::fs::write(path("real"), "old").unwrap();
        std::os::unix::fs::symlink("real", path("link")).unwrap();
        assert_eq!(said(&path("link")), Ok(()));
        assert!(path("link").is_symlink() && std::fs::read_to_string(path("real")).unwrap() == "text");
    }

    #[test]
    fn what_was_altered_is_no_plan_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.json");
        let mut plan = super::super::model::tests::empty();
        plan.digest = plan.compute_digest();
        write(&path, &serialize_plan(&plan).unwrap()).unwrap();
        assert_eq!(read(&path).unwrap(), plan);
        let altered = std::fs::read_to_string(&path).unwrap().replace("\"writes\": []", "\"writes\": [ ]");
        std::fs::write(&path, &altered).unwrap();
        assert!(read(&path).is_ok(), "blanks do not matter");
        std::fs::write(&path, altered.replace("\"made\": \"\"", "\"made\": \"2031-01-01T00:00:00Z\"")).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("was altered"));
        std::fs::write(&path, &altered[..altered.len() / 2]).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("is not a plan"));
    }

    #[test]
    fn other_formats_are_refused_by_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.json");
        std::fs::write(&path, r#"{"format": 99}"#).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("format 99"));
        std::fs::write(&path, "- hosts: all").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("is not a plan"));
    }
}
