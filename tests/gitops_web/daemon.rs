//! A real daemon over a real repository.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use reqwest::Client;
use serde_json::Value as Json;

use super::tools::run_well;

/// Token of the API.
pub const TOKEN: &str = "t0ken";

/// Secret of all hooks.
pub const SECRET: &str = "s3cret";

/// `ionplay gitops serve --sandbox` in a folder of its own.
pub struct Daemon {
    child: Child,
    /// Address of the page.
    pub base: String,
    /// Client of the API.
    pub client: Client,
    _folder: tempfile::TempDir,
}

impl Daemon {
    /// Starts a daemon for these jobs (the value of `jobs:`, with `REPO` and `HOOK` for the paths) and this playbook.
    pub fn start(jobs: &str, playbook: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let repository = path.join("repository");
        fs::create_dir(&repository).unwrap();
        git(&repository, &["init", "--quiet", "--initial-branch=main"]);
        fs::write(repository.join("site.yml"), playbook).unwrap();
        git(&repository, &["add", "."]);
        git(&repository, &["commit", "--quiet", "--message=first"]);
        fs::write(path.join("token"), TOKEN).unwrap();
        fs::write(path.join("hook"), SECRET).unwrap();
        let jobs =
            jobs.replace("REPO", repository.to_str().unwrap()).replace("HOOK", path.join("hook").to_str().unwrap());
        let file = format!(
            "version: 1\nhost: web\nstate_dir: {0}/state\nserver: {{listen: \"127.0.0.1:0\", token_file: {0}/token}}\n\
             defaults: {{poll: 1h}}\njobs:\n{jobs}",
            path.display()
        );
        fs::write(path.join("gitops.yml"), file).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_ionplay"));
        command.args(["gitops", "serve", "--sandbox"]).arg(path.join("gitops.yml"));
        let mut child = command.env("HOME", path).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, receiver) = mpsc::channel();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                eprintln!("{line}");
                if let Some((_, address)) = line.split_once("listening on ") {
                    let _ = sender.send(address.trim().to_owned());
                }
            }
        });
        let base = receiver.recv_timeout(Duration::from_secs(60)).expect("the daemon names its address");
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().build().unwrap();
        Self { child, base, client, _folder: folder }
    }

    /// Returns a document of the API.
    pub async fn get(&self, path: &str) -> Json {
        self.client.get(format!("{}{path}", self.base)).send().await.unwrap().json().await.unwrap()
    }

    /// Sends a signed hook; returns status and answer.
    pub async fn send_hook(&self, job: &str) -> (u16, Json) {
        let url = format!("{}/hooks/{job}", self.base);
        let answer = self.client.post(url).header("x-gitlab-token", SECRET).body("{}").send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Waits until a job is in a state, and returns its status.
    pub async fn wait_for_state(&self, job: &str, state: &str) -> Json {
        let mut last = Json::Null;
        for _ in 0..1200 {
            let status = self.get("/api/v1/status").await;
            let found = status["jobs"].as_array().unwrap().iter().find(|found| found["job"] == job).unwrap();
            if found["state"] == state {
                return found.clone();
            }
            last = found.clone();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("job `{job}` did not become {state}: {last}");
    }

    /// Waits until the metrics have this line.
    pub async fn wait_for_metric(&self, line: &str) {
        let mut metrics = String::new();
        for _ in 0..1200 {
            metrics = self.client.get(format!("{}/metrics", self.base)).send().await.unwrap().text().await.unwrap();
            if metrics.lines().any(|found| found == line) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("`{line}` is missing in\n{metrics}");
    }

    /// Asks the daemon to end, and checks that it does so with success.
    pub fn end(mut self) {
        run_well(Command::new("kill").args(["-TERM", &self.child.id().to_string()]));
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.current_dir(folder).args(["-c", "user.name=anna", "-c", "user.email=anna@example.com"]).args(arguments);
    run_well(command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1"));
}
