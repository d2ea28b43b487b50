//! Several machines on one database: a job has one run at a time, whoever dies or sleeps.

use std::fs;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::database::Database;
use super::stage::{Ended, Stage, ended, family, playbook, token, wait_until};

/// A stage whose state is in a database.
pub struct Shared {
    pub stage: Stage,
    pub database: Database,
    /// How long a lease lasts.
    pub lease: &'static str,
}

/// A daemon of one of the hosts, and its log.
pub struct Host {
    pub name: String,
    pub child: Child,
}

impl Shared {
    fn new(job: &str) -> Option<Self> {
        Some(Self::on_database(Database::create()?, Stage::new(""), "3s").with_job(job))
    }

    /// Hosts on a database.
    pub fn on_database(database: Database, stage: Stage, lease: &'static str) -> Self {
        fs::write(stage.path("url"), database.url()).unwrap();
        fs::write(stage.path("seal"), "a key that seals passwords").unwrap();
        Self { stage, database, lease }
    }

    /// Writes the file of both hosts, with these lines for their job.
    pub fn with_job(self, job: &str) -> Self {
        ["one", "two"].iter().for_each(|host| self.configure(host, job));
        self
    }

    fn configure(&self, host: &str, job: &str) {
        let text = format!(
            "version: 1\nhost: {host}\nstate_dir: state-{host}\nstore: {{postgres: {{url_file: url, lease: {lease}}}}}\n\
             seal_key_file: seal\njobs:\n  tokens:\n{}{job}",
            self.stage.job(),
            lease = self.lease
        );
        fs::write(self.stage.path(&format!("{host}.yml")), text).unwrap();
    }

    fn command(&self, host: &str, arguments: &[&str]) -> Command {
        let (verb, rest) = arguments.split_first().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_ionplay"));
        command.args(["gitops", verb, &format!("{host}.yml")]).args(rest).current_dir(self.stage.folder.path());
        command.env("HOME", self.stage.folder.path()).env_remove("IONOS_TOKEN").env_remove("IONOS_API_URL");
        command
    }

    pub fn run(&self, host: &str, arguments: &[&str]) -> Ended {
        ended(&self.command(host, arguments).output().unwrap())
    }

    pub fn status(&self, host: &str) -> serde_json::Value {
        self.run(host, &["status", "tokens", "--json"]).json()["jobs"][0].clone()
    }

    pub fn serve(&self, host: &str) -> Host {
        let log = fs::File::create(self.stage.path(&format!("{host}.log"))).unwrap();
        let child = self.command(host, &["serve"]).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        wait_until("the daemon serves", || self.log(host).contains("serving"));
        Host { name: host.to_owned(), child }
    }

    pub fn log(&self, host: &str) -> String {
        fs::read_to_string(self.stage.path(&format!("{host}.log"))).unwrap_or_default()
    }

    /// How often each token was requested.
    pub fn creations(&self) -> usize {
        let requests = self.stage.registry.requests();
        requests.iter().filter(|request| request.method == "POST" && request.path.ends_with("/tokens")).count()
    }

    pub fn is_in_order(&self, host: &str) -> bool {
        let status = self.status(host);
        status["state"] == "ok" && status["applied"] == self.stage.head().as_str()
    }
}

impl Host {
    /// The daemon and the processes that it has started.
    pub fn family(&self) -> Vec<Pid> {
        family(self.child.id())
    }

