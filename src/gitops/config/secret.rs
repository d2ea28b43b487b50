//! Where a secret is, and the secret itself, which is never printed.

use std::fmt;
use std::path::PathBuf;

use zeroize::Zeroizing;

/// The place of a secret. It is read each time it is used, so that a rotated secret counts at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// The content of a file, without the line break at its end.
    File(PathBuf),
    /// A variable of this program's environment.
    Environment(String),
}

/// A secret.
#[derive(Clone)]
pub struct SecretText(Zeroizing<String>);

/// Why a secret is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The file of the secret cannot be read.
    #[error("cannot read the secret in `{path}`: {why}")]
    Unreadable {
        /// The file.
        path: String,
        /// The reason.
        why: String,
    },
    /// The variable of the secret is not set.
    #[error("the environment variable `{0}`, which holds a secret, is not set")]
    Unset(String),
}

impl SecretSource {
    /// Reads the secret.
    ///
    /// # Errors
    /// If it is not there.
    pub fn read(&self) -> Result<SecretText, SecretError> {
        match self {
            Self::File(path) => match std::fs::read_to_string(path) {
                Ok(text) => Ok(SecretText(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))),
                Err(error) => {
                    let why = crate::playbook::loader::plain_error(&error);
                    Err(SecretError::Unreadable { path: path.display().to_string(), why })
                }
            },
            Self::Environment(name) => match std::env::var(name) {
                Ok(text) if !text.is_empty() => Ok(SecretText(Zeroizing::new(text))),
                _ => Err(SecretError::Unset(name.clone())),
            },
        }
    }

    /// Returns a shell expression that yields the secret, for commands that a person repeats.
    pub fn to_shell(&self) -> String {
        match self {
            Self::File(path) => format!("\"$(cat '{}')\"", path.display().to_string().replace('\'', "'\\''")),
            Self::Environment(name) => format!("\"${name}\""),
        }
    }
}

impl SecretText {
    /// Returns the secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(********)")
    }
}
