//! A stage: a sandbox with an account on it, and the built program that plays against it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use ionplay::sandbox::{Handle, InjectedFault, RequestRecord, SandboxOptions, Seed, start_server};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

/// The id of registry `reg-a`.
pub const REG_A: &str = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
/// The id of registry `reg-b`.
pub const REG_B: &str = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb";
/// The id of token `tok1`.
pub const TOK1: &str = "11111111-0000-4000-8000-000000000000";
/// The id of token `tok2`.
pub const TOK2: &str = "22222222-0000-4000-8000-000000000000";

/// What the sandbox accepts. No output may ever show either.
pub const TOKEN: &str = "secret-token";
/// The password that goes with `user@example.org`.
pub const PASSWORD: &str = "secret-password";

/// What the passwords of new tokens begin with.
pub const NEW_PASSWORD: &str = "fake-password-";

/// A sandbox and a folder to run in.
pub struct Stage {
    /// The server.
    pub sandbox: Handle,
    /// Where the program runs.
    pub folder: TempDir,
    env: Vec<(String, String)>,
}

/// What a run showed.
pub struct Played {
    /// The exit code; -1 when a signal ended it.
    pub code: i32,
    /// What was printed.
    pub stdout: String,
    /// What was complained about.
    pub stderr: String,
    /// The events.
    pub events: Vec<Json>,
    /// The raw text of the events.
    pub events_text: String,
    /// What was asked of the server during the run.
    pub requests: Vec<RequestRecord>,
}

/// A registry with the two tokens of the recorded cases, and an empty one.
pub fn two_tokens() -> Json {
    let tok1 = json!({"id": TOK1, "name": "tok1", "status": "enabled", "scopes": [pull_push()]});
    let tok2 =
        json!({"id": TOK2, "name": "tok2", "status": "disabled", "expiryDate": "2030-01-02T03:04:05Z", "scopes": []});
    json!({"registries": [{"id": REG_A, "name": "reg-a", "tokens": [tok1, tok2]}, {"id": REG_B, "name": "reg-b"}]})
}

/// A registry without tokens, and another.
pub fn no_tokens() -> Json {
    json!({"registries": [{"id": REG_A, "name": "reg-a"}, {"id": REG_B, "name": "reg-b"}]})
}

/// The scope of the documentation.
pub fn pull_push() -> Json {
    json!({"actions": ["pull", "push"], "name": "nume", "type": "repository"})
}

/// How the recorded cases' server behaves.
pub fn options(seed: &Json, faults: &[&str]) -> SandboxOptions {
    SandboxOptions {
        seed: Seed::parse_seed(&seed.to_string()).unwrap(),
        faults: faults.iter().map(|fault| InjectedFault::parse_fault(fault).unwrap()).collect(),
        tokens: vec![TOKEN.to_owned()],
        logins: vec![("user@example.org".to_owned(), PASSWORD.to_owned())],
        any_token_name: true,
        ..SandboxOptions::default()
    }
}

impl Stage {
    /// A server with these options; its address and the accepted token are in the environment.
    pub fn new(options: SandboxOptions) -> Self {
        let sandbox = start_server(options).unwrap();
        let folder = tempfile::Builder::new().prefix("registry-").tempdir().unwrap();
        let mut stage = Self { sandbox, folder, env: Vec::new() };
        let url = stage.sandbox.url();
        for (name, value) in [
            ("PATH", "/usr/bin:/bin"),
            ("LANG", "C.UTF-8"),
            ("NO_COLOR", "1"),
            ("IONPLAY_RETRY_BASE_MS", "1"),
            ("IONPLAY_POLL_MS", "5"),
            ("IONOS_TOKEN", TOKEN),
            ("IONOS_API_URL", &url),
        ] {
            stage.set(name, Some(value));
        }
        let home = stage.folder.path().to_str().unwrap().to_owned();
        stage.set("HOME", Some(&home));
        stage
    }

    /// A server with this seed and these faults.
    pub fn with(seed: &Json, faults: &[&str]) -> Self {
        Self::new(options(seed, faults))
    }

