//! Plans that are applied.

use ionplay::sandbox;

use super::{Desk, PLAYBOOK, options};

const TWO: &str = "Plan: 2 to create, 0 to update, 0 to replace, 0 to delete, 0 unchanged, 0 undetermined";

#[test]
fn a_plan_is_made_shown_applied_once_and_refused_afterwards() {
    let desk = Desk::new(PLAYBOOK);
    desk.ends(&["plan", "site.yml", "-o", "p", "--detailed-exitcode"], 2, TWO);
    desk.ends(&["plan", "show", "p"], 0, "  + Registry Token ci\n");
    desk.ends(&["plan", "show", "p", "--format", "markdown"], 0, "| create | Registry `fresh` |");
    desk.ends(&["apply", "p"], 15, "--auto-approve");
    assert_eq!(desk.writes(), 0);
    desk.ends(&["apply", "p", "--auto-approve"], 0, "Applied.");
    assert_eq!(desk.writes(), 2);
    desk.ends(&["apply", "p", "--auto-approve"], 13, "applied already");
    desk.ends(&["plan", "site.yml", "--detailed-exitcode"], 0, "2 unchanged");
}

#[test]
fn colours_are_for_terminals() {
    let desk = Desk::new(PLAYBOOK);
    let (_, text) = desk.says(&["plan", "site.yml"]);
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn drift_is_what_changed_outside() {
    let desk = Desk::new(PLAYBOOK);
    desk.ends(&["plan", "--refresh-only", "site.yml"], 1, "never applied");
    desk.ends(&["plan", "site.yml", "-o", "p"], 0, TWO);
    desk.ends(&["apply", "p", "--auto-approve"], 0, "Applied.");
    desk.ends(&["plan", "--refresh-only", "site.yml", "--detailed-exitcode"], 0, "0 objects changed");
    let tasks = "    - registry_token: {registry: fresh, registry_token: ci, status: disabled, state: update}\n";
    desk.write("other.yml", &format!("- hosts: localhost\n  gather_facts: false\n  tasks:\n{tasks}"));
    desk.ends(&["other.yml"], 0, "changed=1");
    desk.ends(&["plan", "--refresh-only", "site.yml", "--detailed-exitcode"], 2, "token `ci`");
    assert_eq!(desk.writes(), 3);
}

/// A command may change what a later task was foretold to leave alone: that task is stopped before it writes.
#[test]
fn files_are_held_to_the_plan_too() {
    let desk = Desk::with_tasks(
        "    - command: sh -c 'echo spoiled > same.txt'
    - name: as it is
      copy: {content: same, dest: same.txt}
    - name: last
      copy: {content: new, dest: new.txt}
",
    );
    desk.write("same.txt", "same");
    desk.ends(&["plan", "site.yml", "-o", "p"], 0, "1 undetermined, 1 other change");
    let says = "task \"as it is\" on localhost would change something, and that is not in the plan";
    desk.ends(&["apply", "p", "--auto-approve"], 14, says);
    assert_eq!(desk.read("same.txt"), "spoiled\n");
    assert!(!desk.path().join("new.txt").exists());
}

/// What the plan could not foretell of a loop or a command may be done; a command that it did not see may not.
#[test]
fn only_foreseen_commands_run() {
    let desk = Desk::with_tasks(
        "    - registry: {name: fresh, location: de/fra}
      register: made
    - command: \"echo {{ item }}\"
      loop: \"{{ made.registry.id.split('-') }}\"
    - stat: {path: flag}
      register: flag
    - command: touch flag
    - stat: {path: flag}
      register: flag
      check_mode: true
    - name: unseen
      command: touch seen
      when: flag.stat.exists
",
    );
    desk.ends(&["plan", "site.yml", "-o", "p"], 0, "1 to create");
    desk.ends(&["apply", "p", "--auto-approve"], 14, "task \"unseen\" on localhost would run something");
    assert!(desk.path().join("flag").exists() && !desk.path().join("seen").exists());
}

/// The plan foretold one creation. To make the token again because its password was lost with the answer is that creation.
#[test]
fn a_lost_answer_does_not_leave_the_plan() {
    let lost = sandbox::InjectedFault::parse_fault("POST /tokens$ lost times=1").unwrap();
    let server = sandbox::start_server(sandbox::SandboxOptions { faults: vec![lost], ..options() }).unwrap();
    let desk = Desk { server, ..Desk::new(PLAYBOOK) };
    desk.ends(&["plan", "site.yml", "-o", "p"], 0, TWO);
    desk.ends(&["apply", "p", "--auto-approve"], 0, "its password with it");
    assert_eq!(desk.writes(), 4, "the registry, the token, its removal, the token");
    assert_eq!(desk.server.read_store().registries[0].tokens.len(), 1);
    desk.ends(&["apply", "p", "--auto-approve"], 13, "applied already");
}
