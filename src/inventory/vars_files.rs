//! `group_vars/` and `host_vars/`: files and folders of variables next to an inventory or a playbook.

use std::path::{Path, PathBuf};

use super::read;
use crate::diagnostic::Diagnostic;
use crate::input_digests::InputDigests;
use crate::value::{Dict, Value};
use crate::vars::vault::VaultSecrets;

/// The endings a file of variables may have, in the order they are looked for.
const ENDINGS: [&str; 4] = ["", ".yml", ".yaml", ".json"];

/// Reads files of variables.
pub struct VarsFileReader<'a> {
    /// Opens vaulted files.
    pub secrets: &'a VaultSecrets,
    /// Reads the files, and notes that they were read.
    pub reads: &'a InputDigests,
    /// Merges mappings of several files instead of replacing them.
    pub merge_hashes: bool,
}

impl VarsFileReader<'_> {
    /// Reads the variables of one group or host in `folder/group_vars` or `folder/host_vars`. Later files override
    /// earlier ones.
    ///
    /// # Errors
    /// With one sentence that names the file, if one cannot be read, opened or is not a mapping.
    pub fn load_vars(&self, folder: &Path, kind: &str, name: &str) -> Result<Dict, Diagnostic> {
        let mut vars = Dict::new();
        if name.starts_with('/') {
            return Ok(vars);
        }
        for path in find_vars_files(&folder.join(kind), name) {
            let source = read::source(&path, self.secrets, self.reads)?;
            match read::read_yaml(&source)? {
                Value::Null => {}
                Value::Dict(dict) => vars.add(&dict, self.merge_hashes),
                other => {
                    return Err(Diagnostic::error(format!(
                        "`{}` must be a mapping of variables, not {}",
                        path.display(),
                        other.type_name()
                    )));
                }
            }
        }
        Ok(vars)
    }
}

/// The files of a name: the first ending that is there; a folder stands for all files in it.
pub fn find_vars_files(folder: &Path, name: &str) -> Vec<PathBuf> {
    for ending in ENDINGS {
        let path = folder.join(format!("{name}{ending}"));
        if path.is_file() {
            return vec![path];
        }
        if ending.is_empty() && path.is_dir() {
            let mut files = Vec::new();
            collect_files(&path, &mut files, 0);
            return files;
        }
    }
    Vec::new()
}

fn collect_files(folder: &Path, files: &mut Vec<PathBuf>, depth: usize) {
    // A link to a folder above itself would never end.
    if depth > 20 {
        return;
    }
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        let ending = path.extension().map(|ending| format!(".{}", ending.to_string_lossy())).unwrap_or_default();
        if path.is_dir() {
            if ending.is_empty() {
                collect_files(&path, files, depth + 1);
            }
        } else if ENDINGS.contains(&ending.as_str()) {
            files.push(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::python;
    use crate::vars::vault::{VaultPassword, encrypt_text};

    #[test]
    fn files_and_folders() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join("group_vars").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("all.yml", r#"{"a": 1}"#);
        write("g/10.yml", r#"{"a": 2, "b": "{{ a }}"}"#);
        write("g/20/x.json", r#"{"a": 3}"#);
        write("g/.hidden.yml", "{{{");
        write("g/readme.md", "{{{");
        write("v", &encrypt_text(br#"{"s": 1}"#, b"pw", None, None));
        write("bad.yml", "[1]");
        let mut secrets = VaultSecrets::default();
        let load = |name: &str, secrets: &VaultSecrets| {
            let reader = VarsFileReader { secrets, reads: &InputDigests::default(), merge_hashes: false };
            reader.load_vars(folder.path(), "group_vars", name).map(|vars| python::repr(&vars.into()))
        };
        assert_eq!(load("all", &secrets).unwrap(), "{'a': 1}");
        assert_eq!(load("g", &secrets).unwrap(), "{'a': 3, 'b': '{{ a }}'}");
        assert_eq!(load("none", &secrets).unwrap(), "{}");
        assert!(load("bad", &secrets).unwrap_err().summary.ends_with("must be a mapping of variables, not list"));
        assert!(load("v", &secrets).unwrap_err().summary.contains("a vault secret is needed"));
        secrets.add_secret("default", VaultPassword::new(b"pw"));
        assert_eq!(load("v", &secrets).unwrap(), "{'s': 1}");
    }
}
