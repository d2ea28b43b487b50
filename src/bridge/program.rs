//! Modules that are programs: the file of arguments, and the command that runs them.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::kind::{ArgumentStyle, JSON_ARGUMENTS_MARK};
use crate::host::HostCommand;
use crate::value::json::{self, JsonStyle};
use crate::value::{Dict, Value, python};

/// A module with its arguments in a file, which is removed with this value. Only the user can read the file.
pub struct ProgramCall {
    words: Vec<String>,
    /// Files that last as long as the call.
    _files: Vec<NamedTempFile>,
}

impl ProgramCall {
    /// Writes the arguments of a module in its style.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn prepare(
        module: &Path,
        interpreter: Vec<String>,
        style: ArgumentStyle,
        arguments: &Dict,
    ) -> io::Result<Self> {
        let json = json::to_string(&Value::from(arguments.clone()), JsonStyle::PYTHON);
        let program = crate::input::read_file(module)?;
        let mut words = interpreter;
        // A script that has a place for its arguments is run as a copy with the arguments in it.
        if !words.is_empty() && String::from_utf8_lossy(&program).contains(JSON_ARGUMENTS_MARK) {
            let filled = String::from_utf8_lossy(&program).replace(JSON_ARGUMENTS_MARK, &json);
            let copy = write_file(filled.as_bytes())?;
            words.push(copy.path().display().to_string());
            return Ok(Self { words, _files: vec![copy] });
        }
        let text = match style {
            ArgumentStyle::Json => json,
            ArgumentStyle::Pairs => write_pairs(arguments),
        };
        let file = write_file(text.as_bytes())?;
        words.extend([absolute(module).display().to_string(), file.path().display().to_string()]);
        Ok(Self { words, _files: vec![file] })
    }
}

/// The command that runs a module.
pub fn build_command(call: &ProgramCall, environment: &[(String, String)]) -> HostCommand {
    HostCommand { environment: environment.to_vec(), ..HostCommand::new(call.words.iter().cloned()) }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

fn write_file(content: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix("ionplay-module-").tempfile()?;
    file.write_all(content)?;
    file.flush()?;
    Ok(file)
}

/// Arguments as words of a shell, with a blank after each.
fn write_pairs(arguments: &Dict) -> String {
    let pair = |(name, value): (&Value, &Value)| format!("{}={} ", python::str(name), quote_word(&python::str(value)));
    arguments.iter().map(pair).collect()
}

/// A word as Python's `shlex.quote` writes it.
fn quote_word(word: &str) -> String {
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "@%+=:,./-_".contains(sign);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\"'\"'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_words_of_a_shell() {
        let given = json::from_str(r#"{"a": 3, "b": [1, "x"], "c": "x y", "d": "it's", "e": true}"#).unwrap();
        let text = write_pairs(given.as_dict().unwrap());
        assert_eq!(text, r#"a=3 b='[1, '"'"'x'"'"']' c='x y' d='it'"'"'s' e=True "#);
    }
}
