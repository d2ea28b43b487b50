//! Foreign modules that were found so far, and the folders in which they are looked for.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::ForeignModule;
use super::spec::build_spec;
use crate::bridge::documentation::read_documentation;
use crate::bridge::{FoundModule, ModuleKind, ModuleSearch};

#[derive(Default)]
struct Registry {
    search: ModuleSearch,
    /// Answers so far, until the folders change.
    by_name: HashMap<String, Option<&'static ForeignModule>>,
    /// Modules that were read, by name and file: each is kept once.
    read: HashMap<(String, PathBuf), &'static ForeignModule>,
}

thread_local! {
    /// One thread runs a play, and reads its playbook.
    static REGISTRY: RefCell<Registry> = RefCell::default();
}

/// Sets the folders in which modules are looked for. Without it there are no foreign modules.
pub fn set_search(search: ModuleSearch) {
    change_search(|known| *known = search);
}

/// Adds `library`, `module_utils` and `collections` next to a playbook.
pub fn add_playbook_folder(folder: &Path) {
    change_search(|search| {
        search.add_folder(folder);
        search.add_collections(folder);
    });
}

/// Adds `library` and `module_utils` of a role, which everything that is read later may use.
pub fn add_role_folder(folder: &Path) {
    change_search(|search| search.add_folder(folder));
}

/// The folders in which modules are looked for.
pub fn current_search() -> ModuleSearch {
    REGISTRY.with_borrow(|registry| registry.search.clone())
}

fn change_search(change: impl FnOnce(&mut ModuleSearch)) {
    REGISTRY.with_borrow_mut(|registry| {
        change(&mut registry.search);
        registry.by_name.clear();
    });
}

/// Finds a module by its full or bare name.
pub fn find_foreign(name: &str) -> Option<&'static ForeignModule> {
    REGISTRY.with_borrow_mut(|registry| {
        if let Some(known) = registry.by_name.get(name) {
            return *known;
        }
        let module = registry.search.find_module(name).and_then(|found| registry.read_module(found));
        registry.by_name.insert(name.to_owned(), module);
        module
    })
}

impl Registry {
    fn read_module(&mut self, found: FoundModule) -> Option<&'static ForeignModule> {
        let key = (found.name.clone(), found.path.clone());
        if let Some(known) = self.read.get(&key).copied() {
            return Some(known);
        }
        let content = crate::input::read_file(&found.path).ok()?;
        let has_python_name = found.path.extension().is_some_and(|ending| ending == "py");
        let kind = ModuleKind::of_content(&content, has_python_name);
        // `include_tasks`, `meta` and their like: ansible-core has their documentation only.
        if kind == ModuleKind::Stub && found.name.starts_with("ansible.builtin.") {
            return None;
        }
        let documentation = read_documentation(&found, &self.search);
        let spec = build_spec(&found, &kind, documentation);
        let module: &'static ForeignModule = Box::leak(Box::new(ForeignModule { spec, found, kind }));
        self.read.insert(key, module);
        Some(module)
    }
}
