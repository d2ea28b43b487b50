//! Completion, hover, signatures, places of names, renaming, hints, folding and symbols.

use serde_json::{Value as Json, json};

use super::client::{Client, apply_edits};

const SITE: &str = "\
- name: Deploy
  hosts: localhost
  vars:
    greeting: hello
    message: \"{{ greeting }} world\"
    sealed: !vault |
      $ANSIBLE_VAULT;1.1;AES256
      6162
  vars_files: [more.yml]
  roles:
    - web
  tasks:
    - name: Say it
      debug:
        msg: \"{{ message }}\"
      notify: Reload
    - name: Look
      command: id
      register: looked
      when: greeting is defined and looked is not failed
    - block:
        - include_tasks: extra.yml
        - debug: {msg: \"{{ sealed }} {{ looked.stdout | regex_replace('a', 'b') }}\"}
  handlers:
    - name: Reload
      ping:
";

const FILES: &[(&str, &str)] = &[
    ("site.yml", SITE),
    ("more.yml", "port: 8080\n"),
    ("extra.yml", "- ping:\n"),
    ("roles/web/tasks/main.yml", "- debug: {msg: \"{{ web_port }}\"}\n"),
    ("roles/web/defaults/main.yml", "web_port: 80\n"),
];

fn start() -> Client {
    let mut client = Client::start(FILES, &[]);
    let found = client.open("site.yml");
    assert!(found.iter().all(|message| message["severity"] != 1), "{found:?}");
    client
}

#[track_caller]
fn offers(text: &str, wanted: &[&str], unwanted: &[&str]) {
    let files: Vec<(&str, &str)> = FILES.iter().filter(|(name, _)| *name != "site.yml").copied().collect();
    let mut client = Client::start(&files, &[]);
    let (before, after) = text.split_once('^').unwrap();
    std::fs::write(client.path("site.yml"), format!("{before}{after}")).unwrap();
    client.open("site.yml");
    let labels = client.labels("site.yml", before);
    for name in wanted {
        assert!(labels.iter().any(|label| label == name), "{name} is missing for {text:?}: {labels:?}");
    }
    for name in unwanted {
        assert!(labels.iter().all(|label| label != name), "{name} is offered for {text:?}");
    }
}

#[test]
fn completion_offers_what_may_stand_there() {
    offers("- hosts: localhost\n  ga^", &["gather_facts", "tasks"], &["hosts", "register", "debug"]);
    offers(
        "- hosts: localhost\n  tasks:\n    - na^",
        &["name", "when", "debug", "ansible.builtin.debug", "registry_token"],
        &["hosts"],
    );
    offers(
        "- hosts: localhost\n  tasks:\n    - name: x\n      ^",
        &["when", "copy", "include_tasks"],
        &["name", "hosts"],
    );
    offers("- copy:\n    de^\n", &["dest", "content", "mode"], &["msg", "when"]);
    offers("- copy: {de^}\n", &["dest", "content"], &["when"]);
    offers("- registry_token:\n    state: ^\n", &["present", "absent", "update"], &["name"]);
    offers("- ping:\n  ignore_errors: ^\n", &["true", "false"], &["debug"]);
    offers("- hosts: all\n  strategy: f^\n", &["free", "linear"], &[]);
    offers("- hosts: all\n  roles:\n    - ^\n", &["web"], &[]);
    offers("- include_role:\n    name: ^\n", &["web"], &[]);
    offers("- include_tasks: ^\n", &["extra.yml"], &[]);
    offers("- meta: ^\n", &["flush_handlers"], &[]);
    offers(
        "- hosts: all\n  tasks:\n    - ping:\n      notify: ^\n  handlers:\n    - name: Reload\n      ping:\n",
        &["Reload"],
        &[],
    );
}

#[test]
fn completion_in_templates_knows_filters_tests_lookups_and_variables() {
    offers("- debug:\n    msg: \"{{ x | ^ }}\"\n", &["upper", "default"], &["defined", "env"]);
    offers("- debug:\n    msg: \"{{ x | up^", &["upper"], &["defined"]);
    offers("- ping:\n  when: x is ^\n", &["defined", "failed"], &["default"]);
    offers("- debug:\n    msg: \"{{ lookup('^') }}\"\n", &["env", "file"], &["upper"]);
    offers(
        "- hosts: all\n  vars: {port: 1}\n  tasks:\n    - ping:\n      register: pinged\n    - ping:\n      when: ^\n",
        &["port", "pinged", "inventory_hostname", "lookup"],
        &["upper"],
    );
    offers("- ping:\n  loop: [1]\n  when: ^\n", &["item"], &[]);
    offers(
        "- hosts: all\n  roles: [web]\n  vars_files: [more.yml]\n  tasks:\n    - debug: {msg: \"{{ ^ }}\"}\n",
        &["web_port", "port"],
        &[],
    );
}

#[test]
fn hover_shows_the_reference() {
    let mut client = start();
    let cases = [
        ("- name: Say it\n      deb", "ansible.builtin.debug"),
        ("debug:\n        ms", "**msg** (any)"),
        ("noti", "**notify** (keyword)"),
        ("greeting is def", "**defined** (test)"),
        ("| regex_rep", "**regex_replace** (filter)"),
        ("msg: \"{{ mess", "variable at site.yml:5"),
        ("\"{{ seal", "= `vaulted`"),
    ];
    for (before, wanted) in cases {
        let place = client.at("site.yml", before, 0);
        let hover = client.request("textDocument/hover", place);
        let text = hover["contents"]["value"].as_str().unwrap_or_default();
        assert!(text.contains(wanted), "{before:?}: {hover}");
    }
}

#[test]
fn signature_names_the_arguments_of_a_filter() {
    let mut client = start();
    let place = client.at("site.yml", "regex_replace('a', ", 0);
    let help = client.request("textDocument/signatureHelp", place);
    assert!(help["signatures"][0]["label"].as_str().unwrap().starts_with("regex_replace(pattern"), "{help}");
    assert_eq!(help["activeParameter"], 1);
}

#[test]
fn names_lead_to_their_definitions() {
    let mut client = start();
    let cases = [
        ("msg: \"{{ mess", "site.yml", 4),
        ("greeting is defined and look", "site.yml", 18),
        ("notify: Rel", "site.yml", 24),
        ("    - we", "roles/web/tasks/main.yml", 0),
        ("include_tasks: ext", "extra.yml", 0),
        ("vars_files: [mo", "more.yml", 0),
    ];
    for (before, file, line) in cases {
        let place = client.at("site.yml", before, 0);
        let found = client.request("textDocument/definition", place);
        assert_eq!(found[0]["uri"], client.uri(file), "{before:?}: {found}");
        assert_eq!(found[0]["range"]["start"]["line"], line, "{before:?}: {found}");
    }
    client.open("roles/web/tasks/main.yml");
    let place = client.at("roles/web/tasks/main.yml", "{{ web", 0);
    let found = client.request("textDocument/definition", place);
    assert_eq!(found[0]["uri"], client.uri("roles/web/defaults/main.yml"));
}

#[test]
fn references_are_all_uses() {
    let mut client = start();
    for (before, lines) in [
        ("    greet", vec![3, 4, 19]),
        ("register: look", vec![18, 19, 22]),
        ("notify: Rel", vec![15, 24]),
        ("    - we", vec![10]),
    ] {
        let mut place = client.at("site.yml", before, 0);
        place["context"] = json!({"includeDeclaration": true});
        let found = client.request("textDocument/references", place);
        let mut found: Vec<u64> =
            found.as_array().unwrap().iter().map(|place| place["range"]["start"]["line"].as_u64().unwrap()).collect();
        found.sort_unstable();
        assert_eq!(found, lines, "{before:?}");
    }
}

#[test]
fn variable_is_renamed_within_its_play() {
    let second = format!("{SITE}- hosts: all\n  vars: {{greeting: other}}\n  tasks:\n    - debug: {{var: greeting}}\n");
    let mut client = Client::start(&[("site.yml", &second)], &[]);
    client.open("site.yml");
    let mut place = client.at("site.yml", "    greet", 0);
    let prepared = client.request("textDocument/prepareRename", place.clone());
    assert_eq!(prepared["placeholder"], "greeting");
    place["newName"] = "salute".into();
    let edit = client.request("textDocument/rename", place.clone());
    let renamed = apply_edits(&client.path("site.yml"), &edit["changes"][client.uri("site.yml")]);
    let first = SITE.replace("greeting", "salute");
    assert_eq!(renamed, second.replacen(SITE, &first, 1));
    for (name, why) in [("a-b", "not a valid variable name"), ("message", "is used in this play already")] {
        place["newName"] = name.into();
        let refused = client.ask("textDocument/rename", place.clone());
        assert!(refused["error"]["message"].as_str().unwrap().contains(why), "{refused}");
    }
}

#[test]
fn variable_of_another_file_is_not_renamed() {
    let mut client = Client::start(
        &[
            ("site.yml", "- hosts: all\n  vars_files: [more.yml]\n  tasks:\n    - debug: {var: port}\n"),
            ("more.yml", "port: 1\n"),
        ],
        &[],
    );
    client.open("site.yml");
    let mut place = client.at("site.yml", "var: po", 0);
    place["newName"] = "door".into();
    let refused = client.ask("textDocument/rename", place);
    assert!(refused["error"]["message"].as_str().unwrap().contains("defined in more.yml"), "{refused}");
}

#[test]
fn hints_show_values_without_secrets() {
    let mut client = start();
    let whole = json!({"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}});
    let params = json!({"textDocument": {"uri": client.uri("site.yml")}, "range": whole});
    let hints = client.request("textDocument/inlayHint", params);
    let labels: Vec<&str> = hints.as_array().unwrap().iter().map(|hint| hint["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["= hello", "= hello world", "vaulted"]);
}

#[test]
fn symbols_and_folds_follow_the_structure() {
    let mut client = start();
    let document = json!({"textDocument": {"uri": client.uri("site.yml")}});
    let symbols = client.request("textDocument/documentSymbol", document.clone());
    let names = |symbols: &Json| -> Vec<String> {
        symbols.as_array().unwrap().iter().map(|symbol| symbol["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&symbols), ["Deploy"]);
    assert_eq!(names(&symbols[0]["children"]), ["Say it", "Look", "block", "Reload"]);
    assert_eq!(names(&symbols[0]["children"][2]["children"]), ["include_tasks", "debug"]);
    let folds = client.request("textDocument/foldingRange", document);
    let folds: Vec<(u64, u64)> = folds
        .as_array()
        .unwrap()
        .iter()
        .map(|fold| (fold["startLine"].as_u64().unwrap(), fold["endLine"].as_u64().unwrap()))
        .collect();
    assert!(folds.contains(&(0, 25)) && folds.contains(&(5, 7)) && folds.contains(&(12, 15)), "{folds:?}");
}
