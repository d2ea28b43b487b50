//! Files of variables that SOPS has encrypted: recognised by their `sops` mapping, opened by the program `sops`.
//!
//! The program knows every kind of key (age, PGP, cloud services), and reads its settings from the environment.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};

use zeroize::Zeroizing;

use crate::diagnostic::Diagnostic;
use crate::source::Source;
use crate::yaml;

/// Keys of which the `sops` mapping of every encrypted file has at least one.
const MARKS: [&str; 3] = ["mac", "lastmodified", "version"];

/// Returns whether a text is a mapping that SOPS has encrypted.
pub fn is_sops_text(text: &str) -> bool {
    // Most files do not have the word: nothing is parsed for them.
    if !text.contains("sops") {
        return false;
    }
    let Ok(loaded) = yaml::load_document(&Source::new("sops", text)) else { return false };
    let Some(sops) = loaded.root.as_ref().and_then(|root| root.get("sops")) else { return false };
    MARKS.iter().any(|mark| sops.get(mark).is_some())
}

/// Opens an encrypted file, and returns its content as JSON.
///
/// # Errors
/// If `sops` is not installed, or refuses.
pub fn open_sops_file(path: &Path) -> Result<Zeroizing<String>, Diagnostic> {
    let name = path.display();
    let mut command = Command::new("sops");
    command.args(["decrypt", "--output-type", "json", "--"]).arg(path).stdin(Stdio::null());
    let output = command.output().map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            Diagnostic::error(format!("`{name}` is encrypted with SOPS, and the program `sops` is not installed"))
                .hint("install `sops` 3.9 or later, so that it is found in `PATH`")
        }
        _ => Diagnostic::error(format!("cannot open `{name}`: `sops` cannot be started: {error}")),
    })?;
    let text = Zeroizing::new(String::from_utf8_lossy(&output.stdout).into_owned());
    if output.status.success() {
        return Ok(text);
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let hint = "give the run the key: `SOPS_AGE_KEY_FILE` in its environment, or another that `sops` knows";
    Err(Diagnostic::error(format!("cannot open `{name}`: `sops` says: {words}")).hint(hint))
}

/// Visits every text in an opened file, however deep: all of them are secrets.
pub fn visit_texts(opened: &str, visit: &mut dyn FnMut(&str)) {
    fn walk(value: &serde_json::Value, visit: &mut dyn FnMut(&str)) {
        match value {
            serde_json::Value::String(text) => visit(text),
            serde_json::Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
            serde_json::Value::Object(members) => members.values().for_each(|member| walk(member, visit)),
            _ => {}
        }
    }
    if let Ok(value) = serde_json::from_str(opened) {
        walk(&value, visit);
    }
}

#[cfg(test)]
mod tests {
    use super::is_sops_text;

    #[test]
    fn encrypted_files_are_told_from_those_that_name_the_program() {
        assert!(is_sops_text("a: ENC[AES256_GCM,data:x]\nsops:\n  mac: ENC[x]\n  version: 3.9.0\n"));
        assert!(is_sops_text(r#"{"a": "ENC[x]", "sops": {"lastmodified": "2031-01-01T00:00:00Z"}}"#));
        for text in ["a: sops\n", "sops: {installed: true}\n", "sops: [a]\n", "- sops\n", "sops: {", "a: 1\n"] {
            assert!(!is_sops_text(text), "{text}");
        }
    }
}
