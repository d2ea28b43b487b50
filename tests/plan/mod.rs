//! `ionplay plan` and `ionplay apply` from outside.

mod apply;
mod dry;
mod files;
mod refuse;
mod schema;
mod seal;
mod unknown;

use std::path::Path;
use std::process::{Command, Output};

use ionplay::sandbox::{self, Handle, Seed};

/// A registry and a token in it, out of nothing.
const PLAYBOOK: &str = "- hosts: localhost
  gather_facts: false
  tasks:
    - name: registry
      ionoscloudsdk.ionoscloud.registry: {name: fresh, location: de/fra}
      register: made
    - name: token
      ionoscloudsdk.ionoscloud.registry_token: {registry: '{{ made.registry.id }}', name: ci, expiry_date: +30d}
";

/// A folder with a playbook, and an account.
struct Desk {
    folder: tempfile::TempDir,
    server: Handle,
}

impl Desk {
    /// With this as `site.yml`, and an empty account.
    fn new(playbook: &str) -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap(), server: account() };
        desk.write("site.yml", playbook);
        desk
    }

    /// A play on this machine with these tasks.
    fn with_tasks(tasks: &str) -> Self {
        Self::new(&format!("- hosts: localhost\n  gather_facts: false\n  tasks:\n{tasks}"))
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    fn run_on(&self, server: &Handle, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_ionplay"))
            .args(args)
            .current_dir(self.path())
            .env("IONPLAY_STATE_DIR", self.path().join("state"))
            .env("IONOS_API_URL", server.url())
            .env("IONOS_TOKEN", sandbox::TOKEN)
            .env("IONPLAY_POLL_MS", "10")
            .env("COLUMNS", "120")
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap()
    }

    /// What a command says on both streams, and its status.
    fn says_on(&self, server: &Handle, args: &[&str]) -> (i32, String) {
        let output = self.run_on(server, args);
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code().unwrap_or(-1), text)
    }

    fn says(&self, args: &[&str]) -> (i32, String) {
        self.says_on(&self.server, args)
    }

    #[track_caller]
    fn ends(&self, args: &[&str], status: i32, says: &str) {
        let (was, text) = self.says(args);
        assert_eq!(was, status, "{args:?}: {text}");
        assert!(text.contains(says), "{args:?}: {text}");
    }

    /// How many writing requests the account has seen.
    fn writes(&self) -> usize {
        self.server.requests().iter().filter(|request| request.is_write()).count()
    }
}

/// An account without registries, in which nobody waits.
fn account() -> Handle {
    sandbox::start_server(options()).unwrap()
}

fn options() -> sandbox::SandboxOptions {
    let nothing = std::time::Duration::ZERO;
    let pace = sandbox::Pace { new: nothing, storage: nothing, deletion: nothing };
    sandbox::SandboxOptions { seed: Seed::default(), pace, ..sandbox::SandboxOptions::default() }
}
