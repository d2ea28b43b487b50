//! The secrets of a run: several ids, each read when it is first needed.

use std::sync::{Mutex, OnceLock, PoisonError};

use super::secret::{DEFAULT_ID, VaultPassword};
use super::sources::PasswordSource;
use super::{VaultError, envelope};

/// One id with its password, read at most once.
#[derive(Debug)]
struct Entry {
    id: String,
    source: Option<PasswordSource>,
    secret: OnceLock<VaultPassword>,
    reading: Mutex<()>,
}

impl Entry {
    fn read_secret(&self) -> Result<&VaultPassword, VaultError> {
        let _one_at_a_time = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(secret) = self.secret.get() {
            return Ok(secret);
        }
        let read = match &self.source {
            Some(source) => source.read(&self.id)?,
            None => return Err(VaultError::NoSecret),
        };
        Ok(self.secret.get_or_init(|| read))
    }
}

/// Receives every text that is opened.
type OpenedListener = Box<dyn Fn(&str)>;

/// The vault secrets of a run, in the order they were given.
#[derive(Default)]
pub struct VaultSecrets {
    entries: Vec<Entry>,
    /// A text is opened only with secrets of its own id.
    match_ids: bool,
    /// Receives every text that is opened, if such texts count as secret.
    on_opened: Option<OpenedListener>,
    on_secret: Option<OpenedListener>,
}

impl std::fmt::Debug for VaultSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VaultSecrets").field("entries", &self.entries).finish_non_exhaustive()
    }
}

impl VaultSecrets {
    /// Collects the sources named on the command line and in the environment: `ids` are `--vault-id` arguments,
    /// `files` are `--vault-password-file` arguments, `ask` is `--ask-vault-pass`. Without files the variable
    /// `ANSIBLE_VAULT_PASSWORD_FILE` counts; `ANSIBLE_VAULT_IDENTITY_LIST` comes before `ids`.
    ///
    /// Prompts are asked at once, so that they do not interrupt a run; files and scripts are
    /// read when they are needed.
    ///
    /// # Errors
    /// If a file is not there, or a prompt gets no answer.
    pub fn collect_sources(ids: &[String], files: &[String], ask: bool) -> Result<Self, VaultError> {
        let listed = std::env::var("ANSIBLE_VAULT_IDENTITY_LIST").unwrap_or_default();
        let listed = listed.split(',').map(str::trim).filter(|id| !id.is_empty());
        let mut secrets = Self::default();
        for id in listed.chain(ids.iter().map(String::as_str)) {
            let (id, source) = PasswordSource::from_vault_id(id)?;
            secrets.add(&id, source)?;
        }
        for file in files {
            secrets.add(DEFAULT_ID, PasswordSource::from_path(file)?)?;
        }
        if files.is_empty() {
            let file = std::env::var("ANSIBLE_VAULT_PASSWORD_FILE").unwrap_or_default();
            if !file.is_empty() {
                secrets.add(DEFAULT_ID, PasswordSource::from_path(&file)?)?;
            }
        }
        if ask {
            secrets.add(DEFAULT_ID, PasswordSource::Prompt)?;
        }
        Ok(secrets)
    }

    /// Whether a text is opened only with secrets of its own id.
    #[must_use]
    pub fn matching_ids(self, match_ids: bool) -> Self {
        Self { match_ids, ..self }
    }

    /// Adds a source; a prompt is asked at once.
    ///
    /// # Errors
    /// If a prompt gets no answer.
    pub fn add(&mut self, id: &str, source: PasswordSource) -> Result<(), VaultError> {
        let asks = source == PasswordSource::Prompt;
        self.entries.push(Entry {
            id: id.to_owned(),
            source: Some(source),
            secret: OnceLock::new(),
            reading: Mutex::new(()),
        });
        if let Some(entry) = self.entries.last().filter(|_| asks) {
            entry.read_secret()?;
        }
        Ok(())
    }

