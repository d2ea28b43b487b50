//! A folder full of secrets, an account, and the built program between them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ionplay::sandbox::{Handle, Pace, SandboxOptions, Seed, start_server};
use ionplay::vars::vault;

/// The token of the account: from the environment.
const ACCOUNT: &str = "acctTok-9fQ2xLm7/Zk+3Rw=&vT5y";
/// The password of a proxy: from the environment.
const PROXY: &str = "pRoxyPw8zYk4Wd6Hn2";
/// Another password of the environment.
const ENVIRONMENT: &str = "envPw-6Jt3<Bq8>\"Xs'1Mc";
/// In a vault, with `mask_vault`.
const VAULT: &str = "vaultPw-7Gd2Np9Vr4Kx6Ls";
/// In a file of variables; a plain variable of a secret parameter.
const VARIABLE: &str = "varPw-5Hb8Tc3Yf1Qm9Ze";
/// Among the extra variables; a plain variable of a secret parameter.
const EXTRA: &str = "extraPw-2Kv7Rj4Wn8Sd5Pg";
/// As it is in a secret parameter.
const LITERAL: &str = "litPw-3Xq9Bz6Fh1Ty8Ck";
/// In the user information of an address.
const ADDRESS: &str = "urlPw-8Lw5Dn2Gx7Vj4Rb";
/// In the query of an address.
const QUERY: &str = "queryPw-4Sc1Mk9Pz6Ht3Qd";
/// A number.
const PIN: &str = "739184620571";

/// Everything the canary works with.
pub struct World {
    folder: tempfile::TempDir,
    server: Handle,
}

impl World {
    pub fn new() -> Self {
        let nothing = std::time::Duration::ZERO;
        let pace = Pace { new: nothing, storage: nothing, deletion: nothing };
        let tokens = vec![ACCOUNT.to_owned()];
        let server =
            start_server(SandboxOptions { seed: Seed::default(), pace, tokens, ..SandboxOptions::default() }).unwrap();
        let world = Self { folder: tempfile::tempdir().unwrap(), server };
        for folder in ["in", "work", "work/templates", "home", "tmp", "state", "target", "children"] {
            std::fs::create_dir_all(world.path(folder)).unwrap();
        }
        let vault = format!("vault_password: {VAULT}\nvault_pin: {PIN}\n");
        world.write("in/vault.yml", &vault::encrypt_text(vault.as_bytes(), b"vault-key-of-the-test", None, None));
        world.write("in/vault.key", "vault-key-of-the-test\n");
        world.write("in/seal.key", "seal-key-of-the-test-seal-key-of-the-test\n");
        world.write("in/vars.yml", &format!("var_password: {VARIABLE}\n"));
        world.write("in/extra.yml", &format!("extra_password: {EXTRA}\n"));
        world.write("work/templates/page.j2", include_str!("data/page.j2"));
        let fill = |text: &str| text.replace("LITERAL", LITERAL).replace("ADDRESS", ADDRESS).replace("QUERY", QUERY);
        world.write("work/site.yml", &fill(include_str!("data/site.yml")));
        world.write("work/failing.yml", &fill(include_str!("data/failing.yml")));
        world.write("work/mistakes.yml", &fill(include_str!("data/mistakes.yml")));
        world.write("work/child.sh", include_str!("data/child.sh"));
        world
    }

    /// The secrets that are there from the start.
    pub fn secrets(&self) -> Vec<(&'static str, String)> {
        let all = [
            ("token of the account", ACCOUNT),
            ("password of a proxy", PROXY),
            ("password of the environment", ENVIRONMENT),
            ("vaulted password", VAULT),
            ("vaulted number", PIN),
            ("variable", VARIABLE),
            ("extra variable", EXTRA),
            ("literal parameter", LITERAL),
            ("password of an address", ADDRESS),
            ("query of an address", QUERY),
        ];
        all.map(|(name, secret)| (name, secret.to_owned())).into()
    }

    /// The passwords of the tokens that were made: the playbook writes them into a file.
    pub fn new_passwords(&self) -> Vec<(&'static str, String)> {
        let written = std::fs::read_to_string(self.path("target/new-password")).unwrap_or_default();
        // What all passwords of the mock registry begin with is no secret.
        let written = written.trim().trim_start_matches("fake-password-");
        if written.is_empty() { Vec::new() } else { vec![("password of a new token", written.to_owned())] }
    }

    pub fn run(&self, args: &[&str]) -> Output {
        let starts_run = args.first().is_some_and(|first| first.ends_with(".yml") || *first == "plan")
            && args.get(1) != Some(&"show");
        let events = self.path("work/events.jsonl");
        let (events, folder) = (events.to_str().unwrap(), self.path("."));
        let mut command = Command::new(env!("CARGO_BIN_EXE_ionplay"));
        command.args(args);
        if starts_run {
            command.args(["-e", "@../in/extra.yml", "--vault-password-file", "../in/vault.key", "--mask-vault"]);
            if args[0] != "plan" {
                command.args(["--events", events]);
            }
        }
        command
            .current_dir(self.path("work"))
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.path("home"))
            .env("TMPDIR", self.path("tmp"))
            .env("LANG", "C.UTF-8")
            .env("COLUMNS", "100")
            .env("CANARY", folder)
            .env("IONPLAY_STATE_DIR", self.path("state"))
            .env("IONPLAY_SEAL_KEY_FILE", self.path("in/seal.key"))
            .env("IONPLAY_POLL_MS", "5")
            .env("IONPLAY_RETRY_BASE_MS", "1")
            .env("IONOS_API_URL", self.server.url())
            .env("IONOS_TOKEN", ACCOUNT)
            .env("IONOS_PASSWORD", ENVIRONMENT)
            .env("http_proxy", format!("http://me:{PROXY}@127.0.0.1:9"))
            .env("RUST_BACKTRACE", "1");
        if args.contains(&"open.plan") {
            command.env_remove("IONPLAY_SEAL_KEY_FILE");
        }
        command.stdin(Stdio::null()).output().unwrap()
    }

    /// What the program has written besides its streams: events, plans, saved passwords, temporary files, job files.
    /// What the playbook was told to write, and what it was given, do not count.
    pub fn written(&self) -> Vec<(String, Vec<u8>)> {
        let mut all = Vec::new();
        for folder in ["work", "home", "tmp", "state"] {
            self.collect(&self.path(folder), &mut all);
        }
        all.retain(|(name, _)| !name.ends_with(".yml") && !name.ends_with(".j2") && !name.ends_with(".sh"));
        all
    }

    /// What children of the program saw: its arguments and theirs, and what the program added to the environment.
    pub fn children(&self) -> Vec<(String, Vec<u8>)> {
        let mut all = Vec::new();
        self.collect(&self.path("children"), &mut all);
        for (name, bytes) in &mut all {
            if !name.ends_with("environ") {
                continue;
            }
            // Children inherit the environment, as with Ansible.
            let inherited = ["IONOS_TOKEN=", "IONOS_PASSWORD=", "http_proxy="];
            let entries = bytes.split(|byte| *byte == 0);
            let added = entries.filter(|entry| !inherited.iter().any(|name| entry.starts_with(name.as_bytes())));
            *bytes = added.collect::<Vec<_>>().join(&b'\n');
        }
        all
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn collect(&self, folder: &Path, all: &mut Vec<(String, Vec<u8>)>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                self.collect(&path, all);
            } else {
                let name = path.strip_prefix(self.folder.path()).unwrap().display().to_string();
                all.push((name, std::fs::read(&path).unwrap_or_default()));
            }
        }
    }
}
