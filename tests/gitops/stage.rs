//! A repository, a mock registry that outlives every process, and a `gitops.yml`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use ionplay::sandbox::{Handle, InjectedFault, SandboxOptions, Seed, password_of, start_server};
use rustix::process::Pid;
use serde_json::Value as Json;
use tempfile::TempDir;

/// The token of the account; no output may show it.
pub const ACCOUNT: &str = "account-secret-4711";

pub struct Stage {
    pub registry: Handle,
    pub folder: TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    #[track_caller]
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }
}

/// A task that keeps a token.
pub fn token(name: &str, status: &str) -> String {
    format!("    - registry_token: {{registry: demo, name: {name}, status: {status}, scopes: []}}\n")
}

/// A playbook of these tasks.
pub fn playbook(tasks: &str) -> String {
    format!("- hosts: localhost\n  gather_facts: false\n  tasks:\n{tasks}")
}

impl Stage {
    /// With these lines for the job `tokens` besides its repository, playbook and environment.
    pub fn new(job: &str) -> Self {
        Self::with_faults(job, &[])
    }

    /// The same with a registry API that has faults.
    pub fn with_faults(job: &str, faults: &[&str]) -> Self {
        let options = SandboxOptions {
            seed: Seed::parse_seed("registries: [{name: demo}]").unwrap(),
            tokens: vec![ACCOUNT.to_owned()],
            faults: faults.iter().map(|fault| InjectedFault::parse_fault(fault).unwrap()).collect(),
            ..SandboxOptions::default()
        };
        let registry = start_server(options).unwrap();
        let folder = tempfile::Builder::new().prefix("gitops-").tempdir().unwrap();
        let stage = Self { registry, folder };
        fs::create_dir(stage.repository()).unwrap();
        stage.git(&["init", "--quiet", "--initial-branch=main"]);
        fs::write(stage.path("account"), ACCOUNT).unwrap();
        stage.configure(job);
        stage
    }

    /// Writes the file.
    pub fn configure(&self, job: &str) {
        self.configure_file(&format!("jobs:\n  tokens:\n{}{job}", self.job()));
    }

    /// Writes the file with other jobs.
    pub fn configure_file(&self, rest: &str) {
        let text = format!("version: 1\nhost: runner-1\nstate_dir: state\n{rest}");
        fs::write(self.path("gitops.yml"), text).unwrap();
    }

    /// What every job of the stage has.
    pub fn job(&self) -> String {
        format!(
            "    git: {{url: repository, branch: main}}\n    playbook: site.yml\n    environment: {{IONOS_API_URL: \
             '{}', IONOS_TOKEN: {{file: account}}}}\n",
            self.registry.url()
        )
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn repository(&self) -> PathBuf {
        self.path("repository")
    }

    #[track_caller]
    pub fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=Anna", "-c", "user.email=anna@example.com", "-c", "gpg.format=ssh"])
            .args(arguments)
            .current_dir(self.repository())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Commits a playbook of these tasks, and returns the commit.
    #[track_caller]
    pub fn push(&self, tasks: &str) -> String {
        self.push_with(&playbook(tasks), &[])
    }

    #[track_caller]
    pub fn push_with(&self, text: &str, options: &[&str]) -> String {
        fs::write(self.repository().join("site.yml"), text).unwrap();
        self.git(&["add", "--all"]);
        let mut arguments = vec!["commit", "--quiet", "--allow-empty", "--message=change"];
        arguments.splice(0..0, options.iter().copied());
        self.git(&arguments);
        self.head()
    }

    pub fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ionplay"));
        let (verb, rest) = arguments.split_first().unwrap();
        command.args(["gitops", verb, "gitops.yml"]).args(rest).current_dir(self.folder.path());
        command.env("HOME", self.folder.path()).env_remove("IONOS_TOKEN").env_remove("IONOS_API_URL");
        command
    }

    /// Runs `ionplay gitops VERB gitops.yml REST`.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        ended(&self.command(arguments).output().unwrap())
    }

    #[track_caller]
    pub fn once(&self, code: i32) -> Ended {
        self.run(&["once"]).expect(code)
    }

    /// The status of the job `tokens`.
    #[track_caller]
    pub fn status(&self) -> Json {
        self.run(&["status", "tokens", "--json"]).json()["jobs"][0].clone()
    }

    #[track_caller]
    pub fn history(&self) -> Vec<Json> {
        self.run(&["history", "tokens", "--json"]).expect(0).json().as_array().unwrap().clone()
    }

    /// The id of the run that waits.
    #[track_caller]
    pub fn waiting(&self) -> String {
        self.status()["waiting"]["run"].as_str().expect("no run waits").to_owned()
    }

    /// Names of the tokens that are there, with their status.
    pub fn tokens(&self) -> Vec<(String, String)> {
        let store = self.registry.read_store();
        let mut tokens: Vec<(String, String)> = store
            .registries
            .iter()
            .flat_map(|registry| &registry.tokens)
            .map(|token| (token.name.clone(), token.status.clone()))
            .collect();
        tokens.sort();
        tokens
    }

    /// The password of a token that is there, as only the answer to its creation has it.
    pub fn password_of_token(&self, name: &str) -> Option<String> {
        let store = self.registry.read_store();
        let mut tokens = store.registries.iter().flat_map(|registry| &registry.tokens);
        tokens.find(|token| token.name == name).map(|token| password_of(token.id))
    }

    /// How many writing requests there were so far.
    pub fn writes(&self) -> usize {
        self.registry.requests().iter().filter(|request| request.is_write()).count()
    }

    /// Everything below the state folder as text, to look for secrets.
    pub fn state_text(&self) -> String {
        fn collect(folder: &Path, text: &mut String) {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    collect(&path, text);
                } else {
                    text.push_str(&String::from_utf8_lossy(&fs::read(path).unwrap_or_default()));
                }
            }
        }
        let mut text = String::new();
        collect(&self.path("state"), &mut text);
        text
    }
}

pub fn ended(output: &Output) -> Ended {
    Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Waits until something holds; what does not within three minutes never will, also on a busy machine.
#[track_caller]
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(180), "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(30));
    }
}

/// A process and those that it has started, directly or not.
pub fn family(of: u32) -> Vec<Pid> {
    let stat = |id: &str| fs::read_to_string(format!("/proc/{id}/stat")).ok();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let parents: Vec<(i32, i32)> = processes
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let id: i32 = name.parse().ok()?;
            let stat = stat(&name)?;
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
            Some((id, parent))
        })
        .collect();
    let mut family: Vec<Pid> = i32::try_from(of).ok().and_then(Pid::from_raw).into_iter().collect();
    let mut at = 0;
    while at < family.len() {
        let parent = family[at].as_raw_nonzero().get();
        family.extend(parents.iter().filter(|(_, of)| *of == parent).filter_map(|(id, _)| Pid::from_raw(*id)));
        at += 1;
    }
    family
}
