//! `serve`: the loop, and commands beside it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

use rustix::process::{Pid, Signal, kill_process};

use super::stage::{Stage, token, wait_until};

/// A daemon that is ended with the test.
pub struct Daemon {
    pub child: Child,
    pub log: Arc<Mutex<String>>,
}

impl Daemon {
    pub fn start(stage: &Stage) -> Self {
        let mut child = stage.command(&["serve"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (lines, seen) = (BufReader::new(child.stderr.take().unwrap()).lines(), Arc::clone(&log));
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                seen.lock().unwrap().push_str(&format!("{line}\n"));
            }
        });
        let daemon = Self { child, log };
        wait_until("the daemon serves", || daemon.log.lock().unwrap().contains("serving"));
        daemon
    }

    pub fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(id, signal).unwrap();
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn daemon_applies_what_is_pushed_and_ends_on_sigterm() {
    let stage = Stage::new("    poll: 1s\n");
    stage.push(&token("ci", "enabled"));
    let mut daemon = Daemon::start(&stage);
    wait_until("the first commit is applied", || stage.tokens().len() == 1);
    stage.push(&token("ci", "disabled"));
    wait_until("the push is applied", || stage.tokens()[0].1 == "disabled");
    let second = stage.command(&["serve"]).output().unwrap();
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(second.status.code() == Some(1) && said.contains("runner-1") && said.contains("process"), "{said}");
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.child.wait().unwrap().code(), Some(0), "{}", daemon.log());
    assert_eq!(stage.status()["state"], "ok");
}

#[test]
fn commands_beside_a_daemon_are_done_by_it() {
    let stage = Stage::new("    poll: 1h\n    approve: manual\n");
    stage.push(&token("ci", "enabled"));
    let daemon = Daemon::start(&stage);
    stage.once(3);
    let run = stage.waiting();
    stage.run(&["approve", &run]).expect(0);
    wait_until("the approved plan is applied", || stage.status()["state"] == "ok");
    assert_eq!(stage.tokens().len(), 1);
    stage.run(&["suspend", "tokens", "--reason", "x"]).expect(0);
    assert_eq!(stage.status()["state"], "suspended");
    stage.run(&["resume", "tokens"]).expect(0);
    stage.run(&["run", "tokens", "--wait"]).expect(0);
    assert_eq!(stage.history()[0]["outcome"], "unchanged", "{}", daemon.log());
}

#[test]
fn broken_file_on_sighup_keeps_the_one_of_before() {
    let stage = Stage::new("    poll: 1s\n");
    stage.push(&token("ci", "enabled"));
    let daemon = Daemon::start(&stage);
    wait_until("the first commit is applied", || stage.tokens().len() == 1);
    let good = std::fs::read_to_string(stage.path("gitops.yml")).unwrap();
    std::fs::write(stage.path("gitops.yml"), good.replace("poll:", "polll:")).unwrap();
    daemon.signal(Signal::HUP);
    wait_until("the broken file is told", || daemon.log().contains("the file of before stays in use"));
    stage.push(&token("ci", "disabled"));
    wait_until("the push is applied all the same", || stage.tokens()[0].1 == "disabled");
    std::fs::write(stage.path("gitops.yml"), good).unwrap();
    daemon.signal(Signal::HUP);
    wait_until("the file is read again", || daemon.log().contains("read gitops.yml again"));
}

#[test]
fn key_that_needs_another_process_is_named_on_sighup_and_keeps_its_value() {
    let stage = Stage::new("    poll: 1s\n");
    stage.push(&token("ci", "enabled"));
    let daemon = Daemon::start(&stage);
    assert!(daemon.log().contains("serving 1 job of gitops.yml"), "{}", daemon.log());
    wait_until("the first commit is applied", || stage.tokens().len() == 1);
    let good = std::fs::read_to_string(stage.path("gitops.yml")).unwrap();
    let other = good.replace("state_dir: state", "state_dir: elsewhere").replace("host: runner-1", "host: runner-2");
    std::fs::write(stage.path("gitops.yml"), other).unwrap();
    daemon.signal(Signal::HUP);
    wait_until("the file is read again", || {
        daemon.log().contains("to change `host`, `state_dir`, end this program and start it again")
    });
    stage.push(&token("ci", "disabled"));
    wait_until("the push is applied", || stage.tokens()[0].1 == "disabled");
    assert!(!stage.path("elsewhere").exists());
}
