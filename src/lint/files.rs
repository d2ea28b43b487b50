//! Files and roles that a task names plainly and that are not there. An earlier task may make them, so these are warnings.

use std::path::{Path, PathBuf};

use super::{Lint, is_open};
use crate::diagnostic::Diagnostic;
use crate::playbook::{Keyword, Play, Task, import};
use crate::source::Span;
use crate::value::{Value, python};

impl Lint<'_> {
    pub(super) fn check_files(&mut self, task: &Task) {
        match task.action.short_name() {
            "include_tasks" => self.check_included_file(task),
            "include_role" => self.check_included_role(task),
            "template" => self.check_source(task, "templates"),
            "copy" => self.check_source(task, "files"),
            _ => {}
        }
        let names = ["dest", "path", "creates"].iter().filter_map(|name| task.args.values.get(name)?.as_str());
        self.made.extend(names.map(|name| name.trim_end_matches('/').to_owned()));
    }

    /// Whether an earlier task names the path, a folder above it or something in it, so that it may make it.
    fn may_be_made(&self, name: &str) -> bool {
        let name = name.trim_start_matches("./").trim_end_matches('/');
        let is_within = |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'));
        self.made.iter().map(|made| made.trim_start_matches("./")).any(|made| {
            // A templated folder in front may be any.
            made == name || made.ends_with(&format!("/{name}")) || is_within(name, made) || is_within(made, name)
        })
    }

    fn check_included_file(&mut self, task: &Task) {
        let Some((name, place)) = plain_argument(task, &["file", "_raw_params"]) else { return };
        if import::find_task_file(task, name.trim()).is_none() && !self.may_be_made(name.trim()) {
            let folders: Vec<PathBuf> =
                task.frame.chain().filter_map(|frame| frame.folder.as_ref()).map(|f| f.to_path_buf()).collect();
            let message = Diagnostic::warning(format!("there is no file `{name}` to include")).at(&place, "");
            self.report_message(suggest_file(message, &name, &folders));
        }
    }

    fn check_included_role(&mut self, task: &Task) {
        let Some((name, place)) = plain_argument(task, &["name", "role"]) else { return };
        let (Some(folder), false) = (self.playbook_folder(), name.contains(['.', '/'])) else { return };
        let folders = role_folders(task, folder);
        if name.is_empty() || folders.iter().any(|roles| roles.join(&name).is_dir()) {
            return;
        }
        let known: Vec<String> = folders.iter().flat_map(|folder| folder_entries(folder)).collect();
        let message = Diagnostic::warning(format!("there is no role `{name}`")).at(&place, "").suggest(&name, &known);
        let looked: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
        self.report_message(message.hint(format!("looked in {}", looked.join(", "))));
    }

    /// The source of a `copy` or a `template`.
    fn check_source(&mut self, task: &Task, subfolder: &str) {
        let remote = task.args.values.get("remote_src").is_some_and(|value| is_open(value) || value.is_true());
        let Some((name, place)) = plain_argument(task, &["src"]).filter(|_| !remote) else { return };
        let Some(folder) = self.playbook_folder() else { return };
        let mut folders = Vec::new();
        for frame in task.frame.chain() {
            folders.extend(frame.role.iter().flat_map(|role| [role.path.join(subfolder), role.path.clone()]));
            folders.extend(frame.folder.iter().flat_map(|folder| [folder.join(subfolder), folder.to_path_buf()]));
        }
        folders.extend([folder.join(subfolder), folder.to_path_buf()]);
        let path = Path::new(&name);
        let found = path.is_absolute() || folders.iter().any(|folder| folder.join(path).exists());
        if found || self.may_be_made(&name) || name.is_empty() || name.starts_with('~') || name.contains('$') {
            return;
        }
        let message =
            Diagnostic::warning(format!("there is no file `{name}` for `{}`", task.action.short_name())).at(&place, "");
        self.report_message(suggest_file(message, &name, &folders));
    }

    /// Files of variables: Ansible passes over one that is not there.
    pub(super) fn check_vars_files(&mut self, play: &Play) {
        let Some(node) = play.find_keyword(Keyword::VarsFiles) else { return };
        for part in node.items().unwrap_or(std::slice::from_ref(node)) {
            let candidates = part.items().unwrap_or(std::slice::from_ref(part));
            let there = |name: &str| ["vars", ""].iter().any(|sub| play.folder.join(sub).join(name).is_file());
            let certain = candidates.iter().all(|candidate| {
                let value = candidate.to_value();
                !is_open(&value) && value.as_str().is_some_and(|name| !there(name))
            });
            let Some(first) = candidates.first().filter(|_| certain) else { continue };
            let name = python::str(&first.to_value());
            let message = Diagnostic::warning(format!("there is no file `{name}`, so its variables are missing"));
            self.report_message(suggest_file(
                message.at(first.span(), ""),
                &name,
                &[play.folder.join("vars"), play.folder.to_path_buf()],
            ));
        }
    }
}

/// A text argument without templates, and its place.
pub(super) fn plain_argument(task: &Task, names: &[&str]) -> Option<(String, Span)> {
    if task.args.template.is_some() {
        return None;
    }
    let (name, value) = names.iter().find_map(|name| Some((*name, task.args.values.get(name)?)))?;
    if is_open(value) || !matches!(value, Value::Str(_)) {
        return None;
    }
    let node = task.args.node.as_ref().and_then(|node| node.get(name));
    let place = node.map_or_else(|| task.args.span.clone(), |node| node.span().clone());
    Some((python::str(value), place))
}

/// Where a role may lie, besides the places where roles are installed.
fn role_folders(task: &Task, folder: &Path) -> Vec<PathBuf> {
    let mut folders = vec![folder.join("roles"), folder.to_path_buf()];
    folders.extend(task.frame.chain().filter_map(|frame| Some(frame.role.as_ref()?.path.parent()?.to_path_buf())));
    folders.extend(std::env::home_dir().map(|home| home.join(".ansible/roles")));
    folders.extend(["/usr/share/ansible/roles", "/etc/ansible/roles"].map(PathBuf::from));
    let variable = std::env::var("ANSIBLE_ROLES_PATH").unwrap_or_default();
    folders.extend(variable.split(':').filter(|folder| !folder.is_empty()).map(PathBuf::from));
    folders
}

/// Adds the file that was probably meant.
fn suggest_file(message: Diagnostic, name: &str, folders: &[PathBuf]) -> Diagnostic {
    let path = Path::new(name);
    let last = path.file_name().map(|last| last.to_string_lossy().into_owned()).unwrap_or_default();
    let above = path.parent().unwrap_or(Path::new(""));
    let known: Vec<String> = folders.iter().flat_map(|folder| folder_entries(&folder.join(above))).collect();
    match crate::suggest::find_nearest(&last, &known) {
        Some(near) => message.hint(format!("did you mean `{}`?", above.join(near).display())),
        None => message,
    }
}

fn folder_entries(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
