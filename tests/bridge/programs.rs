//! Programs and scripts as modules: how they get their arguments, and what becomes of their results.

use super::Desk;

const PAIRS: &str = r#"#!/bin/sh
. "$1"
echo "some junk first"
echo "{\"changed\": true, \"said\": \"$word\", \"check\": \"$_ansible_check_mode\", \"name\": \"$_ansible_module_name\"}"
"#;

const JSON: &str = r#"#!/bin/sh
# WANT_JSON
cat "$1" > got.json
echo '{"ansible_facts": {"colour": "blue"}, "warnings": ["mind the step"], "msg": "fine"}'
"#;

#[test]
fn script_gets_words_and_its_result_is_found() {
    let desk = Desk::with_tasks(
        "    - greet: {word: \"it's me\"}\n      register: r\n    - debug: {msg: '{{ r.said }}/{{ r.check }}/{{ r.name }}'}\n",
    );
    desk.write("library/greet", PAIRS);
    desk.ends(&["site.yml"], 0, &["it's me/False/greet", "changed=1"]);
}

#[test]
fn script_that_wants_json_gets_json_and_sets_facts() {
    let desk = Desk::with_tasks(
        "    - look: {deep: {list: [1, two]}, flag: true}\n    - debug: {msg: 'it is {{ colour }}'}\n",
    );
    desk.write("library/look.sh", JSON);
    desk.ends(&["site.yml", "--diff", "-v"], 0, &["it is blue", "mind the step"]);
    let got: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(desk.path().join("got.json")).unwrap()).unwrap();
    assert_eq!(got["deep"], serde_json::json!({"list": [1, "two"]}));
    let internal = ["_ansible_check_mode", "_ansible_diff", "_ansible_no_log", "_ansible_verbosity"];
    let expected = [serde_json::json!(false), serde_json::json!(true), serde_json::json!(false), serde_json::json!(1)];
    assert_eq!(internal.map(|name| got[name].clone()), expected);
}

#[test]
fn modules_of_roles_settings_and_collections_are_found() {
    let desk = Desk::with_tasks(
        "    - import_role: {name: own}\n    - shared: {word: s}\n      register: r\n    - debug: {msg: 'shared {{ r.said }}'}\n    - name: short\n      collections: [some.where]\n      tool: {word: c}\n      register: r\n    - debug: {msg: 'tool {{ r.said }} {{ r.name }}'}\n    - some.where.old: {word: o}\n      register: r\n    - debug: {msg: 'old {{ r.said }} {{ r.name }}'}\n",
    );
    desk.write(
        "roles/own/tasks/main.yml",
        "- of_role: {word: x}\n  register: r\n- debug: {msg: 'role {{ r.said }}'}\n",
    );
    desk.write("roles/own/library/of_role", PAIRS);
    desk.write("ansible.cfg", "[defaults]\nlibrary = mods\n");
    desk.write("mods/shared", PAIRS);
    let collection = "collections/ansible_collections/some/where";
    desk.write(&format!("{collection}/plugins/modules/tool.sh"), PAIRS);
    desk.write(
        &format!("{collection}/meta/runtime.yml"),
        "plugin_routing:\n  modules:\n    old: {redirect: some.where.tool}\n",
    );
    let says = ["role x", "shared s", "tool c some.where.tool", "old o some.where.tool"];
    desk.ends(&["site.yml"], 0, &says);
}

#[test]
fn script_without_result_fails_with_its_output() {
    let desk = Desk::with_tasks("    - broken:\n");
    desk.write("library/broken", "#!/bin/sh\necho nothing; echo trouble >&2; exit 3\n");
    let says = ["Module result deserialization failed", "\"module_stderr\": \"trouble", "\"rc\": 3"];
    desk.ends(&["site.yml"], 2, &says);
    let desk = Desk::with_tasks("    - failing:\n");
    desk.write("library/failing", "#!/bin/sh\necho '{\"failed\": true, \"msg\": \"no luck\"}'\n");
    desk.ends(&["site.yml"], 2, &["no luck"]);
}

#[test]
fn program_needs_the_permission_to_run() {
    let desk = Desk::with_tasks("    - listing:\n      ignore_errors: true\n    - no_shebang:\n");
    std::fs::create_dir(desk.path().join("library")).unwrap();
    std::fs::copy("/bin/true", desk.path().join("library/listing")).unwrap();
    desk.write("library/no_shebang", "echo {}\n");
    desk.ends(
        &["site.yml"],
        2,
        &["Module result deserialization failed", "does not say what runs it", "#!INTERPRETER"],
    );
}

