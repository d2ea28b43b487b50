//! Reading roles: entries of `roles:`, dependencies, and the blocks that they come to.

use std::path::Path;
use std::rc::Rc;

use super::block::{BlockItem, TaskBlock};
use super::frame::{Frame, Surroundings};
use super::keyword::{Keyword, KeywordPlace};
use super::loader::Loader;
use super::role::{Role, RoleEntry};
use super::role_files::{Found, vars_of};
use super::role_meta;
use super::task::Task;
use super::vars::{check_variable_name, read_vars};
use super::{LoadError, LoadResult, RawArgs, TaskAction};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::suggest;
use crate::value::{Dict, Value};
use crate::yaml::YamlNode;
use crate::yaml::node::MappingEntry;

impl Loader {
    /// Reads a role with its dependencies; the same role with the same parameters is the same object.
    ///
    /// # Errors
    /// If there is no such role (exit 1), or a file of it is not understood.
    pub fn read_role(&self, entry: RoleEntry, base: &Path, parent: Option<&Frame>) -> LoadResult<Rc<Role>> {
        let beside = parent.and_then(Frame::role).and_then(|role| role.path.parent().map(Path::to_path_buf));
        self.role_at_depth(entry, base, beside.as_deref(), 0)
    }

    /// Lets every role run again: that one has run counts for its play alone.
    pub fn forget_runs(&self) {
        self.roles.borrow().iter().for_each(|role| role.progress.borrow_mut().clear());
    }

    /// Beside the role that asks for it a role is found, too.
    fn role_at_depth(
        &self,
        entry: RoleEntry,
        base: &Path,
        beside: Option<&Path>,
        depth: usize,
    ) -> LoadResult<Rc<Role>> {
        if depth > 30 {
            return Err(Box::new(LoadError::from_general(
                Diagnostic::error(format!("the role `{}` depends on itself", entry.name)).at(&entry.span, ""),
            )));
        }
        let Found { name, path, collection } = self.find_role(&entry, base, beside)?;
        crate::modules::foreign::add_role_folder(&path);
        let identity = role_identity(&name, &path, &entry);
        let meta = self.role_meta(&path)?;
        let allow = entry.allow_duplicates.unwrap_or_else(|| allows_duplicates(meta.as_ref()));
        let same = |role: &&Rc<Role>| role.identity == identity;
        let asked = (allow, entry.public, entry.validate);
        let alike = |role: &&Rc<Role>| same(role) && (role.allow_duplicates, role.public, role.entry.validate) == asked;
        if let Some(known) = self.roles.borrow().iter().find(alike) {
            return Ok(Rc::clone(known));
        }
        // The role is the same one, whether it has run or not, no matter which entry asks for it and how.
        let progress = self.roles.borrow().iter().find(same).map(|role| Rc::clone(&role.progress));
        let mut dependencies = Vec::new();
        for node in meta.as_ref().and_then(|m| m.get("dependencies")).and_then(YamlNode::items).unwrap_or_default() {
            let dependency = self.role_entry(node)?;
            dependencies.push(self.role_at_depth(dependency, base, path.parent(), depth + 1)?);
        }
        self.warn_of_empty_role(&name, &path, &entry.span);
        let specs = match self.role_file(&path, "meta", Some("argument_specs"))? {
            Some(node) => node.get("argument_specs").cloned(),
            None => meta.as_ref().and_then(|m| m.get("argument_specs")).cloned(),
        };
        let required =
            |from: &Option<String>, folder: &str| self.role_part(&path, folder, from.as_deref(), &entry.span);
        let role = Rc::new(Role {
            name,
            collection,
            defaults: Rc::new(vars_of(required(&entry.defaults_from, "defaults")?.as_ref())?),
            vars: Rc::new(vars_of(required(&entry.vars_from, "vars")?.as_ref())?),
            tasks: required(&entry.tasks_from, "tasks")?,
            handlers: required(&entry.handlers_from, "handlers")?,
            argument_specs: specs,
            identity,
            allow_duplicates: allow,
            dependencies,
            public: entry.public,
            progress: progress.unwrap_or_default(),
            path,
            entry,
        });
        self.roles.borrow_mut().push(Rc::clone(&role));
        Ok(role)
    }

    fn warn_of_empty_role(&self, name: &str, path: &Path, span: &Span) {
        // Modules and plugins of a role count in the whole play; files and templates do nothing without tasks.
        let parts = ["tasks", "handlers", "defaults", "vars", "meta", "library", "module_utils"];
        let is_used = |name: &str| parts.contains(&name) || name.ends_with("_plugins");
        let mut entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        if !entries.any(|entry| entry.path().is_dir() && is_used(&entry.file_name().to_string_lossy())) {
            let summary = format!("the role `{name}` has no tasks, handlers, defaults, vars or meta, so nothing runs");
            let hint = format!("looked in `{}`", path.display());
            self.add_warning(Diagnostic::warning(summary).at(span, "").hint(hint));
        }
    }

