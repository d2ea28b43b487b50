//! The canary: plants secrets everywhere a run reads them, makes it write in every way it can, and searches every byte
//! that was written for them, in any spelling and in pieces.
//!
//! `cargo test --test main leaks -- --nocapture` prints the places that were searched and the leaks.

mod search;
mod world;

use search::Search;
use world::World;

/// One way to write: a name for the table, and the arguments of the command.
type Way = (&'static str, &'static [&'static str]);

const RUNS: &[Way] = &[
    ("screen", &["site.yml"]),
    ("screen -v", &["site.yml", "-v"]),
    ("screen -vv --diff", &["site.yml", "-vv", "--diff"]),
    ("screen -vvv", &["site.yml", "-vvv"]),
    ("screen -vvvv --diff", &["site.yml", "-vvvv", "--diff"]),
    ("check mode --diff", &["site.yml", "--check", "--diff", "-v"]),
    ("JSON document", &["site.yml", "--output", "json", "-vvv", "--diff"]),
    ("YAML document", &["site.yml", "--output", "yaml", "-vvv", "--diff"]),
    ("listings", &["site.yml", "--list-tasks", "--list-tags", "--list-hosts"]),
    ("lint", &["lint", "site.yml"]),
    ("lint, JSON", &["lint", "site.yml", "--format", "json"]),
    ("lint of mistakes", &["lint", "mistakes.yml"]),
    ("mistakes", &["mistakes.yml"]),
    ("plan", &["plan", "site.yml", "--out", "open.plan"]),
    ("plan, shown", &["plan", "show", "open.plan"]),
    ("plan, sealed", &["plan", "site.yml", "--out", "sealed.plan", "--seal-key-file", "../in/seal.key"]),
    ("failed run", &["failing.yml", "-vvv"]),
    ("saved passwords", &["token", "list"]),
];

#[test]
fn nothing_that_is_written_holds_a_secret() {
    let world = World::new();
    let mut search = Search::new(world.secrets());
    for (name, args) in RUNS {
        let done = world.run(args);
        // A password that the service has made meanwhile is a secret from here on.
        search.add_secrets(world.new_passwords());
        search.look(&format!("{name}: standard output"), &done.stdout);
        search.look(&format!("{name}: standard error"), &done.stderr);
        for (file, bytes) in world.written() {
            search.look(&format!("{name}: {file}"), &bytes);
        }
    }
    for (child, bytes) in world.children() {
        search.look(&child, &bytes);
    }
    println!("{}", search.table());
    assert!(search.proved_itself(), "the search does not find what is there to be found");
    assert!(search.places() > 60, "only {} places were searched", search.places());
    assert_eq!(search.leaks(), 0, "{}", search.table());
}
