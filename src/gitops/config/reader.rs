//! Typed access to the nodes of the file, which collects every mistake with its place.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::secret::SecretSource;
use super::time;
use crate::diagnostic::{Diagnostic, Report, Severity};
use crate::source::Span;
use crate::value::Value;
use crate::yaml::{MappingEntry, YamlKind, YamlNode};

/// Collects what is wrong with a file.
pub(super) struct ConfigReader {
    report: RefCell<Report>,
    folder: PathBuf,
}

impl ConfigReader {
    /// A reader of a file in this folder, which relative paths start from.
    pub fn new(folder: PathBuf) -> Self {
        Self { report: RefCell::default(), folder }
    }

    /// Adds a message.
    pub fn add_message(&self, message: Diagnostic) {
        self.report.borrow_mut().push(message);
    }

    /// Adds an error at a place, with a remedy.
    pub fn add_error(&self, span: &Span, message: impl Into<String>, remedy: impl Into<String>) {
        self.add_message(Diagnostic::error(message).at(span, "").hint(remedy));
    }

    /// Returns a path relative to the folder of the file.
    pub fn resolve_path(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    /// Returns the result with its warnings, or every mistake.
    pub fn into_result(self, config: Option<super::GitopsConfig>) -> Result<super::GitopsConfig, Report> {
        let report = self.report.into_inner();
        let broken = report.iter().any(|message| message.severity == Severity::Error);
        match config {
            Some(mut config) if !broken => {
                config.warnings = report;
                Ok(config)
            }
            _ => Err(report),
        }
    }
}

/// Returns the key of an entry as written: `on` is a key here, not a boolean.
pub(super) fn key_text(entry: &MappingEntry) -> String {
    entry.key.as_str().map_or_else(|| entry.key.span().text().trim().to_owned(), str::to_owned)
}

/// A mapping of the file, with the name that messages use for it.
pub(super) struct Mapping<'a> {
    pub reader: &'a ConfigReader,
    node: YamlNode,
    pub name: String,
}

impl<'a> Mapping<'a> {
    /// Takes a node as a mapping.
    pub fn from_node(reader: &'a ConfigReader, node: &YamlNode, name: &str) -> Option<Self> {
        if node.entries().is_none() {
            let message = format!("{name} must be a mapping, not {}", node.description());
            reader.add_error(node.span(), message, "write `key: value` lines below it, or `{key: value}`");
            return None;
        }
        Some(Self { reader, node: node.clone(), name: name.to_owned() })
    }

    /// An error about the mapping as a whole.
    pub fn mapping_error(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(message).at(self.node.span(), "")
    }

    /// Returns the entries.
    pub fn entries(&self) -> &[MappingEntry] {
        self.node.entries().unwrap_or_default()
    }

    /// The entry of a key, unless it is empty.
    pub fn find_entry(&self, key: &str) -> Option<&MappingEntry> {
        self.entries().iter().find(|entry| key_text(entry) == key).filter(|entry| !entry.value.is_null())
    }

    /// Reports every key that is not among these.
    pub fn refuse_unknown(&self, known: &[&str]) {
        for entry in self.entries() {
            let key = key_text(entry);
            if known.contains(&key.as_str()) {
                continue;
            }
            let message = Diagnostic::error(format!("{} has no key `{key}`", self.name)).at(entry.key.span(), "");
            let message = match crate::suggest::find_nearest(&key, known) {
                Some(near) => message.hint(format!("did you mean `{near}`?")),
                None => message.hint(format!("its keys are {}", known.join(", "))),
            };
            self.reader.add_message(message);
        }
    }

