//! Sessions in pages: fenced `console` blocks with `$ command` lines and what they print.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fancy_regex::Regex;

/// A command of a page, and what the page says it prints.
pub struct Step {
    /// Its line in the page, from 1.
    pub line: usize,
    /// The command.
    pub command: String,
    /// The lines that follow; `...` stands for any number of lines.
    pub expected: Vec<String>,
}

/// The sessions of a page: one list of steps for each `console` block.
pub fn sessions(page: &str) -> Vec<Vec<Step>> {
    let (mut sessions, mut open) = (Vec::<Vec<Step>>::new(), false);
    for (index, line) in page.lines().enumerate() {
        match (open, line) {
            (false, "```console") => {
                open = true;
                sessions.push(Vec::new());
            }
            (true, "```") => open = false,
            (true, _) => {
                let session = sessions.last_mut().expect("a block is open");
                match line.strip_prefix("$ ") {
                    Some(command) => {
                        session.push(Step { line: index + 1, command: command.to_owned(), expected: Vec::new() })
                    }
                    None => session.last_mut().expect("output follows a command").expected.push(line.to_owned()),
                }
            }
            (false, _) => {}
        }
    }
    sessions
}

/// A folder in which a session runs: the examples, and nothing of the user's.
pub struct Stage {
    folder: tempfile::TempDir,
    status: i32,
}

impl Stage {
    /// A fresh one.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        copy(&crate::root().join("playbooks"), &folder.path().join("playbooks"));
        Self { folder, status: 0 }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// How the last command ended.
    pub fn status(&self) -> i32 {
        self.status
    }

    /// Runs a command and gives the lines of both streams, normalised.
    pub fn run(&mut self, command: &str) -> Vec<String> {
        // From source, or installed: the same program.
        let command = command.replace("cargo run --", "ionplay");
        let script = format!("exec 2>&1\n(exit {})\n{command}", self.status);
        let output = shell(&script, self.folder.path()).stdin(Stdio::null()).output().expect("a shell");
        self.status = output.status.code().unwrap_or(-1);
        normal(&String::from_utf8_lossy(&output.stdout)).lines().map(str::to_owned).collect()
    }
}

/// A shell with the program on its path and an empty environment.
pub fn shell(script: &str, folder: &Path) -> Command {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_ionplay"));
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", program.parent().expect("a folder").display());
    let mut command = Command::new("sh");
    command.args(["-c", script]).current_dir(folder).env_clear();
    command.env("PATH", path).env("HOME", folder).env("LANG", "C.UTF-8").env("TZ", "UTC");
    command
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// What differs from run to run, made equal.
pub fn normal(text: &str) -> String {
    let rules = [
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "1e9f63b6-ff23-41ab-8f7e-57dd1008d6b5"),
        (r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?", "2031-01-01T12:00:00"),
        (r#""duration": [0-9.e-]+"#, r#""duration": 0.001"#),
        (r"127\.0\.0\.1:\d+", "127.0.0.1:8080"),
        (r"/tmp/\.tmp\w+", "/tmp/folder"),
        (r"(?m)[ \t]+$", ""),
    ];
    rules.iter().fold(text.to_owned(), |text, (pattern, by)| {
        Regex::new(pattern).expect("a pattern").replace_all(&text, *by).into_owned()
    })
}

/// Whether lines are as expected, `...` standing for any.
pub fn agree(expected: &[String], found: &[String]) -> bool {
    match expected.split_first() {
        None => found.is_empty(),
        Some((first, rest)) if first == "..." => (0..=found.len()).any(|from| agree(rest, &found[from..])),
        Some((first, rest)) => {
            found.first().is_some_and(|line| normal(first).trim_end() == line) && agree(rest, &found[1..])
        }
    }
}
