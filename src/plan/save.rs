//! Plans in files.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, bail};

use super::model::{FORMAT, Plan};

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

/// Reads a plan.
///
/// # Errors
/// If the file cannot be read, is no plan, is of another version of the format, or was altered.
pub fn read(path: &Path) -> anyhow::Result<Plan> {
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
    let plan: Plan = serde_json::from_value(json).with_context(|| format!("`{}` is no plan", path.display()))?;
    if plan.digest != plan.digest() {
        bail!(
            "`{}` was altered after it was made: its digest does not match what is in it; make a new plan",
            path.display()
        );
    }
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_altered_is_no_plan_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.json");
        let mut plan = super::super::model::tests::empty();
        plan.digest = plan.digest();
        write(&path, &text(&plan).unwrap()).unwrap();
        assert_eq!(read(&path).unwrap(), plan);
        let altered = std::fs::read_to_string(&path).unwrap().replace("\"writes\": []", "\"writes\": [ ]");
        std::fs::write(&path, &altered).unwrap();
        assert!(read(&path).is_ok(), "blanks do not matter");
        std::fs::write(&path, altered.replace("\"made\": \"\"", "\"made\": \"2031-01-01T00:00:00Z\"")).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("was altered"));
        std::fs::write(&path, &altered[..altered.len() / 2]).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("is no plan"));
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
