//! `ionplay plan` and `ionplay apply` from outside, against the embedded service.

use std::path::Path;
use std::process::{Command, Output};

const PLAYBOOK: &str = "- hosts: localhost
  gather_facts: false
  tasks:
    - name: registry
      ionoscloudsdk.ionoscloud.registry: {name: fresh, location: de/fra}
      register: made
    - name: token
      ionoscloudsdk.ionoscloud.registry_token: {registry: '{{ made.registry.id }}', name: ci, expiry_date: +30d}
";

fn ionplay(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ionplay"))
        .args(args)
        .current_dir(folder)
        .env("IONPLAY_STATE_DIR", folder.join("state"))
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap()
}

#[track_caller]
fn ends(folder: &Path, args: &[&str], status: i32, says: &str) {
    let output = ionplay(folder, args);
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert_eq!(output.status.code(), Some(status), "{args:?}: {text}");
    assert!(text.contains(says), "{args:?}: {text}");
}

#[test]
fn a_plan_is_made_shown_applied_once_and_refused_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("site.yml"), PLAYBOOK).unwrap();
    let line = "Plan: 2 to create, 0 to update, 0 to replace, 0 to delete, 0 unchanged, 0 undetermined";
    ends(folder, &["plan", "--sandbox", "site.yml", "-o", "p", "--detailed-exitcode"], 2, line);
    ends(folder, &["plan", "show", "p"], 0, "  + Registry Token ci\n");
    ends(folder, &["plan", "show", "p", "--format", "markdown"], 0, "| `+` | Registry | fresh |");
    ends(folder, &["apply", "p"], 15, "--auto-approve");
    ends(folder, &["apply", "p", "--auto-approve"], 0, "Applied.");
    ends(folder, &["apply", "p", "--auto-approve"], 13, "applied already");
    ends(folder, &["plan", "--sandbox", "--refresh-only", "site.yml"], 0, "registry `fresh`");
    ends(folder, &["plan", "--sandbox", "site.yml", "-o", "q"], 0, line);
    std::fs::write(folder.join("site.yml"), PLAYBOOK.replace("name: ci", "name: cd")).unwrap();
    ends(folder, &["apply", "q", "--auto-approve"], 11, "`site.yml` has changed");
}

#[test]
fn what_was_decided_from_another_world_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("site.yml"), PLAYBOOK).unwrap();
    ends(folder, &["plan", "--sandbox", "site.yml", "-o", "p"], 0, "Written to p");
    // A plan that saw the name `fresh` taken was made in another world.
    let plan = std::fs::read_to_string(folder.join("p")).unwrap();
    std::fs::write(folder.join("p"), plan.replacen("\"there\": false", "\"there\": true", 1)).unwrap();
    ends(folder, &["apply", "p", "--auto-approve"], 12, "the world has changed");
}

#[test]
fn parts_that_cannot_be_known_have_their_own_status() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let idle = "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - debug: {msg: x}\n";
    std::fs::write(folder.join("idle.yml"), idle).unwrap();
    ends(folder, &["idle.yml", "-C", "--detailed-exitcode"], 0, "ok: [localhost]");
    let command = "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - command: 'true'\n      register: r\n    - debug: {msg: y}\n      when: r.stdout == ''\n";
    std::fs::write(folder.join("command.yml"), command).unwrap();
    ends(folder, &["command.yml", "-C", "--detailed-exitcode"], 3, "undetermined: [localhost]");
    std::fs::write(folder.join("fail.yml"), idle.replace("debug: {msg: x}", "fail: {msg: x}")).unwrap();
    ends(folder, &["fail.yml", "-C", "--detailed-exitcode"], 1, "fatal: [localhost]");
    ends(folder, &["idle.yml", "--detailed-exitcode"], 5, "--check");
}
