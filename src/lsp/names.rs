//! Names that a text defines and uses: variables, registered results, handlers.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::document::{Document, FileKind, Workspace};
use super::expression::{TokenKind, read_tokens};
use super::outline::NodeKind;
use super::structure::MappingKind;

/// Origin of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VariableOrigin {
    /// `vars`, or a file of variables.
    Vars,
    /// `register`.
    Register,
    /// `set_fact`.
    Fact,
    /// `loop_var` and `index_var`.
    Loop,
    /// `vars_prompt`.
    Prompt,
}

impl VariableOrigin {
    /// Returns a phrase for hovers.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Vars => "variable",
            Self::Register => "registered result",
            Self::Fact => "fact set by a task",
            Self::Loop => "loop variable",
            Self::Prompt => "asked for by `vars_prompt`",
        }
    }
}

/// A place that gives a variable its value.
#[derive(Debug, Clone)]
pub struct VariableDefinition {
    /// Name of the variable.
    pub name: String,
    /// Origin of the value.
    pub origin: VariableOrigin,
    /// Place of the name.
    pub place: Range<usize>,
    /// Index of the node.
    pub node: usize,
}

/// A handler, and the names that it answers to.
#[derive(Debug, Clone)]
pub struct HandlerName {
    /// Name or topic.
    pub name: String,
    /// Place of it.
    pub place: Range<usize>,
}

impl Document {
    /// Returns all definitions of variables, in the order of the text.
    pub fn variable_definitions(&self) -> Vec<VariableDefinition> {
        let outline = self.outline();
        let mut found = Vec::new();
        // A file that `vars_files` names may lie anywhere.
        let is_variables = matches!(self.file_kind(), FileKind::Variables | FileKind::Other);
        for (index, node) in outline.nodes.iter().enumerate().filter(|(_, node)| node.kind == NodeKind::Entry) {
            let own_key = || (self.key(index).to_owned(), node.key.clone());
            let own_value = || (self.scalar(index).to_owned(), self.scalar_range(index));
            let (origin, (name, place)) = match (self.key(index), node.parent) {
                (_, None) if is_variables => (VariableOrigin::Vars, own_key()),
                ("register", Some(_)) => (VariableOrigin::Register, own_value()),
                ("loop_var" | "index_var", Some(_)) => (VariableOrigin::Loop, own_value()),
                ("name", Some(item)) if self.is_prompt(item) => (VariableOrigin::Prompt, own_value()),
                (key, Some(parent)) if outline.nodes[parent].kind == NodeKind::Entry => match self.key(parent) {
                    "vars" if matches!(self.mapping_kind(Some(parent)), MappingKind::Variables) => {
                        (VariableOrigin::Vars, own_key())
                    }
                    "set_fact" | "ansible.builtin.set_fact" if key != "cacheable" => (VariableOrigin::Fact, own_key()),
                    _ => continue,
                },
                _ => continue,
            };
            if crate::value::is_variable_name(&name) {
                found.push(VariableDefinition { name, origin, place, node: index });
            }
        }
        found
    }

    fn is_prompt(&self, item: usize) -> bool {
        let parent = self.outline().nodes[item].parent;
        parent.is_some_and(|list| self.key(list) == "vars_prompt")
    }

    /// Returns the places at which templates and conditions use a variable.
    pub fn variable_uses(&self, name: &str) -> Vec<Range<usize>> {
        let regions = self.regions().iter().filter(|region| self.slice(&region.range).contains(name));
        regions
            .flat_map(|region| read_tokens(&self.text, region))
            .filter(|token| matches!(token.kind, TokenKind::Variable | TokenKind::Function))
            .map(|token| token.range)
            .filter(|range| self.slice(range) == name)
            .collect()
    }

    /// Returns the names that the handlers of this text answer to.
    pub fn handler_names(&self) -> Vec<HandlerName> {
        let outline = self.outline();
        let mut found = Vec::new();
        for index in 0..outline.nodes.len() {
            let node = &outline.nodes[index];
            let (Some(task), "name" | "listen") = (node.parent, self.key(index)) else { continue };
            if !self.is_handler(task) {
                continue;
            }
            let items: Vec<usize> = outline.children(Some(index)).collect();
            for value in if items.is_empty() { vec![index] } else { items } {
                found.push(HandlerName { name: self.scalar(value).to_owned(), place: self.scalar_range(value) });
            }
        }
        found
    }

    fn is_handler(&self, task: usize) -> bool {
        let in_handlers = self.file_kind() == FileKind::Handlers && self.outline().nodes[task].parent.is_none();
        in_handlers || self.outline().ancestors(Some(task)).skip(1).any(|index| self.key(index) == "handlers")
    }

    /// Returns the members of `notify` with their places.
    pub fn notifications(&self) -> Vec<HandlerName> {
        let outline = self.outline();
        let lists = (0..outline.nodes.len()).filter(|index| self.key(*index) == "notify");
        let members = lists.flat_map(|index| {
            let items: Vec<usize> = outline.children(Some(index)).collect();
            if items.is_empty() { vec![index] } else { items }
        });
        members
            .map(|index| HandlerName { name: self.scalar(index).to_owned(), place: self.scalar_range(index) })
            .collect()
    }

