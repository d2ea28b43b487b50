//! The sources of an inventory: lists of names, files of several forms, programs, folders of these.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::load::Inventory;
use super::model::Origin;
use super::{constructed, generator, ini, read, script, toml, tree};
use crate::diagnostic::Diagnostic;
use crate::value::Value;

/// Endings of files in a folder that are not inventories.
const IGNORED_ENDINGS: [&str; 12] =
    [".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry"];

/// The most entries of a folder that is an inventory, those of folders in it included.
const MOST_ENTRIES: usize = 10_000;

/// Collects the files of a folder that may be inventories; false if it has more than `left` entries.
fn collect_files(folder: &Path, depth: usize, files: &mut Vec<PathBuf>, left: &mut usize) -> bool {
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Some(rest) = left.checked_sub(1) else { return false };
        *left = rest;
        entries.push(entry.path());
    }
    entries.sort();
    entries.into_iter().all(|entry| {
        let name = entry.file_name().unwrap_or_default().to_string_lossy();
        let special = name.starts_with('.') || matches!(&*name, "group_vars" | "host_vars" | "vars_plugins");
        // A link to a folder above itself would never end.
        if special || IGNORED_ENDINGS.iter().any(|ending| name.ends_with(ending)) || depth >= 20 {
            return true;
        }
        if entry.is_dir() {
            return collect_files(&entry, depth + 1, files, left);
        }
        files.push(entry);
        true
    })
}

impl Inventory {
    /// Reads a source; whether anything came of it.
    pub(super) fn source(&mut self, source: &str) -> bool {
        let path = Path::new(source);
        if source.contains(',') && !path.exists() {
            return self.add_host_list(source);
        }
        let Ok(path) = std::path::absolute(path) else { return false };
        self.folders.push(if path.is_dir() { path.clone() } else { parent_folder(&path) });
        if !path.exists() {
            let entries = std::fs::read_dir(parent_folder(&path)).into_iter().flatten().flatten();
            let known: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            self.warn(
                Diagnostic::warning(format!("the inventory `{source}` does not exist"))
                    .suggest(&name, &known)
                    .hint("a list of host names needs a comma: `-i host,`"),
            );
            return false;
        }
        let read = self.add_path(&path);
        let mut seen = std::collections::HashSet::new();
        self.folders.retain(|folder| seen.insert(folder.clone()));
        read
    }

    /// `a,b:22,` names hosts by itself.
    fn add_host_list(&mut self, source: &str) -> bool {
        let origin = Origin { file: source.into(), folder: None };
        for word in source.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let names = if self.rules.ranges_in_lists {
                ini::host_names(word)
            } else {
                // With a range it is not an address with a port.
                let range = word.contains('[') && !word.starts_with('[');
                let (name, port) = if range { (word, None) } else { super::range::split_port(word) };
                Ok(vec![(name.to_owned(), port)])
            };
            match names {
                Err(why) => {
                    self.warn(why.during(format_args!("the inventory `{source}` cannot be read")).into_warning());
                    return false;
                }
                Ok(names) => {
                    for (name, port) in names {
                        let host = self.model.host_entry(&name, Some(super::model::UNGROUPED), Some(&origin));
                        if let Some(port) = port {
                            host.vars.set("ansible_port", Value::Int(i64::from(port)));
                        }
                    }
                }
            }
        }
        true
    }

    fn add_path(&mut self, path: &Path) -> bool {
        if !path.is_dir() {
            return self.add_file(path);
        }
        // Programs among the files are run, so nothing is read before it is sure that this is a folder of inventories.
        let mut files = Vec::new();
        if path == Path::new("/") || !collect_files(path, 0, &mut files, &mut { MOST_ENTRIES }) {
            let what = format!("`{}` is not a folder of inventories", path.display());
            let why = format!("it holds more than {MOST_ENTRIES} files and folders");
            self.warn(
                Diagnostic::warning(format!("{what}: {why}")).hint("name the folder or the file that has the hosts"),
            );
            return false;
        }
        files.iter().fold(false, |read, file| self.add_file(file) | read)
    }

    /// Tries the forms a file may have. What was read before something could not be understood stays, as in Ansible.
    fn add_file(&mut self, path: &Path) -> bool {
        let origin = Origin { file: path.display().to_string().into(), folder: Some(parent_folder(path)) };
        let (mut failures, mut yaml_failure) = (Vec::new(), None);
        if is_program(path) {
            // The output of a script is not in its bytes, but the script determines it.
            let _ = self.reads.read(path);
            match script::load_script(path, &origin, &mut self.model) {
                Ok(()) => return true,
                Err(why) => failures.push(why.during("as a script")),
            }
        }
        let source = match read::source(path, &self.secrets, &self.reads) {
            Ok(source) => source,
            Err(why) => {
                self.warn(why.into_warning());
                return false;
            }
        };
        let ending = path.extension().map(|ending| ending.to_string_lossy().into_owned());
        let yaml = matches!(ending.as_deref(), None | Some("yml" | "yaml" | "json"));
        if yaml {
            match read::read_yaml(&source).and_then(|value| self.add_tree(&value, &origin)) {
                Ok(warnings) => {
                    warnings.into_iter().for_each(|text| self.warn(Diagnostic::warning(text)));
                    return true;
                }
                Err(why) => yaml_failure = Some(why.during("as YAML")),
            }
        }
        if ending.as_deref() == Some("toml") {
            match toml::read_toml(&source).and_then(|value| tree::read_yaml(&value, &origin, &mut self.model)) {
                Ok(warnings) => {
                    warnings.into_iter().for_each(|text| self.warn(Diagnostic::warning(text)));
                    return true;
                }
                Err(why) => failures.push(why.during("as TOML")),
            }
        } else {
            match ini::read_ini(&source, &origin, &mut self.model) {
                Ok(()) => return true,
                // Of a file that is meant as something else it is of no use to hear why it is not INI.
                Err(_) if ending.is_some() && !(failures.is_empty() && yaml_failure.is_none()) => {}
                Err(why) => {
                    // Without an ending it is more likely INI than YAML.
                    yaml_failure = None;
                    failures.push(why);
                }
            }
        }
        for failure in failures.into_iter().chain(yaml_failure) {
            self.warn(failure.during(format_args!("the inventory `{}` cannot be read", path.display())).into_warning());
        }
        false
    }
}

impl Inventory {
    /// A tree of groups, or what a plugin makes of its file.
    fn add_tree(&mut self, value: &Value, origin: &Origin) -> Result<Vec<String>, Diagnostic> {
        let Some((config, plugin)) = value.as_dict().and_then(|dict| Some((dict, dict.get("plugin")?.as_str()?)))
        else {
            return tree::read_yaml(value, origin, &mut self.model);
        };
        let Some(composer) = self.composer.clone() else { return Err("plugins cannot be used here".into()) };
        match plugin.strip_prefix("ansible.builtin.").unwrap_or(plugin) {
            "constructed" => constructed::read_constructed(config, self, &composer)?,
            "generator" => generator::read_generator(config, origin, &mut self.model, &composer)?,
            other => {
                return Err(Diagnostic::error(format!(
                    "there is no inventory plugin `{other}`, only `constructed` and `generator`"
                )));
            }
        }
        Ok(Vec::new())
    }
}

fn parent_folder(path: &Path) -> PathBuf {
    path.parent().map_or_else(|| PathBuf::from("."), Path::to_owned)
}

/// Whether a file is to be run: it may be executed.
fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}
