//! Help while writing: `doc`, `schema`, `new`, `man`, `--version`.

use super::{Desk, foreign};

fn json_of(desk: &Desk, arguments: &[&str]) -> serde_json::Value {
    let output = desk.command(arguments).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", super::text_of(&output)))
}

#[test]
fn doc_answers_the_options_of_ansible_doc() {
    let desk = Desk::with_playbook("");
    let (list, _) = desk.run(&["doc", "-t", "filter", "-l"]);
    assert!(list.lines().any(|line| line.starts_with("combine ")), "{list}");
    let names = json_of(&desk, &["doc", "-l", "-j"]);
    assert!(names["ansible.builtin.copy"].is_string(), "{names}");
    let module = json_of(&desk, &["doc", "-j", "copy"]);
    let options = &module["ansible.builtin.copy"]["doc"]["options"];
    assert_eq!((&options["dest"]["type"], &options["dest"]["required"]), (&"path".into(), &true.into()));
    assert_eq!((&options["mode"]["type"], &options["backup"]["default"]), (&"raw".into(), &false.into()));
    let module = json_of(&desk, &["doc", "-j", "uri"]);
    let codes = &module["ansible.builtin.uri"]["doc"]["options"]["status_code"];
    assert_eq!(codes["type"], "list");
    assert_eq!((&codes["elements"], &codes["default"]), (&"int".into(), &serde_json::json!([200])));
    let filter = json_of(&desk, &["doc", "-t", "filter", "-j", "regex_replace"]);
    assert!(filter["regex_replace"]["doc"]["positional"].as_str().unwrap().starts_with("pattern, replacement"));
    let options = &filter["regex_replace"]["doc"]["options"];
    assert_eq!((&options["count"]["default"], &options["count"]["required"]), (&0.into(), &false.into()));
    assert_eq!(options["replacement"]["default"], "");
    let (page, _) = desk.run(&["doc", "truncate"]);
    assert!(page.contains("length=255, killwords=false") && page.contains("\nEXAMPLE\n  {{ "), "{page}");
    let (said, status) = desk.run(&["doc", "-t", "filter", "combin"]);
    assert!(status == 1 && said.contains("did you mean `combine`"), "{said}");
}

#[test]
fn snippets_are_tasks_in_yaml_for_every_module() {
    let desk = Desk::with_playbook("");
    for name in json_of(&desk, &["doc", "-l", "-j"]).as_object().unwrap().keys() {
        let (snippet, status) = desk.run(&["doc", "-s", name]);
        assert_eq!(status, 0, "{name}");
        desk.write("snippet.yml", &snippet);
        let (said, status) = desk.run(&["schema", "--for", "tasks"]);
        assert_eq!(status, 0, "{said}");
        // A file of YAML is read; what it lacks are values, which is for the reader to fill in.
        let (said, _) = desk.run(&["lint", "snippet.yml"]);
        assert!(!said.contains("YAML"), "{name}: {said}\n{snippet}");
    }
}

#[test]
fn schema_for_one_kind_of_file_refuses_the_other() {
    let desk = Desk::with_playbook("- hosts: localhost\n  tasks: []\n");
    for kind in ["playbook", "tasks"] {
        desk.write(&format!("{kind}.json"), &json_of(&desk, &["schema", "--for", kind]).to_string());
    }
    let Some(fine) = foreign(&desk, "check-jsonschema", &["--schemafile", "playbook.json", "site.yml"]) else { return };
    assert!(fine.status.success(), "{}", super::text_of(&fine));
    let wrong = foreign(&desk, "check-jsonschema", &["--schemafile", "tasks.json", "site.yml"]).unwrap();
    assert!(!wrong.status.success());
}

#[test]
fn beginnings_run_as_they_are_and_are_never_overwritten() {
    let desk = Desk::with_playbook("- hosts: localhost\n  gather_facts: false\n  roles: [access]\n");
    assert_eq!(desk.run(&["new", "playbook", "tokens.yml"]).1, 0);
    assert_eq!(desk.run(&["new", "role", "roles/access"]).1, 0);
    assert_eq!(desk.run(&["new", "gitops", "kept"]).1, 0);
    for playbook in ["tokens.yml", "site.yml", "kept/site.yml"] {
        let (said, status) = desk.run(&["--sandbox", playbook]);
        assert!(status == 0 && said.contains("REGISTRY OBJECTS: 1 created"), "{playbook}: {said}");
        let (said, status) = desk.run(&["lint", playbook]);
        assert!(status == 0 && said.contains("0 errors, 0 warnings"), "{playbook}: {said}");
    }
    let (said, status) = desk.run(&["gitops", "check", "kept/gitops.yml"]);
    assert_eq!(status, 0, "{said}");
    let (said, _) = desk.run(&["new", "gitops", "next"]);
    let next =
        said.split_once("Next: ").unwrap().1.replace("git commit", "git -c user.name=a -c user.email=a@b.c commit");
    let programs = std::path::Path::new(env!("CARGO_BIN_EXE_ionplay")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &next]).current_dir(desk.path(".")).env("PATH", path).env("HOME", desk.path("."));
    let followed = shell.output().unwrap();
    let said = super::text_of(&followed);
    assert!(followed.status.success() && said.contains("applied"), "{next}{said}");
    std::fs::remove_file(desk.path("roles/access/tasks/main.yml")).unwrap();
    let (said, status) = desk.run(&["new", "role", "roles/access"]);
    assert!(status == 1 && said.contains("exists already; nothing was written"), "{said}");
    assert!(!desk.path("roles/access/tasks/main.yml").exists());
}

#[test]
fn version_is_a_line_and_a_document() {
    let desk = Desk::with_playbook("");
    let (line, status) = desk.run(&["--version"]);
    assert!(status == 0 && line.contains("follows ansible-core 2.19"), "{line}");
    let document = json_of(&desk, &["--version", "--json"]);
    assert_eq!(document["version"], env!("CARGO_PKG_VERSION"));
    assert!(line.contains(document["target"].as_str().unwrap()), "{document}");
}

#[test]
fn manual_pages_are_read_by_man() {
    let desk = Desk::with_playbook("");
    let (said, status) = desk.run(&["man", "man1"]);
    assert_eq!((said.as_str(), status), ("", 0));
    assert!(desk.read("man1/ionplay-plan.1").contains("ionplay"));
    let Some(shown) = foreign(&desk, "man", &["--warnings", "-l", "man1/ionplay.1"]) else { return };
    assert!(shown.status.success(), "{}", super::text_of(&shown));
}