    /// Sets a variable of the environment, or takes it away.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        self.env.retain(|(known, _)| known != name);
        self.env.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    }

    /// Runs one registry token task with these arguments.
    pub fn task(&self, args: Json) -> Played {
        self.tasks(&[args], &[])
    }

    /// Runs a registry token task for each of these arguments.
    pub fn tasks(&self, args: &[Json], options: &[&str]) -> Played {
        self.play_module("registry_token", args, options)
    }

    /// Runs a task of a module of the collection for each of these arguments; `NAME_info` is one too.
    pub fn play_module(&self, module: &str, args: &[Json], options: &[&str]) -> Played {
        let key = format!("ionoscloudsdk.ionoscloud.{module}");
        let task = |(index, args): (usize, &Json)| json!({"name": format!("task {}", index + 1), &key: args, "register": format!("r{}", index + 1)});
        let tasks: Vec<Json> = args.iter().enumerate().map(task).collect();
        self.play(&json!(tasks).to_string(), options)
    }

    /// Runs a playbook.
    pub fn play(&self, playbook: &str, options: &[&str]) -> Played {
        let path = self.folder.path().join("playbook.yml");
        std::fs::write(&path, playbook).unwrap();
        self.run(&[&["playbook.yml"], options].concat())
    }

    /// Runs a playbook and interrupts it once, as soon as something holds.
    pub fn interrupted(&self, playbook: &str, holds: impl Fn() -> bool) -> Played {
        self.signalled("-INT", playbook, holds)
    }

    /// Runs a playbook and sends it a signal, as soon as something holds.
    pub fn signalled(&self, signal: &str, playbook: &str, holds: impl Fn() -> bool) -> Played {
        std::fs::write(self.folder.path().join("playbook.yml"), playbook).unwrap();
        let (mut command, events) = self.command(&["playbook.yml"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        while !holds() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let told = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(told.success());
        self.played(child.wait_with_output().unwrap(), &events)
    }

    /// Runs the program.
    pub fn run(&self, args: &[&str]) -> Played {
        let (mut command, events) = self.command(args);
        let output = command.output().unwrap();
        self.played(output, &events)
    }

    fn command(&self, args: &[&str]) -> (Command, PathBuf) {
        let events = self.folder.path().join("events.jsonl");
        // A run that fails early leaves the file of the run before.
        let _ = std::fs::remove_file(&events);
        self.sandbox.clear_requests();
        let mut command = self.program(args);
        command.args([Path::new("--events"), &events]);
        (command, events)
    }

    /// The program, in this environment.
    pub fn program(&self, args: &[&str]) -> Command {
        // Long runs use a copy of the program, so that a build does not change it under them.
        let program = std::env::var_os("IONPLAY_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_ionplay").into());
        let mut command = Command::new(program);
        command
            .args(args)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    fn played(&self, output: Output, events: &Path) -> Played {
        let events_text = std::fs::read_to_string(events).unwrap_or_default();
        Played {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            events: events_text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
            events_text,
            requests: self.sandbox.requests(),
        }
    }

    /// A token as the server has it now: name, status, expiry, scopes.
    pub fn token(&self, name: &str) -> Option<Json> {
        let store = self.sandbox.read_store();
        let token = store.registries.iter().flat_map(|registry| &registry.tokens).find(|token| token.name == name)?;
        Some(json!({
            "name": token.name,
            "status": token.status,
            "expiry": token.expiry.map(|at| at.to_api()),
            "scopes": token.scopes.as_ref().map(|scopes| serde_json::to_value(scopes).unwrap()),
        }))
    }

    /// The names of all tokens that the server has now.
    pub fn names(&self) -> Vec<String> {
        self.sandbox.read_store().registries.iter().flat_map(|r| &r.tokens).map(|token| token.name.clone()).collect()
    }
}

impl Played {
    /// The result events of the tasks.
    pub fn hosts(&self) -> Vec<&Json> {
        self.events.iter().filter(|event| event["event"] == "host").collect()
    }

    /// How the last task ended: `ok`, `changed`, `failed`, ...; `stopped` if the run was refused before any task.
    pub fn outcome(&self) -> &str {
        self.hosts().last().map_or("stopped", |event| event["status"].as_str().unwrap())
    }

    /// The result of the last task.
    pub fn result(&self) -> &Json {
        self.hosts().last().map_or(&Json::Null, |event| &event["result"])
    }

    /// The message of the last task; the first complaint if there was none.
    pub fn message(&self) -> String {
        match self.hosts().last() {
            Some(event) => event["result"]["msg"].as_str().unwrap_or_default().to_owned(),
            None => {
                let mut errors = self.stderr.lines().filter_map(|line| line.strip_prefix("error: "));
                errors.next().unwrap_or_default().to_owned()
            }
        }
    }

    /// The requests as lines, with names in place of the known ids.
    pub fn calls(&self) -> Vec<String> {
        self.requests.iter().map(call).collect()
    }

    /// The bodies of the writing requests.
    pub fn bodies(&self) -> Vec<Json> {
        let sent = self.requests.iter().filter(|request| request.is_write() && !request.body.is_empty());
        sent.map(|request| serde_json::from_str(&request.body).unwrap()).collect()
    }

    /// Everything that anybody could read of it.
    pub fn everything(&self) -> String {
        format!("{}\n{}\n{}", self.stdout, self.stderr, self.events_text)
    }
}

/// A request as a line.
pub fn call(entry: &RequestRecord) -> String {
    let ended = match (entry.status, entry.fault) {
        (_, Some("truncate")) => "truncated".to_owned(),
        (_, Some(kind @ ("malformed" | "empty" | "html"))) => kind.to_owned(),
        (Some(status), _) => status.to_string(),
        (None, _) => "reset".to_owned(),
    };
    named(&format!("{} {} {ended}", entry.method, entry.path))
}

/// A text with names in place of the known ids.
pub fn named(text: &str) -> String {
    [(REG_A, "{reg-a}"), (REG_B, "{reg-b}"), (TOK1, "{tok1}"), (TOK2, "{tok2}")]
        .iter()
        .fold(text.to_owned(), |text, (id, name)| text.replace(id, name))
}