    /// Reads `meta/main.yml` of a role.
    fn role_meta(&self, path: &Path) -> LoadResult<Option<YamlNode>> {
        let Some(meta) = self.role_file(path, "meta", None)?.filter(|meta| !meta.is_null()) else { return Ok(None) };
        if meta.entries().is_none() {
            let what = format!("the `meta` of a role must be a mapping, not {}", meta.description());
            return Err(Diagnostic::error(what).at(meta.span(), "").into());
        }
        for entry in meta.entries().unwrap_or_default() {
            role_meta::check_key(entry)?;
        }
        let dependencies = meta.get("dependencies").filter(|list| !list.is_null() && list.items().is_none());
        match dependencies {
            Some(odd) => {
                let what = format!("the `dependencies` of a role must be a list, not {}", odd.description());
                Err(Diagnostic::error(what).at(odd.span(), "").hint("write `dependencies: [ROLE]`").into())
            }
            None => Ok(Some(meta)),
        }
    }

    /// An entry of `roles:` or of `dependencies:`.
    ///
    /// # Errors
    /// If it names no role.
    pub fn role_entry(&self, node: &YamlNode) -> LoadResult<RoleEntry> {
        let mut entry = self.parse_entry(node)?;
        entry.public = self.private_roles != Some(true);
        Ok(entry)
    }

    /// Warns of a mapping under a name near `vars`: it would be one variable, and nothing of it would be set.
    fn check_misspelt_vars(&self, key: &str, entry: &MappingEntry) {
        if entry.value.entries().is_some() && suggest::find_nearest(key, &["vars"]).is_some() {
            let message = format!("`{key}` is passed to the role as a variable of this name");
            self.add_warning(Diagnostic::warning(message).at(entry.key.span(), "").hint("did you mean `vars`?"));
        }
    }

    fn parse_entry(&self, node: &YamlNode) -> LoadResult<RoleEntry> {
        if let Some(name) = node.as_str() {
            if name.contains(',') {
                return Err(Box::new(LoadError::from_general(
                    Diagnostic::error(format!("Invalid old style role requirement: {name}"))
                        .at(node.span(), "")
                        .hint("give parameters as a mapping: `- {role: NAME, parameter: value}`"),
                )));
            }
            return Ok(RoleEntry::from_name(self.role_name(name, node)?, node.span().clone()));
        }
        let Some(entries) = node.entries() else {
            return Err(Diagnostic::error(format!("a role must be a name or a mapping, not {}", node.description()))
                .at(node.span(), "")
                .into());
        };
        let named = ["role", "name", "src"].iter().find_map(|key| node.get(key));
        let Some(named) = named.filter(|node| !node.is_null() && node.as_str() != Some("")) else {
            let error = Diagnostic::error("the entry names no role").at(node.span(), "").hint("write `- role: NAME`");
            let mut keys = entries.iter().filter_map(|entry| entry.key.as_str());
            let misspelt = keys.find(|key| suggest::find_nearest(key, &["role"]).is_some());
            return Err(Box::new(LoadError::from_general(match misspelt {
                Some(key) => error.hint(format!("did you mean `role` instead of `{key}`?")),
                None => error,
            })));
        };
        let name = named.as_str().map(str::to_owned).unwrap_or_else(|| named.span().text().to_owned());
        let mut entry = RoleEntry::from_name(self.role_name(&name, named)?, named.span().clone());
        let mut params = Dict::new();
        for e in entries {
            match e.key.as_str() {
                Some("role" | "src" | "scm" | "version") => {}
                Some("name") => {}
                Some("vars") => entry.vars = read_vars(Some(&e.value), "a role")?,
                Some(key) => match Keyword::from_name(key) {
                    Some(Keyword::DelegateTo) => entry.keywords.add(Keyword::DelegateTo, e)?,
                    Some(keyword) if keyword.row().is_allowed(KeywordPlace::Block) => entry.keywords.add(keyword, e)?,
                    _ => {
                        check_variable_name(&e.key)?;
                        self.check_misspelt_vars(key, e);
                        params.insert(e.key.to_value(), e.value.to_value());
                    }
                },
                None => check_variable_name(&e.key)?,
            }
        }
        entry.params = (!params.is_empty()).then(|| Rc::new(params));
        Ok(entry)
    }

