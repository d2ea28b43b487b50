//! Tells the program which commit and target it was built from.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=src/build.rs");
    println!("cargo::rerun-if-env-changed=IONPLAY_COMMIT");
    let target = std::env::var("TARGET").unwrap_or_else(|_| "unknown target".to_owned());
    println!("cargo::rustc-env=IONPLAY_TARGET={target}");
    println!("cargo::rustc-env=IONPLAY_COMMIT={}", find_commit().unwrap_or_else(|| "unknown commit".to_owned()));
}

/// The commit that the builder names, or that is checked out. Development builds do not ask: each commit would build anew.
fn find_commit() -> Option<String> {
    if let Ok(named) = std::env::var("IONPLAY_COMMIT") {
        return Some(named).filter(|named| !named.is_empty());
    }
    if std::env::var("PROFILE").is_ok_and(|profile| profile != "release") {
        return None;
    }
    let ask = |words: &[&str]| -> Option<String> {
        let output = Command::new("git").args(words).output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    if let Some(log) = ask(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={log}");
    }
    ask(&["rev-parse", "--short=12", "HEAD"])
}
