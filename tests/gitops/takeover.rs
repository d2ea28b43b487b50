//! The kill matrix of several machines: two daemons on one database, and whatever runs is killed or stopped at each
//! boundary of a creation.
//!
//! The registry answers late, so that the boundaries can be met: the token is made and its answer on the way; the password
//! is kept and delivered nowhere; the first password is delivered. `IONPLAY_KILLS=40` runs the whole matrix twice.

use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal};

use super::database::Database;
use super::shared::{Host, Shared};
use super::stage::{Stage, wait_until};

/// What is killed or stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Machine,
    Daemon,
    Child,
    Database,
    /// Stopped, and continued once another host has done the work.
    Sleeper,
}

/// When.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// The token is made, and its answer on the way.
    Answering,
    /// The password is kept, and delivered nowhere.
    Kept,
    /// One password is delivered, and the next token not made.
    Delivered,
    /// At any time.
    Anywhere,
}

const VICTIMS: [Victim; 5] = [Victim::Machine, Victim::Daemon, Victim::Child, Victim::Database, Victim::Sleeper];
const MOMENTS: [Moment; 4] = [Moment::Answering, Moment::Kept, Moment::Delivered, Moment::Anywhere];
const TOKENS: usize = 2;
/// Long enough that a busy machine renews it.
const LEASE: &str = "6s";
/// A job that is not in order after this time never will be.
const PATIENCE: Duration = Duration::from_secs(240);

/// The world of the matrix.
struct Matrix {
    shared: Shared,
    hosts: Vec<Host>,
}

impl Matrix {
    fn new() -> Option<Self> {
        let database = Database::alone()?;
        let stage = Stage::with_faults("", &["POST /tokens$ slow delay=400ms"]);
        let shared =
            Shared::on_database(database, stage, LEASE).with_job("    poll: 1s\n    retry: {first: 1s, max: 1s}\n");
        fs::create_dir(shared.stage.path("passwords")).unwrap();
        let hosts = ["one", "two"].iter().map(|host| shared.serve(host)).collect();
        Some(Self { shared, hosts })
    }

    fn name(round: usize, number: usize) -> String {
        format!("t{round}-{number}")
    }

    fn tasks(&self, round: usize) -> String {
        let folder = self.shared.stage.path("passwords").display().to_string();
        let one = |name: String| {
            format!(
                "    - registry_token: {{registry: demo, name: {name}, status: enabled, scopes: []}}\n      register: made\n    \
                 - command: sleep 0.4\n    - copy: {{content: \"{{{{ made.registry_token.properties.credentials.password \
                 }}}}\", dest: '{folder}/{name}', mode: '0600'}}\n      when: made.password is defined\n"
            )
        };
        (0..TOKENS).map(|number| one(Self::name(round, number))).collect()
    }

    fn is_delivered(&self, name: &str) -> bool {
        self.shared.stage.path(&format!("passwords/{name}")).exists()
    }

    fn wait_for(&self, moment: Moment, round: usize) {
        let name = Self::name(round, 0);
        let created = "select count(*) from ionplay_gitops.credential where content like '%\"created\"%'";
        match moment {
            Moment::Answering => {
                wait_until("a token is made", || self.shared.stage.password_of_token(&name).is_some());
            }
            Moment::Kept => wait_until("a password is kept", || self.shared.database.query(created) != "0"),
            Moment::Delivered => wait_until("a password is delivered", || self.is_delivered(&name)),
            Moment::Anywhere => std::thread::sleep(Duration::from_millis((round as u64 * 367) % 3000)),
        }
    }

    /// The host that runs the job, else the first one.
    fn runner(&self) -> usize {
        let is_apply = |id: &Pid| {
            let text = fs::read(format!("/proc/{}/cmdline", id.as_raw_nonzero())).unwrap_or_default();
            text.split(|byte| *byte == 0).any(|word| word == b"apply" || word == b"plan")
        };
        self.hosts.iter().position(|host| host.family()[1..].iter().any(is_apply)).unwrap_or_default()
    }

