//! The examples: each runs against the sandbox, plain and as a dry run, and the dry run foretells the real one.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use crate::docs::console::{Stage, normal};

/// How an example is run, and what is counted: ok, changed, skipped over all hosts.
struct Example {
    playbook: &'static str,
    options: &'static str,
    counts: (u64, u64, u64),
    objects: &'static str,
    /// A dry run of it says the same. Not so where a task is a dry run by itself: under `--check` the tasks after it
    /// see what it foretold.
    foretells: bool,
}

const EXAMPLES: &[Example] = &[
    Example {
        playbook: "check-first.yml",
        options: "",
        counts: (7, 3, 0),
        objects: "1 created, 0 updated, 0 replaced, 0 deleted, 1 unchanged, 0 failed; 1 would be created, 0 updated, \
                  0 replaced, 0 deleted, 0 unchanged, 0 failed",
        foretells: false,
    },
    Example {
        playbook: "deliver.yml",
        options: "",
        counts: (1, 1, 0),
        objects: "1 created, 0 updated, 0 replaced, 0 deleted, 0 unchanged, 0 failed",
        foretells: true,
    },
    Example {
        playbook: "documentation-page.md",
        options: "--all-blocks --fill registry=demo --fill registry_token=testRegistryToken",
        counts: (5, 3, 0),
        objects: "1 created, 1 updated, 0 replaced, 1 deleted, 0 unchanged, 0 failed",
        foretells: true,
    },
    Example {
        playbook: "environments/site.yml",
        options: "-i playbooks/environments/hosts.yml",
        counts: (14, 6, 0),
        objects: "3 created, 0 updated, 0 replaced, 0 deleted, 3 unchanged, 0 failed",
        foretells: true,
    },
    Example {
        playbook: "expiry.yml",
        options: "",
        counts: (9, 5, 0),
        objects: "1 created, 3 updated, 0 replaced, 0 deleted, 3 unchanged, 0 failed",
        foretells: true,
    },
    Example {
        playbook: "from-nothing.yml",
        options: "",
        counts: (8, 5, 0),
        objects: "2 created, 1 updated, 0 replaced, 2 deleted, 1 unchanged, 0 failed",
        foretells: true,
    },
    Example {
        playbook: "pull-secrets.yml",
        options: "",
        counts: (6, 3, 0),
        objects: "3 created, 0 updated, 0 replaced, 0 deleted, 3 unchanged, 0 failed",
        foretells: true,
    },
    Example {
        playbook: "registry.yml",
        options: "",
        counts: (6, 3, 0),
        objects: "1 created, 1 updated, 0 replaced, 1 deleted, 0 unchanged, 0 failed",
        foretells: true,
    },
    Example {
        playbook: "rotate-token.yml",
        options: "-e generation=2031-w05",
        counts: (6, 3, 2),
        objects: "1 created, 0 updated, 0 replaced, 0 deleted, 1 unchanged, 0 failed",
        foretells: true,
    },
    Example {
        playbook: "safe-replace.yml",
        options: "",
        counts: (7, 3, 1),
        objects: "1 created, 0 updated, 1 replaced, 0 deleted, 1 unchanged, 0 failed",
        foretells: true,
    },
    Example {
        playbook: "token-lifecycle.yml",
        options: "",
        counts: (8, 4, 0),
        objects: "1 created, 1 updated, 1 replaced, 1 deleted, 1 unchanged, 0 failed",
        foretells: true,
    },
    Example {
        playbook: "with-role.yml",
        options: "",
        counts: (7, 3, 0),
        objects: "2 created, 0 updated, 0 replaced, 0 deleted, 2 unchanged, 0 failed",
        foretells: true,
    },
];

