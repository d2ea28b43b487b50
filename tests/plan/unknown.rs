//! What is not known in a dry run: where it comes from, and what follows from it.

use super::Desk;

/// Two objects whose ids nobody knows before, as `id`.
const MADE: &str = "    - {name: registry, registry: {name: fresh, location: de/fra}, register: r}
    - {name: token, registry_token: {registry: '{{ r.registry.id }}', name: ci}, register: t}
    - set_fact: {id: '{{ t.registry_token.id }}'}
";

/// Runs tasks after [`MADE`] as a plan and gives what is said of them.
fn plan(tasks: &str) -> String {
    let desk = Desk::with_tasks(&format!("{MADE}{tasks}"));
    let (status, text) = desk.says(&["plan", "site.yml"]);
    assert_eq!(status, 0, "{text}");
    assert_eq!(desk.writes(), 0);
    text
}

const WAITS: &str =
    "waits for `t.registry_token.id` of task \"token\" (site.yml:5:8), known after the creation of registry token `ci`";

#[track_caller]
fn undetermined(tasks: &str, counts: &str) {
    let text = plan(tasks);
    assert!(text.contains(&format!("? task \"x\" on localhost{counts}\n      # {WAITS}\n")), "{tasks}: {text}");
}

#[test]
fn what_waits_says_for_what_and_where_that_is_made() {
    for task in [
        "debug: {msg: x}, when: id == 'x'",
        "debug: {msg: x}, when: [id is defined, \"id[0] == '1'\"]",
        "assert: {that: id == 'x'}",
        "debug: {msg: x}, failed_when: id == 'x'",
        "debug: {msg: x}, changed_when: id == 'x'",
        "debug: {msg: x}, until: id == 'x', retries: 1",
        "debug: {msg: x}, delegate_to: '{{ id }}'",
        "debug: {msg: x}, ignore_errors: \"{{ id == 'x' }}\"",
        "include_tasks: '{{ id }}.yml'",
        "include_role: {name: '{{ id }}'}",
        "file: {path: '{{ id }}', state: touch}",
        "copy: {content: '{{ id }}', dest: site.yml}",
        "lineinfile: {path: site.yml, line: '{{ id }}'}",
        "command: 'echo {{ id }}'",
        "add_host: {name: '{{ id }}'}",
        "include_vars: '{{ id }}.yml'",
    ] {
        undetermined(&format!("    - {{name: x, {task}}}\n"), "");
    }
    undetermined("    - {name: x, debug: {msg: x}, loop: \"{{ id.split('-') }}\"}\n", " (item=[*])");
    undetermined("    - {name: x, debug: {msg: x}, loop: \"{{ id | list }}\"}\n", " (item=[*])");
}

#[test]
fn what_does_not_depend_on_it_is_certain() {
    for task in [
        "debug: {msg: '{{ id }}'}",
        "debug: {msg: x}, when: id is defined",
        "debug: {msg: x}, when: id == 'x' or true",
        "debug: {msg: x}, when: [id == 'x', false]",
        "assert: {that: \"[id, 'a'] | length == 2\"}",
        "assert: {that: \"'a' in [id, 'a']\"}",
        "copy: {content: '{{ id }}', dest: new}",
        "add_host: {name: other, groups: g, token: '{{ id }}'}",
        "set_fact: {list: \"{{ ['a', id] | zip([1, 2]) | map('first') | list }}\"}",
        "registry_token: {registry: fresh, name: cd}, register: c, failed_when: c.registry_token.id is undefined",
        "registry_token: {registry: '{{ r.registry.id }}', registry_token: '{{ id }}', state: absent}",
        "debug: {msg: x}, loop: ['{{ id }}', a]",
    ] {
        let text = plan(&format!("    - {{name: x, {task}}}\n"));
        assert!(text.contains(", 0 undetermined"), "{task}: {text}");
    }
}

#[test]
fn what_an_undetermined_task_registers_notifies_or_includes_is_undetermined_in_turn() {
    let text = plan(
        "    - {name: x, debug: {msg: x}, when: id == 'x', register: x, notify: h, changed_when: true}
    - {name: y, debug: {msg: y}, when: x is changed}
  handlers:
    - {name: h, registry_token: {registry: fresh, name: cd}}
",
    );
    assert_eq!(text.matches(WAITS).count(), 3, "{text}");
    assert!(text.contains("Plan: 2 to create") && text.contains("3 undetermined"), "{text}");
    // A loop of which one pass is undetermined may fail, too.
    let text = plan(
        "    - {name: x, debug: {msg: x}, when: \"item == 'a' or id == 'x'\", loop: [a, b], register: x}
    - {name: y, debug: {msg: y}, when: x is failed}
    - {name: z, debug: {msg: z}, when: x is not skipped}
",
    );
    assert!(text.contains("? task \"y\" on localhost\n") && !text.contains("task \"z\""), "{text}");
    let text = plan(
        "    - {name: x, include_tasks: '{{ id }}.yml'}
    - {name: y, registry_token: {registry: fresh, name: cd}}
",
    );
    assert!(text.contains("? task \"y\" on localhost\n      # waits for what task \"x\" does"), "{text}");
}

#[test]
fn an_unknown_id_stands_for_its_object_and_a_part_of_it_for_none() {
    let desk = Desk::with_tasks(&format!(
        "{MADE}    - {{name: x, registry_token: {{registry: fresh, registry_token: '{{{{ id[:8] }}}}', state: absent}}}}\n"
    ));
    desk.ends(&["plan", "site.yml"], 0, "0 to delete, 0 unchanged, 1 undetermined");
}

#[test]
fn parts_that_cannot_be_known_have_their_own_status() {
    for (tasks, status, says) in [
        ("    - debug: {msg: x}\n", 0, "ok: [localhost]"),
        (
            "    - {command: 'true', register: r}\n    - {debug: {msg: y}, when: r.stdout == ''}\n",
            3,
            "undetermined: [localhost]",
        ),
        ("    - fail: {msg: x}\n", 1, "fatal: [localhost]"),
        ("    - registry: {name: fresh, location: de/fra}\n    - command: 'true'\n", 2, "changed: [localhost]"),
        ("    - copy: {content: x, dest: new}\n", 2, "changed: [localhost]"),
    ] {
        let desk = Desk::with_tasks(tasks);
        desk.ends(&["site.yml", "-C", "--detailed-exitcode"], status, says);
        desk.ends(&["plan", "site.yml", "--detailed-exitcode"], status, "Plan: ");
    }
    // A real run tells changes from failures as well.
    let desk = Desk::with_tasks("    - copy: {content: x, dest: new}\n");
    desk.ends(&["site.yml", "--detailed-exitcode"], 2, "changed: [localhost]");
    desk.ends(&["site.yml", "--detailed-exitcode"], 0, "ok: [localhost]");
}

#[test]
fn a_value_of_a_dry_run_is_not_used_in_earnest() {
    let desk = Desk::with_tasks(
        "    - {registry: {name: fresh, location: de/fra}, register: r, check_mode: true}
    - {command: 'touch {{ r.registry.id }}'}
",
    );
    desk.ends(&["site.yml"], 2, "known to a dry run only");
    assert_eq!(std::fs::read_dir(desk.path()).unwrap().count(), 1);
}
