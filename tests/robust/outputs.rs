//! Output that cannot be written is an error: the run did its work, and whoever reads the output must not think otherwise.

use std::fs::{File, OpenOptions};
use std::process::Stdio;

use super::stage::{Stage, make_full_device};

const HELLO: &str = "- debug: {msg: hello}\n";
/// The exit status for output that is lost.
const LOST: i32 = 18;

/// Writing to the device, unlike a file of its name, harms nothing.
fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

#[test]
fn output_that_cannot_be_written_is_an_error_of_its_own() {
    let stage = Stage::with_playbook(HELLO);
    for arguments in [
        &["playbook.yml"][..],
        &["playbook.yml", "--output", "json"],
        &["playbook.yml", "--output", "yaml"],
        &["playbook.yml", "--list-tasks"],
        &["plan", "playbook.yml"],
        &["lint", "playbook.yml"],
        &["doc", "debug"],
        &["schema"],
        &["completions", "bash"],
        &["--help"],
        &["--version"],
    ] {
        let output = stage.command(arguments).stdout(full()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(LOST), "{arguments:?}: {said}");
        assert!(said.contains("cannot write the output: no space left on device"), "{arguments:?}: {said}");
    }
}

#[test]
fn messages_that_cannot_be_written_do_not_change_the_exit_status() {
    let stage = Stage::with_playbook(HELLO);
    for (arguments, code) in [(&["nowhere.yml"][..], 1), (&["doc", "nowhere"], 1), (&["--nonsense"], 2)] {
        let status = stage.command(arguments).stdout(Stdio::null()).stderr(full()).status().unwrap();
        assert_eq!(status.code(), Some(code), "{arguments:?}");
    }
}

#[test]
fn reader_that_has_seen_enough_is_no_error() {
    let stage = Stage::with_playbook(HELLO);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = stage.command(&["playbook.yml"]).stdout(writer.try_clone().unwrap()).status().unwrap();
    assert_eq!(status.code(), Some(0));
    // A document is for a program, which needs all of it.
    let output = stage.command(&["playbook.yml", "--output", "json"]).stdout(writer).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(LOST), "{said}");
}

#[test]
fn plan_that_could_not_be_written_is_not_said_to_be_written() {
    let stage = Stage::with_playbook(HELLO);
    if !make_full_device(&stage.path("full")) {
        return;
    }
    let answer = stage.run(&["plan", "playbook.yml", "-o", "full"]);
    assert_eq!(answer.code(), Some(1), "{}", answer.text);
    assert!(answer.text.contains("cannot write `full`: no space left on device"), "{}", answer.text);
    assert!(!answer.text.contains("ritten to"), "{}", answer.text);
    let answer = stage.run(&["playbook.yml", "--events", "full"]);
    assert_eq!(answer.code(), Some(LOST), "{}", answer.text);
}
