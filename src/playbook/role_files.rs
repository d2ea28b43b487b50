//! Where a role lies, and its files.

use std::path::{Path, PathBuf};

use super::collection::{self, RoleName};
use super::loader::Loader;
use super::role::RoleEntry;
use super::{LoadError, LoadResult};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::value::{Dict, Value};
use crate::yaml::YamlNode;

/// A role that was found.
pub(super) struct Found {
    /// The name under which it is known: as it is written, or the last part of a path to the role itself.
    pub(super) name: String,
    /// Folder of the role.
    pub(super) path: PathBuf,
    /// The collection that it is of.
    pub(super) collection: Option<String>,
}

impl Found {
    fn new(name: &str, path: &Path) -> Self {
        let path = super::real_path(path.to_path_buf());
        let collection = collection::collection_of(&path);
        let name = match &collection {
            Some(collection) => name.strip_prefix(collection.as_str()).and_then(|name| name.strip_prefix('.')),
            None => None,
        }
        .unwrap_or(name);
        Self { name: name.to_owned(), path, collection }
    }
}

impl Loader {
    /// Role names may be templates over extra vars and the play's.
    pub(super) fn role_name(&self, name: &str, node: &YamlNode) -> LoadResult<String> {
        if !crate::value::has_template_markers(name) {
            return Ok(name.to_owned());
        }
        let written = node.scalar().cloned().unwrap_or(Value::Null);
        let value = self
            .template_name(&written, &self.play_vars())
            .map_err(|problem| Box::new(LoadError::from_general(problem)))?;
        Ok(crate::value::python::str(&value))
    }

    /// The folder of a role.
    pub(super) fn find_role(&self, entry: &RoleEntry, base: &Path, beside: Option<&Path>) -> LoadResult<Found> {
        let name = expand_home(&entry.name);
        let own = base.join("collections");
        let collections = || std::iter::once(own.as_path()).chain(self.collections_path.iter().map(PathBuf::as_path));
        let full = RoleName::parse_name(&entry.name);
        if let Some(full) = &full
            && let Some(path) = full.find_folder(collections())
        {
            return Ok(Found::new(&entry.name, &path));
        }
        let mut folders: Vec<PathBuf> = vec![base.join("roles")];
        folders.extend(beside.map(Path::to_path_buf));
        folders.extend(self.roles_path.iter().cloned());
        folders.push(base.to_path_buf());
        let inside = folders.iter().map(|folder| super::real_path(folder.join(&name))).find(|path| path.is_dir());
        let found = match inside {
            Some(path) if !name.is_absolute() => Some(Found::new(&entry.name, &path)),
            _ if name.is_dir() && entry.name.starts_with('/') => Some(Found::new(&entry.name, &name)),
            _ if name.is_dir() => {
                let last = name.file_name().map_or(entry.name.clone().into(), |last| last.to_string_lossy());
                Some(Found::new(&last, &name))
            }
            _ => None,
        };
        found.ok_or_else(|| {
            let known: Vec<String> = folders
                .iter()
                .filter_map(|folder| std::fs::read_dir(folder).ok())
                .flat_map(|entries| entries.flatten().filter(|e| e.path().is_dir()))
                .map(|e| e.file_name().to_string_lossy().into_owned())
                .collect();
            let looked: Vec<String> = match full {
                Some(_) => collections().map(|folder| folder.display().to_string()).collect(),
                None => folders.iter().map(|folder| folder.display().to_string()).collect(),
            };
            Box::new(LoadError::from_general(
                Diagnostic::error(format!("there is no role `{}`", entry.name))
                    .at(&entry.span, "")
                    .suggest(&entry.name, &known)
                    .hint(format!("looked in {}", looked.join(", "))),
            ))
        })
    }

    /// `FOLDER/main.yml` or `FOLDER/FROM.yml`; all files of a folder `FOLDER/main/` for variables.
    pub(super) fn role_part(
        &self,
        role: &Path,
        folder: &str,
        from: Option<&str>,
        span: &Span,
    ) -> LoadResult<Option<YamlNode>> {
        if let Some(from) = from.filter(|from| is_leaving(folder, from)) {
            let expected = role.join(folder);
            return Err(Diagnostic::error(format!(
                "`{from}` cannot be part of the role, as it is not inside the expected role path: `{}`",
                expected.display()
            ))
            .at(span, "")
            .into());
        }
        if let Some(node) = self.role_file(role, folder, from)? {
            return Ok(Some(node));
        }
        match from {
            // A role without the folder has nothing of the kind, by whatever name.
            Some(from) if role.join(folder).is_dir() => Err(Diagnostic::error(format!(
                "there is no `{from}` in the folder `{folder}` of the role `{}`",
                role.display()
            ))
            .at(span, "")
            .into()),
            _ => Ok(None),
        }
    }

