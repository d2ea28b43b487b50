//! Where a vault password comes from: a file, a script, or a prompt.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::VaultError;
use super::secret::{DEFAULT_ID, VaultPassword};

/// Where a password comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordSource {
    /// The person at the terminal.
    Prompt,
    /// The text of a file, without white space around it.
    File(PathBuf),
    /// Output of a program. A program whose name ends in `-client` gets the id with `--vault-id`.
    Script(PathBuf),
}

impl PasswordSource {
    /// Reads `--vault-id LABEL@SOURCE` (the label may be missing) into an id and a source.
    ///
    /// # Errors
    /// If the file is not there.
    pub fn from_vault_id(argument: &str) -> Result<(String, Self), VaultError> {
        let (id, source) = match argument.split_once('@') {
            Some(("", source)) => (DEFAULT_ID, source),
            Some((id, source)) => (id, source),
            None => (DEFAULT_ID, argument),
        };
        let source = match source {
            "prompt" | "prompt_ask_vault_pass" => Self::Prompt,
            path => Self::from_path(path)?,
        };
        Ok((id.to_owned(), source))
    }

    /// Takes a file, or the script that it is if it may be executed. `~` is the home folder.
    ///
    /// # Errors
    /// If the file is not there.
    pub fn from_path(path: &str) -> Result<Self, VaultError> {
        let path = match (path.strip_prefix("~/"), std::env::home_dir()) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(path),
        };
        let about = path.metadata().map_err(|why| source_error(&path, &why))?;
        let script = about.is_file() && about.permissions().mode() & 0o111 != 0;
        Ok(if script { Self::Script(path) } else { Self::File(path) })
    }

    /// Reads the password.
    ///
    /// # Errors
    /// If it cannot be read or is empty.
    pub fn read(&self, id: &str) -> Result<VaultPassword, VaultError> {
        match self {
            Self::Prompt => ask_hidden(&prompt_text(id)),
            Self::File(path) => {
                let text = Zeroizing::new(crate::input::read_file(path).map_err(|why| source_error(path, &why))?);
                strip_password(&text, path)
            }
            Self::Script(path) => run_script(path, id),
        }
    }
}

fn prompt_text(id: &str) -> String {
    if id == DEFAULT_ID { "Vault password: ".to_owned() } else { format!("Vault password ({id}): ") }
}

fn run_script(path: &Path, id: &str) -> Result<VaultPassword, VaultError> {
    // A name without a folder would be looked for in PATH.
    let program = if path.components().count() == 1 { Path::new(".").join(path) } else { path.to_owned() };
    let mut command = Command::new(program);
    if path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("-client")) {
        command.args(["--vault-id", id]);
    }
    let output = crate::input::output_of(
        command.stderr(Stdio::inherit()),
        crate::input::LARGEST_OUTPUT,
        crate::input::Ends::Program,
    )
    .map_err(|why| source_error(path, &why))?;
    let text = Zeroizing::new(output.stdout);
    if !output.status.success() {
        return Err(source_error(path, &format!("the script ended with {}", output.status)));
    }
    strip_password(&text, path)
}

fn strip_password(text: &[u8], path: &Path) -> Result<VaultPassword, VaultError> {
    match text.trim_ascii() {
        [] => Err(source_error(path, &"it gave an empty password")),
        password => Ok(VaultPassword::new(password)),
    }
}

fn source_error(path: &Path, why: &dyn std::fmt::Display) -> VaultError {
    VaultError::Source { origin: format!("`{}`", path.display()), why: why.to_string() }
}

/// Asks at the terminal, without showing what is typed.
///
/// # Errors
/// If there is no terminal and nothing on standard input, or nothing was typed.
pub fn ask_hidden(question: &str) -> Result<VaultPassword, VaultError> {
    let failed = |why: String| VaultError::Source { origin: "the terminal".to_owned(), why };
    let mut line = Zeroizing::new(Vec::with_capacity(256));
    let Ok(mut terminal) = std::fs::OpenOptions::new().read(true).write(true).open("/dev/tty") else {
        // Without a terminal the password may come by a pipe.
        let read = std::io::stdin().lock().read_until(b'\n', &mut line);
        read.map_err(|why| failed(format!("there is no terminal ({why})")))?;
        return match line.trim_ascii_end() {
            [] => Err(failed("there is no terminal, and standard input is empty".to_owned())),
            password => Ok(VaultPassword::new(password)),
        };
    };
    let shown = tcgetattr(&terminal).map_err(|why| failed(why.to_string()))?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    hidden.local_modes.insert(LocalModes::ECHONL);
    terminal.write_all(question.as_bytes()).map_err(|why| failed(why.to_string()))?;
    tcsetattr(&terminal, OptionalActions::Flush, &hidden).map_err(|why| failed(why.to_string()))?;
    let read = BufReader::new(&terminal).read_until(b'\n', &mut line);
    // The terminal must show its text again whatever happened in between.
    let restored = tcsetattr(&terminal, OptionalActions::Flush, &shown);
    read.map_err(|why| failed(why.to_string()))?;
    restored.map_err(|why| failed(why.to_string()))?;
    match line.trim_ascii_end() {
        [] => Err(failed("nothing was typed".to_owned())),
        password => Ok(VaultPassword::new(password)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(folder: &Path, name: &str, text: &str) -> String {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        path.display().to_string()
    }

    #[test]
    fn files_and_scripts() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pw");
        std::fs::write(&file, "  open sesame \n").unwrap();
        let (id, source) = PasswordSource::from_vault_id(&format!("dev@{}", file.display())).unwrap();
        assert_eq!((id.as_str(), source.read("dev").unwrap().bytes()), ("dev", &b"open sesame"[..]));

        let client = script(folder.path(), "keys-client.sh", "#!/bin/sh\necho \"$1 $2\"\n");
        let (id, source) = PasswordSource::from_vault_id(&format!("prod@{client}")).unwrap();
        assert_eq!(source.read(&id).unwrap().bytes(), b"--vault-id prod");

        let plain = script(folder.path(), "keys.sh", "#!/bin/sh\necho \"got $#\"\n");
        let (id, source) = PasswordSource::from_vault_id(&plain).unwrap();
        assert_eq!((id.as_str(), source.read(&id).unwrap().bytes()), (DEFAULT_ID, &b"got 0"[..]));

        let failing = script(folder.path(), "no.sh", "#!/bin/sh\nexit 3\n");
        let problem = PasswordSource::from_path(&failing).unwrap().read("default").unwrap_err().to_string();
        assert!(problem.ends_with("the script ended with exit status: 3"), "{problem}");
    }

    #[test]
    fn prompts_and_missing_files() {
        assert_eq!(PasswordSource::from_vault_id("dev@prompt"), Ok(("dev".to_owned(), PasswordSource::Prompt)));
        assert_eq!(PasswordSource::from_vault_id("prompt"), Ok((DEFAULT_ID.to_owned(), PasswordSource::Prompt)));
        assert!(matches!(PasswordSource::from_vault_id("dev@nowhere"), Err(VaultError::Source { .. })));
    }
}
