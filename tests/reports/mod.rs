//! Reports of runs, and what else pipelines read: accepted by programs that are not ours, without any secret.

mod authoring;
mod events;
mod explain;
mod files;
mod output;
mod schemas;
mod settings;

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A folder in which the program runs, with nothing of the user's environment.
pub struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    /// A folder with one playbook, `site.yml`.
    pub fn with_playbook(text: &str) -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        desk.write("site.yml", text);
        desk
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
    }

    pub fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_str(&self.read(name)).unwrap()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ionplay"));
        command.args(arguments).current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", self.folder.path()).env("LANG", "C.UTF-8");
        command
    }

    /// Runs the program; both streams and the exit status.
    pub fn run(&self, arguments: &[&str]) -> (String, i32) {
        let output = self.command(arguments).output().unwrap();
        (text_of(&output), output.status.code().unwrap_or(-1))
    }
}

/// Standard output and standard error, one after the other.
pub fn text_of(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs a program that is not ours; `None`, said aloud, where it is not installed.
pub fn foreign(desk: &Desk, program: &str, arguments: &[&str]) -> Option<Output> {
    match Command::new(program).args(arguments).current_dir(desk.folder.path()).output() {
        Ok(output) => Some(output),
        Err(_) => {
            eprintln!("skipped: `{program}` is not installed");
            None
        }
    }
}

/// A playbook with one of everything that reports show.
pub const EVERYTHING: &str = "\
- name: Every state & <one> more
  hosts: web1,web2
  gather_facts: false
  tasks:
    - name: Say it
      debug: {msg: \"on {{ inventory_hostname }}\"}
    - name: Write a file
      copy: {content: \"one\\ntwo\\n\", dest: out.txt}
      diff: true
    - name: Loop
      command: \"test {{ item }} != 2\"
      loop: [1, 2]
      ignore_errors: true
    - name: Skip
      debug: {msg: never}
      when: false
    - name: Fail on one
      assert: {that: inventory_hostname == 'web1', fail_msg: \"not <web1> & \\\"alone\\\"\"}
";

/// The same, run with reports; the desk and the exit status.
pub fn run_everything(reports: &[&str]) -> (Desk, i32) {
    let desk = Desk::with_playbook(EVERYTHING);
    let mut arguments = vec!["-i", "web1,web2,", "-c", "local", "site.yml"];
    reports.iter().for_each(|report| arguments.extend(["--report", report]));
    let (_, status) = desk.run(&arguments);
    (desk, status)
}
