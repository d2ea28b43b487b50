//! Where modules lie that are not part of this program: folders of a playbook, of its roles, of the settings, and
//! installed collections.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::interpreter;
use crate::source::Source;
use crate::value::Value;
use crate::yaml;

/// Endings of files that are not modules.
const NOT_MODULES: &[&str] =
    &["pyc", "pyo", "swp", "bak", "rpm", "md", "txt", "rst", "yml", "yaml", "ini", "json", "ps1"];

/// A chain of redirects that is longer goes in a circle.
const MOST_REDIRECTS: usize = 10;

/// Folders in which foreign modules are looked for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ModuleSearch {
    /// Folders of modules that are of no collection, the nearest first.
    pub library: Vec<PathBuf>,
    /// Folders that have `ansible_collections` in them.
    pub collections: Vec<PathBuf>,
    /// The interpreter whose packages may have collections, and ansible-core.
    pub python: Option<PathBuf>,
    /// Folders of `module_utils` next to those of `library`.
    pub module_utils: Vec<PathBuf>,
    /// Folders of the playbook and its roles, which may have `filter_plugins` and the like in them.
    pub owners: Vec<PathBuf>,
}

/// A module that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundModule {
    /// The full name: `NAMESPACE.COLLECTION.MODULE`, `ansible.legacy.MODULE`, `ansible.builtin.MODULE`.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// The folder that has `ansible_collections`, for modules of collections.
    pub collections_folder: Option<PathBuf>,
}

impl FoundModule {
    /// The name that Python imports it by, for modules of collections and of ansible-core.
    pub fn import_name(&self) -> Option<String> {
        if let Some(short) = self.name.strip_prefix("ansible.builtin.") {
            return Some(format!("ansible.modules.{short}"));
        }
        self.collections_folder.as_ref()?;
        let mut parts = self.name.splitn(3, '.');
        let (namespace, collection, module) = (parts.next()?, parts.next()?, parts.next()?);
        Some(format!("ansible_collections.{namespace}.{collection}.plugins.modules.{module}"))
    }
}

impl ModuleSearch {
    /// Adds the folders of a playbook or a role: `library`, `module_utils` and `collections` in it.
    pub fn add_folder(&mut self, folder: &Path) {
        if !self.owners.iter().any(|known| known == folder) {
            self.owners.insert(0, folder.to_path_buf());
        }
        for (name, known) in [("library", &mut self.library), ("module_utils", &mut self.module_utils)] {
            let path = folder.join(name);
            if !known.contains(&path) && path.is_dir() {
                known.insert(0, path);
            }
        }
    }

    /// Adds the folder of collections next to a playbook.
    pub fn add_collections(&mut self, folder: &Path) {
        let path = folder.join("collections");
        if !self.collections.contains(&path) && path.join("ansible_collections").is_dir() {
            self.collections.insert(0, path);
        }
    }

    /// All folders that have `ansible_collections` in them, those among the packages of Python last.
    pub fn collection_folders(&self) -> Vec<PathBuf> {
        let packages = self.python.as_deref().map(interpreter::package_folders).unwrap_or_default();
        let all = self.collections.iter().cloned().chain(packages);
        let absolute = |folder: PathBuf| std::path::absolute(&folder).unwrap_or(folder);
        all.filter(|folder| folder.join("ansible_collections").is_dir()).map(absolute).collect()
    }

    /// Finds a module by its name: bare, with a collection, or with `ansible.legacy` or `ansible.builtin` before it.
    pub fn find_module(&self, name: &str) -> Option<FoundModule> {
        let mut name = name.to_owned();
        for _ in 0..MOST_REDIRECTS {
            match self.find_once(&name)? {
                Step::Found(found) => return Some(found),
                Step::Redirect(other) => name = other,
            }
        }
        None
    }

    fn find_once(&self, name: &str) -> Option<Step> {
        if !is_name(name) {
            return None;
        }
        let parts: Vec<&str> = name.split('.').collect();
        match parts.as_slice() {
            [short] | ["ansible", "legacy", short] => self.find_in_library(short).or_else(|| self.find_in_core(short)),
            ["ansible", "builtin", short] => self.find_in_core(short),
            [namespace, collection, rest @ ..] if !rest.is_empty() => {
                self.find_in_collections(namespace, collection, rest)
            }
            _ => None,
        }
    }

    fn find_in_library(&self, short: &str) -> Option<Step> {
        let path = self.library.iter().find_map(|folder| find_file(folder, short, 2))?;
        Some(Step::Found(FoundModule { name: format!("ansible.legacy.{short}"), path, collections_folder: None }))
    }

    /// A module of ansible-core that needs no action plugin.
    fn find_in_core(&self, short: &str) -> Option<Step> {
        let file = format!("{short}.py");
        let packages = interpreter::package_folders(self.python.as_deref()?);
        let core = packages.into_iter().map(|folder| folder.join("ansible")).find(|core| core.is_dir())?;
        let path = core.join("modules").join(&file);
        let is_alone = path.is_file() && !core.join("plugins/action").join(&file).is_file();
        let name = format!("ansible.builtin.{short}");
        is_alone.then_some(Step::Found(FoundModule { name, path, collections_folder: None }))
    }

    fn find_in_collections(&self, namespace: &str, collection: &str, rest: &[&str]) -> Option<Step> {
        let inside = Path::new("ansible_collections").join(namespace).join(collection);
        for folder in self.collection_folders() {
            let root = folder.join(&inside);
            if !root.is_dir() {
                continue;
            }
            let (last, before) = rest.split_last()?;
            let modules = root.join("plugins/modules").join(before.iter().collect::<PathBuf>());
            let short = rest.join(".");
            if let Some(path) = find_file(&modules, last, 0) {
                let name = format!("{namespace}.{collection}.{short}");
                return Some(Step::Found(FoundModule { name, path, collections_folder: Some(folder) }));
            }
            // The first folder that has the collection counts, whatever is in the others.
            return read_redirect(&root, &short).map(Step::Redirect);
        }
        None
    }

