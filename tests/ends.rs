//! How runs end that would not end by themselves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

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
        assert_eq!(output.status.code(), Some(2), "{said}{complained}");
        assert!(complained.starts_with(&format!("error: {what} is included 250 levels deep")), "{complained}");
        fs::remove_dir_all(folder).unwrap();
    }
}

/// Runs a playbook and sends it signals as soon as a file is there.
fn interrupted(folder: &Path, signals: usize) -> Output {
    let child = command(folder).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let id = child.id().to_string();
    while !folder.join("begun").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    for _ in 0..signals {
        Command::new("kill").args(["-INT", &id]).status().unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
    child.wait_with_output().unwrap()
}

#[test]
fn who_interrupts_gets_no_recap_and_leaves_nothing_behind() {
    // What refuses to be interrupted is ended, too.
    let tasks = [
        "shell: trap '' INT; echo $$ > begun; sleep 600",
        "block: [{shell: echo $$ > begun; sleep 600}]\n      rescue: [{debug: {msg: not reached}}]\n      always: [{debug: {msg: not reached}}]",
    ];
    for (number, task) in tasks.iter().enumerate() {
        for signals in [1, 2] {
            let text = format!(
                "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - {task}\n    - debug: msg='not reached'\n"
            );
            let folder = folder(&format!("interrupt-{number}-{signals}"), &[("playbook.yml", &text)]);
            let output = interrupted(&folder, signals);
            let (said, complained) = texts(&output);
            assert_eq!(output.status.code(), Some(99), "{said}{complained}");
            assert!(!said.contains("RECAP") && !said.contains("not reached"), "{said}");
            assert!(complained.ends_with("error: User interrupted execution\n"), "{complained}");
            let child = fs::read_to_string(folder.join("begun")).unwrap();
            let there = || fs::read(Path::new("/proc").join(child.trim()).join("cmdline")).is_ok_and(|c| !c.is_empty());
            for _ in 0..200 {
                if there() {
                    std::thread::sleep(Duration::from_millis(10));
                }
            }
            assert!(!there(), "{child} is still there");
            fs::remove_dir_all(folder).unwrap();
        }
    }
}

#[test]
fn several_playbooks_end_as_one_run() {
    let play =
        |text: &str| format!("- hosts: localhost\n  gather_facts: false\n  tasks: [{{debug: {{msg: {text}}}}}]\n");
    let files = [("playbook.yml", play("one")), ("second.yml", play("two")), ("broken.yml", "- hosts: [\n".to_owned())];
    let folder = folder("several", &files.each_ref().map(|(name, text)| (*name, text.as_str())));
    let run = |args: &[&str]| {
        let output = command(&folder).args(args).output().unwrap();
        (output.status.code(), texts(&output))
    };
    let (code, (said, _)) = run(&["second.yml"]);
    assert_eq!((code, said.matches("PLAY RECAP").count()), (Some(0), 2), "{said}");
    let (_, (document, _)) = run(&["second.yml", "--output", "json", "--events", "events"]);
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["plays"].as_array().map(Vec::len), Some(2));
    assert_eq!(fs::read_to_string(folder.join("events")).unwrap().matches("\"recap\"").count(), 1);
    // What is wrong with the last is told before the first one runs.
    let (code, (said, complained)) = run(&["broken.yml"]);
    assert_eq!((code, said.as_str()), (Some(4), ""), "{complained}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_module_that_is_not_there_is_told_by_lint_and_by_the_run() {
    let play = "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - action: registry_tokn registry=demo\n";
    let folder = folder("unknown", &[("playbook.yml", play)]);
    for (before, code) in [(&["lint"][..], 4), (&[], 2)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ionplay"));
        let output = command.current_dir(&folder).args(before).arg("playbook.yml").output().unwrap();
        let (said, complained) = texts(&output);
        let said = said + &complained;
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains("playbook.yml:4:7") && said.contains("did you mean `registry_token`?"), "{said}");
    }
    fs::remove_dir_all(folder).unwrap();
}