    /// The tasks of a role in a play: its dependencies first, then its own, then the mark of its end.
    ///
    /// # Errors
    /// If its tasks are not understood.
    pub fn role_block(&self, role: &Rc<Role>, around: &Rc<Frame>, dependency_frames: bool) -> LoadResult<TaskBlock> {
        let entry = &role.entry;
        let frame = Rc::new(Frame {
            keywords: entry.keywords.clone(),
            params: entry.params.clone(),
            role: Some(Rc::clone(role)),
            folder: Some(role.path.join("tasks").into()),
            ..Frame::new_inside(around)
        });
        let mut items = Vec::new();
        if dependency_frames {
            for dependency in &role.dependencies {
                items.push(BlockItem::Block(Rc::new(self.role_block(
                    dependency,
                    &frame_without_role(&frame),
                    true,
                )?)));
            }
        }
        if let Some(task) = self.argument_check(role, &frame) {
            items.push(BlockItem::Task(Rc::new(task)));
        }
        let around = Surroundings { frame: Rc::clone(&frame), handlers: false };
        if let Some(tasks) = &role.tasks {
            items.extend(self.task_list(tasks, "tasks", &around)?);
        }
        let mut block = TaskBlock::new_implicit(items, frame);
        block.ends_role = Some(Rc::clone(role));
        Ok(block)
    }

    /// The handlers of a role and of its dependencies.
    ///
    /// # Errors
    /// If they are not understood.
    pub fn role_handlers(&self, role: &Rc<Role>, around: &Rc<Frame>) -> LoadResult<Vec<BlockItem>> {
        let mut items = Vec::new();
        for role in role.with_dependencies() {
            let Some(node) = &role.handlers else { continue };
            let frame = Rc::new(Frame {
                keywords: role.entry.keywords.clone(),
                params: role.entry.params.clone(),
                role: Some(Rc::clone(&role)),
                folder: Some(role.path.join("handlers").into()),
                ..Frame::new_inside(around)
            });
            items.extend(self.task_list(node, "handlers", &Surroundings { frame, handlers: true })?);
        }
        Ok(items)
    }

    /// The task that checks a role's arguments, if the role says what they are.
    fn argument_check(&self, role: &Rc<Role>, frame: &Rc<Frame>) -> Option<Task> {
        let entry_point = role.entry.tasks_from.as_deref().unwrap_or("main");
        let spec = role.argument_specs.as_ref()?.get(entry_point).filter(|_| role.entry.validate)?;
        let options = spec.get("options").map(YamlNode::to_value).unwrap_or_else(|| Dict::new().into());
        let title = match spec.get("short_description").and_then(YamlNode::as_str) {
            Some(text) => format!("Validating arguments against arg spec '{entry_point}' - {text}"),
            None => format!("Validating arguments against arg spec '{entry_point}'"),
        };
        let mut provided = Dict::new();
        role.entry.vars.iter().chain(&role.entry.params).for_each(|vars| provided.extend(vars));
        let mut values = Dict::new();
        values.set("argument_spec", options);
        values.set("provided_arguments", provided.into());
        values.set(
            "validate_args_context",
            Value::dict([
                ("type", Value::text("role")),
                ("name", Value::text(role.name.as_str())),
                ("argument_spec_name", Value::text(entry_point)),
                ("path", Value::text(role.path.display().to_string())),
            ]),
        );
        let args = RawArgs { values, template: None, node: None, span: spec.span().clone() };
        let mut task =
            Task::new(TaskAction::from_builtin("validate_argument_spec"), args, Rc::clone(frame), spec.span().clone());
        task.name = Some(Value::text(title));
        task.implicit = true;
        let span = spec.span().clone();
        task.keywords.set(Keyword::Tags, &span, Value::list([Value::text("always")]));
        Some(task)
    }
}

/// A dependency sees the keywords and parameters of the role that needs it, but is not part of it.
fn frame_without_role(frame: &Rc<Frame>) -> Rc<Frame> {
    Rc::new(Frame {
        keywords: frame.keywords.clone(),
        params: frame.params.clone(),
        needed_by: frame.role.clone(),
        ..frame.parent.as_ref().map_or_else(Frame::default, Frame::new_inside)
    })
}

/// A role is another one under another spelling of its name.
fn role_identity(name: &str, path: &Path, entry: &RoleEntry) -> String {
    let shown = |keyword: Keyword| format!("{:?}", entry.keywords.value(keyword));
    format!(
        "{name}|{}|{}|{:?}|{:?}|{}|{}|{:?}{:?}{:?}{:?}",
        path.display(),
        entry.included,
        entry.params,
        entry.vars,
        shown(Keyword::When),
        shown(Keyword::Tags),
        entry.tasks_from,
        entry.vars_from,
        entry.defaults_from,
        entry.handlers_from,
    )
}

/// Whether the `meta` of a role says that it may run again with the same parameters.
fn allows_duplicates(meta: Option<&YamlNode>) -> bool {
    let allow = meta.and_then(|meta| meta.get("allow_duplicates"));
    allow.and_then(|node| node.scalar().map(Value::is_true)).unwrap_or(false)
}
