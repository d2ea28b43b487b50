//! Files that are not files: nothing waits for them, and nothing replaces them.

use std::fs;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::UnixListener;

use super::stage::{Stage, make_full_device, make_pipe};

const HELLO: &str = "- debug: {msg: hello}\n";

/// Wherever a file is given by name, something else is refused with its kind.
#[test]
fn input_that_is_not_a_file_is_refused_with_its_kind() {
    let stage = Stage::with_playbook(HELLO);
    make_pipe(&stage.path("pipe"));
    let _socket = UnixListener::bind(stage.path("socket")).unwrap();
    stage.write("secret", "secret\n");
    stage.write("vault.yml", "$ANSIBLE_VAULT;1.1;AES256\n00\n");
    let kinds = [
        ("pipe", "is a named pipe"),
        ("socket", "is a socket"),
        ("/dev/zero", "is a character device"),
        (".", "is a directory"),
    ];
    for (name, kind) in kinds {
        let at = format!("@{name}");
        let ways: &[&[&str]] = &[
            &[name],
            &["lint", name],
            &["playbook.yml", "-e", &at],
            &["playbook.yml", "-i", name],
            &["playbook.yml", "--limit", &at],
            &["vault", "view", "vault.yml", "--vault-password-file", name],
            &["vault", "view", name, "--vault-password-file", "secret"],
            &["plan", "show", name],
            &["apply", name, "--auto-approve"],
            &["plan", "playbook.yml", "--seal-key-file", name],
        ];
        for way in ways {
            // A folder is an inventory, and of the vault a file that is there already is asked for its password.
            if name == "." && way.contains(&"-i") {
                continue;
            }
            let answer = stage.run(way);
            let (text, code) = (answer.text.to_lowercase(), answer.code());
            assert!(matches!(code, Some(1..=18)), "{way:?}: {code:?} {text}");
            assert!(text.contains(kind) || text.contains("is a folder"), "{way:?}: {text}");
        }
    }
}

#[test]
fn source_that_is_not_a_file_is_refused_with_its_kind() {
    let tasks = [
        "copy: {src: NAME, dest: out}",
        "template: {src: NAME, dest: out}",
        "slurp: {src: NAME}",
        "include_vars: {file: NAME}",
        "debug: {msg: \"{{ lookup('file', 'NAME') }}\"}",
        "uri: {url: 'file://NAME'}",
        "get_url: {url: 'file://NAME', dest: out}",
        "lineinfile: {path: NAME, line: x}",
        "fetch: {src: NAME, dest: out}",
        "assemble: {src: NAME, dest: out}",
        "unarchive: {src: NAME, dest: .}",
        "script: NAME",
    ];
    let stage = Stage::new();
    make_pipe(&stage.path("pipe"));
    let text: String = tasks
        .iter()
        .map(|task| {
            let task = task.replace("NAME", &stage.path("pipe").display().to_string());
            format!("- {task}\n  ignore_errors: true\n  register: r\n- assert: {{that: r is failed}}\n")
        })
        .collect();
    stage.write("playbook.yml", &text);
    let answer = stage.run(&["playbook.yml"]);
    assert_eq!(answer.code(), Some(0), "{}", answer.text);
    assert!(stage.path("pipe").metadata().unwrap().file_type().is_fifo());
}

#[test]
fn pipe_of_a_shell_is_read() {
    let stage = Stage::with_playbook(HELLO);
    let mut shell = std::process::Command::new("bash");
    let line = format!("{} <(cat playbook.yml) -e @<(echo 'a: 1')", env!("CARGO_BIN_EXE_ionplay"));
    shell.args(["-c", &line]).current_dir(stage.path("."));
    let answer = stage.run_command(shell);
    assert_eq!(answer.code(), Some(0), "{}", answer.text);
}

#[test]
fn folder_without_end_ends() {
    let stage = Stage::with_playbook(HELLO);
    let answer = stage.run(&["playbook.yml", "-i", "/"]);
    assert!(answer.text.contains("`/` is not a folder of inventories"), "{}", answer.text);
    stage.write("playbook.yml", "- include_vars: {dir: /}\n");
    // A small container may have fewer files; then it comes to its end.
    let answer = stage.run(&["playbook.yml"]);
    assert!(matches!(answer.code(), Some(0 | 2)), "{}", answer.text);
}

#[test]
fn waiting_for_a_text_in_a_pipe_ends_with_its_time() {
    let stage = Stage::with_playbook("- wait_for: {path: pipe, search_regex: x, timeout: 1}\n");
    make_pipe(&stage.path("pipe"));
    let answer = stage.run(&["playbook.yml"]);
    assert_eq!(answer.code(), Some(2), "{}", answer.text);
    assert!(answer.text.contains("Timeout when waiting for search string x"), "{}", answer.text);
}

/// Neither a real run nor a dry run takes a device, a pipe or a socket for a file to write.
#[test]
fn destination_that_is_not_a_file_is_never_replaced() {
    let stage = Stage::new();
    make_pipe(&stage.path("pipe"));
    let _socket = UnixListener::bind(stage.path("socket")).unwrap();
    let mut names = vec![("pipe", "a named pipe"), ("socket", "a socket")];
    if make_full_device(&stage.path("full")) {
        names.push(("full", "a character device"));
    }
    fs::write(stage.path("t.j2"), "x\n").unwrap();
    for (name, kind) in names {
        let before = fs::symlink_metadata(stage.path(name)).unwrap().file_type();
        let path = stage.path(name).display().to_string();
        for task in
            ["copy: {content: x, dest: PATH}", "template: {src: t.j2, dest: PATH}", "copy: {src: t.j2, dest: PATH}"]
        {
            stage.write("playbook.yml", &format!("- {}\n", task.replace("PATH", &path)));
            for arguments in [&["playbook.yml"][..], &["playbook.yml", "--check"]] {
                let answer = stage.run(arguments);
                assert_eq!(answer.code(), Some(2), "{task} {arguments:?}: {}", answer.text);
                let said = format!("is {kind}, not a file, and is not replaced");
                assert!(answer.text.contains(&said), "{task} {arguments:?}: {}", answer.text);
            }
        }
        assert_eq!(fs::symlink_metadata(stage.path(name)).unwrap().file_type(), before, "{name}");
    }
}
