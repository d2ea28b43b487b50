//! Reading files of the playbook, and what loading needs to know of the run.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::placeholder::{self, Placeholder};
use super::{LoadError, LoadErrorKind, LoadResult};
use crate::diagnostic::{Diagnostic, Reaction, Report, Severity, fold_repeated};
use crate::input_digests::InputDigests;
use crate::source::Source;
use crate::value::{Dict, Value};
use crate::vars::sops;
use crate::yaml::{self, YamlNode};

/// Opens the text of a file that is vaulted as a whole.
pub type OpenVault = dyn Fn(&str, &Path) -> Result<String, Diagnostic>;

/// Templates the name of a static import with the variables that are known when the playbook is read.
pub type StaticTemplate = dyn Fn(&Value, &[Rc<Dict>]) -> Result<Value, Diagnostic>;

/// Errors in the texts read so far.
#[derive(Default)]
struct Complaints {
    /// The kind of the first thing that could not be read at all.
    kind: Option<LoadErrorKind>,
    report: Report,
    placeholders: Vec<Placeholder>,
}

/// Returns the command line of the run with further options in it.
pub type CommandWith = dyn Fn(&[String]) -> String;

/// Reads files and remembers them.
pub struct Loader {
    /// Folders in which roles are looked for, besides `roles` next to the playbook.
    pub roles_path: Vec<PathBuf>,
    /// Folders with collections, besides `collections` next to the playbook.
    pub collections_path: Vec<PathBuf>,
    /// Whether variables of roles that do not say so are for the role alone; by default those of included ones are.
    pub private_roles: Option<bool>,
    /// Values for empty placeholders, by parameter (`--fill`, and what was typed at the terminal).
    pub fill: RefCell<Vec<(String, String)>>,
    /// The blocks of a page that the user has chosen at the terminal.
    pub chosen_blocks: RefCell<Vec<usize>>,
    /// The command line of this run with further options in it.
    pub command_with: Box<CommandWith>,
    /// Policy for duplicate keys.
    pub duplicate_keys: Reaction,
    /// Is told every secret that stands in a playbook in clear text, so that no picture of its line shows it.
    pub on_secret: Box<dyn Fn(&str)>,
    /// Receives the template of every secret parameter that is one.
    pub on_secret_template: Box<dyn Fn(&str)>,
    /// Values of vaulted files count as secrets.
    pub mask_vault: bool,
    /// Texts that an editor has not saved, by absolute path; they count instead of the files.
    pub unsaved: RefCell<HashMap<PathBuf, String>>,
    /// Vaulted files are read as if they were empty: an editor asks for no password.
    pub skip_vaulted: Cell<bool>,
    open_vault: Box<OpenVault>,
    static_template: Box<StaticTemplate>,
    warnings: RefCell<Report>,
    complaints: RefCell<Complaints>,
    files: RefCell<HashMap<PathBuf, Option<YamlNode>>>,
    /// Which files were read.
    pub reads: Rc<InputDigests>,
    /// Variables of the current play, highest first; names of static imports may use them.
    play_vars: RefCell<Vec<Rc<Dict>>>,
    /// Roles of the current play that were read before, by name, source and parameters.
    pub(super) roles: RefCell<Vec<Rc<super::Role>>>,
    /// Roles that `import_role` has brought in since the last look.
    pub(super) imported: RefCell<Vec<(Rc<super::Role>, Rc<super::Frame>)>>,
}

impl Loader {
    /// A loader with the two things that need more than files: vault secrets and templates.
    pub fn new(roles_path: Vec<PathBuf>, open_vault: Box<OpenVault>, static_template: Box<StaticTemplate>) -> Self {
        Self {
            roles_path,
            fill: RefCell::default(),
            chosen_blocks: RefCell::default(),
            command_with: Box::new(|options| options.join(" ")),
            collections_path: Vec::new(),
            private_roles: None,
            duplicate_keys: Reaction::default(),
            on_secret: Box::new(|_| ()),
            on_secret_template: Box::new(|_| ()),
            mask_vault: false,
            unsaved: RefCell::default(),
            skip_vaulted: Cell::new(false),
            open_vault,
            static_template,
            warnings: RefCell::default(),
            complaints: RefCell::default(),
            files: RefCell::default(),
            reads: Rc::default(),
            play_vars: RefCell::default(),
            roles: RefCell::default(),
            imported: RefCell::default(),
        }
    }

