//! Modules that are not part of the program: programs and scripts, Python modules, installed collections.
//!
//! Tests of Python modules need an interpreter that has `ansible-core`; where there is none they say that they are skipped.

mod ionoscloud;
mod kubernetes;
mod programs;
mod python;
mod tools;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder with a playbook and what it needs.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    /// With these tasks as the playbook `site.yml`.
    fn with_tasks(tasks: &str) -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        desk.write("site.yml", &format!("- hosts: localhost\n  gather_facts: false\n  tasks:\n{tasks}"));
        desk
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn write_program(&self, name: &str, text: &str) -> PathBuf {
        let path = self.write(name, text);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_ionplay"))
            .args(args)
            .current_dir(self.path())
            .env("IONPLAY_STATE_DIR", self.path().join("state"))
            .env("HOME", self.path())
            .env("COLUMNS", "200")
            .env_remove("ANSIBLE_LIBRARY")
            .env_remove("ANSIBLE_COLLECTIONS_PATH")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Everything that a command says, and its status.
    fn says(&self, args: &[&str]) -> (i32, String) {
        let output = self.run(args);
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code().unwrap_or(-1), text)
    }

    #[track_caller]
    fn ends(&self, args: &[&str], status: i32, says: &[&str]) -> String {
        let (was, text) = self.says(args);
        assert_eq!(was, status, "{args:?}: {text}");
        for part in says {
            assert!(text.contains(part), "{args:?} does not say {part:?}: {text}");
        }
        text
    }
}

/// An interpreter that can import something: that of the pipeline, or the one of the machine. Says so where there is none.
fn python_with(packages: &[&str]) -> Option<String> {
    let own = crate::root().join("target/tools/bin/python3");
    let candidates =
        [std::env::var("IONPLAY_TEST_PYTHON").unwrap_or_default(), own.display().to_string(), "python3".into()];
    let imports = format!("import {}", packages.join(", "));
    let can_import = |python: &&String| {
        let ran = Command::new(python).args(["-c", &imports]).stderr(Stdio::null()).status();
        !python.is_empty() && ran.is_ok_and(|status| status.success())
    };
    let found = candidates.iter().find(can_import).cloned();
    if found.is_none() {
        eprintln!("skipped: no Python can import {} (PyPI: ansible-core, kubernetes, ionoscloud)", packages.join(", "));
    }
    found
}
