//! Examples of the reference: those of modules pass `lint` and run, those of filters, tests and lookups give what they say.

use std::fs;
use std::path::Path;
use std::process::Command;

use ionplay::sandbox::{SandboxOptions, start_server};
use serde_json::{Value as Json, json};

use super::console;

/// What examples find in the folder of their playbook.
const FILES: &[(&str, &str)] = &[
    ("motd.j2", "Welcome. Ask {{ owner }}.\n"),
    ("setup.sh", "#!/bin/sh\necho \"$1\"\ntouch setup.done\n"),
    ("vars.yml", "port: 8080\n"),
    ("users.csv", "name,shell\nada,/bin/sh\n"),
    ("service.ini", "[server]\nport = 8080\n"),
    ("tool.sh", "foo"),
];

/// A folder with what examples need: files, an archive and a repository.
fn make_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in FILES {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let git = "git -c user.name=a -c user.email=a@example.org -c init.defaultBranch=main";
    let script = format!(
        "tar -czf site.tar.gz motd.j2 && mkdir site.git && cd site.git && {git} init -q && touch index.html && \
         git add . && {git} commit -qm first"
    );
    let made = console::shell(&script, folder.path()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    folder
}

fn run(script: &str, folder: &Path) -> (bool, String) {
    let mut command: Command = console::shell(&format!("exec 2>&1; {script}"), folder);
    let output = command.output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn examples_of_modules_are_sound() {
    let folder = tempfile::tempdir().unwrap();
    for module in ionplay::modules::MODULES {
        let spec = module.module_spec();
        assert!(!spec.examples.is_empty(), "{} needs examples", spec.name);
        let file = format!("{}.yml", spec.short_name());
        fs::write(folder.path().join(&file), spec.examples).unwrap();
        let (is_fine, said) = run(&format!("ionplay lint {file}"), folder.path());
        assert!(is_fine, "{}:\n{said}", spec.name);
    }
}

#[test]
fn examples_of_modules_run() {
    let server = start_server(SandboxOptions::default()).unwrap();
    for module in ionplay::modules::MODULES {
        let spec = module.module_spec();
        // Those of registries need an account with the objects in them.
        if spec.is_of_registry() {
            continue;
        }
        let folder = make_folder();
        let here = format!("file://{}/", folder.path().display());
        let text = spec.examples.replace("https://example.org/", &here);
        fs::write(folder.path().join("site.yml"), text.replace("https://api.example.org", &server.url())).unwrap();
        let (is_fine, said) = run("ionplay site.yml", folder.path());
        if said.contains("no known service manager") {
            eprintln!("skipped: this host has no service manager for the example of {}", spec.name);
            continue;
        }
        assert!(is_fine && !said.contains("WARNING"), "{}:\n{said}", spec.name);
    }
}

/// An expression with its result, or with one default written out.
struct Case {
    expression: String,
    result: Json,
}

#[test]
fn examples_of_plugins_give_what_they_say() {
    let folder = make_folder();
    let mut cases = Vec::new();
    for kind in ["filter", "test", "lookup"] {
        let (_, names) = run(&format!("ionplay doc -t {kind} -l -j"), folder.path());
        let names: Json = serde_json::from_str(&names).unwrap();
        let words = names.as_object().unwrap().keys().map(|name| format!(" '{name}'")).collect::<String>();
        let (_, pages) = run(&format!("ionplay doc -t {kind} -j {words}"), folder.path());
        let pages: Json = serde_json::from_str(&pages).unwrap();
        for (name, page) in pages.as_object().unwrap() {
            let Some((expression, result)) = page["examples"].as_str().unwrap().split_once("\n# ") else {
                // One that belongs to the engine, and one that needs a server.
                assert!(name.starts_with("ansible._") || name == "url", "{name} needs an example");
                continue;
            };
            let expression = expression.trim_start_matches("{{ ").trim_end_matches(" }}").to_owned();
            let result: Json = serde_json::from_str(result).unwrap();
            for expression in write_out_defaults(&expression, name, &page["doc"]["options"]) {
                cases.push(Case { expression, result: result.clone() });
            }
            cases.push(Case { expression, result });
        }
    }
    assert!(cases.len() > 400, "{}", cases.len());
    let tasks: Vec<Json> =
        cases.iter().map(|case| json!({"debug": {"msg": format!("{{{{ {} }}}}", case.expression)}})).collect();
    let play = json!([{"hosts": "localhost", "gather_facts": false, "ignore_errors": true, "tasks": tasks}]);
    fs::write(folder.path().join("site.yml"), play.to_string()).unwrap();
    run("ionplay site.yml --events events.jsonl", folder.path());
    let events = fs::read_to_string(folder.path().join("events.jsonl")).unwrap();
    let events = events.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    let results: Vec<Json> =
        events.filter(|event| event["event"] == "host").map(|event| event["result"]["msg"].clone()).collect();
    assert_eq!(results.len(), cases.len());
    let wrong: Vec<String> = cases
        .iter()
        .zip(&results)
        .filter(|(case, result)| case.result != **result)
        .map(|(case, result)| format!("{}: {result} and not {}", case.expression, case.result))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Data as a template writes it.
fn literal(data: &Json) -> String {
    match data {
        Json::Null => "none".to_owned(),
        Json::String(text) => {
            format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"))
        }
        other => other.to_string(),
    }
}

/// The expression once for each default that it relies on, with that default written out: the result must be the same.
fn write_out_defaults(expression: &str, name: &str, options: &Json) -> Vec<String> {
    let start = ["| ", "is "].iter().find_map(|sign| Some(expression.rfind(&format!("{sign}{name}"))? + sign.len()));
    let Some(end) = start.map(|start| start + name.len()) else { return Vec::new() };
    let (head, tail) = expression.split_at(end);
    let (inside, rest) = match tail.strip_prefix('(') {
        Some(tail) => {
            let (inside, rest) = tail.split_at(closing_bracket(tail));
            (inside, rest.strip_prefix(')').unwrap_or(rest))
        }
        None => ("", tail),
    };
    let given = split_arguments(inside);
    let is_named = |argument: &&str| {
        argument.split_once('=').is_some_and(|(name, _)| name.chars().all(|c| c.is_alphanumeric() || c == '_'))
    };
    let positional = given.iter().filter(|argument| !is_named(argument)).count();
    let options = options.as_object().unwrap();
    let left_out = options.iter().enumerate().filter(|(index, (option, about))| {
        let is_given = *index < positional || given.iter().any(|argument| argument.starts_with(&format!("{option}=")));
        about.get("default").is_some_and(|default| default != "..") && !is_given
    });
    left_out
        .map(|(_, (option, about))| {
            let comma = if inside.is_empty() { "" } else { ", " };
            format!("{head}({inside}{comma}{option}={}){rest}", literal(&about["default"]))
        })
        .collect()
}

/// Where the bracket is closed that was opened before a text.
fn closing_bracket(text: &str) -> usize {
    let mut depth = 1;
    text.bytes()
        .position(|byte| {
            depth += i32::from(b"([{".contains(&byte)) - i32::from(b")]}".contains(&byte));
            depth == 0
        })
        .unwrap_or(text.len())
}

/// Arguments of a call, split at the commas between them.
fn split_arguments(text: &str) -> Vec<&str> {
    let (mut depth, mut is_quoted) = (0, false);
    text.split(|sign| {
        is_quoted ^= sign == '\'';
        if !is_quoted {
            depth += i32::from("([{".contains(sign)) - i32::from(")]}".contains(sign));
        }
        sign == ',' && depth == 0 && !is_quoted
    })
    .map(str::trim)
    .filter(|argument| !argument.is_empty())
    .collect()
}
