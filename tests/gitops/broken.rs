//! Bad input: a clear state of the job, and all others go on.

use super::stage::{Stage, token};

#[test]
fn file_that_is_not_understood_ends_every_command_with_4() {
    let stage = Stage::new("    polll: 1m\n");
    for verb in [
        &["check"][..],
        &["once"],
        &["serve"],
        &["status"],
        &["history", "tokens"],
        &["show", "tokens-1"],
        &["run", "tokens"],
        &["approve", "tokens-1"],
        &["reject", "tokens-1", "--reason", "x"],
        &["suspend", "tokens", "--reason", "x"],
        &["resume", "tokens"],
        &["rollback", "tokens"],
        &["accept-baseline", "tokens", "HEAD"],
        &["preview", "tokens", "--commit", "HEAD"],
    ] {
        let ended = stage.run(verb).expect(4);
        assert!(ended.stderr.contains("did you mean `poll`?") && ended.stderr.contains("gitops.yml:"), "{ended:?}");
    }
    let json = stage.run(&["check", "--json"]).expect(4).json();
    assert_eq!(json["errors"][0]["places"][0]["column"], 5);
}

#[test]
fn repository_that_is_not_there_is_a_run_with_the_words_of_git() {
    let stage = Stage::new("");
    let job = stage.job().replace("repository,", "no-such-repository,");
    let other = stage.job();
    stage.configure_file(&format!("jobs:\n  tokens:\n{job}  other:\n{other}"));
    stage.push(&token("ci", "enabled"));
    stage.run(&["check"]).expect(0);
    stage.run(&["check", "--fetch"]).expect(1);
    stage.once(2);
    assert_eq!(stage.tokens().len(), 1, "the other job goes on");
    let run = &stage.history()[0];
    assert_eq!(run["outcome"], "failed");
    let error = run["error"].as_str().unwrap();
    assert!(error.contains("does not appear to be a git repository") && !error.contains("Please make sure"), "{error}");
    assert_eq!(stage.status()["state"], "failed");
    stage.once(2);
    assert_eq!(stage.history().len(), 1, "the next try waits");
}

#[test]
fn playbook_that_does_not_parse_fails_with_its_place_and_a_fix_ends_the_waiting() {
    let stage = Stage::new("");
    stage.push("    - registry_token: {registry: demo, nmae: ci}\n");
    stage.once(2);
    let run = &stage.history()[0];
    let error = run["error"].as_str().unwrap();
    assert!(error.contains("did you mean `name`?") && error.contains("site.yml:4:"), "{error}");
    stage.once(2);
    stage.push(&token("ci", "enabled"));
    stage.once(0);
}

#[test]
fn run_that_takes_too_long_is_ended_and_what_it_printed_is_kept() {
    let stage = Stage::new("    mode: direct\n    timeout: 2s\n");
    stage.push("    - debug: {msg: it begins}\n    - command: sleep 600\n");
    stage.once(2);
    let run = &stage.history()[0];
    assert!(run["error"].as_str().unwrap().contains("time limit"), "{run}");
    let shown = stage.run(&["show", run["run"].as_str().unwrap()]).stdout;
    assert!(shown.contains("it begins"), "{shown}");
}

#[test]
fn names_that_do_not_exist_are_errors_with_the_nearest_one() {
    let stage = Stage::new("");
    stage.push(&token("ci", "enabled"));
    assert!(stage.run(&["once", "tokns"]).expect(1).stderr.contains("did you mean `tokens`?"));
    assert!(stage.run(&["show", "tokens-99"]).expect(1).stderr.contains("history"));
    stage.run(&["suspend", "tokens", "--reason", "x", "--until", "tomorrow"]).expect(1);
    stage.run(&["rollback", "tokens"]).expect(1);
}

/// A file system of its own, which ends with the test.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    /// Mounts it, where that is allowed.
    fn mount(path: std::path::PathBuf) -> Option<Self> {
        std::fs::create_dir(&path).unwrap();
        let mut command = std::process::Command::new("mount");
        command.args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"]).arg(&path);
        let is_mounted = command.output().is_ok_and(|output| output.status.success());
        is_mounted.then_some(Self(path))
    }

    fn fill(&self) {
        use std::io::Write as _;
        let mut file = std::fs::File::create(self.0.join("fill")).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
    }

    fn free(&self) {
        std::fs::remove_file(self.0.join("fill")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn full_disk_is_a_state_of_the_job_and_nothing_is_written_until_there_is_room() {
    let stage = Stage::new("");
    let Some(disk) = SmallDisk::mount(stage.path("state")) else {
        eprintln!("skipped: a small file system can only be mounted by root");
        return;
    };
    stage.push(&token("ci", "enabled"));
    for status in ["enabled", "disabled"] {
        let (writes, head) = (stage.writes(), stage.push(&token("ci", status)));
        disk.fill();
        let told = stage.once(2);
        assert!(told.stdout.contains("no space left"), "{told:?}");
        assert_eq!(stage.writes(), writes, "nothing is written that cannot be recorded");
        disk.free();
        stage.once(0);
        assert_eq!((stage.status()["applied"].as_str(), &*stage.tokens()[0].1), (Some(&*head), status));
    }
}