    pub fn signal(family: &[Pid], signal: Signal) {
        for id in family {
            let _ = kill_process(*id, signal);
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let family = self.family();
        Self::signal(&family, Signal::KILL);
        let _ = self.child.wait();
    }
}

/// Tokens, made one after the other with a pause in between.
fn slow_tokens(count: usize) -> String {
    let one = |number: usize| token(&format!("t{number}"), "enabled") + "    - command: sleep 0.5\n";
    (0..count).map(one).collect()
}

#[test]
fn two_daemons_on_one_database_run_a_job_once() {
    let Some(shared) = Shared::new("    poll: 1s\n") else { return };
    let (one, two) = (shared.serve("one"), shared.serve("two"));
    for round in 0..4 {
        shared.stage.push(&(token("ci", "enabled") + &token(&format!("t{round}"), "enabled")));
        wait_until("the push is applied", || shared.is_in_order("one") && shared.is_in_order("two"));
    }
    assert_eq!(shared.creations(), 5, "{}{}", shared.log("one"), shared.log("two"));
    let runs = shared.run("two", &["history", "tokens", "--json"]).expect(0).json();
    let applied = runs.as_array().unwrap().iter().filter(|run| run["outcome"] == "applied").count();
    assert_eq!(applied, 4, "{runs:#}");
    // A command on either host reaches the worker that has the job.
    for host in [&one, &two] {
        let before = shared.run("one", &["history", "tokens", "--json"]).json().as_array().unwrap().len();
        shared.run(&host.name, &["run", "tokens", "--wait"]).expect(0);
        let after = shared.run("two", &["history", "tokens", "--json"]).json();
        assert_eq!((after.as_array().unwrap().len(), &after[0]["reasons"][0]), (before + 1, &"manual".into()));
    }
}

#[test]
fn status_of_a_job_of_another_host_is_true_on_every_host() {
    let Some(shared) = Shared::new("    runs_on: [two]\n    approve: manual\n    retry: {first: 1h}\n") else { return };
    let (_one, _two) = (shared.serve("one"), shared.serve("two"));
    let agree = |what: &str, holds: &dyn Fn(&serde_json::Value) -> bool| {
        let keys = ["state", "observed", "attempted", "applied", "last_run", "drift", "waiting", "suspended"];
        let seen = |host: &str| {
            let status = shared.status(host);
            keys.map(|key| status[key].clone())
        };
        wait_until(what, || holds(&shared.status("two")) && seen("one") == seen("two"));
    };
    shared.stage.push(&token("ci", "enabled"));
    shared.run("one", &["run", "tokens"]).expect(0);
    agree("the plan waits", &|status| status["state"] == "waiting");
    let run = shared.status("one")["waiting"]["run"].as_str().unwrap().to_owned();
    shared.run("one", &["approve", &run]).expect(0);
    agree("it is applied", &|status| status["state"] == "ok" && status["last_run"]["outcome"] == "applied");
    shared.run("one", &["suspend", "tokens", "--reason", "holiday"]).expect(0);
    agree("it is suspended", &|status| status["state"] == "suspended");
    shared.run("two", &["resume", "tokens"]).expect(0);
    shared.stage.push_with("- hosts: localhost\n  taks: []\n", &[]);
    shared.run("one", &["run", "tokens"]).expect(0);
    agree("it has failed", &|status| status["state"] == "failed");
    assert_eq!(shared.status("one")["message"], shared.status("two")["message"]);
}

#[test]
fn host_that_is_killed_loses_its_run_to_another_one() {
    let Some(shared) = Shared::new("    poll: 1s\n    retry: {first: 1s, max: 1s}\n") else { return };
    let one = shared.serve("one");
    shared.stage.push(&slow_tokens(4));
    wait_until("the first token is made and its password kept", || {
        shared.database.query("select count(*) from ionplay_gitops.credential where content like '%\"created\"%'")
            != "0"
    });
    Host::signal(&one.family(), Signal::KILL);
    let _two = shared.serve("two");
    wait_until("the other host has done the rest", || shared.is_in_order("two"));
    assert_eq!((shared.creations(), shared.stage.tokens().len()), (4, 4), "{}", shared.log("two"));
    let runs = shared.run("two", &["history", "tokens", "--json"]).json();
    let outcomes: Vec<&str> = runs.as_array().unwrap().iter().map(|run| run["outcome"].as_str().unwrap()).collect();
    // A busy machine may have failed to begin before; what counts is how the interrupted run went on.
    assert_eq!(outcomes[..2], ["applied", "interrupted"]);
    assert_eq!((&runs[0]["host"], &runs[1]["host"]), (&"two".into(), &"one".into()));
}

#[test]
fn host_that_was_stopped_and_comes_back_late_writes_nothing() {
    let Some(shared) = Shared::new("    poll: 1s\n    retry: {first: 1s, max: 1s}\n") else { return };
    let one = shared.serve("one");
    shared.stage.push(&slow_tokens(4));
    wait_until("the first token is made and its password kept", || {
        shared.database.query("select count(*) from ionplay_gitops.credential where content like '%\"created\"%'")
            != "0"
    });
    let family = one.family();
    assert!(family.len() > 1, "the run is under way");
    Host::signal(&family, Signal::STOP);
    let _two = shared.serve("two");
    wait_until("the other host has done the rest", || shared.is_in_order("two"));
    // The world moves on: what the late one had planned would now be a second write.
    let (writes, creations) = (shared.stage.writes(), shared.creations());
    Host::signal(&family, Signal::CONT);
    wait_until("the late run has ended", || one.family().len() == 1);
    wait_until("the late host knows", || shared.log("one").contains("taken over"));
    assert_eq!((shared.stage.writes(), shared.creations(), creations), (writes, 4, 4), "{}", shared.log("one"));
    wait_until("all is in order", || shared.is_in_order("two"));
    // It is a worker like any other again.
    shared.stage.push(&token("late", "enabled"));
    wait_until("the next push is applied", || shared.is_in_order("one"));
}

#[test]
fn database_that_crashes_during_a_run_costs_no_second_write() {
    let Some(database) = Database::alone() else { return };
    let Some(shared) = Shared::new("    poll: 1s\n    retry: {first: 1s, max: 1s}\n") else { return };
    fs::write(shared.stage.path("url"), database.url()).unwrap();
    let shared = Shared { database, ..shared };
    let _one = shared.serve("one");
    shared.stage.push(&slow_tokens(4));
    wait_until("the first token is made and its password kept", || {
        shared.database.query("select count(*) from ionplay_gitops.credential where content like '%\"created\"%'")
            != "0"
    });
    shared.database.server.crash();
    shared.database.server.boot();
    wait_until("the run has ended well", || shared.is_in_order("one"));
    assert_eq!((shared.creations(), shared.stage.tokens().len()), (4, 4), "{}", shared.log("one"));
}

#[test]
fn job_runs_on_the_hosts_that_it_names_only_and_every_means_each_of_them() {
    let Some(shared) = Shared::new("    runs_on: [two]\n") else { return };
    shared.stage.push(&token("ci", "enabled"));
    shared.run("one", &["once"]).expect(0);
    assert!(shared.stage.tokens().is_empty());
    let message = shared.status("one")["message"].to_string();
    assert!(message.contains("`two`") && message.contains("not on this host"), "{message}");
    shared.run("two", &["once"]).expect(0);
    assert_eq!(shared.stage.tokens().len(), 1);
    ["one", "two"].iter().for_each(|host| shared.configure(host, "    runs_on: every\n"));
    let marks = shared.stage.path("marks").display().to_string();
    shared.stage.push_with(&playbook(&format!("    - shell: echo run >> {marks}\n")), &[]);
    shared.run("one", &["once"]).expect(0);
    shared.run("one", &["once"]).expect(0);
    shared.run("two", &["once"]).expect(0);
    assert_eq!(fs::read_to_string(marks).unwrap().lines().count(), 2, "once on each host");
}

/// A token whose password is written to a file, a while after it was told.
fn delivered_late(folder: &str, name: &str) -> String {
    format!(
        "    - registry_token: {{registry: demo, name: {name}, status: enabled, scopes: []}}\n      register: made\n    - \
         command: sleep 2\n    - copy: {{content: \"{{{{ made.registry_token.properties.credentials.password }}}}\", dest: \
         '{folder}/{name}', mode: '0600'}}\n      when: made.password is defined\n"
    )
}

#[test]
fn password_that_a_killed_host_has_left_is_found_and_delivered_by_another_one() {
    let Some(shared) = Shared::new("    poll: 1s\n    retry: {first: 1s, max: 1s}\n") else { return };
    fs::create_dir(shared.stage.path("passwords")).unwrap();
    let folder = shared.stage.path("passwords").display().to_string();
    let kills: usize = std::env::var("IONPLAY_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(2);
    for round in 0..kills {
        let (first, second) = if round % 2 == 0 { ("one", "two") } else { ("two", "one") };
        let (now, file) = (format!("now-{round}"), shared.stage.path(&format!("passwords/now-{round}")));
        let killed = shared.serve(first);
        shared.stage.push(&delivered_late(&folder, &now));
        // The password is in a row, and in no file yet.
        wait_until("the password is kept", || {
            shared.database.query("select count(*) from ionplay_gitops.credential where content like '%\"created\"%'")
                != "0"
        });
        Host::signal(&killed.family(), Signal::KILL);
        assert!(!file.exists(), "the kill came too late");
        let rows = shared.database.query("select content from ionplay_gitops.credential");
        drop(killed);
        let other = shared.serve(second);
        wait_until("the other host has the job in order", || shared.is_in_order(second));
        let password = fs::read_to_string(&file).unwrap_or_default();
        assert!(!password.is_empty(), "the password was lost: {}", shared.log(second));
        assert!(!rows.contains(&password), "rows are sealed");
        assert_eq!(shared.creations(), round + 1, "no token is made twice");
        assert_eq!(
            shared.run(second, &["history", "tokens", "--json"]).json()[0]["passwords_kept"],
            serde_json::json!([])
        );
        drop(other);
    }
    let left = "select count(*) from ionplay_gitops.credential where content <> ''";
    assert_eq!(shared.database.query(left), "0", "what was delivered is not kept");
    println!("{kills} kills, 0 lost passwords");
}

#[test]
fn commands_of_a_user_reach_passwords_in_the_database() {
    let Some(shared) = Shared::new("    poll: 1h\n") else { return };
    shared.stage.push(&token("ci", "enabled"));
    let _one = shared.serve("one");
    wait_until("the token is made", || shared.is_in_order("one"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_ionplay"));
    command.args(["token", "show", "ci", "--seal-key-file"]).arg(shared.stage.path("seal"));
    command.env("IONPLAY_STATE_DIR", shared.stage.path("state-one"));
    let shown = ended(&command.output().unwrap()).expect(0);
    assert!(shown.stdout.trim().len() > 8, "{shown:?}");
    let kept = shared.run("one", &["history", "tokens", "--json"]).json()[0]["passwords_kept"].clone();
    assert_eq!(kept, serde_json::json!(["ci"]));
}
