//! Dry runs from outside, and what else a task may ask for that does not count.

use super::Desk;

#[test]
fn a_dry_run_sends_no_writing_request_whatever_a_task_says() {
    let desk =
        Desk::new(&super::PLAYBOOK.replace("      register: made", "      check_mode: false\n      register: made"));
    desk.ends(&["--check", "site.yml"], 0, "`check_mode: false` does not count for registry objects");
    assert_eq!(desk.writes(), 0);
    desk.ends(&["site.yml"], 0, "2 created");
    assert_eq!(desk.writes(), 2);
}

/// The whole way from nothing to nothing is planned from an account in which there is nothing, and then done.
#[test]
fn an_empty_account_is_planned_to_the_end() {
    let example = std::fs::read_to_string(crate::root().join("playbooks/from-nothing.yml")).unwrap();
    let desk = Desk::new(&example);
    let counts = "Plan: 2 to create, 1 to update, 0 to replace, 2 to delete, 1 unchanged, 0 undetermined";
    desk.ends(&["plan", "site.yml", "-o", "p"], 0, counts);
    assert_eq!(desk.writes(), 0);
    desk.ends(&["apply", "p", "--auto-approve"], 0, "Applied.");
    assert_eq!(desk.writes(), 5);
}

#[test]
fn a_debugger_is_passed_over_with_a_warning() {
    let desk = Desk::with_tasks("    - {debug: {msg: hello}, debugger: always}\n");
    desk.ends(&["site.yml"], 0, "there is no debugger in this program");
    desk.write("site.yml", "- debug: {msg: hello}\n  debugger: never\n");
    let (status, text) = desk.says(&["site.yml"]);
    assert!(status == 0 && !text.contains("debugger"), "{text}");
}