    fn wait_for_order(&self, round: usize, except: Option<usize>) {
        let host = &self.hosts[usize::from(except == Some(0))].name;
        let logs = || ["one", "two"].map(|host| self.shared.log(host)).join("\n---\n");
        let began = std::time::Instant::now();
        while !self.shared.is_in_order(host) {
            let status = || self.shared.status(host);
            assert!(began.elapsed() < PATIENCE, "round {round} is stuck: {:#}\n{}", status(), logs());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Plays one round, and returns whether anything was under way.
    fn play(&mut self, round: usize, victim: Victim, moment: Moment) {
        self.shared.stage.push(&self.tasks(round));
        self.wait_for(moment, round);
        let at = self.runner();
        let family = self.hosts[at].family();
        let kept = self.delivered_passwords();
        match victim {
            Victim::Machine => Host::signal(&family, Signal::KILL),
            Victim::Daemon => Host::signal(&family[..1], Signal::KILL),
            Victim::Child => Host::signal(&family[1..], Signal::KILL),
            Victim::Sleeper => Host::signal(&family, Signal::STOP),
            Victim::Database => {
                self.shared.database.server.crash();
                self.shared.database.server.boot();
            }
        }
        let is_gone = matches!(victim, Victim::Machine | Victim::Daemon);
        let is_away = is_gone || victim == Victim::Sleeper;
        self.wait_for_order(round, is_away.then_some(at));
        if victim == Victim::Sleeper {
            let writes = self.shared.stage.writes();
            Host::signal(&family, Signal::CONT);
            wait_until("the late run has ended", || self.hosts[at].family().len() == 1);
            assert_eq!(self.shared.stage.writes(), writes, "a late host has written");
        }
        if is_gone {
            let name = self.hosts[at].name.clone();
            let fresh = self.shared.serve(&name);
            drop(std::mem::replace(&mut self.hosts[at], fresh));
        }
        self.check(round, &kept);
    }

    fn delivered_passwords(&self) -> Vec<(String, String)> {
        let files = fs::read_dir(self.shared.stage.path("passwords")).unwrap().flatten();
        let read = |file: fs::DirEntry| {
            Some((file.file_name().into_string().ok()?, fs::read_to_string(file.path()).unwrap_or_default()))
        };
        files.filter_map(read).filter(|(_, password)| !password.is_empty()).collect()
    }

    /// Every token is there once, its password is where the playbook puts it, and what was delivered before the kill is as
    /// good as it was.
    fn check(&self, round: usize, kept: &[(String, String)]) {
        let stage = &self.shared.stage;
        let wanted: usize = (round + 1) * TOKENS;
        assert_eq!(stage.tokens().len(), wanted, "a token is missing, or an orphan is left");
        let delivered = self.delivered_passwords();
        assert_eq!(delivered.len(), wanted, "a password was lost");
        for (name, password) in &delivered {
            assert_eq!(Some(password), stage.password_of_token(name).as_ref(), "the password of {name} was lost");
        }
        assert!(kept.iter().all(|known| delivered.contains(known)), "a delivered password was replaced");
        let requests = stage.registry.requests();
        let count = |method: &str| requests.iter().filter(|request| request.method == method).count();
        assert_eq!(count("POST"), wanted + count("DELETE"), "a write was made twice");
    }
}

#[test]
fn two_hosts_on_one_database_survive_kills_at_every_boundary() {
    let Some(mut matrix) = Matrix::new() else { return };
    let all = VICTIMS.len() * MOMENTS.len();
    let rounds: usize = std::env::var("IONPLAY_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(5);
    for round in 0..rounds {
        // A few of all pairs where there are few rounds, each of them where there are many.
        let pair = (round * 7) % all;
        let (victim, moment) = (VICTIMS[pair % VICTIMS.len()], MOMENTS[pair / VICTIMS.len()]);
        eprintln!("round {round}: {victim:?}, {moment:?}");
        matrix.play(round, victim, moment);
    }
    let requests = matrix.shared.stage.registry.requests();
    let again = requests.iter().filter(|request| request.method == "DELETE").count();
    println!(
        "{rounds} kills and stops, {again} tokens with lost answers made again, 0 second writes, 0 lost passwords, 0 stuck jobs"
    );
}
