//! The order of the rooms: what is below never looks at what is above.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use fancy_regex::Regex;

/// The rooms, lowest first. A room sees those before it.
const ORDER: &[&str] = &[
    // The ground: no I/O, no knowledge of anything.
    "source",
    "interrupt",
    "block_output",
    "input",
    "input_digests",
    "suggest",
    "hex",
    "unified_diff",
    "address",
    "exit",
    "cli_interface",
    "lease",
    "confinement",
    "progress",
    "state_dir",
    "value",
    "diagnostic",
    // Text to nodes to documents.
    "yaml",
    "intake",
    // What is known of hosts and secrets.
    "secrets",
    "vars",
    "settings",
    "inventory",
    // Files and commands, behind a trait.
    "host",
    // Modules that are not part of this program.
    "bridge",
    // Values in motion.
    "template",
    // The API, and decisions about it.
    "ionos",
    "reconcile",
    "credentials",
    // Doing.
    "modules",
    "playbook",
    "lint",
    // Telling and keeping.
    "report",
    "plan",
    // Running.
    "executor",
    // Proving ourselves wrong.
    "sandbox",
    "gitops",
    // Help while writing.
    "explain",
    "reference",
    "lsp",
    "cli",
];

/// Rooms that see less than what is below them.
const STRICT: &[(&str, &[&str])] = &[
    // Pure decisions: no I/O, no template.
    ("reconcile", &["value", "ionos"]),
    // The client and the server share nothing, so that each can prove the other wrong.
    ("ionos", &["value", "interrupt", "progress", "address", "lease"]),
    ("sandbox", &[]),
    ("host", &["value", "input", "address"]),
    ("value", &["source"]),
    ("yaml", &["source", "value", "diagnostic"]),
];

/// All source files below a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        // The build script is no part of the program.
        .filter(|path| path.extension().is_some_and(|kind| kind == "rs") && !path.ends_with("src/build.rs"))
        .collect()
}

/// The part of a file that is no test, without comments.
pub fn program(path: &Path) -> String {
    let name = path.file_stem().unwrap().to_string_lossy();
    if name == "tests" || name.starts_with("tests_") || name.ends_with("_tests") {
        return String::new();
    }
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn room(path: &Path) -> Option<String> {
    let inside = path.strip_prefix(crate::root().join("src")).unwrap();
    let first = inside.components().next()?.as_os_str().to_string_lossy();
    let name = first.strip_suffix(".rs").unwrap_or(&first).to_owned();
    (!matches!(name.as_str(), "lib" | "main")).then_some(name)
}

#[test]
fn rooms_look_only_downward() {
    let uses = Regex::new(r"\bcrate::(\w+)|\bcrate::\{([^}]*)\}").unwrap();
    let mut complaints = Vec::new();
    for path in files(&crate::root().join("src")) {
        let Some(room) = room(&path) else { continue };
        let Some(level) = ORDER.iter().position(|known| *known == room) else {
            complaints.push(format!("the room `{room}` has no place in the order"));
            continue;
        };
        let text = program(&path);
        let mut seen = BTreeSet::new();
        for found in uses.captures_iter(text.as_str()).map(Result::unwrap) {
            match (found.get(1), found.get(2)) {
                (Some(one), _) => seen.extend([one.as_str().to_owned()]),
                (_, Some(several)) => {
                    seen.extend(
                        several
                            .as_str()
                            .split(',')
                            .map(|part| part.trim().split("::").next().unwrap_or_default().to_owned()),
                    );
                }
                _ => {}
            }
        }
        let strict = STRICT.iter().find(|(strict, _)| *strict == room).map(|(_, sees)| *sees);
        for other in seen.iter().filter(|other| **other != room && ORDER.contains(&other.as_str())) {
            let below = ORDER[..level].contains(&other.as_str());
            if !below || strict.is_some_and(|sees| !sees.contains(&other.as_str())) {
                complaints.push(format!("{}: `{room}` must not see `{other}`", path.display()));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn only_the_report_and_the_command_line_print() {
    let prints = Regex::new(r"\be?print(ln)?!\(|\bdbg!\(").unwrap();
    for path in files(&crate::root().join("src")) {
        if matches!(room(&path).as_deref(), None | Some("report" | "cli")) {
            continue;
        }
        let text = program(&path);
        let found = text.lines().find(|line| prints.is_match(line).unwrap());
        assert!(found.is_none(), "{}: {}", path.display(), found.unwrap_or_default());
    }
}

/// Whatever a module changes or runs goes through the host's door, which a dry run closes.
#[test]
fn modules_change_nothing_past_the_host() {
    let past = r"\bfs::(write|rename|copy|hard_link|remove_\w+|create_dir\w*|set_permissions)\b|\bOpenOptions\b|\bDirBuilder\b\
                 |\bprocess::Command\b|\bunix::fs::(symlink|l?chown|fchown)\b";
    let past = Regex::new(&past.replace(char::is_whitespace, "")).unwrap();
    for path in files(&crate::root().join("src/modules")) {
        let text = program(&path);
        let found = text.lines().find(|line| past.is_match(line).unwrap());
        let is_test = path.ends_with("builtin/files/testing.rs");
        assert!(found.is_none() || is_test, "{}: {}", path.display(), found.unwrap_or_default());
    }
}

/// A dry run that makes a plan notes who looks at a path that an earlier task would have changed. Looks past the host are
/// those at the machine itself, and at what results describe as it is now.
#[test]
fn modules_look_at_files_through_the_host() {
    const AT_THE_MACHINE: &[&str] =
        &["wait_for/connections.rs", "service_facts.rs", "args/convert.rs", "files/attributes.rs", "copy/tree.rs"];
    let past = r"\bfs::(read|read_dir|read_link|read_to_string|metadata|symlink_metadata|canonicalize|File)\b\
                 |\.(exists|try_exists|is_symlink|symlink_metadata|canonicalize)\(\)";
    let past = Regex::new(&past.replace(char::is_whitespace, "")).unwrap();
    for path in files(&crate::root().join("src/modules")) {
        if AT_THE_MACHINE.iter().any(|name| path.ends_with(name)) || path.ends_with("builtin/files/testing.rs") {
            continue;
        }
        let text = program(&path);
        let found = text.lines().find(|line| past.is_match(line).unwrap());
        assert!(found.is_none(), "{}: {}", path.display(), found.unwrap_or_default());
    }
}

#[test]
fn files_stay_readable() {
    for path in files(&crate::root().join("src")) {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 700, "{}: {lines} lines; a file has one subject", path.display());
    }
}
