//! Signals that ask a run to end.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use super::stage::{Answer, Stage};

/// What keeps a run busy: a command, a lookup and a template that block everything else, a pause.
const BUSY: &[&str] = &[
    "shell: echo $$ > begun; exec sleep 600",
    "debug: {msg: \"{{ lookup('pipe', 'echo $$ > begun; sleep 600') }}\"}",
    "debug: {msg: \"{{ lookup('pipe', 'touch begun') }}{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}\"}",
    "shell: \"touch begun\"\n- pause: {seconds: 600}",
];

/// Runs tasks, sends a signal as soon as they have begun, and says how the run ended.
fn signalled(tasks: &str, signal: &str) -> (Stage, Answer) {
    let stage = Stage::with_playbook(&format!("- {tasks}\n- debug: {{msg: 'not reached'}}\n"));
    let child = stage.command(&["playbook.yml"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while !stage.path("begun").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(50));
    std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (stage, Answer { status: output.status, text })
}

#[test]
fn terminated_run_ends_with_a_recap_and_the_status_of_its_signal() {
    for (signal, code, message) in
        [("-TERM", 143, "error: the run was ended by SIGTERM\n"), ("-HUP", 129, "error: the run was ended by SIGHUP\n")]
    {
        for tasks in BUSY {
            let (stage, answer) = signalled(tasks, signal);
            assert_eq!(answer.code(), Some(code), "{signal} {tasks}: {}", answer.text);
            assert!(answer.text.contains("PLAY RECAP") && answer.text.ends_with(message), "{tasks}: {}", answer.text);
            assert!(!answer.text.contains("not reached"), "{tasks}: {}", answer.text);
            let child = super::stage::text_of(&stage.path("begun"));
            let there = || {
                let process = Path::new("/proc").join(child.trim()).join("cmdline");
                !child.trim().is_empty() && std::fs::read(process).is_ok_and(|line| !line.is_empty())
            };
            for _ in 0..200 {
                if there() {
                    std::thread::sleep(Duration::from_millis(10));
                }
            }
            assert!(!there(), "{tasks}: the child {child} is still there");
        }
    }
}

#[test]
fn run_that_ignores_hangups_goes_on() {
    let stage = Stage::with_playbook("- shell: touch begun; sleep 0.5\n- debug: {msg: 'reached'}\n");
    let mut shell = std::process::Command::new("sh");
    let line = format!(
        "trap '' HUP; {} playbook.yml & while [ ! -e begun ]; do sleep 0.05; done; kill -HUP $!; wait $!",
        env!("CARGO_BIN_EXE_ionplay")
    );
    shell.args(["-c", &line]).current_dir(stage.path("."));
    let answer = stage.run_command(shell);
    assert_eq!(answer.code(), Some(0), "{}", answer.text);
    assert!(answer.text.contains("\"reached\""), "{}", answer.text);
}
