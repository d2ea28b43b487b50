//! Plans in files.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::model::{FORMAT, Plan};

/// What stands next to a plan that was applied.
#[derive(Debug, Serialize, Deserialize)]
struct Applied {
    plan: String,
    begun: String,
}

/// The SHA-256 digest of some bytes, in hexadecimal digits.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The text of a plan.
///
/// # Errors
/// Never in practice: a plan is plain data.
pub fn text(plan: &Plan) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(plan)? + "\n")
}

/// Writes a plan so that nobody ever sees half of one. Others may not read it: it tells what an account holds.
///
/// # Errors
/// If the file cannot be written.
pub fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = || format!("cannot write `{}`", path.display());
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(failed)?;
    file.write_all(text.as_bytes()).with_context(failed)?;
    file.as_file().sync_all().with_context(failed)?;
    file.persist(path).with_context(failed)?;
    Ok(())
}

/// Reads a plan, with the digest of its file.
///
/// # Errors
/// If the file cannot be read, is no plan, or is of another version of the format or the program.
pub fn read(path: &Path) -> anyhow::Result<(Plan, String)> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let json: serde_json::Value =
        serde_json::from_slice(&bytes).with_context(|| format!("`{}` is no plan", path.display()))?;
    match json.get("format").and_then(serde_json::Value::as_u64) {
        Some(format) if format == u64::from(FORMAT) => {}
        Some(other) => {
            bail!("`{}` has format {other}, this program knows format {FORMAT}; make a new plan", path.display())
        }
        None => bail!("`{}` is no plan: it has no `format`", path.display()),
    }
    let plan = serde_json::from_value(json).with_context(|| format!("`{}` is no plan", path.display()))?;
    Ok((plan, digest(&bytes)))
}

/// Where it is noted that a plan was applied.
fn mark(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".applied");
    PathBuf::from(name)
}

/// When the plan of this digest was applied from this file, if it was.
pub fn applied(path: &Path, digest: &str) -> Option<String> {
    let bytes = std::fs::read(mark(path)).ok()?;
    let mark: Applied = serde_json::from_slice(&bytes).ok()?;
    (mark.plan == digest).then_some(mark.begun)
}

/// Notes that a plan is applied from now on, before the first request: a plan that was begun is not begun again.
///
/// # Errors
/// If the note cannot be written.
pub fn begin(path: &Path, digest: &str) -> anyhow::Result<()> {
    let begun = jiff::Timestamp::now().to_string();
    let text = serde_json::to_string(&Applied { plan: digest.to_owned(), begun })?;
    write(&mark(path), &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_applied_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.json");
        assert_eq!(applied(&path, "d"), None);
        begin(&path, "d").unwrap();
        assert!(applied(&path, "d").is_some());
        assert_eq!(applied(&path, "another plan in the same file"), None);
    }

    #[test]
    fn other_formats_are_refused_by_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.json");
        std::fs::write(&path, r#"{"format": 99}"#).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("format 99"));
        std::fs::write(&path, "- hosts: all").unwrap();
        assert!(read(&path).unwrap_err().to_string().ends_with("is no plan"));
    }
}
