//! Writing a file with everything around it: backup and validation.

use std::io::Write;
use std::path::Path;

use super::attributes::display_path;
use crate::host::{HostApi, HostCommand, WriteOptions};
use crate::modules::{Failure, ModuleArgs};

/// Write options of a task: mode, owner, backup.
#[derive(Debug, Clone, Default)]
pub struct FileWriteArgs {
    /// Keeps a copy of what is replaced.
    pub backup: bool,
    /// A command that has to like the new content; `%s` is the file with it.
    pub validate: Option<String>,
    /// Writes into the file itself where it cannot be replaced.
    pub unsafe_writes: bool,
}

/// Result of a validation command.
#[derive(Debug, Clone)]
pub struct Validation {
    /// The exit status.
    pub rc: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl FileWriteArgs {
    /// Reads the arguments.
    pub fn from_args(args: &ModuleArgs) -> Self {
        Self {
            backup: args.bool("backup"),
            validate: args.str("validate").filter(|command| !command.is_empty()).map(str::to_owned),
            unsafe_writes: args.bool("unsafe_writes"),
        }
    }

    /// How the host is to write.
    pub fn write_options(&self) -> WriteOptions {
        WriteOptions { bits: None, unsafe_writes: self.unsafe_writes }
    }

    /// Runs the validation, if there is one, on a temporary file with the content.
    ///
    /// # Errors
    /// If the command has no place for the file, or cannot be started.
    pub async fn validate_content(
        &self,
        host: &dyn HostApi,
        content: &[u8],
        suffix: &str,
    ) -> Result<Option<Validation>, Failure> {
        let Some(command) = &self.validate else { return Ok(None) };
        if host.is_dry_run() {
            return Ok(None);
        }
        if !command.contains("%s") {
            return Err(Failure::new(format!("validate must contain %s: {command}")));
        }
        let trouble = |error: std::io::Error| Failure::new(format!("cannot validate: {error}"));
        let mut file = tempfile::Builder::new().prefix("ionplay-").suffix(suffix).tempfile().map_err(trouble)?;
        file.write_all(content).map_err(trouble)?;
        let command = HostCommand::new(split_words(&command.replace("%s", &display_path(file.path()))));
        match host.run_query(&command).await {
            Ok(said) => Ok(Some(Validation { rc: said.rc, stdout: said.stdout_text(), stderr: said.stderr_text() })),
            Err(error) => {
                let program = command.words.first().cloned().unwrap_or_default();
                Err(Failure::new(format!("cannot run the validation `{program}`: {error}")).with("rc", 2))
            }
        }
    }

    /// Keeps a copy beside the file if that is wanted and there is one; gives its name.
    ///
    /// # Errors
    /// If the copy cannot be made.
    pub fn back_up_file(&self, host: &dyn HostApi, path: &Path) -> Result<Option<String>, Failure> {
        if !self.backup || !host.exists(path) {
            return Ok(None);
        }
        let stamp = jiff::Zoned::now().strftime("%Y-%m-%d@%H:%M:%S~").to_string();
        let name = format!("{}.{}.{stamp}", display_path(path), std::process::id());
        let failed = |_| Failure::new(format!("Could not make backup of {} to {name}.", display_path(path)));
        host.copy_backup(path, Path::new(&name)).map_err(failed)?;
        Ok(Some(name))
    }
}

/// Words of a command as a shell would split them, without anything else a shell does.
pub fn split_words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = command.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' => word.get_or_insert_default().extend(chars.by_ref().take_while(|&c| c != '\'')),
            '"' => {
                let word = word.get_or_insert_default();
                while let Some(c) = chars.next() {
                    match c {
                        '"' => break,
                        '\\' if matches!(chars.peek(), Some('"' | '\\')) => word.extend(chars.next()),
                        c => word.push(c),
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(chars.next()),
            c if c.is_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{DryRunHost, RealHost};
    use crate::modules::builtin::files::testing::Folder;

    #[track_caller]
    fn split(command: &str, expected: &[&str]) {
        assert_eq!(split_words(command), expected);
    }

    #[test]
    fn commands_are_split_at_blanks_and_quotes() {
        split("visudo -cf /tmp/x", &["visudo", "-cf", "/tmp/x"]);
        split("sh -c 'a  b' \"c \\\" d\" e\\ f ''", &["sh", "-c", "a  b", "c \" d", "e f", ""]);
        split("  ", &[]);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn validation_sees_the_new_content() {
        let manner = FileWriteArgs { validate: Some("grep -q good %s".into()), ..FileWriteArgs::default() };
        let said = manner.validate_content(&RealHost, b"good\n", ".conf").await.unwrap().unwrap();
        assert_eq!(said.rc, 0);
        let said = manner.validate_content(&RealHost, b"bad\n", "").await.unwrap().unwrap();
        assert_eq!(said.rc, 1);
        assert!(manner.validate_content(&DryRunHost, b"bad\n", "").await.unwrap().is_none());
        let without = FileWriteArgs { validate: Some("true".into()), ..FileWriteArgs::default() };
        let failure = without.validate_content(&RealHost, b"", "").await.unwrap_err();
        assert_eq!(failure.message, "validate must contain %s: true");
    }

    #[test]
    fn a_backup_stands_beside_the_file() {
        let folder = Folder::new();
        let file = folder.write("f", "old");
        let manner = FileWriteArgs { backup: true, ..FileWriteArgs::default() };
        let name = manner.back_up_file(&RealHost, &file).unwrap().unwrap();
        assert!(name.starts_with(&format!("{}.{}.", display_path(&file), std::process::id())) && name.ends_with('~'));
        assert_eq!(std::fs::read(&name).unwrap(), b"old");
        assert_eq!(manner.back_up_file(&RealHost, &folder.path().join("none")).unwrap(), None);
    }
}
