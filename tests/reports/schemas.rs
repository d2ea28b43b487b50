//! Schemas for editors: a validator that is not ours accepts every example, and refuses mistakes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Desk, foreign, text_of};

/// All files below a folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// The blocks of YAML in a page.
fn yaml_blocks(page: &str) -> Vec<String> {
    let parts = page.split("\n```yaml\n").skip(1);
    parts.map(|part| part.split("\n```").next().unwrap_or_default().to_owned() + "\n").collect()
}

/// The kind of schema for a text; `None` for what is neither a playbook, tasks nor a file of gitops.
fn schema_kind(text: &str) -> Option<&'static str> {
    let has_line = |start: &str| text.lines().any(|line| line.starts_with(start));
    let is_task = |line: &str| {
        let word = line.trim_start_matches(['-', ' ']).split(':').next().unwrap_or_default();
        line.starts_with(['-', ' ']) && ionplay::modules::find_module(word).is_some()
    };
    if has_line("version: 1") && has_line("jobs:") {
        Some("gitops")
    } else if has_line("- hosts:") || has_line("  hosts:") {
        Some("playbook")
    } else if has_line("- ") && text.lines().any(is_task) {
        Some("tasks")
    } else {
        None
    }
}

/// The examples of the repository by their kind.
fn collect_examples() -> BTreeMap<&'static str, Vec<(String, String)>> {
    let mut found: BTreeMap<&'static str, Vec<(String, String)>> = BTreeMap::new();
    let mut paths = files_below(&crate::root().join("playbooks"));
    paths.extend(files_below(&crate::root().join("docs")));
    paths.push(crate::root().join("README.md"));
    for path in paths {
        let ending = path.extension().unwrap_or_default().to_string_lossy().into_owned();
        let name = path.strip_prefix(crate::root()).unwrap().display().to_string();
        let texts = match ending.as_str() {
            "yml" => vec![fs::read_to_string(&path).unwrap()],
            // It is about modules that no schema of this program has.
            "md" if name.ends_with("foreign-modules.md") => continue,
            "md" => yaml_blocks(&fs::read_to_string(&path).unwrap()),
            _ => continue,
        };
        for text in texts {
            if let Some(kind) = schema_kind(&text) {
                found.entry(kind).or_default().push((name.clone(), text));
            }
        }
    }
    found
}

#[test]
fn every_example_validates() {
    let desk = Desk::with_playbook("");
    let examples = collect_examples();
    for (kind, least) in [("gitops", 2), ("playbook", 8), ("tasks", 4)] {
        let texts = &examples[kind];
        assert!(texts.len() >= least, "{kind}: {}", texts.len());
        let (schema, _) = desk.run(&["schema", "--for", kind]);
        desk.write("schema.json", &schema);
        let names: Vec<String> = (0..texts.len()).map(|number| format!("{kind}-{number}.yml")).collect();
        names.iter().zip(texts).for_each(|(name, (_, text))| desk.write(name, text));
        let mut arguments = vec!["--schemafile", "schema.json"];
        arguments.extend(names.iter().map(String::as_str));
        let Some(output) = foreign(&desk, "check-jsonschema", &arguments) else { return };
        let origins: Vec<_> = names.iter().zip(texts).map(|(name, (from, _))| format!("{name} is of {from}")).collect();
        assert!(output.status.success(), "{}\n{}", text_of(&output), origins.join("\n"));
    }
}

#[test]
fn schemas_refuse_mistakes_and_relax_what_defaults_give() {
    let desk = Desk::with_playbook("");
    let token = "registry_token: {registry: demo, state: absent}";
    let cases = [
        ("tasks", format!("- {token}\n"), false),
        ("tasks", format!("- {token}\n  module_defaults: {{registry_token: {{registry_token: ci}}}}\n"), true),
        ("tasks", "- registry_token: {registry: demo, registry_token: ci, state: gone}\n".to_owned(), false),
        ("tasks", "- registry_token: {registry: demo, registry_token: ci, state: absent}\n".to_owned(), true),
        ("playbook", format!("- hosts: all\n  tasks:\n    - {token}\n"), false),
        (
            "playbook",
            format!(
                "- hosts: all\n  module_defaults: {{registry_token: {{registry_token: ci}}}}\n  tasks:\n    - {token}\n    - block: [{{{token}}}]\n"
            ),
            true,
        ),
        ("gitops", "version: 1\njobs: {a: {git: {url: /srv/a}, playbook: site.yml}}\n".to_owned(), true),
        ("gitops", "version: 1\njobs: {a: {git: {url: /srv/a}, playbok: site.yml}}\n".to_owned(), false),
        (
            "gitops",
            "version: 1\njobs: {a: {git: {url: /srv/a}, playbook: site.yml, approve: perhaps}}\n".to_owned(),
            false,
        ),
        ("gitops", "version: 1\njobs: {a: {git: {url: /srv/a}, playbook: site.yml, poll: 60}}\n".to_owned(), false),
    ];
    for (kind, text, is_valid) in cases {
        let (schema, _) = desk.run(&["schema", "--for", kind]);
        desk.write("schema.json", &schema);
        desk.write("case.yml", &text);
        let Some(output) = foreign(&desk, "check-jsonschema", &["--schemafile", "schema.json", "case.yml"]) else {
            return;
        };
        assert_eq!(output.status.success(), is_valid, "{text}\n{}", text_of(&output));
    }
}