    /// Adds a password that is known already.
    pub fn add_secret(&mut self, id: &str, secret: VaultPassword) {
        let entry = Entry { id: id.to_owned(), source: None, secret: secret.into(), reading: Mutex::new(()) };
        self.entries.push(entry);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The ids in the order given.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.id.as_str())
    }

    /// Opens an envelope: first with the secrets of its own id, then with all others unless ids must match.
    ///
    /// # Errors
    /// If the text is not a sound envelope, no secret fits, or a password cannot be read.
    pub fn open_envelope(&self, text: &str) -> Result<Vec<u8>, VaultError> {
        self.open_with(text).map(|(bytes, _)| bytes)
    }

    /// The same, with the secret that did it.
    ///
    /// # Errors
    /// As [`Self::open_envelope`].
    pub fn open_with(&self, text: &str) -> Result<(Vec<u8>, &VaultPassword), VaultError> {
        let id = envelope::vault_id(text)?.unwrap_or_else(|| DEFAULT_ID.to_owned());
        if self.entries.is_empty() {
            return Err(VaultError::NoSecret);
        }
        let (own, others): (Vec<&Entry>, Vec<&Entry>) = self.entries.iter().partition(|entry| entry.id == id);
        let others = if self.match_ids { Vec::new() } else { others };
        let mut unreadable = None;
        for entry in own.into_iter().chain(others) {
            let secret = match entry.read_secret() {
                Ok(secret) => secret,
                Err(problem) => {
                    unreadable.get_or_insert(problem);
                    continue;
                }
            };
            match envelope::decrypt_envelope(text, secret.bytes()) {
                Err(VaultError::WrongSecret(_)) => {}
                done => return done.map(|bytes| (bytes, secret)),
            }
        }
        Err(unreadable.unwrap_or_else(|| VaultError::WrongSecret(self.ids().map(str::to_owned).collect())))
    }

    /// Opens an envelope of text.
    ///
    /// # Errors
    /// As [`Self::open_envelope`], and if what is inside is not UTF-8.
    pub fn open_text(&self, text: &str) -> Result<String, VaultError> {
        let text = self.open_envelope(text)?;
        let text = String::from_utf8(text).map_err(|_| VaultError::Damaged("its text is not UTF-8".to_owned()))?;
        if let Some(see) = &self.on_opened {
            see(&text);
        }
        Ok(text)
    }

    /// Makes what is opened count as secret (`mask_vault`): `see` is given every text.
    #[must_use]
    pub fn with_masking(mut self, see: Box<dyn Fn(&str)>) -> Self {
        self.on_opened = Some(see);
        self
    }

    /// `see` is given every text of inventory files that is a secret in any case.
    #[must_use]
    pub fn with_secret_listener(mut self, see: Box<dyn Fn(&str)>) -> Self {
        self.on_secret = Some(see);
        self
    }

    /// Tells of a secret that another program has opened.
    pub fn note_secret(&self, secret: &str) {
        if let Some(see) = &self.on_secret {
            see(secret);
        }
    }

    /// Whether what is opened counts as secret.
    pub fn is_masking(&self) -> bool {
        self.on_opened.is_some()
    }

    /// The id and secret to seal with: the one named, or the only one there is.
    ///
    /// # Errors
    /// If there is none, or several and none was chosen.
    pub fn to_encrypt(&self, id: Option<&str>) -> Result<(&str, &VaultPassword), VaultError> {
        let entry = match (id, self.entries.as_slice()) {
            (_, []) => return Err(VaultError::NoSecret),
            (Some(id), entries) => {
                entries.iter().find(|entry| entry.id == id).ok_or_else(|| VaultError::NoSuchId(id.to_owned()))?
            }
            (None, [entry]) => entry,
            (None, entries) => return Err(VaultError::Ambiguous(entries.iter().map(|e| e.id.clone()).collect())),
        };
        Ok((&entry.id, entry.read_secret()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(pairs: &[(&str, &str)]) -> VaultSecrets {
        let mut secrets = VaultSecrets::default();
        for (id, password) in pairs {
            secrets.add_secret(id, VaultPassword::new(password.as_bytes()));
        }
        secrets
    }

    #[test]
    fn tries_the_own_id_first_and_then_all() {
        let all = secrets(&[("dev", "a"), ("prod", "b")]);
        let sealed = |password: &str, id| envelope::encrypt_text(b"text", password.as_bytes(), id, None);
        assert_eq!(all.open_envelope(&sealed("b", Some("prod"))).unwrap(), b"text");
        assert_eq!(all.open_envelope(&sealed("a", Some("prod"))).unwrap(), b"text");
        assert_eq!(all.open_envelope(&sealed("b", None)).unwrap(), b"text");
        let problem = all.open_envelope(&sealed("c", Some("dev"))).unwrap_err();
        assert_eq!(problem.to_string(), "none of the vault secrets (`dev`, `prod`) opens the text");
        assert_eq!(secrets(&[]).open_envelope(&sealed("a", None)), Err(VaultError::NoSecret));
    }

    #[test]
    fn files_are_read_when_needed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pw");
        std::fs::write(&path, "").unwrap();
        let mut lazy = VaultSecrets::default();
        lazy.add("dev", PasswordSource::from_path(&path.display().to_string()).unwrap()).unwrap();
        std::fs::write(&path, "late").unwrap();
        assert_eq!(lazy.open_envelope(&envelope::encrypt_text(b"x", b"late", Some("dev"), None)).unwrap(), b"x");
    }

    #[test]
    fn chooses_what_to_seal_with() {
        assert_eq!(secrets(&[("dev", "a")]).to_encrypt(None).unwrap().0, "dev");
        assert_eq!(secrets(&[("dev", "a"), ("prod", "b")]).to_encrypt(Some("prod")).unwrap().1.bytes(), b"b");
        assert!(matches!(secrets(&[("dev", "a"), ("x", "b")]).to_encrypt(None), Err(VaultError::Ambiguous(_))));
        assert!(matches!(secrets(&[("dev", "a")]).to_encrypt(Some("x")), Err(VaultError::NoSuchId(_))));
        assert_eq!(format!("{:?}", VaultPassword::new(b"pw")), "********");
    }
}
