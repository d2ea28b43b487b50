//! A PostgreSQL of the system's package in a temporary folder. Where there is none, tests say that they are skipped.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};

use tempfile::TempDir;

/// A server; it ends with its last user.
pub struct Server {
    programs: PathBuf,
    folder: TempDir,
}

/// A database of its own on the server.
pub struct Database {
    pub server: Arc<Server>,
    pub name: String,
}

static SERVER: Mutex<Weak<Server>> = Mutex::new(Weak::new());
static NUMBER: AtomicUsize = AtomicUsize::new(0);

/// Returns the folder with the server's programs: the newest version that is installed.
fn find_programs() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|entry| entry.path().join("bin"));
    folders.filter(|folder| folder.join("initdb").exists()).max()
}

impl Server {
    fn start() -> Option<Arc<Self>> {
        let programs = find_programs()?;
        let folder = tempfile::Builder::new().prefix("pg-").tempdir().unwrap();
        let server = Self { programs, folder };
        if rustix::process::geteuid().is_root() {
            let chown = Command::new("chown").arg("postgres").arg(server.folder.path()).status().ok()?;
            chown.success().then_some(())?;
        }
        let data = server.data();
        server.check("initdb", &["-D", &data, "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8"]);
        server.boot();
        Some(Arc::new(server))
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    /// Starts it, the first time or again.
    pub fn boot(&self) {
        let folder = self.folder.path().display();
        let options = format!("-k '{folder}' -c listen_addresses='' -c fsync=off -c max_connections=300");
        let log = format!("{folder}/log");
        self.check("pg_ctl", &["-D", &self.data(), "-w", "-t", "120", "-l", &log, "-o", &options, "start"]);
    }

    /// Ends it as a crash would.
    pub fn crash(&self) {
        self.check("pg_ctl", &["-D", &self.data(), "-w", "-m", "immediate", "stop"]);
    }

    /// Runs one of its programs as the user that may.
    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let path = self.programs.join(program);
        let mut command = if rustix::process::geteuid().is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.args(arguments).current_dir("/").env("LC_ALL", "C").stdin(std::process::Stdio::null());
        command.output().unwrap()
    }

    #[track_caller]
    fn check(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.run(program, arguments);
        assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The folder with its socket.
    pub fn socket(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "stop"]);
    }
}

impl Database {
    /// Makes a new database; says so and returns nothing where there is no server.
    pub fn create() -> Option<Self> {
        let server = {
            let mut shared = SERVER.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            match shared.upgrade() {
                Some(server) => server,
                None => {
                    let Some(server) = Server::start() else {
                        eprintln!("skipped: there is no PostgreSQL server (Debian package `postgresql`)");
                        return None;
                    };
                    *shared = Arc::downgrade(&server);
                    server
                }
            }
        };
        Some(Self::on(server))
    }

    /// Makes a server of its own, for tests that end it.
    #[allow(dead_code, reason = "not every user of this file ends servers")]
    pub fn alone() -> Option<Self> {
        let server = Server::start();
        if server.is_none() {
            eprintln!("skipped: there is no PostgreSQL server (Debian package `postgresql`)");
        }
        server.map(Self::on)
    }

    fn on(server: Arc<Server>) -> Self {
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let database = Self { server, name };
        database.server.check(
            "psql",
            &["-h", &database.host(), "-U", "postgres", "-qc", &format!("create database {}", database.name)],
        );
        database
    }

    fn host(&self) -> String {
        self.server.socket().display().to_string()
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("host={} user=postgres dbname={}", self.host(), self.name)
    }

    /// Runs statements, and returns what they give, one row a line.
    #[track_caller]
    pub fn query(&self, sql: &str) -> String {
        self.server
            .check("psql", &["-h", &self.host(), "-U", "postgres", "-d", &self.name, "-qAtc", sql])
            .trim()
            .to_owned()
    }
}