    /// Takes the warnings of the reader; each appears once.
    pub fn take_warnings(&self) -> Report {
        self.warnings.take()
    }

    /// Notes something worth telling.
    pub fn add_warning(&self, warning: Diagnostic) {
        self.warnings.borrow_mut().push(warning);
    }

    /// Notes something that is wrong but need not stop the reading: everything wrong is reported at once.
    pub(super) fn add_complaint(&self, complaint: Diagnostic) {
        self.complaints.borrow_mut().report.push(complaint);
    }

    /// Notes something that is wrong, instead of what was noted about the same place before.
    pub(super) fn complain_instead(&self, complaint: Diagnostic) {
        let place =
            |message: &Diagnostic| message.span().map(|span| (span.source().name().to_owned(), span.range().start));
        let here = place(&complaint);
        let mut complaints = self.complaints.borrow_mut();
        complaints.report.retain(|other| here.is_none() || place(other) != here);
        complaints.report.push(complaint);
    }

    /// Notes a task that cannot be read; those after it are read all the same.
    pub(super) fn complain_of(&self, problem: LoadError) {
        let mut complaints = self.complaints.borrow_mut();
        complaints.kind.get_or_insert(problem.kind);
        complaints.report.extend(problem.report);
    }

    /// Notes a parameter that is an empty placeholder.
    pub(super) fn note_placeholder(&self, placeholder: Placeholder) {
        self.complaints.borrow_mut().placeholders.push(placeholder);
    }

    /// Reports what was noted.
    ///
    /// # Errors
    /// If anything was.
    pub fn report_collected(&self) -> LoadResult<()> {
        let Complaints { kind, mut report, placeholders } = self.complaints.take();
        let alone = report.is_empty();
        report.extend(placeholder::describe_placeholders(&placeholders, &self.command_with));
        if report.is_empty() {
            return Ok(());
        }
        let placeholders = if alone { placeholders } else { Vec::new() };
        let kind = kind.unwrap_or(LoadErrorKind::Parse);
        Err(Box::new(LoadError { kind, report: fold_repeated(report), placeholders }))
    }

    /// Reports what was noted together with what stopped the reading.
    ///
    /// # Errors
    /// If there is either.
    pub fn settle_with<T>(&self, read: LoadResult<T>) -> LoadResult<T> {
        self.settle_or_keep(read, drop)
    }

    /// The same; `keep` gets what could be read if something was noted.
    ///
    /// # Errors
    /// If anything was noted, or reading failed.
    pub fn settle_or_keep<T>(&self, read: LoadResult<T>, keep: impl FnOnce(T)) -> LoadResult<T> {
        match (read, self.report_collected()) {
            (read, Ok(())) => read,
            (Ok(part), Err(noted)) => {
                keep(part);
                Err(noted)
            }
            (Err(problem), Err(noted)) => {
                let report = noted.report.into_iter().chain(problem.report).collect();
                Err(Box::new(LoadError { report: fold_repeated(report), ..*problem }))
            }
        }
    }

    /// Templates a name that must be known when the playbook is read.
    ///
    /// # Errors
    /// If the template fails.
    pub fn template_name(&self, value: &Value, vars: &[Rc<Dict>]) -> Result<Value, Diagnostic> {
        match (self.static_template)(value, vars)? {
            // An editor runs nothing, so that it cannot tell.
            Value::Unknown(unknown) => {
                let message = format!("only a run can tell this name: it waits for {}", unknown.describe_missing());
                Err(Diagnostic::warning(message))
            }
            known => Ok(known),
        }
    }

    /// Reads a file as text, opening it if it is vaulted or encrypted with SOPS.
    ///
    /// # Errors
    /// If it cannot be read (exit 1) or is not UTF-8 (exit 4).
    pub fn read(&self, path: &Path) -> LoadResult<Arc<Source>> {
        let bytes = match self.find_unsaved(path) {
            Some(text) => text.into_bytes(),
            None => self.reads.read(path).map_err(|error| unreadable_file(path, &error))?,
        };
        let source = yaml::read_text(&path.display().to_string(), bytes)?;
        if source.text().starts_with("$ANSIBLE_VAULT;") {
            if self.skip_vaulted.get() {
                return Ok(Source::sealed(source.name(), ""));
            }
            let opened = (self.open_vault)(source.text(), path).map_err(|d| Box::new(LoadError::from_general(d)))?;
            let name = source.name();
            return Ok(if self.mask_vault { Source::secret(name, opened) } else { Source::sealed(name, opened) });
        }
        if sops::is_sops_text(source.text()) {
            let opened = sops::open_sops_file(path).map_err(|d| Box::new(LoadError::from_general(d)))?;
            sops::visit_texts(&opened, &mut |secret| (self.on_secret)(secret));
            return Ok(Source::secret(source.name(), opened.as_str()));
        }
        Ok(source)
    }

