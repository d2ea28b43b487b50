//! The Python of this machine. No task needs it here, but playbooks start programs with it.

use std::process::{Child, Command, Stdio};

use super::Facts;
use crate::value::{Dict, Value};

/// The Python that is installed on this machine, if there is one.
pub fn installed_python() -> Option<String> {
    let path = std::env::var_os("PATH")?;
    let installed = std::env::split_paths(&path).map(|folder| folder.join("python3")).find(|file| file.is_file())?;
    Some(installed.to_string_lossy().into_owned())
}

/// An interpreter that was asked for its version.
pub(super) struct AskedPython {
    executable: Option<String>,
    answer: Option<Child>,
}

/// Starts asking an interpreter, or else the installed one, for its version.
pub(super) fn ask_version(interpreter: Option<&str>) -> AskedPython {
    let given = interpreter.filter(|path| path.starts_with('/')).map(str::to_owned);
    let executable = given.or_else(installed_python);
    let answer = executable.as_deref().and_then(|path| {
        Command::new(path).arg("-V").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()
    });
    AskedPython { executable, answer }
}

/// Adds `python` and `python_version`; without a Python the first is empty and the second missing.
pub(super) fn collect_python(facts: &mut Facts<'_>, asked: AskedPython) {
    let mut known = Dict::new();
    if let Some(executable) = asked.executable {
        known.set("executable", executable.into());
    }
    let answer = asked.answer.and_then(|child| child.wait_with_output().ok());
    let answer = answer.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    if let Some(version) = answer.trim().strip_prefix("Python ").and_then(PythonVersion::parse) {
        facts.set("python_version", version.to_text());
        known.set("version", version.to_dict().into());
        known.set("version_info", Value::list(version.to_dict().values().cloned()));
        known.set("type", "cpython".into());
        // Every Python since 2.7.9 has it.
        known.set("has_sslcontext", Value::Bool(true));
    }
    facts.set("python", known);
}

/// The five parts of `sys.version_info`.
#[derive(Debug, PartialEq, Eq)]
struct PythonVersion {
    numbers: [i64; 3],
    level: &'static str,
    serial: i64,
}

impl PythonVersion {
    /// Reads `3.11.2`, `3.14.0rc1` and the like; a `+` of a build between releases does not count.
    fn parse(text: &str) -> Option<Self> {
        let text = text.split_whitespace().next()?.trim_end_matches('+');
        let levels = [("rc", "candidate"), ("a", "alpha"), ("b", "beta")];
        let found = levels.iter().find_map(|(mark, level)| Some((text.split_once(mark)?, *level)));
        let ((numbers, serial), level) = found.unwrap_or(((text, "0"), "final"));
        let mut parts = numbers.split('.').map(|part| part.parse::<i64>().ok());
        let numbers = [parts.next()??, parts.next()??, parts.next()??];
        Some(Self { numbers, level, serial: serial.parse().ok()? })
    }

    /// The version as the fact `python_version` has it: its numbers alone.
    fn to_text(&self) -> String {
        self.numbers.map(|part| part.to_string()).join(".")
    }

    fn to_dict(&self) -> Dict {
        let mut parts = Dict::new();
        for (name, number) in ["major", "minor", "micro"].into_iter().zip(self.numbers) {
            parts.set(name, number.into());
        }
        parts.set("releaselevel", self.level.into());
        parts.set("serial", self.serial.into());
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_five_parts() {
        let parts = |text| PythonVersion::parse(text).map(|v| (v.to_text(), v.level, v.serial));
        assert_eq!(parts("3.11.2"), Some(("3.11.2".to_owned(), "final", 0)));
        assert_eq!(parts("3.14.0rc2"), Some(("3.14.0".to_owned(), "candidate", 2)));
        assert_eq!(parts("3.15.0a1+"), Some(("3.15.0".to_owned(), "alpha", 1)));
        assert_eq!(parts("pyenv: not found"), None);
    }
}
