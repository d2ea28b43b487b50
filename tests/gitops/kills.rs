//! Kills at many moments: no second write, no lost password, no job that stays as running.

use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Signal, kill_process};

use super::daemon::Daemon;
use super::stage::{Stage, family, wait_until};

/// The playbook: tokens whose passwords are written to files.
fn tasks(stage: &Stage, generation: usize) -> String {
    let folder = stage.path("passwords").display().to_string();
    let one = |name: String| {
        format!(
            "    - registry_token: {{registry: demo, name: {name}, status: enabled, scopes: []}}\n      register: made\n    \
             - copy: {{content: \"{{{{ made.registry_token.properties.credentials.password }}}}\", dest: \
             '{folder}/{name}', mode: '0600'}}\n      when: made.registry_token.properties.credentials is defined and \
             made.registry_token.properties.credentials.password is defined\n"
        )
    };
    (0..3).map(|number| one(format!("t{generation}-{number}"))).collect()
}

#[test]
fn killed_processes_lose_nothing_and_write_nothing_twice() {
    let stage = Stage::new("    poll: 1s\n    retry: {first: 1s, max: 1s}\n");
    std::fs::create_dir(stage.path("passwords")).unwrap();
    let rounds: usize = std::env::var("IONPLAY_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(12);
    let mut kills = 0;
    for round in 0..rounds {
        stage.push(&tasks(&stage, round));
        // Another moment each time: from before the fetch to after the apply.
        let pause = Duration::from_millis(u64::try_from(round * 37 % 400).unwrap());
        let mut child = stage.command(&["once"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(pause);
        kills += usize::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        let mut last = String::new();
        wait_until("the job is in order again", || {
            let ended = stage.run(&["once"]);
            last = format!("{ended:?}");
            ended.code == 0 && stage.status()["applied"] == stage.head().as_str()
        });
    }
    assert_eq!(stage.status()["state"], "ok");
    let made = stage.registry.requests();
    let creations = made.iter().filter(|request| request.method == "POST" && request.path.ends_with("/tokens"));
    assert_eq!(creations.count(), 3 * rounds, "a token was made twice");
    for round in 0..rounds {
        for number in 0..3 {
            let file = stage.path(&format!("passwords/t{round}-{number}"));
            assert!(file.exists(), "the password of t{round}-{number} was lost");
        }
    }
    println!("{kills} kills, 0 second writes, 0 lost passwords, 0 stuck jobs");
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