#[test]
fn dry_run_runs_only_modules_that_support_it() {
    let desk = Desk::with_tasks("    - plain: {word: a}\n    - asked: {word: b}\n");
    desk.write("library/plain", &format!("{PAIRS}touch plain-ran\n"));
    desk.write("library/asked", &format!("{PAIRS}touch asked-ran\n"));
    desk.write(
        "library/asked.yml",
        "short_description: Asks\nattributes: {check_mode: {support: full}}\noptions: {word: {type: str}}\n",
    );
    desk.ends(&["site.yml", "--check"], 0, &["changed=1", "skipped=1"]);
    let ran = |name: &str| desk.path().join(name).exists();
    assert!(!ran("plain-ran") && ran("asked-ran"));
    desk.ends(&["site.yml"], 0, &["changed=2"]);
    assert!(ran("plain-ran"));
}

#[test]
fn plan_knows_nothing_of_what_a_foreign_module_does() {
    let desk = Desk::with_tasks(
        "    - name: strange work\n      plain: {word: a}\n      register: r\n    - debug: {msg: '{{ r.said }}'}\n",
    );
    desk.write("library/plain", &format!("{PAIRS}touch ran\n"));
    desk.ends(&["plan", "site.yml", "-o", "p"], 0, &["strange work"]);
    assert!(!desk.path().join("ran").exists());
    desk.ends(&["apply", "p", "--auto-approve"], 0, &["changed=1"]);
    assert!(desk.path().join("ran").exists());
}

#[test]
fn documentation_makes_messages_before_the_run() {
    let desk = Desk::with_tasks("    - asked: {wrod: b, count: many}\n");
    desk.write("library/asked", PAIRS);
    let docs = "short_description: Asks C(nicely).\noptions:\n  word: {type: str, required: true, description: The word.}\n  \
                count: {type: int, default: 3, description: How often.}\n";
    desk.write("library/asked.yml", docs);
    desk.ends(
        &["lint", "site.yml"],
        4,
        &["wrod", "did you mean `word`?", "cannot be converted to an int", "library/asked"],
    );
    desk.ends(&["doc", "asked"], 0, &["Asks `nicely`.", "word (str, required)", "default `3`", "library/asked"]);
    desk.ends(&["schema", "asked"], 0, &["\"word\""]);
}

#[test]
fn secrets_that_go_in_do_not_come_out() {
    let desk = Desk::with_tasks("    - greet: {word: '{{ lookup(\"env\", \"IONOS_TOKEN\") }}'}\n");
    desk.write("library/greet", PAIRS);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_ionplay"))
        .args(["site.yml", "-v"])
        .current_dir(desk.path())
        .env("IONOS_TOKEN", "the-secret-of-this-test")
        .output()
        .unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(text.contains("changed=1") && !text.contains("the-secret-of-this-test"), "{text}");
}

#[test]
fn background_task_runs_a_foreign_module() {
    let desk = Desk::with_tasks(
        "    - greet: {word: later}\n      async: 30\n      poll: 1\n      register: r\n    - debug: {msg: 'said {{ r.said }}'}\n",
    );
    desk.write("library/greet", PAIRS);
    desk.ends(&["site.yml"], 0, &["said later"]);
}

#[test]
fn tasks_of_the_bridge_are_named() {
    let desk = Desk::with_tasks("    - greet: {word: a}\n    - ping:\n");
    desk.write("library/greet", PAIRS);
    let text = desk.ends(&["site.yml", "--list-tasks", "-v"], 0, &["library/greet"]);
    assert_eq!(text.matches("BRIDGE").count(), 1, "{text}");
    desk.ends(&["lint", "site.yml"], 0, &["runs through the bridge", "library/greet"]);
}

#[test]
fn unknown_module_of_a_collection_says_how_to_install_it() {
    let desk = Desk::with_tasks("    - community.docker.docker_login: {}\n");
    desk.ends(&["site.yml"], 4, &["not included in ionplay", "ansible-galaxy collection install community.docker"]);
}

#[test]
fn filter_written_in_python_is_named_with_its_file() {
    let desk = Desk::with_tasks("    - debug: {msg: '{{ 1 | some.where.shout }} {{ 2 | whisper }}'}\n");
    desk.write("collections/ansible_collections/some/where/plugins/filter/voice.py", "FILTERS = {'shout': str}\n");
    desk.write("filter_plugins/quiet.py", "class FilterModule:\n    def filters(self): return {'whisper': str}\n");
    desk.ends(&["lint", "site.yml"], 4, &["filter/voice.py` defines it in Python", "quiet.py` defines it in Python"]);
    desk.write("site.yml", "- hosts: localhost\n  gather_facts: false\n  roles: [loud]\n");
    desk.write("roles/loud/tasks/main.yml", "- debug: {msg: '{{ 1 | cry }}'}\n- assert: {that: 1 is loud}\n");
    desk.write("roles/loud/filter_plugins/cry.py", "class FilterModule: pass\n");
    desk.write("roles/loud/test_plugins/loud.py", "class TestModule: pass\n");
    let says = ["filter_plugins/cry.py` defines it in Python", "test_plugins/loud.py` defines it in Python"];
    desk.ends(&["lint", "site.yml"], 4, &says);
}
