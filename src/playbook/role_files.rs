//! The files of a role: where its folder is, and what is in it.

use std::path::{Path, PathBuf};

use super::frame::Frame;
use super::loader::Loader;
use super::role::RoleEntry;
use super::{Loaded, Problem};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::value::Value;
use crate::yaml::Node;

impl Loader {
    /// Role names may be templates over extra vars and the play's.
    pub(super) fn role_name(&self, name: &str, node: &Node) -> Loaded<String> {
        if !crate::value::has_template_markers(name) {
            return Ok(name.to_owned());
        }
        let written = node.scalar().cloned().unwrap_or(Value::Null);
        let value =
            self.template(&written, &self.play_vars()).map_err(|problem| Box::new(Problem::general(problem)))?;
        Ok(crate::value::python::str(&value))
    }

    pub(super) fn find_role(&self, entry: &RoleEntry, base: &Path, parent: Option<&Frame>) -> Loaded<PathBuf> {
        let name = expand_home(&entry.name);
        let beside = parent.and_then(Frame::role).and_then(|role| role.path.parent().map(Path::to_path_buf));
        let mut folders: Vec<PathBuf> = vec![base.join("roles")];
        folders.extend(beside);
        folders.extend(self.roles_path.iter().cloned());
        folders.push(base.to_path_buf());
        let found = if name.is_absolute() {
            name.is_dir().then(|| name.clone())
        } else {
            folders.iter().map(|folder| folder.join(&name)).chain([name.clone()]).find(|path| path.is_dir())
        };
        found.ok_or_else(|| {
            let known: Vec<String> = folders
                .iter()
                .filter_map(|folder| std::fs::read_dir(folder).ok())
                .flat_map(|entries| entries.flatten().filter(|e| e.path().is_dir()))
                .map(|e| e.file_name().to_string_lossy().into_owned())
                .collect();
            let looked: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
            Box::new(Problem::general(
                Diagnostic::error(format!("there is no role `{}`", entry.name))
                    .at(&entry.span, "")
                    .suggest(&entry.name, &known)
                    .hint(format!("looked in {}", looked.join(", "))),
            ))
        })
    }

    /// `FOLDER/main.yml` or `FOLDER/FROM.yml`; all files of a folder `FOLDER/main/` for variables.
    pub(super) fn role_part(&self, role: &Path, folder: &str, from: Option<&str>, span: &Span) -> Loaded<Option<Node>> {
        if let Some(node) = self.role_file(role, folder, from)? {
            return Ok(Some(node));
        }
        match from {
            Some(from) => Err(Box::new(Problem::general(
                Diagnostic::error(format!(
                    "there is no `{from}` in the folder `{folder}` of the role `{}`",
                    role.display()
                ))
                .at(span, ""),
            ))),
            None => Ok(None),
        }
    }

    pub(super) fn role_file(&self, role: &Path, folder: &str, from: Option<&str>) -> Loaded<Option<Node>> {
        let stem = role.join(folder).join(from.unwrap_or("main"));
        let candidates = [".yml", ".yaml", ".json", ""].map(|extension| {
            let mut path = stem.clone().into_os_string();
            path.push(extension);
            PathBuf::from(path)
        });
        match candidates.iter().find(|path| path.is_file()) {
            Some(path) => Ok(self.yaml(path)?),
            None => Ok(None),
        }
    }
}

fn expand_home(name: &str) -> PathBuf {
    match name.strip_prefix("~/") {
        Some(rest) => std::env::home_dir().unwrap_or_default().join(rest),
        None => PathBuf::from(name),
    }
}
