//! The pages: what they show is what happens.
//!
//! `UPDATE_DOCS=1 cargo test --test main docs` writes what is printed today into the pages, to be looked at and kept.

pub mod console;
mod examples;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use console::{Stage, agree, sessions};

/// Pages with sessions.
const PAGES: &[&str] = &["README.md", "docs/usage.md", "docs/events.md", "docs/reports.md"];

/// Commands of `sh` blocks: not run here, because they build, install, serve or need an account.
const NOT_RUN: &[&str] = &[
    "cargo ",
    "rustup ",
    "CC_x86_64_unknown_linux_musl=gcc cargo ",
    ".ci/run",
    "export ",
    "ionplay sandbox",
    "eval ",
    "ionplay completions",
    "kill ",
];

fn updating() -> bool {
    std::env::var_os("UPDATE_DOCS").is_some()
}

#[test]
fn sessions_of_pages_print_what_they_say() {
    for page in PAGES {
        let path = crate::root().join(page);
        let text = fs::read_to_string(&path).unwrap_or_else(|why| panic!("{page}: {why}"));
        let (mut wrong, mut renewed) = (String::new(), text.clone());
        for session in sessions(&text) {
            let mut stage = Stage::new();
            for step in session {
                let found = stage.run(&step.command);
                if agree(&step.expected, &found) {
                    continue;
                }
                let (old, new) = (step.expected.join("\n"), found.join("\n"));
                let _ = writeln!(
                    wrong,
                    "{page}:{}: $ {}\n-- the page:\n{old}\n-- today:\n{new}\n",
                    step.line, step.command
                );
                let block = |lines: &str| {
                    format!(
                        "$ {}\n{}",
                        step.command,
                        if lines.is_empty() { String::new() } else { format!("{lines}\n") }
                    )
                };
                renewed = renewed.replacen(&block(&old), &block(&new), 1);
            }
        }
        if updating() {
            fs::write(&path, renewed).unwrap_or_else(|why| panic!("{page}: {why}"));
        } else {
            assert!(wrong.is_empty(), "{wrong}");
        }
    }
}

#[test]
fn commands_that_are_only_shown_are_known_ones() {
    for page in PAGES {
        let text = fs::read_to_string(crate::root().join(page)).unwrap();
        let mut open = false;
        for (index, line) in text.lines().enumerate() {
            match line {
                "```sh" => open = true,
                "```" => open = false,
                _ if open => {
                    let known = line.is_empty() || NOT_RUN.iter().any(|start| line.starts_with(start));
                    assert!(known, "{page}:{}: `{line}` belongs in a `console` block, which is run", index + 1);
                }
                _ => {}
            }
        }
    }
}

#[test]
fn the_test_command_of_the_readme_is_the_one_of_the_pipeline() {
    let readme = fs::read_to_string(crate::root().join("README.md")).unwrap();
    let pipeline = fs::read_to_string(crate::root().join(".ci/run")).unwrap();
    assert!(readme.contains("\ncargo test --locked\n"), "the README names the test command");
    assert!(pipeline.contains("\nstep cargo test --locked\n"), "the pipeline runs the README's test command");
}

#[test]
fn generated_pages_are_up_to_date() {
    let docs = crate::root().join("docs");
    let head = fs::read_to_string(docs.join("language.head.md")).unwrap();
    let pages = ionplay::cli::reference::render_pages(head.trim_end());
    let mut stale = Vec::new();
    for (name, text) in &pages {
        let path = docs.join(name);
        if fs::read_to_string(&path).ok().as_ref() != Some(text) {
            stale.push(name.clone());
            if updating() {
                fs::write(&path, text).unwrap();
            }
        }
    }
    for entry in fs::read_dir(docs.join("modules")).unwrap() {
        let name = format!("modules/{}", entry.unwrap().file_name().to_string_lossy());
        if !pages.iter().any(|(known, _)| *known == name) {
            stale.push(format!("{name} (of no module)"));
            if updating() {
                fs::remove_file(docs.join(name)).unwrap();
            }
        }
    }
    assert!(updating() || stale.is_empty(), "run UPDATE_DOCS=1 cargo test --test main docs: {}", stale.join(", "));
}

#[test]
fn links_between_pages_lead_somewhere() {
    let link = fancy_regex::Regex::new(r"\]\(([^)#:]+)(#[^)]*)?\)").unwrap();
    let mut broken = Vec::new();
    let mut pages = vec![crate::root().join("README.md"), crate::root().join("CHANGELOG.md")];
    pages.extend(fs::read_dir(crate::root().join("docs")).unwrap().map(|entry| entry.unwrap().path()));
    for page in pages.iter().filter(|page| page.extension().is_some_and(|kind| kind == "md")) {
        let text = fs::read_to_string(page).unwrap();
        for found in link.captures_iter(text.as_str()).map(Result::unwrap) {
            let target = found.get(1).unwrap().as_str();
            if !page.parent().unwrap().join(target).exists() {
                broken.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_variable_that_is_read_is_listed() {
    let quoted = fancy_regex::Regex::new(r#""((ANSIBLE|IONOS|IONPLAY|PLAYBOOK)_[A-Z_]+)""#).unwrap();
    let page = fs::read_to_string(crate::root().join("docs/environment.md")).unwrap();
    let mut read = BTreeSet::new();
    for path in crate::architecture::files(&crate::root().join("src")) {
        if path.to_string_lossy().contains("lookups/config") {
            continue; // Names that the lookup answers for, not variables that a run goes by.
        }
        let text = crate::architecture::program(&path);
        read.extend(
            quoted.captures_iter(text.as_str()).map(|found| found.unwrap().get(1).unwrap().as_str().to_owned()),
        );
    }
    // A name in Python modules.
    read.remove("ANSIBLE_METADATA");
    let unlisted: Vec<_> = read.iter().filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert!(unlisted.is_empty(), "docs/environment.md lacks {unlisted:?}");
    let listed = fancy_regex::Regex::new(r"`((ANSIBLE|IONOS|IONPLAY|PLAYBOOK)_[A-Z_]+)`").unwrap();
    for found in listed.captures_iter(page.as_str()).map(Result::unwrap) {
        let name = found.get(1).unwrap().as_str();
        assert!(read.contains(name), "docs/environment.md lists {name}, which nothing reads");
    }
}
