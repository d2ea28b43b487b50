//! Programs that a test needs. A test whose program is missing is skipped, and says so.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// Returns the path of a program, or prints that the test is skipped.
pub fn find_tool(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        eprintln!("SKIPPED: `{name}` is not installed");
    }
    found
}

/// Returns an interpreter that can import a package of PyPI, or prints that the test is skipped.
pub fn find_python_with(package: &str) -> Option<String> {
    let own = crate::root().join("target/tools/bin/python3").display().to_string();
    let candidates = [std::env::var("IONPLAY_TEST_PYTHON").unwrap_or_default(), own, "python3".to_owned()];
    let can_import = |python: &&String| {
        let mut command = Command::new(python);
        let ran = command.args(["-c", &format!("import {package}")]).stderr(Stdio::null()).status();
        !python.is_empty() && ran.is_ok_and(|status| status.success())
    };
    let found = candidates.iter().find(can_import).cloned();
    if found.is_none() {
        eprintln!("SKIPPED: no Python can import `{package}`");
    }
    found
}

/// Runs a command to its end.
#[track_caller]
pub fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Runs a command that has to succeed; returns what it printed.
#[track_caller]
pub fn run_well(command: &mut Command) -> String {
    let output = run(command);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{stdout}\n{stderr}", output.status);
    stdout
}
