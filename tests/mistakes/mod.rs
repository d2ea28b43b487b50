//! Answers to typical mistakes: each case is a small input with one mistake, and what a good answer to it has.
//!
//! A case gives up to three points: the place, the reason with its remedy, and the manner (exit status, one message, before
//! the first request). `MISTAKE_CASE=text` selects some cases. `known-failures.txt` lists the points that are still lost;
//! it may only shrink.

mod judge;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use judge::{Answer, lost_points};
use serde_json::Value as Json;

fn folder() -> PathBuf {
    crate::root().join("tests/mistakes")
}

/// A case as it is described.
struct Case {
    name: String,
    about: Json,
}

impl Case {
    fn all() -> Vec<Self> {
        let wanted = std::env::var("MISTAKE_CASE").unwrap_or_default();
        let mut names: Vec<String> = fs::read_dir(folder().join("cases"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .filter(|name| name.contains(&wanted))
            .collect();
        names.sort();
        let read = |name: String| {
            let text = fs::read_to_string(folder().join("cases").join(&name).join("case.json")).unwrap();
            Self { name, about: serde_json::from_str(&text).unwrap() }
        };
        names.into_iter().map(read).collect()
    }

    fn words(&self, key: &str, default: &[&str]) -> Vec<String> {
        match self.about[key].as_array() {
            Some(words) => words.iter().map(|word| word.as_str().unwrap().to_owned()).collect(),
            None => default.iter().map(|word| (*word).to_owned()).collect(),
        }
    }

    /// The outcomes that are accepted, the main one first.
    fn outcomes(&self) -> Vec<&Json> {
        std::iter::once(&self.about).chain(self.about["or"].as_array().into_iter().flatten()).collect()
    }

    /// The points that the best accepted outcome loses.
    fn judge(&self) -> Vec<String> {
        let answer = self.run(&self.words("command", &["--sandbox", "playbook.yml"]));
        let needs_lint = self.outcomes().iter().any(|outcome| outcome["lint"] == true);
        let lint = needs_lint.then(|| {
            let words = self.words("lint_command", &["playbook.yml"]);
            self.run(&[vec!["lint".to_owned()], words].concat()).text
        });
        let lost =
            self.outcomes().into_iter().map(|outcome| lost_points(outcome, &answer, lint.as_deref().unwrap_or("")));
        lost.min_by_key(Vec::len).unwrap()
    }

    /// Runs the program in a fresh copy of the case, both streams in the order in which they were written.
    fn run(&self, words: &[String]) -> Answer {
        let stage = tempfile::tempdir().unwrap();
        let work = stage.path().join("work");
        copy(&folder().join("cases").join(&self.name), &work);
        fs::remove_file(work.join("case.json")).unwrap();
        let home = stage.path().join("home");
        fs::create_dir(&home).unwrap();
        let both = fs::File::create(stage.path().join("output")).unwrap();
        let input = match self.about["stdin"].as_str() {
            Some(file) => Stdio::from(fs::File::open(work.join(file)).unwrap()),
            None => Stdio::null(),
        };
        let status = Command::new(env!("CARGO_BIN_EXE_ionplay"))
            .args(words)
            .current_dir(&work)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(["HOME", "TMPDIR", "XDG_STATE_HOME"].map(|name| (name, &home)))
            .env("IONPLAY_STATE_DIR", home.join("state"))
            .envs([("LANG", "C.UTF-8"), ("LC_ALL", "C.UTF-8"), ("TZ", "UTC"), ("NO_COLOR", "1"), ("COLUMNS", "120")])
            .stdin(input)
            .stdout(both.try_clone().unwrap())
            .stderr(both)
            .status()
            .unwrap();
        let text = String::from_utf8_lossy(&fs::read(stage.path().join("output")).unwrap()).into_owned();
        Answer { exit: i64::from(status.code().unwrap_or(-1)), text }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn mistakes_are_answered_with_place_reason_and_remedy() {
    let known: BTreeSet<String> = fs::read_to_string(folder().join("known-failures.txt"))
        .unwrap_or_default()
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    let cases = Mutex::new(Case::all());
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(case) = cases.lock().unwrap().pop() else { break };
                    let lost = case.judge();
                    found.lock().unwrap().extend(lost.into_iter().map(|why| (case.name.clone(), why)));
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap();
    found.sort();
    let points: BTreeSet<String> =
        found.iter().map(|(name, why)| format!("{name} {}", why.split(':').next().unwrap_or_default())).collect();
    let news: Vec<String> = found
        .iter()
        .filter(|(name, why)| !known.contains(&format!("{name} {}", why.split(':').next().unwrap_or_default())))
        .map(|(name, why)| format!("{name}  {why}"))
        .collect();
    assert!(news.is_empty(), "points are lost:\n{}", news.join("\n"));
    let mended: Vec<&String> = known.difference(&points).collect();
    let all = std::env::var_os("MISTAKE_CASE").is_none();
    assert!(!all || mended.is_empty(), "no longer lost, remove from known-failures.txt: {mended:?}");
}
