//! Facts that the machine's owner provides: `*.fact` files, JSON or INI; executable ones print JSON or INI.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use crate::value::{Dict, Value, json};

/// The facts of a folder, by the names of the files without their ending. What cannot be read says so in its place.
pub fn read(folder: &Path) -> Dict {
    let mut facts = Dict::new();
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).map(|entries| entries.flatten().map(|e| e.path()).collect()).unwrap_or_default();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "fact"));
    files.sort();
    for path in files {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        facts.set(name, read_fact_file(&path).unwrap_or_else(|error| Value::text(error.to_string())));
    }
    facts
}

/// A fact file that gives no facts, in the words that stand in their place.
#[derive(Debug, thiserror::Error)]
enum FactFileError {
    #[error("Could not stat fact ({}): {source}", path.display())]
    Stat { path: PathBuf, source: io::Error },
    #[error("Failure executing fact script ({}), {source}", path.display())]
    Start { path: PathBuf, source: io::Error },
    #[error("Failure executing fact script ({}), it ended with {status}", path.display())]
    Status { path: PathBuf, status: ExitStatus },
    #[error("error loading facts: {0}")]
    Read(io::Error),
    #[error("error loading facts as ini: `{}` is neither JSON nor INI", .0.display())]
    Form(PathBuf),
}

fn read_fact_file(path: &Path) -> Result<Value, FactFileError> {
    let place = || path.to_path_buf();
    let about = path.metadata().map_err(|source| FactFileError::Stat { path: place(), source })?;
    let text = if about.permissions().mode() & 0o111 != 0 {
        let output =
            crate::input::output_of(&mut Command::new(path), crate::input::LARGEST_OUTPUT, crate::input::Ends::Program)
                .map_err(|source| FactFileError::Start { path: place(), source })?;
        if !output.status.success() {
            return Err(FactFileError::Status { path: place(), status: output.status });
        }
        String::from_utf8_lossy(&output.stdout).into_owned()
    } else {
        crate::input::read_text(path).map_err(FactFileError::Read)?
    };
    if let Ok(value) = json::from_str(&text) {
        return Ok(value);
    }
    parse_sections(&text).ok_or_else(|| FactFileError::Form(place()))
}

/// `[section]` and `key = value` lines as a mapping of mappings.
fn parse_sections(text: &str) -> Option<Value> {
    let mut sections = Dict::new();
    let mut current: Option<(String, Dict)> = None;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            if let Some((name, entries)) = current.replace((name.to_owned(), Dict::new())) {
                sections.set(name, entries.into());
            }
        } else {
            let (key, value) = line.split_once(['=', ':'])?;
            let value = value.trim().replace("%%", "\0");
            // A lone sign would begin a reference to another entry.
            if value.contains('%') {
                return None;
            }
            current.as_mut()?.1.set(key.trim().to_lowercase(), Value::text(value.replace('\0', "%")));
        }
    }
    let (name, entries) = current?;
    sections.set(name, entries.into());
    Some(sections.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::python;

    #[test]
    fn files() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.fact"), r#"{"x": 1}"#).unwrap();
        fs::write(folder.path().join("b.fact"), "[s]\nKey = v\n").unwrap();
        fs::write(folder.path().join("c.txt"), "x").unwrap();
        let program = folder.path().join("d.fact");
        fs::write(&program, "#!/bin/sh\necho '[1]'\n").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        let facts = read(folder.path());
        assert_eq!(python::repr(&facts.into()), "{'a': {'x': 1}, 'b': {'s': {'key': 'v'}}, 'd': [1]}");
        fs::write(folder.path().join("bad.fact"), "nonsense").unwrap();
        assert!(parse_sections("[s]\nk = 5 % 2\n").is_none());
        assert_eq!(
            parse_sections("[s]\nk = 5 %% 2\n").map(|s| python::repr(&s)),
            Some("{'s': {'k': '5 % 2'}}".to_owned())
        );
        let bad = read(folder.path()).get("bad").map(python::str).unwrap();
        assert!(bad.starts_with("error loading facts as ini: "), "{bad}");
    }
}
