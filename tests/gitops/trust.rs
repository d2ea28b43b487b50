//! Which commits count: signatures, history, and state that was lost.

use std::fs;
use std::process::Command;

use super::stage::{Stage, token};

const VERIFY: &str = "verify: {allowed_signers: signers}";

/// A stage whose job verifies; the key `anna` is allowed, the key `eve` is not.
fn signed_stage() -> Stage {
    let stage = Stage::new("");
    for name in ["anna", "eve"] {
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"])
            .arg(stage.path(name))
            .status()
            .unwrap();
        assert!(made.success());
    }
    allow(&stage, &["anna"]);
    let job = stage.job().replace("branch: main}", &format!("branch: main, {VERIFY}}}"));
    stage.configure_file(&format!("jobs:\n  tokens:\n{job}"));
    stage
}

fn allow(stage: &Stage, names: &[&str]) {
    let lines = names.iter().map(|name| {
        let key = fs::read_to_string(stage.path(&format!("{name}.pub"))).unwrap();
        format!("{name}@example.com namespaces=\"git\" {key}")
    });
    fs::write(stage.path("signers"), lines.collect::<String>()).unwrap();
}

fn push_signed(stage: &Stage, name: &str, tasks: &str) -> String {
    let key = format!("user.signingkey={}", stage.path(name).display());
    fs::write(stage.repository().join("site.yml"), super::stage::playbook(tasks)).unwrap();
    stage.git(&["add", "--all"]);
    stage.git(&["-c", &key, "commit", "--quiet", "-S", "--allow-empty", "--message=signed"]);
    stage.head()
}

#[test]
fn only_commits_of_allowed_signers_are_applied() {
    let stage = signed_stage();
    push_signed(&stage, "anna", &token("ci", "enabled"));
    stage.once(0);
    assert_eq!(stage.tokens().len(), 1);
    stage.push(&token("cd", "enabled"));
    let ended = stage.once(2);
    assert!(ended.stdout.contains("has no signature"), "{ended:?}");
    assert_eq!(stage.status()["state"], "refused");
    stage.once(2);
    assert_eq!(stage.history().len(), 2, "a refused commit is not tried again");
    // A signed commit on top does not make the one below good.
    push_signed(&stage, "anna", &token("cd", "enabled"));
    stage.once(2);
    assert_eq!(stage.tokens().len(), 1);
    let head = stage.head();
    stage.run(&["accept-baseline", "tokens", &head]).expect(0);
    stage.once(0);
    assert_eq!(stage.tokens().len(), 2);
    push_signed(&stage, "eve", &token("ce", "enabled"));
    let ended = stage.once(2);
    assert!(ended.stdout.contains("not allowed"), "{ended:?}");
}

#[test]
fn changed_signers_are_applied_to_what_was_accepted_or_refused() {
    let stage = signed_stage();
    push_signed(&stage, "eve", &token("ci", "enabled"));
    stage.once(2);
    allow(&stage, &["anna", "eve"]);
    stage.once(0);
    assert_eq!(stage.tokens().len(), 1);
    allow(&stage, &["anna"]);
    stage.once(2);
    assert_eq!(stage.status()["state"], "refused");
}

#[test]
fn rewritten_history_is_refused_unless_it_is_accepted() {
    let stage = Stage::new("");
    stage.push(&token("ci", "enabled"));
    stage.once(0);
    stage.push(&token("ci", "disabled"));
    stage.once(0);
    stage.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let other = stage.push(&token("other", "enabled"));
    let ended = stage.once(2);
    assert!(ended.stdout.contains("history was rewritten") && ended.stdout.contains("accept-baseline"), "{ended:?}");
    assert_eq!(stage.history()[0]["outcome"], "refused");
    assert_eq!(stage.tokens().len(), 1);
    stage.run(&["accept-baseline", "tokens", &other[..10]]).expect(0);
    assert_eq!(stage.status()["applied"], other.as_str());
    stage.once(0);
    assert_eq!(stage.tokens().len(), 2);
}

#[test]
fn rewritten_history_is_followed_where_the_file_allows_it() {
    let stage = Stage::new("");
    let job = stage.job().replace("branch: main}", "branch: main, allow_rewrite: true}");
    stage.configure_file(&format!("jobs:\n  tokens:\n{job}"));
    stage.push(&token("ci", "enabled"));
    stage.once(0);
    stage.git(&["commit", "--quiet", "--amend", "--allow-empty", "--message=again"]);
    stage.push(&token("ci", "disabled"));
    stage.once(0);
    assert_eq!(stage.tokens()[0].1, "disabled");
}

#[test]
fn lost_state_applies_nothing_until_a_baseline_is_accepted() {
    let stage = Stage::new("");
    let first = stage.push(&token("ci", "enabled"));
    stage.once(0);
    let record = stage.path("state/jobs/tokens.json");
    fs::write(&record, "{\"not\": ").unwrap();
    stage.push(&token("ci", "disabled"));
    let ended = stage.once(2);
    assert!(ended.stdout.contains("was lost") && ended.stdout.contains("accept-baseline"), "{ended:?}");
    assert_eq!(stage.tokens()[0].1, "enabled");
    fs::remove_file(&record).unwrap();
    stage.once(2);
    assert_eq!(stage.tokens()[0].1, "enabled");
    stage.run(&["accept-baseline", "tokens", &first]).expect(0);
    stage.once(0);
    assert_eq!(stage.tokens()[0].1, "disabled");
    fs::remove_dir_all(stage.path("state")).unwrap();
    assert_eq!(stage.status()["state"], "new", "an empty folder is that of a job that never ran");
    stage.once(0);
}

#[test]
fn link_that_leaves_the_repository_is_refused() {
    let stage = Stage::new("");
    std::os::unix::fs::symlink("/etc/passwd", stage.repository().join("vars.yml")).unwrap();
    stage.push(&token("ci", "enabled"));
    let ended = stage.once(2);
    assert!(ended.stdout.contains("link that leaves the repository"), "{ended:?}");
    assert!(stage.tokens().is_empty());
}

#[test]
fn newest_tag_by_version_is_followed() {
    let stage = Stage::new("");
    let job = stage.job().replace("branch: main", "tag: v*");
    stage.configure_file(&format!("jobs:\n  tokens:\n{job}"));
    stage.push(&token("ci", "enabled"));
    stage.git(&["tag", "v1.9.0"]);
    stage.once(0);
    let tagged = stage.push(&token("ci", "disabled"));
    stage.git(&["tag", "v1.10.0"]);
    stage.push(&token("later", "enabled"));
    stage.once(0);
    assert_eq!(stage.status()["applied"], tagged.as_str());
    assert_eq!(stage.tokens(), [("ci".to_owned(), "disabled".to_owned())]);
}
