//! `--output`, `-q`, `--lock`, exit statuses, `lint --format`.

use super::{Desk, text_of};

#[test]
fn colours_can_be_forced_and_refused() {
    let desk = Desk::with_playbook("- debgu: {msg: hi}\n- debug: {msg: hi}\n");
    let said = |variables: &[(&str, &str)]| {
        super::text_of(&desk.command(&["site.yml"]).envs(variables.iter().copied()).output().unwrap())
    };
    assert!(!said(&[]).contains('\x1b'));
    assert!(said(&[("CLICOLOR_FORCE", "1")]).contains('\x1b'), "also in errors before the run");
    assert!(!said(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]).contains('\x1b'));
}

#[test]
fn document_comes_always_and_has_the_errors() {
    let desk = Desk::with_playbook("- hosts: localhost\n  taks: []\n");
    let output = desk.command(&["--output", "json", "site.yml"]).output().unwrap();
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let error = &document["errors"][0];
    assert!(error["summary"].as_str().unwrap().contains("taks"), "{document}");
    assert_eq!(error["places"][0]["line"], 2);
    assert_eq!(output.status.code(), Some(4));
}

#[test]
fn quiet_run_prints_changes_and_failures_only() {
    let desk = Desk::with_playbook(
        "- name: Quiet\n  hosts: localhost\n  gather_facts: false\n  tasks:\n    - {name: Nothing, debug: {msg: x}}\n",
    );
    assert_eq!(desk.run(&["-q", "site.yml"]), (String::new(), 0));
    let desk = Desk::with_playbook(
        "- name: Loud\n  hosts: localhost\n  gather_facts: false\n  tasks:\n    - {name: Nothing, debug: {msg: x}}\n    \
         - {name: Change, command: echo}\n",
    );
    let (said, _) = desk.run(&["-q", "site.yml"]);
    assert!(said.contains("PLAY [Loud]") && said.contains("changed: [localhost]"), "{said}");
    assert!(!said.contains("Nothing") && !said.contains("RECAP"), "{said}");
}

#[test]
fn second_run_waits_for_the_lock_or_is_refused() {
    let desk = Desk::with_playbook("- command: sleep 3\n");
    desk.write("quick.yml", "- command: echo\n");
    let mut first =
        desk.command(&["--lock", "run.lock", "site.yml"]).stdout(std::process::Stdio::null()).spawn().unwrap();
    while !std::fs::read_to_string(desk.path("run.lock")).is_ok_and(|text| !text.is_empty()) {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let (said, status) = desk.run(&["--lock", "run.lock", "--lock-timeout", "0", "quick.yml"]);
    assert_eq!(status, 17, "{said}");
    assert!(said.contains(&format!("(process {})", first.id())), "{said}");
    let (said, status) = desk.run(&["--lock", "run.lock", "quick.yml"]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("waiting for `run.lock`"), "{said}");
    assert!(first.wait().unwrap().success());
}

#[test]
fn detailed_status_tells_changes_from_failures() {
    let desk = Desk::with_playbook("- command: echo\n");
    desk.write("same.yml", "- debug: {msg: x}\n");
    desk.write("fails.yml", "- command: \"false\"\n");
    for (playbook, status) in [("site.yml", 2), ("same.yml", 0), ("fails.yml", 1)] {
        assert_eq!(desk.run(&["--detailed-exitcode", playbook]).1, status, "{playbook}");
    }
}

#[test]
fn lint_speaks_the_languages_of_pipelines() {
    let desk = Desk::with_playbook("- debug: {msg: \"{{ names | jion }}\"}\n");
    let print = |format: &str| {
        let output = desk.command(&["lint", "--format", format, "site.yml"]).output().unwrap();
        assert_eq!(output.status.code(), Some(4), "{}", text_of(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(print("github").starts_with("::error file=site.yml,line=1,endLine=1,col="), "{}", print("github"));
    let sarif: serde_json::Value = serde_json::from_str(&print("sarif")).unwrap();
    assert!(sarif["runs"][0]["results"][0]["message"]["text"].as_str().unwrap().contains("did you mean `join`?"));
    let gitlab: serde_json::Value = serde_json::from_str(&print("gitlab")).unwrap();
    assert_eq!(gitlab[0]["location"]["path"], "site.yml");
}
