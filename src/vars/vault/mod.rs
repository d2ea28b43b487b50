//! Vaulted text: the `$ANSIBLE_VAULT` envelope, and where the passwords for it come from.

mod envelope;
mod secret;
mod secrets;
mod sources;

pub use envelope::{decrypt_envelope, encrypt_text, is_vaulted, vault_id};
pub use secret::{DEFAULT_ID, VaultPassword};
pub use secrets::VaultSecrets;
pub use sources::{PasswordSource, ask_hidden};

/// Why vaulted text cannot be opened or made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The envelope is damaged.
    #[error("the vaulted text is damaged: {0}")]
    Damaged(String),
    /// There are secrets for several ids, and none was chosen.
    #[error(
        "the vault ids {} are all there to encrypt with: choose one with `--encrypt-vault-id`", quote_ids(.0)
    )]
    Ambiguous(Vec<String>),
    /// The secret to encrypt with is not there.
    #[error("there is no vault secret for the id `{0}`")]
    NoSuchId(String),
    /// No secret was given at all.
    #[error("a vault secret is needed, but none was given (`--vault-id`, `--vault-password-file`, `--ask-vault-pass`)")]
    NoSecret,
    /// The text is in no envelope.
    #[error("the text is not vaulted (it does not begin with `$ANSIBLE_VAULT;`)")]
    NotVaulted,
    /// A password could not be read.
    #[error("cannot read the vault password from {origin}: {why}")]
    Source {
        /// The file, script or prompt.
        origin: String,
        /// Reason.
        why: String,
    },
    /// An envelope of another version or cipher.
    #[error("vault format `{0}` is not supported, only versions 1.1 and 1.2 with AES256 are")]
    Unsupported(String),
    /// None of the secrets fits.
    #[error("none of the vault secrets ({}) opens the text", quote_ids(.0))]
    WrongSecret(Vec<String>),
}

fn quote_ids(ids: &[String]) -> String {
    ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
}
