//! Runs a case: a throw-away copy of its folder, a clean environment, a limit of time.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fancy_regex::Regex;
use serde_json::{Value as Json, json};

use super::case::Case;
use super::web::Web;

const LIMIT: Duration = Duration::from_secs(30);

/// What a run gave.
pub struct Run {
    /// The exit code; -1 when a signal ended it.
    pub exit_code: i32,
    /// What was printed, without colours.
    pub stdout: String,
    /// What was complained about, without colours.
    pub stderr: String,
    /// The events as they were written.
    pub events: Vec<Json>,
    /// Whether it had to be ended.
    pub timed_out: bool,
    /// What stands for what in texts.
    pub replace: Vec<(String, &'static str)>,
}

impl Run {
    /// A text with the run's own paths and address replaced.
    pub fn neutral(&self, text: &str) -> String {
        self.replace.iter().fold(text.to_owned(), |text, (own, name)| text.replace(own, name))
    }
}

/// Runs a case with the built program.
pub fn run(case: &Case) -> Run {
    let top = tempfile::Builder::new().prefix("conformance-").tempdir().unwrap();
    let root = top.path().canonicalize().unwrap();
    let [work, home, tmp] = ["case", "home", "tmp"].map(|name| root.join(name));
    copy(&case.folder, &work, &["expected.json", "case.json", "args"]);
    fs::create_dir(&home).unwrap();
    fs::create_dir(&tmp).unwrap();
    let events = root.join("events.jsonl");
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let mut replace = vec![(text(&work), "<CASE>"), (text(&home), "<HOME>"), (text(&tmp), "<TMP>")];

    // The shell is there for the umask only.
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "umask 022; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_ionplay")]);
    if !case.meta.no_playbook_arg {
        command.arg("playbook.yml");
    }
    command.args(&case.args).current_dir(&work).env_clear();
    let kept = |name: &str, or: &str| std::env::var(name).unwrap_or_else(|_| or.to_owned());
    command
        .env("PATH", kept("PATH", "/usr/bin:/bin"))
        .env("USER", kept("USER", "root"))
        .env("LOGNAME", kept("LOGNAME", "root"));
    command.env("HOME", &home).env("TMPDIR", &tmp).env("CONF_CASE", &work).env("ANSIBLE_ASYNC_DIR", tmp.join("async"));
    for (name, value) in
        [("LANG", "C.UTF-8"), ("LC_ALL", "C.UTF-8"), ("TZ", "UTC"), ("NO_COLOR", "1"), ("COLUMNS", "80")]
    {
        command.env(name, value);
    }
    let web = case.meta.http.then(Web::start);
    if let Some(web) = &web {
        command.env("CONF_HTTP_URL", &web.url);
        replace.push((web.url.clone(), "<HTTP>"));
    }
    command.envs(&case.meta.env).env("PLAYBOOK_EVENTS_FILE", &events);

    let [out, err] = ["stdout", "stderr"].map(|name| root.join(name));
    command.stdin(Stdio::null()).stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap());
    // A group of its own: what it started ends with it.
    let mut child = command.process_group(0).spawn().unwrap();
    let begun = Instant::now();
    let (status, timed_out) = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break (status, false);
        }
        if begun.elapsed() > LIMIT {
            if let Some(group) = rustix::process::Pid::from_raw(child.id().cast_signed()) {
                let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            }
            break (child.wait().unwrap(), true);
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let colours = Regex::new(r"\x1b\[[0-9;]*[A-Za-z]").unwrap();
    let read = |path: &Path| {
        let bytes = fs::read(path).unwrap_or_default();
        colours.replace_all(&String::from_utf8_lossy(&bytes), "").into_owned()
    };
    let events = String::from_utf8_lossy(&fs::read(&events).unwrap_or_default()).lines().map(event).collect();
    Run { exit_code: status.code().unwrap_or(-1), stdout: read(&out), stderr: read(&err), events, timed_out, replace }
}

/// A line of the stream; one that is no JSON becomes an event that matches nothing.
fn event(line: &str) -> Json {
    serde_json::from_str(line).unwrap_or_else(|why| json!({"event": "broken", "why": format!("`{line}`: {why}")}))
}

fn copy(from: &Path, to: &Path, but: &[&str]) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if but.iter().any(|no| name == *no) {
            continue;
        }
        if entry.path().is_dir() {
            copy(&entry.path(), &to.join(name), &[]);
        } else {
            fs::copy(entry.path(), to.join(name)).unwrap();
        }
    }
}