    /// The same; nothing if there is no such file.
    pub(super) fn role_file(&self, role: &Path, folder: &str, from: Option<&str>) -> LoadResult<Option<YamlNode>> {
        let stem = role.join(folder).join(from.unwrap_or("main"));
        let candidates = [".yml", ".yaml", ".json", ""].map(|extension| {
            let mut path = stem.clone().into_os_string();
            path.push(extension);
            PathBuf::from(path)
        });
        match candidates.iter().find(|path| path.is_file()) {
            Some(path) => Ok(self.read_yaml(path)?),
            None if matches!(folder, "vars" | "defaults") && stem.is_dir() => self.all_of(&stem),
            None => Ok(None),
        }
    }

    /// All files of variables in a folder and those below it, by name, as one mapping.
    fn all_of(&self, folder: &Path) -> LoadResult<Option<YamlNode>> {
        let mut whole: Option<YamlNode> = None;
        for path in variable_files(folder) {
            let Some(node) = self.read_yaml(&path)?.filter(|node| !node.is_null()) else { continue };
            whole = match (&whole, node.entries()) {
                (Some(known), Some(entries)) => {
                    let known = known.entries().unwrap_or_default();
                    let all = known.iter().chain(entries).cloned().collect();
                    Some(YamlNode::new(node.span().clone(), None, crate::yaml::YamlKind::Map(all)))
                }
                // A value that is not a mapping is reported as for a single file.
                _ => Some(node),
            };
        }
        Ok(whole)
    }
}

/// Whether a path leads out of the folder that it is meant from; on its way it may.
fn is_leaving(folder: &str, path: &str) -> bool {
    !super::without_dots(&Path::new(folder).join(path)).starts_with(folder)
}

/// Files of variables in a folder and those below it, sorted by name; hidden ones and copies are left out.
fn variable_files(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).map(|entries| entries.flatten().map(|e| e.path()).collect()).unwrap_or_default();
    paths.sort();
    let usual = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        !name.starts_with('.') && !name.ends_with('~')
    };
    let known = |path: &Path| {
        path.extension().is_none_or(|extension| ["yml", "yaml", "json"].iter().any(|known| extension == *known))
    };
    let mut files = Vec::new();
    for path in paths.into_iter().filter(usual) {
        if path.is_dir() {
            files.extend(variable_files(&path));
        } else if known(&path) {
            files.push(path);
        }
    }
    files
}

/// The variables of a file.
pub(super) fn vars_of(node: Option<&YamlNode>) -> LoadResult<Dict> {
    let Some(node) = node.filter(|node| !node.is_null()) else { return Ok(Dict::new()) };
    match node.to_value() {
        Value::Dict(dict) => Ok((*dict).clone()),
        _ => Err(Diagnostic::error(format!("a file of variables must hold a mapping, not {}", node.description()))
            .at(node.span(), "")
            .into()),
    }
}

fn expand_home(name: &str) -> PathBuf {
    match name.strip_prefix("~/") {
        Some(rest) => std::env::home_dir().unwrap_or_default().join(rest),
        None => PathBuf::from(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_out_are_seen() {
        for (path, out) in [
            ("main", false),
            ("a/../b.yml", false),
            ("../x", true),
            ("a/../../x", true),
            ("/etc/x", true),
            ("./x", false),
            ("../tasks/x", false),
            ("..", true),
        ] {
            assert_eq!(is_leaving("tasks", path), out, "{path}");
        }
    }

    #[test]
    fn folders_of_variables_are_read_by_name() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("b")).unwrap();
        for name in ["c.yml", "a", "b/x.json", ".hidden.yml", "old.yml~", "notes.txt"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let found = variable_files(folder.path());
        let names: Vec<_> =
            found.iter().map(|path| path.strip_prefix(folder.path()).unwrap().display().to_string()).collect();
        assert_eq!(names, ["a", "b/x.json", "c.yml"]);
    }
}
