//! The playbooks and examples of this repository, failing at every task in turn: then they simply run again, and every
//! password is stored. So it is when the stored files are gone.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use ionplay::sandbox::password_of;
use serde_json::json;

use super::stage::{REG_A, Stage};

/// A recipe, and where its tasks begin in a line.
struct Recipe {
    file: &'static str,
    /// The file with the tasks.
    tasks: &'static str,
    indent: &'static str,
    options: &'static [&'static str],
    /// The tokens that are there afterwards.
    tokens: usize,
}

const RECIPES: &[Recipe] = &[
    recipe("pull-secrets.yml", &[], 3),
    recipe("rotate-token.yml", &["-e", "generation=2031-w05"], 1),
    recipe("safe-replace.yml", &[], 1),
    recipe("check-first.yml", &[], 1),
    recipe("expiry.yml", &[], 1),
    recipe("from-nothing.yml", &[], 0),
    recipe("token-lifecycle.yml", &[], 0),
    recipe("environments/site.yml", &["-i", "playbooks/environments/hosts.yml"], 3),
    Recipe { tasks: "roles/registry_access/tasks/main.yml", indent: "", ..recipe("with-role.yml", &[], 2) },
];

const fn recipe(file: &'static str, options: &'static [&'static str], tokens: usize) -> Recipe {
    Recipe { file, tasks: file, indent: "    ", options, tokens }
}

impl Recipe {
    fn stage() -> Stage {
        let stage = Stage::with(&json!({"registries": [{"id": REG_A, "name": "demo"}]}), &[]);
        let playbooks = stage.folder.path().join("playbooks");
        copy(&crate::root().join("playbooks"), &playbooks);
        std::fs::create_dir(stage.folder.path().join("stored")).unwrap();
        stage
    }

    fn run(&self, stage: &Stage) -> super::stage::Played {
        let file = format!("playbooks/{}", self.file);
        stage.run(&[self.options, &[file.as_str()]].concat())
    }

    /// The places of the tasks in the text, and its end.
    fn places(&self, text: &str) -> Vec<usize> {
        let begin = text.find("\n  tasks:\n").unwrap_or(0);
        let mark = format!("{}- name: ", self.indent);
        let mut places: Vec<usize> = text
            .match_indices(&mark)
            .map(|(at, _)| at)
            .filter(|at| *at >= begin && (*at == 0 || text.as_bytes()[at - 1] == b'\n'))
            .collect();
        places.push(text.len());
        places
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)
        } else {
            _ = std::fs::copy(entry.path(), target).unwrap()
        }
    }
}

/// All files of the stage that hold a password.
fn stored(stage: &Stage) -> Vec<(PathBuf, String)> {
    let mut folders = vec![stage.folder.path().join("playbooks"), stage.folder.path().join("stored")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path)
                && text.contains("fake-password-")
            {
                found.push((path, text));
            }
        }
    }
    found
}

#[track_caller]
fn check(recipe: &Recipe, stage: &Stage, told: &str) {
    let files = stored(stage);
    let store = stage.sandbox.read_store();
    let tokens: Vec<_> = store.registries.iter().flat_map(|registry| &registry.tokens).collect();
    assert_eq!(tokens.len(), recipe.tokens, "{} {told}", recipe.file);
    for token in tokens {
        let password = password_of(token.id);
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{}:{password}", token.name));
        let is_stored = files.iter().any(|(_, text)| text.contains(&password) || text.contains(&pair));
        assert!(is_stored, "{} {told}: the password of `{}` is not stored", recipe.file, token.name);
    }
    let list = String::from_utf8(stage.program(&["token", "list"]).output().unwrap().stdout).unwrap();
    assert!(list.starts_with("No saved passwords"), "{} {told}: {list}", recipe.file);
}

#[test]
fn recipes_store_every_password_whatever_task_fails_before() {
    for recipe in RECIPES {
        let tasks = format!("playbooks/{}", recipe.tasks);
        let text = std::fs::read_to_string(Recipe::stage().folder.path().join(&tasks)).unwrap();
        for (index, place) in recipe.places(&text).into_iter().enumerate() {
            let stage = Recipe::stage();
            let path = stage.folder.path().join(&tasks);
            let failing = format!("{}{}- fail: {{msg: stop}}\n\n{}", &text[..place], recipe.indent, &text[place..]);
            std::fs::write(&path, failing).unwrap();
            let failed = recipe.run(&stage);
            assert_eq!(failed.code, 2, "{} with a failure before task {index}:\n{}", recipe.file, failed.everything());
            std::fs::write(&path, &text).unwrap();
            let told = format!("after a failure before task {index}");
            let again = recipe.run(&stage);
            assert_eq!(again.code, 0, "{} {told}:\n{}\n---\n{}", recipe.file, failed.stdout, again.everything());
            check(recipe, &stage, &told);
            stored(&stage).into_iter().for_each(|(path, _)| std::fs::remove_file(path).unwrap());
            let again = recipe.run(&stage);
            assert_eq!(again.code, 0, "{} without its files:\n{}", recipe.file, again.everything());
            check(recipe, &stage, "without its files");
        }
    }
}
