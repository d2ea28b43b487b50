//! From sources (files, folders, scripts, lists of names) to an inventory.

use std::cell::{OnceCell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::composer::Composer;
use super::layer::{Addition, VariableLayer};
use super::model::{HostName, LOCALHOST, Model};
use super::names::{GroupNames, Transform};
use crate::diagnostic::{Diagnostic, Reaction};
use crate::input_digests::InputDigests;
use crate::value::Dict;
use crate::value::Value;
use crate::vars::vault::VaultSecrets;

/// Folder, `group_vars` or `host_vars`, and name.
type FileKey = (PathBuf, &'static str, Arc<str>);

/// How sources are read.
#[derive(Debug, Clone, Copy, Default)]
pub struct InventoryRules {
    /// Policy for group names that are not valid variable names.
    pub group_names: Transform,
    /// `-i h[1:3],` stands for three hosts.
    pub ranges_in_lists: bool,
    /// Policy for patterns that match nothing.
    pub unmatched: Reaction,
    /// Mappings of the same name are merged over the files of a group or host.
    pub merge_hashes: bool,
    /// Suppress the warning about missing hosts.
    pub quiet_without_hosts: bool,
    /// Suppress the warning about a missing inventory.
    pub quiet_without_sources: bool,
}

/// All hosts and groups with their variables, those added in the run included.
pub struct Inventory {
    pub(super) model: Model,
    sources: Vec<String>,
    pub(super) rules: InventoryRules,
    /// Sources that could not be read, as they are written.
    unread: Vec<String>,
    /// Folders with `group_vars` and `host_vars`: those of the inventories, then the playbook's.
    pub(super) folders: Vec<PathBuf>,
    playbook_folder: Option<PathBuf>,
    pub(super) secrets: Rc<VaultSecrets>,
    /// Which files were read.
    pub(super) reads: Rc<InputDigests>,
    /// Evaluates what plugins are given.
    pub(super) composer: Option<Rc<dyn Composer>>,
    limit: Option<Vec<String>>,
    /// Additions of the run, in order.
    pub(super) added: Vec<Addition>,
    localhost: OnceCell<HostName>,
    warnings: RefCell<Vec<Diagnostic>>,
    /// The groups with their hosts if they were asked for, until something changes.
    pub(super) groups: RefCell<Option<Value>>,
    /// Layers of hosts that were asked for, until something changes.
    pub(super) layers: RefCell<foldhash::HashMap<HostName, Rc<[VariableLayer]>>>,
    /// Variables read from `group_vars` and `host_vars`, by folder, kind and name.
    pub(super) files: RefCell<foldhash::HashMap<FileKey, Rc<Dict>>>,
}

impl Inventory {
    /// An inventory without hosts; `localhost` is still to be had.
    pub fn empty() -> Self {
        Self::load_sources(&[], Rc::default())
    }

    /// Reads the sources in order (`-i` as written). What cannot be read becomes a warning.
    pub fn load_sources(sources: &[String], secrets: Rc<VaultSecrets>) -> Self {
        Self::load_by(sources, secrets, InventoryRules::default(), Rc::default())
    }

    /// The same by other rules; what is read, now and later, is noted.
    pub fn load_by(
        sources: &[String],
        secrets: Rc<VaultSecrets>,
        rules: InventoryRules,
        reads: Rc<InputDigests>,
    ) -> Self {
        Self::load_with(sources, secrets, rules, reads, None)
    }

    /// The same with somebody who evaluates what plugins are given.
    pub fn load_with(
        sources: &[String],
        secrets: Rc<VaultSecrets>,
        rules: InventoryRules,
        reads: Rc<InputDigests>,
        composer: Option<Rc<dyn Composer>>,
    ) -> Self {
        let mut inventory = Self {
            model: Model::default(),
            sources: sources.to_vec(),
            rules,
            unread: Vec::new(),
            folders: Vec::new(),
            playbook_folder: None,
            secrets,
            reads,
            composer,
            limit: None,
            added: Vec::new(),
            localhost: OnceCell::new(),
            warnings: RefCell::default(),
            groups: RefCell::default(),
            layers: RefCell::default(),
            files: RefCell::default(),
        };
        inventory.refresh();
        inventory
    }

    /// Reads all sources anew; what was added in the run is added again.
    pub fn refresh(&mut self) {
        self.model = Model::default();
        self.model.names = GroupNames::new(self.rules.group_names);
        self.model.merge_hashes = self.rules.merge_hashes;
        self.folders.clear();
        self.unread.clear();
        self.files.borrow_mut().clear();
        for source in self.sources.clone() {
            if !self.source(&source) {
                self.unread.push(source);
            }
        }
        self.add_again();
        // If every source failed, the remains of failed sources are not sorted into groups.
        if self.unread.len() < self.sources.len() || !self.added.is_empty() {
            self.settle_model();
        }
        if let Some(warning) = self.model.names.names_warning() {
            self.warn(Diagnostic::warning(warning));
        }
        let quiet = self.rules.quiet_without_hosts && (self.rules.quiet_without_sources || !self.sources.is_empty());
        if self.model.hosts.is_empty() && !quiet {
            self.warn(Diagnostic::warning(if self.sources.is_empty() {
                "no inventory was given, only the implicit `localhost` exists; `all` does not match it"
            } else {
                "the inventory has no hosts, only the implicit `localhost` is there; `all` does not match it"
            }));
        }
    }

    /// Says where the playbook lies, for the `group_vars` and `host_vars` next to it.
    pub fn set_playbook_dir(&mut self, folder: &Path) {
        self.playbook_folder = Some(folder.to_owned());
        self.layers.borrow_mut().clear();
    }

    /// The sources that could not be read.
    pub fn unread_sources(&self) -> &[String] {
        &self.unread
    }

    /// Takes the warnings about unreadable sources and unmatched patterns since the last call.
    pub fn take_warnings(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut *self.warnings.borrow_mut())
    }

    pub(super) fn rules(&self) -> &InventoryRules {
        &self.rules
    }

    pub(super) fn warn(&self, warning: Diagnostic) {
        let mut warnings = self.warnings.borrow_mut();
        if !warnings.iter().any(|known| known.one_line() == warning.one_line()) {
            warnings.push(warning);
        }
    }

    /// An inventory of groups that are known already.
    pub(super) fn from_model(model: Model) -> Self {
        let mut inventory = Self::empty();
        inventory.model = model;
        inventory
    }

    pub(super) fn model(&self) -> &Model {
        &self.model
    }

    pub(super) fn model_mut(&mut self) -> &mut Model {
        &mut self.model
    }

    pub(super) fn secrets(&self) -> &VaultSecrets {
        &self.secrets
    }

    pub(super) fn limit_parts(&self) -> Option<&[String]> {
        self.limit.as_deref()
    }

    pub(super) fn replace_limit(&mut self, limit: Option<Vec<String>>) {
        self.limit = limit;
    }

    /// Folders of the inventories, then of the playbook.
    pub(super) fn inventory_folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// Where the playbook lies.
    pub fn playbook_folder(&self) -> Option<&Path> {
        self.playbook_folder.as_deref()
    }

    /// The name under which this machine is known: a host of the inventory that is it, else the implicit one, which
    /// keeps the name it was first called by.
    pub(super) fn implicit_localhost(&self, called: &str) -> HostName {
        let own = LOCALHOST.iter().find_map(|name| self.model.hosts.get_key_value(*name)).map(|(name, _)| name.clone());
        own.unwrap_or_else(|| Arc::clone(self.localhost.get_or_init(|| called.into())))
    }

    /// Brings the model in order after a change and forgets what was worked out from it.
    pub(super) fn settle_model(&mut self) {
        for name in self.model.settle_groups() {
            self.warn(Diagnostic::warning(format!("`{name}` is both a host and a group")));
        }
        self.layers.borrow_mut().clear();
        self.groups.take();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::value::Value;

    fn load(folder: &Path, sources: &[&str]) -> Inventory {
        let full = |source: &&str| {
            if source.contains(',') { (*source).to_owned() } else { folder.join(source).display().to_string() }
        };
        Inventory::load_sources(&sources.iter().map(full).collect::<Vec<_>>(), Rc::default())
    }

    #[test]
    fn lists_files_scripts_and_folders() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            path
        };
        write("d/2.ini", "[g]\nb\n");
        write("d/1.json", r#"{"g": {"hosts": {"a": null}}}"#);
        write("d/group_vars/g.json", "{}");
        write("d/notes.txt", "[broken");
        let script = write(
            "d/sub/s",
            "#!/bin/sh\n[ \"$1\" = --list ] && echo '{\"k\": [\"s\"]}' || echo '{\"v\": \"{{ x }}\"}'\n",
        );
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
        let inventory = load(folder.path(), &["d", "x[1:2],y:22"]);
        assert!(inventory.take_warnings().is_empty());
        assert_eq!(inventory.select_hosts("all").unwrap().join(" "), "x[1:2] y a b s");
        let rules = InventoryRules { ranges_in_lists: true, ..InventoryRules::default() };
        let ranges = Inventory::load_by(&["x[1:2],".to_owned()], Rc::default(), rules, Rc::default());
        assert_eq!(ranges.select_hosts("all").unwrap().join(" "), "x1 x2");
        assert_eq!(inventory.model.hosts["y"].vars.get("ansible_port"), Some(&Value::Int(22)));
        let Some(Value::Str(text)) = inventory.model.hosts["s"].vars.get("v") else { panic!("no text") };
        assert!(text.is_template());
    }

    #[test]
    fn what_cannot_be_read_is_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("bad"), "good\n[g:nope]\n").unwrap();
        let inventory = load(folder.path(), &["bad", "missing"]);
        let warnings = inventory.take_warnings();
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(warnings[0].summary.ends_with("cannot be read: a section cannot be of the type `nope`"));
        assert!(warnings[1].summary.ends_with("missing` does not exist"));
        assert_eq!(inventory.unread_sources().len(), 2);
        // What came before the line that cannot be read is there.
        assert_eq!(inventory.select_hosts("all").unwrap().join(" "), "good");
        assert_eq!(inventory.select_hosts("localhost").unwrap().join(" "), "localhost");
        assert_eq!(inventory.select_hosts("127.0.0.1").unwrap().join(" "), "localhost");
    }
}
