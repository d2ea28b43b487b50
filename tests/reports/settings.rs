//! Callback settings of `ansible.cfg`, and `--config-dump`.

use super::Desk;

const PLAYBOOK: &str = "- debug: {msg: {a: [1]}}\n";

#[test]
fn callbacks_with_an_equal_are_honoured_and_others_are_named_once() {
    let desk = Desk::with_playbook(PLAYBOOK);
    desk.write(
        "ansible.cfg",
        "[defaults]\nstdout_callback = community.general.yaml\nlog_path = run.log\n\
         callbacks_enabled = ansible.posix.profile_tasks, timer, junit, slack, community.general.logstash\n",
    );
    let output = desk.command(&["site.yml"]).env("JUNIT_OUTPUT_DIR", desk.path("junit")).output().unwrap();
    let said = super::text_of(&output);
    assert!(said.contains("msg:\n        a:\n"), "{said}");
    assert!(said.contains("Playbook run took 0 days, 0 hours, 0 minutes, 0 seconds"), "{said}");
    assert!(said.contains("debug ------"), "{said}");
    let ignored = "the callback plugins `slack`, `community.general.logstash` are not included and ignored";
    assert_eq!(said.matches(ignored).count(), 1, "{said}");
    assert!(desk.read("run.log").contains("PLAY RECAP"));
    assert_eq!(std::fs::read_dir(desk.path("junit")).unwrap().count(), 1);
}

#[test]
fn minimal_screen_is_named_and_ignored() {
    let desk = Desk::with_playbook(PLAYBOOK);
    desk.write("ansible.cfg", "[defaults]\nstdout_callback = minimal\n");
    let (said, status) = desk.run(&["site.yml"]);
    assert_eq!(status, 0);
    assert!(said.contains("the callback plugin `minimal` is not included and ignored"), "{said}");
}

#[test]
fn dump_shows_values_with_their_origin() {
    let desk = Desk::with_playbook(PLAYBOOK);
    desk.write("ansible.cfg", "[defaults]\nforks = 7\n");
    let output = desk.command(&["--config-dump"]).env("ANSIBLE_STRATEGY", "free").output().unwrap();
    let all = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(all.contains("ansible.cfg) = 7\n") && all.contains("DEFAULT_GATHERING(default) = implicit\n"), "{all}");
    assert!(all.contains("DEFAULT_STRATEGY(env: ANSIBLE_STRATEGY) = free\n"), "{all}");
    let (changed, _) = desk.run(&["--config-dump", "--only-changed"]);
    let lines: Vec<&str> = changed.lines().collect();
    assert_eq!(lines.len(), 2, "{changed}");
    assert!(lines[0].starts_with("CONFIG_FILE() = ") && lines[1].starts_with("DEFAULT_FORKS("), "{changed}");
}
