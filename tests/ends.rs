//! How runs end that would not end by themselves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder for one test, with files in it.
fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("ionplay-ends-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ionplay"));
    command.current_dir(folder).arg("playbook.yml").stdin(Stdio::null()).env_remove("ANSIBLE_CONFIG");
    command
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn what_includes_itself_comes_to_an_end() {
    let play = |task: &str| format!("- hosts: localhost\n  gather_facts: false\n  tasks:\n    - {task}\n");
    let (tasks, role) = ("include_tasks: self.yml", "include_role: {name: r}");
    for (name, first, file, what) in
        [("tasks", tasks, "self.yml", "`self.yml`"), ("role", role, "roles/r/tasks/main.yml", "the role `r`")]
    {
        let folder = folder(name, &[("playbook.yml", &play(first)), (file, &format!("- {first}\n"))]);
        let output = command(&folder).output().unwrap();
        let (said, complained) = texts(&output);
        assert_eq!(output.status.code(), Some(250), "{said}{complained}");
        assert!(complained.starts_with(&format!("error: {what} is included 250 levels deep")), "{complained}");
        fs::remove_dir_all(folder).unwrap();
    }
}
