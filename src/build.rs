//! Tells the program which commit and target it was built from, and the linker how to keep it small.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=src/build.rs");
    println!("cargo::rerun-if-env-changed=IONPLAY_COMMIT");
    let target = std::env::var("TARGET").unwrap_or_else(|_| "unknown target".to_owned());
    println!("cargo::rustc-env=IONPLAY_TARGET={target}");
    println!("cargo::rustc-env=IONPLAY_COMMIT={}", find_commit().unwrap_or_else(|| "unknown commit".to_owned()));
    pack_relocations();
}

/// Packs the relocations of a release: they are half a megabyte and a sixth of the start otherwise. The C library must be
/// at least that of 2022 (glibc 2.36) to load such a program, so it is asked; a static program brings its own.
fn pack_relocations() {
    println!("cargo::rerun-if-env-changed=IONPLAY_PACK_RELOCATIONS");
    let wanted = std::env::var("IONPLAY_PACK_RELOCATIONS").map_or_else(|_| is_new_glibc(), |wish| wish == "1");
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let is_gnu = std::env::var("TARGET").is_ok_and(|target| target == "x86_64-unknown-linux-gnu");
    if wanted && is_release && is_gnu {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Whether the C library of this machine can load packed relocations.
fn is_new_glibc() -> bool {
    let Ok(output) = Command::new("getconf").arg("GNU_LIBC_VERSION").output() else { return false };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let minor = text.trim().strip_prefix("glibc 2.").and_then(|minor| minor.parse::<u32>().ok());
    minor.is_some_and(|minor| minor >= 36)
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
