//! Messages as one types, and their remedies.

use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};

use super::client::{Client, apply_edits};

const WRONG: &str = "\
- hosts: localhost
  tasks:
    - name: Say it
      debgu:
        msg: \"{{ x | uper }}\"
    - debug:
        mgs: hello
      retries: 3s
    - registry_token:
        stat: absent
";

fn texts(messages: &[Json]) -> Vec<String> {
    messages.iter().map(|message| message["message"].as_str().unwrap().to_owned()).collect()
}

/// The messages of `ionplay lint`, with the number of their line.
fn lint(client: &Client, name: &str) -> Vec<(String, u64)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ionplay"));
    command.args(["lint", "--format", "json", name]).current_dir(client.path("")).stdin(Stdio::null());
    let output = command.output().unwrap();
    let document: Json = serde_json::from_slice(&output.stdout).unwrap();
    let messages = document["messages"].as_array().unwrap();
    messages
        .iter()
        .map(|message| {
            let line = message["places"][0]["line"].as_u64().unwrap_or_default();
            (message["summary"].as_str().unwrap().to_owned(), line)
        })
        .collect()
}

#[test]
fn messages_are_those_of_lint_while_the_text_is_typed() {
    let mut client = Client::start(&[("site.yml", WRONG), ("fine.yml", "- hosts: localhost\n  tasks: []\n")], &[]);
    let found = client.open("site.yml");
    let linted = lint(&client, "site.yml");
    assert!(!linted.is_empty() && found.len() == linted.len(), "{found:?} {linted:?}");
    for (summary, line) in &linted {
        let is_same = |message: &Json| {
            let text = message["message"].as_str().unwrap();
            text.starts_with(summary.as_str()) && message["range"]["start"]["line"].as_u64().unwrap() + 1 == *line
        };
        assert!(found.iter().any(is_same), "{summary}: {found:?}");
    }
    // What is not saved counts.
    assert_eq!(client.replace("site.yml", 2, "- hosts: localhost\n  tasks: []\n"), Vec::<Json>::new());
    let broken = client.replace("site.yml", 3, "- hosts: localhost\n  tasks: [\n");
    assert_eq!(broken[0]["severity"], 1, "{broken:?}");
    assert_eq!(client.open("fine.yml"), Vec::<Json>::new());
}

#[test]
fn included_texts_count_as_the_editor_has_them() {
    let site = "- hosts: localhost\n  tasks:\n    - import_tasks: more.yml\n";
    let mut client = Client::start(&[("site.yml", site), ("more.yml", "- ping:\n")], &[]);
    assert_eq!(client.open("site.yml"), Vec::<Json>::new());
    let found = client.open_text("more.yml", "- pign:\n");
    assert!(texts(&found)[0].contains("`pign`"), "{found:?}");
    let document = json!({"uri": client.uri("site.yml")});
    client.notify("textDocument/didSave", json!({"textDocument": document}));
    let found = client.diagnostics("more.yml", 1);
    assert_eq!(found.len(), 1, "told once, though two texts have it: {found:?}");
}

#[test]
fn tasks_of_a_role_are_checked_as_part_of_it() {
    let tasks = "- copy: {src: motd, dest: /tmp/motd}\n  notify: Reload\n- pign:\n";
    let files = [
        ("roles/web/tasks/main.yml", tasks),
        ("roles/web/handlers/main.yml", "- name: Reload\n  debug: {msg: reloaded}\n"),
        ("roles/web/files/motd", "hello\n"),
    ];
    let mut client = Client::start(&files, &[]);
    let found = texts(&client.open("roles/web/tasks/main.yml"));
    assert!(found.len() == 1 && found[0].contains("`pign`"), "{found:?}");
    assert_eq!(client.open("roles/web/handlers/main.yml"), Vec::<Json>::new());
}

#[test]
fn opening_a_text_runs_nothing() {
    let text = "- hosts: localhost\n  tasks:\n    - import_tasks: \"{{ lookup('pipe', 'touch made; echo x.yml') }}\"\n";
    let mut client = Client::start(&[("site.yml", text)], &[]);
    let found = texts(&client.open("site.yml"));
    assert!(found.iter().any(|text| text.contains("lookup `pipe`")), "{found:?}");
    assert!(!client.path("made").exists());
}

/// Applies all remedies of a kind that a text is offered, one after the other.
fn mend(text: &str, title: &str) -> String {
    let mut client = Client::start(&[("site.yml", text)], &[]);
    client.open("site.yml");
    let whole = json!({"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}});
    let params = json!({
        "textDocument": {"uri": client.uri("site.yml")}, "range": whole, "context": {"diagnostics": []},
    });
    let actions = client.request("textDocument/codeAction", params);
    let action = actions.as_array().unwrap().iter().find(|action| action["title"] == title);
    let action = action.unwrap_or_else(|| panic!("{title}: {actions:#}"));
    assert_eq!(action["kind"], "quickfix");
    apply_edits(&client.path("site.yml"), &action["edit"]["changes"][client.uri("site.yml")])
}

#[test]
fn remedies_that_replace_text_are_code_actions() {
    let cases = [
        ("- debgu: {msg: hi}\n", "replace by `debug`", "- debug: {msg: hi}\n"),
        ("- debug:\n    mgs: hi\n", "replace by `msg`", "- debug:\n    msg: hi\n"),
        ("- debug: {msg: \"{{ a | uper }}\"}\n", "replace by `upper`", "- debug: {msg: \"{{ a | upper }}\"}\n"),
        ("- ping:\n  when: a is definde\n", "replace by `defined`", "- ping:\n  when: a is defined\n"),
        ("- ping:\n  delay: 10s\n", "replace by `delay: 10`", "- ping:\n  delay: 10\n"),
        ("- set_fact: {my-name: 1}\n", "replace by `my_name`", "- set_fact: {my_name: 1}\n"),
        ("- ping:\n  ignore_errors: maybe\n", "replace by `true`", "- ping:\n  ignore_errors: true\n"),
        ("- ping:\n  notfy: x\n", "replace by `notify`", "- ping:\n  notify: x\n"),
        (
            "- command: \"true\"\n  until: out.rc == 0\n",
            "add `register: out`",
            "- command: \"true\"\n  until: out.rc == 0\n  register: out\n",
        ),
        ("- ping:\n  when: \"{{ a }}\"\n", "replace by `when: a`", "- ping:\n  when: a\n"),
    ];
    for (text, title, mended) in cases {
        assert_eq!(mend(text, title), mended, "{text}");
    }
}