    /// A mapping below a key.
    pub fn read_mapping(&self, key: &str, name: &str) -> Option<Mapping<'a>> {
        Mapping::from_node(self.reader, &self.find_entry(key)?.value, name)
    }

    fn report_wrong_type(&self, key: &str, node: &YamlNode, wanted: &str, remedy: &str) {
        let message = format!("`{key}` of {} must be {wanted}, not {}", self.name, node.description());
        self.reader.add_error(node.span(), message, remedy);
    }

    /// A text; a number or date counts as the text that was written.
    pub fn read_text(&self, key: &str) -> Option<String> {
        let node = &self.find_entry(key)?.value;
        let text = scalar_text(node);
        if text.is_none() {
            self.report_wrong_type(key, node, "text", &format!("write `{key}: TEXT`"));
        }
        text
    }

    /// A text that has to be there.
    pub fn read_required(&self, key: &str, remedy: &str) -> Option<String> {
        if self.find_entry(key).is_none() {
            self.reader.add_message(self.mapping_error(format!("{} has no `{key}`", self.name)).hint(remedy));
            return None;
        }
        self.read_text(key)
    }

    /// One text or a list of them.
    pub fn read_texts(&self, key: &str) -> Vec<String> {
        let Some(entry) = self.find_entry(key) else { return Vec::new() };
        let node = &entry.value;
        let Some(items) = node.items() else { return self.read_text(key).into_iter().collect() };
        let texts: Vec<String> = items.iter().filter_map(scalar_text).collect();
        if texts.len() != items.len() {
            let odd = items.iter().find(|item| scalar_text(item).is_none()).unwrap_or(node);
            self.report_wrong_type(key, odd, "a list of texts", &format!("write `{key}: [ONE, TWO]`"));
        }
        texts
    }

    /// A boolean.
    pub fn read_flag(&self, key: &str) -> Option<bool> {
        let node = &self.find_entry(key)?.value;
        match node.scalar() {
            Some(Value::Bool(flag)) => Some(*flag),
            _ => {
                self.report_wrong_type(key, node, "true or false", &format!("write `{key}: true`"));
                None
            }
        }
    }

    /// A count of at least one.
    pub fn read_count(&self, key: &str) -> Option<usize> {
        let node = &self.find_entry(key)?.value;
        match node.scalar() {
            Some(Value::Int(count)) if *count > 0 => usize::try_from(*count).ok(),
            _ => {
                self.report_wrong_type(key, node, "a whole number above 0", &format!("write `{key}: 50`"));
                None
            }
        }
    }

    /// A duration above zero.
    pub fn read_duration(&self, key: &str) -> Option<Duration> {
        let node = &self.find_entry(key)?.value;
        let read = scalar_text(node).map(|text| time::parse_duration(&text));
        match read {
            Some(Ok(duration)) if !duration.is_zero() => Some(duration),
            _ => {
                let written = scalar_text(node).unwrap_or_else(|| node.description().to_owned());
                let message = format!("`{key}` of {} must be a duration, got `{written}`", self.name);
                self.reader.add_error(node.span(), message, "write a number and its unit: `30s`, `5m`, `2h` or `7d`");
                None
            }
        }
    }

    /// One of several words.
    pub fn read_word<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let entry = self.find_entry(key)?;
        // `off` is a boolean of YAML 1.1: the text that was written counts.
        let text = scalar_text(&entry.value)
            .or_else(|| entry.value.scalar().map(|_| entry.value.span().text().trim().to_owned()))
            .unwrap_or_default();
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let message = format!("`{key}` of {} cannot be `{text}`", self.name);
        let remedy = match crate::suggest::find_nearest(&text, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it is one of {}", known.join(", ")),
        };
        self.reader.add_error(entry.value.span(), message, remedy);
        None
    }

    /// A path; a relative one starts in the folder of the file.
    pub fn read_path(&self, key: &str) -> Option<PathBuf> {
        self.read_text(key).map(|path| self.reader.resolve_path(&path))
    }

    /// The path of a file that can be read.
    pub fn read_file_path(&self, key: &str) -> Option<PathBuf> {
        let path = self.read_path(key)?;
        self.check_readable(key, &path, self.find_entry(key)?.value.span());
        Some(path)
    }

    /// The paths of one file or a list of files that can be read.
    pub fn all_readable(&self, key: &str) -> Vec<PathBuf> {
        let Some(entry) = self.find_entry(key) else { return Vec::new() };
        let paths: Vec<PathBuf> = self.read_texts(key).iter().map(|path| self.reader.resolve_path(path)).collect();
        paths.iter().for_each(|path| self.check_readable(key, path, entry.value.span()));
        paths
    }

    fn check_readable(&self, key: &str, path: &Path, span: &Span) {
        let opened = std::fs::File::open(path).and_then(|file| file.metadata());
        let why = match opened {
            Ok(meta) if meta.is_dir() => "it is a folder".to_owned(),
            Ok(_) => return,
            Err(error) => crate::playbook::loader::plain_error(&error),
        };
        let message = format!("cannot read the `{key}` of {}, `{}`: {why}", self.name, path.display());
        self.reader.add_error(span, message, "create the file, or let the user of this program read it");
    }

    /// A secret: `KEY_file: FILE`, or `KEY: {file: FILE}` or `KEY: {env: NAME}`.
    pub fn read_secret(&self, key: &str) -> Option<SecretSource> {
        let file_key = format!("{key}_file");
        if let Some(path) = self.read_file_path(&file_key) {
            return Some(SecretSource::File(path));
        }
        self.secret_value(key, &self.find_entry(key)?.value)
    }

    /// A secret as the value of a key.
    pub fn secret_value(&self, key: &str, node: &YamlNode) -> Option<SecretSource> {
        let remedy = format!("name where it is: `{key}: {{file: FILE}}` or `{key}: {{env: NAME}}`");
        if node.entries().is_none() {
            let message = format!("`{key}` of {} is a secret, which is never written in this file", self.name);
            self.reader.add_error(node.span(), message, remedy);
            return None;
        }
        let place = Mapping::from_node(self.reader, node, &format!("`{key}` of {}", self.name))?;
        place.refuse_unknown(&["file", "env"]);
        match (place.read_file_path("file"), place.read_text("env")) {
            (Some(file), None) => Some(SecretSource::File(file)),
            (None, Some(name)) => Some(SecretSource::Environment(name)),
            (Some(_), Some(_)) => {
                self.reader.add_error(node.span(), format!("`{key}` has both `file` and `env`"), "keep one of them");
                None
            }
            (None, None) if place.find_entry("file").is_some() || place.find_entry("env").is_some() => None,
            (None, None) => {
                self.reader.add_error(node.span(), format!("`{key}` names no place of its secret"), remedy);
                None
            }
        }
    }
}

/// The text of a scalar: text itself, and numbers and dates as they were written.
pub(super) fn scalar_text(node: &YamlNode) -> Option<String> {
    match node.kind() {
        YamlKind::Scalar(Value::Null | Value::Bool(_) | Value::Sealed(_)) | YamlKind::List(_) | YamlKind::Map(_) => {
            None
        }
        YamlKind::Scalar(value) => {
            Some(value.as_str().map_or_else(|| node.span().text().trim().to_owned(), str::to_owned))
        }
    }
}