    fn find_unsaved(&self, path: &Path) -> Option<String> {
        let unsaved = self.unsaved.borrow();
        if unsaved.is_empty() {
            return None;
        }
        unsaved.get(&std::path::absolute(path).ok()?).cloned()
    }

    /// Reads a file as YAML; an empty file gives no node. A file that was read before is not read again.
    ///
    /// # Errors
    /// If it cannot be read (exit 1) or is not YAML (exit 4).
    pub fn read_yaml(&self, path: &Path) -> LoadResult<Option<YamlNode>> {
        if let Some(known) = self.files.borrow().get(path) {
            return Ok(known.clone());
        }
        let node = self.parse_yaml(&self.read(path)?)?;
        self.files.borrow_mut().insert(path.to_path_buf(), node.clone());
        Ok(node)
    }

    /// Reads a text as YAML.
    ///
    /// # Errors
    /// If it is not YAML.
    pub fn parse_yaml(&self, source: &Arc<Source>) -> LoadResult<Option<YamlNode>> {
        let loaded = yaml::load_document(source)?;
        self.add_reader_warnings(loaded.warnings)?;
        Ok(loaded.root)
    }

    /// Takes what the reader of YAML has noticed; a repeated key is what the settings make of it.
    ///
    /// # Errors
    /// If there is one, and it is an error.
    pub fn add_reader_warnings(&self, warnings: Report) -> LoadResult<()> {
        // Only repeated keys are warnings; the rest is on its way out.
        let (repeated, others): (Vec<_>, Vec<_>) =
            warnings.into_iter().partition(|message| message.severity == Severity::Warning);
        self.warnings.borrow_mut().extend(others);
        match self.duplicate_keys {
            Reaction::Warn => self.warnings.borrow_mut().extend(repeated),
            Reaction::Refuse if !repeated.is_empty() => {
                let report = repeated.into_iter().map(|message| Diagnostic { severity: Severity::Error, ..message });
                let report = report.collect();
                return Err(Box::new(LoadError { kind: LoadErrorKind::Parse, report, placeholders: Vec::new() }));
            }
            Reaction::Refuse | Reaction::Ignore => {}
        }
        Ok(())
    }

    /// The variables of a play that is read now, or that is about to run and may include what has imports in it.
    pub fn set_play_vars(&self, vars: &[Rc<Dict>]) {
        *self.play_vars.borrow_mut() = vars.to_vec();
    }

    /// Returns the variables of the current play, highest first.
    pub(super) fn play_vars(&self) -> Vec<Rc<Dict>> {
        self.play_vars.borrow().clone()
    }

    /// The roles that `import_role` has brought in since the last look, each with what the import says of it.
    pub fn take_imported(&self) -> Vec<(Rc<super::Role>, Rc<super::Frame>)> {
        self.imported.take()
    }

    /// Forgets the roles of a play when the next one begins.
    pub(super) fn next_play(&self) {
        self.roles.borrow_mut().clear();
        self.imported.take();
    }
}

/// The message for a file that cannot be read.
pub fn unreadable_file(path: &Path, error: &std::io::Error) -> Box<LoadError> {
    let mut message = Diagnostic::error(format!("cannot read `{}`: {}", path.display(), plain_error(error)));
    if error.kind() == std::io::ErrorKind::NotFound {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let names: Vec<String> = std::fs::read_dir(folder)
            .map(|entries| entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect())
            .unwrap_or_default();
        let wanted = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        message = message.suggest(&wanted, &names);
    }
    Box::new(LoadError::from_general(message))
}

/// The sentence of an I/O error without the number that the standard library adds.
pub fn plain_error(error: &std::io::Error) -> String {
    let text = crate::input::describe_io_error(error);
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