    /// Returns the names of the roles that this text uses, with their places.
    pub fn role_uses(&self) -> Vec<HandlerName> {
        let outline = self.outline();
        let mut found = Vec::new();
        for index in 0..outline.nodes.len() {
            let node = &outline.nodes[index];
            let parent_key = node.parent.map_or("", |parent| self.key(parent));
            let above = |index: usize| outline.nodes[index].parent.map_or("", |parent| self.key(parent));
            let is_use = match (node.kind, self.key(index)) {
                (NodeKind::Item, _) => {
                    matches!(parent_key, "roles" | "dependencies") && outline.children(Some(index)).next().is_none()
                }
                (_, "role") => node.parent.is_some_and(|item| matches!(above(item), "roles" | "dependencies")),
                (_, "name") => is_role_action(parent_key),
                _ => false,
            };
            if is_use && !self.scalar(index).is_empty() {
                found.push(HandlerName { name: self.scalar(index).to_owned(), place: self.scalar_range(index) });
            }
        }
        found
    }
}

/// Whether a key names an action that brings in a role.
pub fn is_role_action(key: &str) -> bool {
    matches!(key.strip_prefix("ansible.builtin.").unwrap_or(key), "include_role" | "import_role")
}

impl Workspace {
    /// Returns the files that have variables or handlers for a text: those of its role, of roles that it uses, of its
    /// inventory, and those that it names itself.
    pub fn related_files(&self, document: &Document) -> Vec<Rc<Document>> {
        let mut paths: BTreeSet<PathBuf> = BTreeSet::new();
        for role in role_folder(&document.path).into_iter().chain(self.used_roles(document)) {
            for part in ["defaults", "vars", "handlers", "tasks"] {
                paths.extend(yaml_files(&role.join(part)));
            }
        }
        for base in [document.folder(), self.project_folder(document)] {
            for group in ["group_vars", "host_vars"] {
                paths.extend(yaml_files(&base.join(group)));
            }
        }
        for name in document.variable_file_names() {
            paths.extend([document.folder().join(&name), document.folder().join("vars").join(&name)]);
        }
        paths.remove(&document.path);
        paths.iter().filter_map(|path| self.read(path)).collect()
    }

    /// Returns the folders of the roles that a text uses.
    fn used_roles(&self, document: &Document) -> Vec<PathBuf> {
        document.role_uses().iter().filter_map(|used| self.find_role(document, &used.name)).collect()
    }

    /// Returns the folder of a role.
    pub fn find_role(&self, document: &Document, name: &str) -> Option<PathBuf> {
        let folders = self.role_folders(document);
        folders.into_iter().map(|folder| folder.join(name)).find(|folder| !name.is_empty() && folder.is_dir())
    }

    /// Returns the folders in which roles lie.
    pub fn role_folders(&self, document: &Document) -> Vec<PathBuf> {
        let own = role_folder(&document.path).and_then(|role| Some(role.parent()?.to_path_buf()));
        let folders =
            own.into_iter().chain([document.folder().join("roles"), self.project_folder(document).join("roles")]);
        folders.filter(|folder| folder.is_dir()).collect()
    }

    /// Returns the folder that holds `roles`, for a text in a role; otherwise the folder of the text.
    pub fn project_folder(&self, document: &Document) -> PathBuf {
        let roles = role_folder(&document.path).and_then(|role| Some(role.parent()?.parent()?.to_path_buf()));
        roles.unwrap_or_else(|| document.folder())
    }
}

impl Document {
    /// Returns the names of files of variables that the text names.
    fn variable_file_names(&self) -> Vec<String> {
        let outline = self.outline();
        let lists = (0..outline.nodes.len()).filter(|index| matches!(self.key(*index), "vars_files" | "include_vars"));
        let members = lists.flat_map(|index| {
            let items: Vec<usize> = outline.children(Some(index)).collect();
            if items.is_empty() { vec![index] } else { items }
        });
        members
            .map(|index| self.scalar(index).to_owned())
            .filter(|name| !name.is_empty() && !name.contains("{{"))
            .collect()
    }
}

/// Returns the folder of the role that a file belongs to: `roles/web` of `roles/web/tasks/main.yml`.
pub fn role_folder(path: &Path) -> Option<PathBuf> {
    let parts = ["tasks", "handlers", "defaults", "vars", "meta", "templates", "files"];
    path.ancestors().skip(1).find_map(|folder| {
        let is_part = folder.file_name().and_then(|name| name.to_str()).is_some_and(|name| parts.contains(&name));
        let role = folder.parent().filter(|_| is_part)?;
        let above = role.parent()?.file_name()?;
        (above == "roles").then(|| role.to_path_buf())
    })
}

/// Returns the files of YAML in a folder and in those directly below it.
pub fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let list = |folder: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(folder).into_iter().flatten().flatten().take(500).map(|entry| entry.path()).collect()
    };
    let is_yaml =
        |path: &PathBuf| path.is_file() && path.extension().is_none_or(|ending| ending == "yml" || ending == "yaml");
    let entries = list(folder);
    let below = entries.iter().filter(|path| path.is_dir()).flat_map(|folder| list(folder));
    entries.iter().cloned().chain(below).filter(is_yaml).collect()
}
