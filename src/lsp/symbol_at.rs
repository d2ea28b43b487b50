//! Names at a place: which variable, handler, role or file is meant there.

use std::ops::Range;
use std::path::PathBuf;

use super::document::{Document, Workspace};
use super::expression::{Token, TokenKind, read_tokens};
use super::names::{is_role_action, role_folder};
use super::outline::NodeKind;

/// A name with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SymbolAt {
    /// Kind of the thing that is meant.
    pub kind: SymbolKind,
    /// Name.
    pub name: String,
    /// Place of the name.
    pub range: Range<usize>,
}

/// Kind of a named thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SymbolKind {
    /// A variable or registered result.
    Variable,
    /// A handler, or a topic of handlers.
    Handler,
    /// A role.
    Role,
    /// A file that is there.
    File(PathBuf),
}

/// Returns the word of an expression at an offset.
pub fn token_at(document: &Document, offset: usize) -> Option<Token> {
    let around = |range: &Range<usize>| (range.start..=range.end).contains(&offset);
    let region = document.regions().iter().find(|region| around(&region.range))?;
    let tokens = read_tokens(&document.text, region);
    tokens.into_iter().filter(|token| token.kind != TokenKind::Sign).find(|token| around(&token.range))
}

/// Returns what the name at an offset means.
pub fn symbol_at(workspace: &Workspace, document: &Document, offset: usize) -> Option<SymbolAt> {
    let around = |range: &Range<usize>| (range.start..=range.end).contains(&offset);
    if let Some(token) = token_at(document, offset) {
        let is_variable = matches!(token.kind, TokenKind::Variable | TokenKind::Function);
        let name = document.slice(&token.range).to_owned();
        return is_variable.then_some(SymbolAt { kind: SymbolKind::Variable, name, range: token.range });
    }
    if let Some(definition) = document.variable_definitions().into_iter().find(|found| around(&found.place)) {
        return Some(SymbolAt { kind: SymbolKind::Variable, name: definition.name, range: definition.place });
    }
    let handlers = document.notifications().into_iter().chain(document.handler_names());
    if let Some(found) = handlers.into_iter().find(|found| around(&found.place)) {
        return Some(SymbolAt { kind: SymbolKind::Handler, name: found.name, range: found.place });
    }
    if let Some(found) = document.role_uses().into_iter().find(|found| around(&found.place)) {
        return Some(SymbolAt { kind: SymbolKind::Role, name: found.name, range: found.place });
    }
    file_at(workspace, document, offset)
}

/// Returns the file that a value names.
fn file_at(workspace: &Workspace, document: &Document, offset: usize) -> Option<SymbolAt> {
    let outline = document.outline();
    let index = outline.find_node(offset)?;
    let range = document.scalar_range(index);
    let name = document.slice(&range).trim();
    if name.is_empty() || !(range.start..=range.end).contains(&offset) || name.contains("{{") {
        return None;
    }
    let key_index = match outline.nodes[index].kind {
        NodeKind::Entry => Some(index),
        NodeKind::Item => outline.nodes[index].parent,
    }?;
    let short = |index: usize| {
        let key = document.key(index);
        key.strip_prefix("ansible.builtin.").unwrap_or(key)
    };
    let parent = outline.nodes[key_index].parent.map_or("", short);
    let base = document.folder();
    let project = workspace.project_folder(document);
    let mut folders = vec![base.clone()];
    let sources = |part: &str| {
        role_folder(&document.path)
            .into_iter()
            .chain([project.clone()])
            .map(|folder| folder.join(part))
            .collect::<Vec<_>>()
    };
    match (parent, short(key_index)) {
        (_, "include_tasks" | "import_tasks" | "import_playbook") | ("include_tasks" | "import_tasks", "file") => {
            folders.extend(sources("tasks"));
        }
        (_, "vars_files" | "include_vars") | ("include_vars", "file") => folders.extend(sources("vars")),
        ("template", "src") => folders.extend(sources("templates")),
        ("copy" | "script" | "unarchive", "src") => folders.extend(sources("files")),
        (action, "tasks_from") if is_role_action(action) => {
            let task = outline.nodes[key_index].parent?;
            let role = workspace.find_role(document, document.scalar(document.value_of(task, "name")?))?;
            folders = vec![role.join("tasks")];
        }
        _ => return None,
    }
    let mut candidates = folders.iter().flat_map(|folder| [folder.join(name), folder.join(format!("{name}.yml"))]);
    let path = candidates.find(|path| path.is_file())?;
    Some(SymbolAt { kind: SymbolKind::File(path), name: name.to_owned(), range })
}
