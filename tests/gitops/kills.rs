//! Kills at many moments: no second write, no lost password, no job that stays as running.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process, test_kill_process};

use super::daemon::Daemon;
use super::stage::{Stage, ended, family, wait_until};

/// The playbook: tokens whose passwords are written to files.
fn tasks(stage: &Stage, generation: usize) -> String {
    let folder = stage.path("passwords").display().to_string();
    let one = |name: String| {
        format!(
            "    - registry_token: {{registry: demo, name: {name}, status: enabled, scopes: []}}\n      register: made\n    \
             - copy: {{content: \"{{{{ made.registry_token.properties.credentials.password }}}}\", dest: \
             '{folder}/{name}', mode: '0600'}}\n      when: made.password is defined\n"
        )
    };
    (0..3).map(|number| one(format!("t{generation}-{number}"))).collect()
}

#[test]
fn killed_processes_lose_nothing_and_write_nothing_twice() {
    let stage = Stage::new("    poll: 1s\n    retry: {first: 1s, max: 1s}\n");
    std::fs::create_dir(stage.path("passwords")).unwrap();
    let rounds: usize = std::env::var("IONPLAY_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(12);
    // How long a run takes here, so that the kills meet all of its steps on a slow machine, too.
    stage.push(&tasks(&stage, rounds));
    let began = Instant::now();
    stage.once(0);
    let whole = began.elapsed();
    let mut kills = 0;
    for round in 0..rounds {
        stage.push(&tasks(&stage, round));
        // Another moment each time: from before the fetch to after the apply.
        let pause = whole * u32::try_from(round * 37 % 100).unwrap() / 100;
        let mut child = stage.command(&["once"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(pause);
        kills += usize::from(child.try_wait().unwrap().is_none());
        // In turns the whole machine, and the program alone: its run then ends after the request under way.
        let family = family(child.id());
        let victims = if round % 2 == 0 { &family[..] } else { &family[..1] };
        for id in victims {
            let _ = kill_process(*id, Signal::KILL);
        }
        child.wait().unwrap();
        wait_until("the run has ended", || family.iter().all(|id| test_kill_process(*id).is_err()));
        let known = known_passwords(&stage, round);
        let mut last = String::new();
        wait_until("the job is in order again", || {
            let ended = stage.run(&["once"]);
            last = format!("{ended:?}");
            ended.code == 0 && stage.status()["applied"] == stage.head().as_str()
        });
        let delivered = delivered_passwords(&stage);
        for (name, password) in known {
            assert_eq!(
                delivered.get(&name),
                Some(&password),
                "{name} was made again, and its password was known: {last}"
            );
        }
    }
    assert_eq!(stage.status()["state"], "ok");
    let names: Vec<String> =
        (0..=rounds).flat_map(|round| (0..3).map(move |number| format!("t{round}-{number}"))).collect();
    let again = check_creations(&stage, &names);
    let delivered = delivered_passwords(&stage);
    for name in &names {
        assert_eq!(delivered.get(name), stage.password_of_token(name).as_ref(), "the password of {name} was lost");
    }
    println!(
        "{kills} kills, {again} tokens with lost answers made again, 0 second writes, 0 lost passwords, 0 stuck jobs"
    );
}

/// Passwords where the playbook puts them, by the name of the token.
fn delivered_passwords(stage: &Stage) -> BTreeMap<String, String> {
    let files = std::fs::read_dir(stage.path("passwords")).unwrap().flatten();
    let read = |file: std::fs::DirEntry| {
        let name = file.file_name().into_string().ok().filter(|name| !name.starts_with('.'))?;
        Some((name, std::fs::read_to_string(file.path()).ok()?))
    };
    files.filter_map(read).collect()
}

/// Passwords that have reached the machine: delivered, or kept in the credential store. The store is asked for the tokens
/// of this round only: those of earlier ones were delivered, and each question starts a process.
fn known_passwords(stage: &Stage, round: usize) -> BTreeMap<String, String> {
    let program = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ionplay"));
        command.arg("token").env("IONPLAY_STATE_DIR", stage.path("state"));
        command
    };
    let mut known = delivered_passwords(stage);
    let of_round = format!("t{round}-");
    for (name, _) in stage.tokens().into_iter().filter(|(name, _)| name.starts_with(&of_round)) {
        let shown = ended(&program().args(["show", &name]).output().unwrap());
        if shown.code == 0 {
            known.insert(name, shown.stdout.trim().to_owned());
        }
    }
    known
}

/// Each token is there once, and was made once; or again, after the one with the lost answer was removed. Returns how
/// many were made again.
fn check_creations(stage: &Stage, names: &[String]) -> usize {
    let mut wanted: Vec<(String, String)> = names.iter().map(|name| (name.clone(), "enabled".to_owned())).collect();
    wanted.sort();
    assert_eq!(stage.tokens(), wanted, "a token is missing, or an orphan is left");
    let (mut there, mut removed) = (BTreeSet::new(), BTreeSet::new());
    let mut unused_removals = 0;
    for request in stage.registry.requests().iter().filter(|request| request.is_write()) {
        match (request.method.as_str(), request.path.rsplit_once('/')) {
            ("POST", Some((_, "tokens"))) => {
                let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
                let name = body["properties"]["name"].as_str().unwrap().to_owned();
                if !there.insert(name.clone()) {
                    assert_eq!(unused_removals, 1, "{name} was made a second time, and the first one was not removed");
                    unused_removals = 0;
                }
            }
            ("DELETE", Some((parent, id))) if parent.ends_with("/tokens") => {
                assert!(removed.insert(id.to_owned()), "{id} was removed twice");
                unused_removals += 1;
            }
            _ => panic!("nobody asked for {request}"),
        }
    }
    assert_eq!(unused_removals, 0, "a token was removed, and not made again");
    removed.len()
}

#[test]
fn token_whose_answer_a_kill_has_lost_is_made_again_by_the_next_run() {
    let stage = Stage::with_faults("    retry: {first: 1s, max: 1s}\n", &["POST /tokens$ slow times=1 delay=30s"]);
    std::fs::create_dir(stage.path("passwords")).unwrap();
    stage.push(&tasks(&stage, 0));
    let mut child = stage.command(&["once"]).stderr(Stdio::null()).spawn().unwrap();
    wait_until("the token is made, and its answer on the way", || stage.tokens().len() == 1);
    let lost = stage.password_of_token("t0-0");
    for id in family(child.id()) {
        let _ = kill_process(id, Signal::KILL);
    }
    child.wait().unwrap();
    let mut last = String::new();
    wait_until("the job is in order again", || {
        let ended = stage.run(&["once"]);
        last = format!("{ended:#?}");
        assert!(!last.contains("refused"), "{last}");
        ended.code == 0 && stage.status()["applied"] == stage.head().as_str()
    });
    assert_eq!(stage.tokens().len(), 3, "{last}");
    assert_ne!(stage.password_of_token("t0-0"), lost, "nobody has the first password");
    for number in 0..3 {
        let name = format!("t0-{number}");
        let delivered = std::fs::read_to_string(stage.path(&format!("passwords/{name}"))).ok();
        assert_eq!(delivered, stage.password_of_token(&name), "{name}");
    }
}

#[test]
fn killed_daemon_leaves_no_job_as_running() {
    let stage = Stage::new("    poll: 1s\n");
    std::fs::create_dir(stage.path("passwords")).unwrap();
    stage.push(&tasks(&stage, 0));
    let mut daemon = Daemon::start(&stage);
    std::thread::sleep(Duration::from_millis(120));
    daemon.child.kill().unwrap();
    daemon.child.wait().unwrap();
    let daemon = Daemon::start(&stage);
    wait_until("the job is in order", || stage.status()["state"] == "ok" && stage.tokens().len() == 3);
    let running = stage.history().iter().filter(|run| run["outcome"].is_null()).count();
    assert_eq!(running, 0, "{}", daemon.log());
}
