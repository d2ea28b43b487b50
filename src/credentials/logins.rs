//! Logins that clients gave to the credential helper (`docker login`): kept in one file, for their user only.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use super::CredentialKey;
use crate::host::{FolderLock, HostApi as _, RealHost};
use crate::vars::vault;

/// A login for a server.
#[derive(Serialize, Deserialize)]
struct StoredLogin {
    username: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// The secret in a vault envelope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<String>,
}

impl Drop for StoredLogin {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

type Logins = BTreeMap<String, StoredLogin>;

/// The file with the logins.
pub struct LoginFile {
    path: PathBuf,
    key: Option<CredentialKey>,
}

impl LoginFile {
    /// Returns the file below the state directory; with a key secrets are sealed.
    pub fn in_state_dir(state_dir: &Path, key: Option<CredentialKey>) -> Self {
        Self { path: state_dir.join("logins.json"), key }
    }

    /// Returns user name and secret for a server.
    ///
    /// # Errors
    /// If the file cannot be read, or the secret is sealed with another key.
    pub fn get(&self, server: &str) -> anyhow::Result<Option<(String, Zeroizing<String>)>> {
        let logins = self.read()?;
        let Some(login) = logins.get(server) else { return Ok(None) };
        let secret = match (&login.secret, &login.sealed, &self.key) {
            (Some(secret), _, _) => Zeroizing::new(secret.clone()),
            (None, Some(_), None) => {
                anyhow::bail!("the login for `{server}` is sealed; name the key with `IONPLAY_SEAL_KEY_FILE`")
            }
            (None, Some(sealed), Some(key)) => {
                let opened = vault::decrypt_envelope(sealed, key).context("the login is sealed with another key")?;
                Zeroizing::new(String::from_utf8_lossy(&opened).into_owned())
            }
            (None, None, _) => return Ok(None),
        };
        Ok(Some((login.username.clone(), secret)))
    }

    /// Returns the user name for each server.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn list_users(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let logins = self.read()?;
        Ok(logins.iter().map(|(server, login)| (server.clone(), login.username.clone())).collect())
    }

    /// Sets the login for a server.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn set_login(&self, server: &str, username: &str, secret: &str) -> anyhow::Result<()> {
        let sealed = self.key.as_ref().map(|key| vault::encrypt_text(secret.as_bytes(), key, Some("login"), None));
        let secret = sealed.is_none().then(|| secret.to_owned());
        let login = StoredLogin { username: username.to_owned(), secret, sealed };
        self.change_logins(|logins| {
            logins.insert(server.to_owned(), login);
        })
    }

    /// Removes the login for a server.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn remove_login(&self, server: &str) -> anyhow::Result<()> {
        self.change_logins(|logins| drop(logins.remove(server)))
    }

    fn change_logins(&self, change: impl FnOnce(&mut Logins)) -> anyhow::Result<()> {
        let failed = || format!("cannot write `{}`", self.path.display());
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let lock: FolderLock = RealHost.lock_folder(folder).with_context(failed)?;
        let mut logins = self.read()?;
        change(&mut logins);
        let text = Zeroizing::new(serde_json::to_vec_pretty(&logins)?);
        RealHost.write_secret(&lock, &self.path, &text, 0o600).with_context(failed)
    }

    fn read(&self) -> anyhow::Result<Logins> {
        let text = match std::fs::read(&self.path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Logins::new()),
            Err(error) => return Err(error).with_context(|| format!("cannot read `{}`", self.path.display())),
        };
        serde_json::from_slice(&text).map_err(|error| {
            anyhow::anyhow!("`{}` is damaged (line {}); remove it and log in again", self.path.display(), error.line())
        })
    }
}
