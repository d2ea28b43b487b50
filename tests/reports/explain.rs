//! `ionplay explain`: what a task would get, without a run.

use super::Desk;

const SITE: &str = "\
- name: Tokens
  hosts: localhost
  gather_facts: false
  vars:
    stage: test
    registry: \"demo-{{ stage }}\"
    made: \"{{ lookup('pipe', 'touch ran') }}\"
  tasks:
    - name: Look
      command: touch ran
      register: looked
    - name: Create
      registry_token:
        registry: \"{{ registry }}\"
        name: \"{{ who | upper }}\"
        password: hunter22
      when: [stage == 'test', looked is changed]
    - name: Say it
      debug: {msg: \"{{ made }} {{ missing }}\"}
      vars: {who: task}
";

#[test]
fn task_is_explained_with_layers_arguments_conditions_and_requests() {
    let desk = Desk::with_playbook(SITE);
    let (said, status) = desk.run(&["explain", "site.yml", "--task", "Create", "-e", "who=ci"]);
    assert_eq!(status, 0, "{said}");
    for wanted in [
        "TASK 2: Create",
        "ionoscloudsdk.ionoscloud.registry_token on localhost",
        "stage == 'test': true",
        "looked is changed: unknown: ",
        "registry: \"demo-test\"",
        "name: \"CI\"",
        "who: \"ci\"\n      from extra variables (-e)",
        "stage: \"test\"\n      from vars of the play",
        "from results and facts of earlier tasks",
        "POST /registries/{id}/tokens",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    assert!(!said.contains("hunter22"), "{said}");
    let (said, _) = desk.run(&["explain", "site.yml", "--task", "3"]);
    assert!(said.contains("unknown: the result of the lookup `pipe`") || said.contains("is undefined"), "{said}");
    assert!(!desk.path("ran").exists(), "something was run");
}

#[test]
fn tasks_are_listed_and_misspelt_names_are_suggested() {
    let desk = Desk::with_playbook(SITE.replace("        password: hunter22\n", "").as_str());
    let (said, status) = desk.run(&["explain", "site.yml"]);
    assert!(status == 0 && said.contains("   2  Create"), "{said}");
    let (said, status) = desk.run(&["explain", "site.yml", "--task", "Creat"]);
    assert!(status != 0 && said.contains("did you mean `Create`?"), "{said}");
    let (said, status) = desk.run(&["explain", "site.yml", "--task", "Look", "--host", "nowhere"]);
    assert!(status != 0 && said.contains("has no host `nowhere`"), "{said}");
}
