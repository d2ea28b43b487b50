//! `--version`: what this program is, for people and for machines.

use std::ffi::OsString;

/// The version of ansible-core whose behaviour is followed.
pub const ANSIBLE_CORE: &str = "2.19";

/// Number, commit, target, and the level of ansible-core, in one line. clap puts the name before it.
pub const LINE: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (",
    env!("IONPLAY_COMMIT"),
    ", ",
    env!("IONPLAY_TARGET"),
    ", follows ansible-core 2.19)"
);

/// The document, if the words are `--version` and `--json` and nothing else.
pub fn find_document(words: &[OsString]) -> Option<String> {
    let mut given: Vec<&str> = words.iter().skip(1).map(|word| word.to_str().unwrap_or_default()).collect();
    given.sort_unstable();
    if !matches!(given.as_slice(), ["--json", "--version" | "-V"] | ["-V", "--json"]) {
        return None;
    }
    let commit = env!("IONPLAY_COMMIT");
    let document = serde_json::json!({
        "name": "ionplay",
        "version": env!("CARGO_PKG_VERSION"),
        "commit": (commit != "unknown commit").then_some(commit),
        "target": env!("IONPLAY_TARGET"),
        "ansible_core": ANSIBLE_CORE,
    });
    Some(format!("{document:#}\n"))
}