    /// Finds an action plugin that Ansible would run in place of, or before, a module of a collection.
    pub fn find_action_plugin(&self, found: &FoundModule) -> Option<PathBuf> {
        let folder = found.collections_folder.as_ref()?;
        let mut parts = found.name.splitn(3, '.');
        let (namespace, collection, module) = (parts.next()?, parts.next()?, parts.next()?);
        let root = folder.join("ansible_collections").join(namespace).join(collection);
        Some(root.join("plugins/action").join(format!("{module}.py"))).filter(|path| path.is_file())
    }

    /// Finds the file of a plugin written in Python: one of a collection by its full name, or one of the playbook or a
    /// role. The kind is `filter`, `test` or `lookup`.
    pub fn find_plugin(&self, kind: &str, name: &str) -> Option<PathBuf> {
        let parts: Vec<&str> = name.split('.').collect();
        match parts.as_slice() {
            [short] => {
                let inside = format!("{kind}_plugins");
                self.owners.iter().find_map(|owner| find_plugin_file(&owner.join(&inside), short))
            }
            [namespace, collection, short] => {
                let inside = Path::new("ansible_collections").join(namespace).join(collection);
                let inside = inside.join("plugins").join(kind);
                self.collection_folders().iter().find_map(|folder| find_plugin_file(&folder.join(&inside), short))
            }
            _ => None,
        }
    }
}

/// The file of a plugin in a folder: of its name, or one that has the name in quotes, for a file may define several.
fn find_plugin_file(folder: &Path, short: &str) -> Option<PathBuf> {
    let own = folder.join(format!("{short}.py"));
    if own.is_file() {
        return Some(own);
    }
    let names = [format!("'{short}'"), format!("\"{short}\"")];
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "py"));
    files.sort();
    files.into_iter().find(|path| {
        crate::input::read_text(path).is_ok_and(|text| names.iter().any(|name| text.contains(name.as_str())))
    })
}

enum Step {
    Found(FoundModule),
    Redirect(String),
}

/// Whether a name can be that of a module: words with dots between them.
fn is_name(name: &str) -> bool {
    let is_word = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    name.split('.').all(is_word)
}

/// The file of a module in a folder or, so many levels deep, in the folders inside.
fn find_file(folder: &Path, name: &str, depth: usize) -> Option<PathBuf> {
    let direct = folder.join(format!("{name}.py"));
    if direct.is_file() {
        return Some(direct);
    }
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let is_module = |path: &&PathBuf| {
        let ending = path.extension().map(|ending| ending.to_string_lossy().into_owned());
        path.file_stem().is_some_and(|stem| stem == name)
            && ending.is_none_or(|ending| !NOT_MODULES.contains(&ending.as_str()))
            && path.is_file()
    };
    if let Some(path) = paths.iter().find(is_module) {
        return Some(path.clone());
    }
    let inner = depth.checked_sub(1)?;
    paths.iter().filter(|path| path.is_dir()).find_map(|folder| find_file(folder, name, inner))
}

/// The module that a collection names in place of one that it does not have any more.
fn read_redirect(root: &Path, short: &str) -> Option<String> {
    let path = root.join("meta/runtime.yml");
    let text = crate::input::read_text(&path).ok()?;
    // The file may be long, and mostly has nothing to say of a module.
    if !text.contains(short) {
        return None;
    }
    let document = yaml::load_document(&Source::new(path.display().to_string(), text)).ok()?.root?.to_value();
    let routing = document.get("plugin_routing").and_then(|routing| routing.get("modules"));
    routing?.get(short)?.get("redirect").and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        folder
    }

    #[test]
    fn modules_are_found_in_library_and_collections() {
        let folder = tree(&[
            ("library/one.sh", "#!/bin/sh\n"),
            ("library/one.md", ""),
            ("library/deep/er/two.py", ""),
            ("collections/ansible_collections/a/b/plugins/modules/three.py", ""),
            ("collections/ansible_collections/a/b/plugins/modules/sub/four.py", ""),
            (
                "collections/ansible_collections/a/b/meta/runtime.yml",
                "plugin_routing: {modules: {old: {redirect: a.b.three}, turn: {redirect: a.b.turn}}}",
            ),
        ]);
        let mut search = ModuleSearch::default();
        search.add_folder(folder.path());
        search.add_collections(folder.path());
        let found = |name: &str| {
            let found = search.find_module(name)?;
            let path = found.path.strip_prefix(folder.path()).unwrap().display().to_string();
            Some((found.name, path.rsplit('/').next().unwrap().to_owned()))
        };
        let is = |name: &str, file: &str| Some((name.to_owned(), file.to_owned()));
        assert_eq!(found("one"), is("ansible.legacy.one", "one.sh"));
        assert_eq!(found("ansible.legacy.two"), is("ansible.legacy.two", "two.py"));
        assert_eq!(found("a.b.three"), is("a.b.three", "three.py"));
        assert_eq!(found("a.b.sub.four"), is("a.b.sub.four", "four.py"));
        assert_eq!(found("a.b.old"), is("a.b.three", "three.py"));
        assert_eq!(found("a.b.turn"), None);
        assert_eq!(found("a.b.none"), None);
        assert_eq!(found("../x"), None);
    }
}
