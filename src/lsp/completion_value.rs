//! Completion of values: choices of parameters, words of keywords, roles, handlers and files.

use std::path::Path;

use lsp_types::CompletionItemKind as Kind;

use super::choice::Choice;
use super::document::{Document, Workspace};
use super::names::is_role_action;
use super::structure::MappingKind;
use crate::executor::META_ACTIONS;
use crate::lint::{BOOLEANS, STRATEGIES};
use crate::modules::spec::{Param, ParamKind};
use crate::playbook::Keyword;

/// Most names of files that are listed.
const MAX_FILES: usize = 300;

/// Returns the values that an entry may have, or the members of its list.
pub fn list_values(workspace: &Workspace, document: &Document, entry: usize) -> Vec<Choice> {
    let outline = document.outline();
    let key = document.key(entry);
    let holder = outline.nodes[entry].parent;
    let kind = document.mapping_kind(holder);
    if let Some(param) = kind.find_param(key) {
        return param_values(workspace, document, param, kind);
    }
    let short = key.strip_prefix("ansible.builtin.").unwrap_or(key);
    let parent = holder.map_or("", |index| document.key(index));
    match (kind, short) {
        (MappingKind::ActionArguments, "name" | "role") if is_role_action(parent) => role_names(workspace, document),
        (MappingKind::ActionArguments, "file") | (MappingKind::Task(_), "include_tasks" | "import_tasks") => {
            files_in(&[document.folder()])
        }
        (MappingKind::Play, "roles") | (MappingKind::RoleEntry, "role" | "name") => role_names(workspace, document),
        (MappingKind::Play, "hosts") => {
            words(&[("localhost", "This machine."), ("all", "All hosts of the inventory.")])
        }
        (MappingKind::Play, "vars_files") => files_in(&[document.folder(), document.folder().join("vars")]),
        (MappingKind::Play, "import_playbook") => files_in(&[document.folder()]),
        (MappingKind::Play, "strategy") => {
            STRATEGIES.iter().map(|name| Choice::new(name, Kind::ENUM_MEMBER, "")).collect()
        }
        (MappingKind::Task(_), "include_vars") => files_in(&[document.folder(), document.folder().join("vars")]),
        (MappingKind::Task(_), "meta") => words(META_ACTIONS),
        (_, "notify") => handler_names(workspace, document),
        (_, "connection") => words(&[("local", "Tasks run on this machine.")]),
        _ if Keyword::from_name(key).is_some_and(|keyword| BOOLEANS.contains(&keyword)) || key == "gather_facts" => {
            booleans()
        }
        _ => Vec::new(),
    }
}

fn words(rows: &[(&str, &str)]) -> Vec<Choice> {
    rows.iter().map(|(word, about)| Choice::new(word, Kind::ENUM_MEMBER, about)).collect()
}

fn booleans() -> Vec<Choice> {
    words(&[("true", ""), ("false", "")])
}

fn param_values(workspace: &Workspace, document: &Document, param: &Param, kind: MappingKind) -> Vec<Choice> {
    let module = match kind {
        MappingKind::Arguments(spec) => spec.short_name(),
        _ => "",
    };
    let about = |choice: &str| if param.default == Some(choice) { "The default." } else { "" };
    if !param.choices.is_empty() {
        return param.choices.iter().map(|choice| Choice::new(choice, Kind::ENUM_MEMBER, about(choice))).collect();
    }
    if !param.known_values.is_empty() {
        return param.known_values.iter().map(|value| Choice::new(value, Kind::ENUM_MEMBER, "")).collect();
    }
    match (param.kind, module, param.name) {
        (ParamKind::Bool, ..) => booleans(),
        (_, "template", "src") => files_in(&source_folders(workspace, document, "templates")),
        (_, "copy" | "script", "src") => files_in(&source_folders(workspace, document, "files")),
        (_, "include_vars", "file") => files_in(&[document.folder(), document.folder().join("vars")]),
        _ => Vec::new(),
    }
}

/// The folders in which sources of a module are looked for.
fn source_folders(workspace: &Workspace, document: &Document, part: &str) -> Vec<std::path::PathBuf> {
    let role = super::names::role_folder(&document.path);
    role.into_iter().chain([workspace.project_folder(document)]).map(|folder| folder.join(part)).collect()
}

fn role_names(workspace: &Workspace, document: &Document) -> Vec<Choice> {
    let folders = workspace.role_folders(document);
    let names = folders.iter().flat_map(|folder| entries(folder)).filter(|(_, is_folder)| *is_folder);
    names.map(|(name, _)| Choice::new(&name, Kind::MODULE, "Role.")).collect()
}

fn handler_names(workspace: &Workspace, document: &Document) -> Vec<Choice> {
    let related = workspace.related_files(document);
    let own = document.handler_names();
    let names = own.into_iter().chain(related.iter().flat_map(|file| file.handler_names()));
    names.map(|handler| Choice::new(&handler.name, Kind::EVENT, "Handler.")).collect()
}

/// The files in folders, and in folders below them.
fn files_in(folders: &[std::path::PathBuf]) -> Vec<Choice> {
    let mut names = Vec::new();
    for folder in folders {
        for (name, is_folder) in entries(folder) {
            if is_folder {
                names.extend(
                    entries(&folder.join(&name))
                        .into_iter()
                        .filter(|(_, is_folder)| !is_folder)
                        .map(|(inner, _)| format!("{name}/{inner}")),
                );
            } else {
                names.push(name);
            }
        }
    }
    names.truncate(MAX_FILES);
    names.iter().map(|name| Choice::new(name, Kind::FILE, "")).collect()
}

/// The names in a folder that are not hidden, and whether they are folders.
fn entries(folder: &Path) -> Vec<(String, bool)> {
    let found = std::fs::read_dir(folder).into_iter().flatten().flatten().take(MAX_FILES);
    let named = found.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path().is_dir()));
    named.filter(|(name, _)| !name.starts_with('.')).collect()
}