impl Example {
    /// Runs it and gives what was printed, and the event stream.
    fn run(&self, stage: &mut Stage, mode: &str) -> (String, Vec<Json>) {
        let Self { playbook, options, .. } = self;
        let printed =
            stage.run(&format!("ionplay --sandbox {mode} --events events.jsonl {options} playbooks/{playbook}"));
        let printed = printed.join("\n");
        assert_eq!(stage.status(), 0, "{playbook} {mode}:\n{printed}");
        let events = fs::read_to_string(stage.folder().join("events.jsonl")).unwrap();
        (printed, events.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    fn objects(&self, printed: &str) -> String {
        let line = printed.lines().find_map(|line| line.strip_prefix("REGISTRY OBJECTS: "));
        line.unwrap_or_else(|| panic!("{} closes with its objects:\n{printed}", self.playbook)).to_owned()
    }
}

fn counts(events: &[Json]) -> (u64, u64, u64) {
    let hosts = events.last().unwrap()["hosts"].as_object().unwrap();
    let sum = |key: &str| hosts.values().map(|host| host[key].as_u64().unwrap()).sum();
    assert_eq!(sum("failed") + sum("unreachable"), 0);
    (sum("ok"), sum("changed"), sum("skipped"))
}

/// Task, host, status and action of each result. Hosts run side by side: within a task they are put in order.
fn told(events: &[Json]) -> Vec<String> {
    let mut tasks: Vec<Vec<&Json>> = vec![Vec::new()];
    for event in events {
        match event["event"].as_str() {
            Some("task_start") => tasks.push(Vec::new()),
            Some("host" | "item") => tasks.last_mut().unwrap().push(event),
            _ => {}
        }
    }
    tasks.iter_mut().for_each(|results| results.sort_by_key(|event| event["host"].to_string()));
    tasks
        .into_iter()
        .flatten()
        .map(|e| format!("{} {} {} {}", e["task"], e["host"], e["status"], e["result"]["action"]))
        .map(|line| normal(&line))
        .collect()
}

#[test]
fn examples_run() {
    for example in EXAMPLES {
        let (printed, events) = example.run(&mut Stage::new(), "");
        assert_eq!(counts(&events), example.counts, "{}:\n{printed}", example.playbook);
        assert_eq!(example.objects(&printed), example.objects, "{}", example.playbook);
        assert!(!printed.contains("fake-password-"), "{} shows a password:\n{printed}", example.playbook);
    }
}

#[test]
fn dry_runs_of_examples_foretell_the_real_ones() {
    for example in EXAMPLES {
        let (dry, foretold) = example.run(&mut Stage::new(), "--check --diff");
        assert!(dry.contains(" 0 of them writing"), "{} writes in a dry run:\n{dry}", example.playbook);
        if !example.foretells {
            continue;
        }
        assert_eq!(example.objects(&dry).replace("would be ", ""), example.objects, "{}", example.playbook);
        let (_, done) = example.run(&mut Stage::new(), "");
        let (foretold, done) = (told(&foretold), told(&done));
        assert_eq!(foretold.len(), done.len(), "{}", example.playbook);
        for (before, after) in foretold.iter().zip(&done) {
            assert_eq!(before, after, "{}", example.playbook);
        }
    }
}

#[test]
fn every_example_is_run() {
    let folder = crate::root().join("playbooks");
    let mut found = BTreeSet::new();
    for place in [folder.clone(), folder.join("environments")] {
        for entry in fs::read_dir(&place).unwrap() {
            let path = entry.unwrap().path();
            let is_play = path.extension().is_some_and(|kind| kind == "yml" || kind == "md");
            if path.is_file() && is_play && !path.ends_with("hosts.yml") {
                found.insert(path.strip_prefix(&folder).unwrap().to_path_buf());
            }
        }
    }
    let listed: BTreeSet<_> = EXAMPLES.iter().map(|example| Path::new(example.playbook).to_path_buf()).collect();
    assert_eq!(found, listed);
}

#[cfg(unix)]
#[test]
fn pull_secrets_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let mut stage = Stage::new();
    let example = EXAMPLES.iter().find(|example| example.playbook == "pull-secrets.yml").unwrap();
    example.run(&mut stage, "");
    for team in ["shop", "search", "audit"] {
        let path = stage.folder().join(format!("playbooks/secrets/{team}.json"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let secret: Json = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let (_, login) = secret["auths"].as_object().unwrap().iter().next().unwrap();
        assert_eq!(login["username"], format!("pull-{team}"));
        assert!(login["password"].as_str().unwrap().starts_with("fake-password-"));
    }
}
