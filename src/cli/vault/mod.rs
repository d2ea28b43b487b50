//! `ionplay vault`: seals, opens and changes vaulted files, with the options of `ansible-vault`.

mod edit;
mod files;
mod string;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use crate::settings::{self, RunSettings};
use crate::vars::vault::{
    PasswordSource, VaultError, VaultPassword, VaultSecrets, ask_hidden, decrypt_envelope, encrypt_text, is_vaulted,
};

/// Encrypts, decrypts and edits vaulted files and values.
#[derive(Debug, Args)]
pub struct VaultArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Create a vaulted file in the editor.
    Create(EditArgs),
    /// Decrypt vaulted files permanently.
    Decrypt(DecryptArgs),
    /// Edit a vaulted file in the editor.
    Edit(EditArgs),
    /// Encrypt files.
    Encrypt(EncryptArgs),
    /// Encrypt a value for a YAML file.
    #[command(name = "encrypt_string", alias = "encrypt-string")]
    EncryptString(string::StringArgs),
    /// Encrypt vaulted files with another password.
    Rekey(RekeyArgs),
    /// Show vaulted files.
    View(ViewArgs),
}

/// Sources of passwords.
#[derive(Debug, Args)]
struct SecretArgs {
    /// An id and the source of its password: LABEL@FILE, LABEL@SCRIPT or LABEL@prompt.
    #[arg(long = "vault-id", value_name = "ID@SOURCE")]
    vault_ids: Vec<String>,
    /// File or script with the password.
    #[arg(
        long = "vault-password-file",
        alias = "vault-pass-file",
        value_name = "FILE",
        conflicts_with = "ask_password"
    )]
    password_files: Vec<String>,
    /// Ask for the password.
    #[arg(short = 'J', long = "ask-vault-password", alias = "ask-vault-pass")]
    ask_password: bool,
    /// Accepted, without effect.
    #[arg(short, long, action = clap::ArgAction::Count, hide = true)]
    verbose: u8,
}

/// Choice of the secret that encrypts.
#[derive(Debug, Args)]
struct SealArgs {
    #[command(flatten)]
    secrets: SecretArgs,
    /// Id to encrypt with, if there are several.
    #[arg(long, value_name = "ID")]
    encrypt_vault_id: Option<String>,
}

#[derive(Debug, Args)]
struct EncryptArgs {
    #[command(flatten)]
    seal: SealArgs,
    /// Write the result to this file (`-`: standard output) instead of the input file.
    #[arg(long, value_name = "FILE")]
    output: Option<String>,
    /// The files; without files, or with `-`, standard input.
    files: Vec<String>,
}

#[derive(Debug, Args)]
struct DecryptArgs {
    #[command(flatten)]
    secrets: SecretArgs,
    /// Write the result to this file (`-`: standard output) instead of the input file.
    #[arg(long, value_name = "FILE")]
    output: Option<String>,
    /// The files; without files, or with `-`, standard input.
    files: Vec<String>,
}

#[derive(Debug, Args)]
struct EditArgs {
    #[command(flatten)]
    seal: SealArgs,
    /// Open the editor even without a terminal.
    #[arg(long)]
    skip_tty_check: bool,
    /// The files.
    #[arg(required = true)]
    files: Vec<String>,
}

#[derive(Debug, Args)]
struct RekeyArgs {
    #[command(flatten)]
    seal: SealArgs,
    /// File or script with the new password.
    #[arg(long, value_name = "FILE", conflicts_with = "new_vault_id")]
    new_vault_password_file: Option<String>,
    /// The new id and the source of its password.
    #[arg(long, value_name = "ID@SOURCE")]
    new_vault_id: Option<String>,
    /// The files.
    #[arg(required = true)]
    files: Vec<String>,
}

#[derive(Debug, Args)]
struct ViewArgs {
    #[command(flatten)]
    secrets: SecretArgs,
    /// The files.
    #[arg(required = true)]
    files: Vec<String>,
}

impl SecretArgs {
    fn collect_secrets(&self) -> anyhow::Result<VaultSecrets> {
        let settings = RunSettings::load().map_err(|problem| anyhow::anyhow!(problem.one_line()))?;
        let (mut ids, mut files) = (self.vault_ids.clone(), self.password_files.clone());
        if !self.ask_password {
            super::config::vault_sources(&mut ids, &mut files, &settings);
        }
        let mut secrets = VaultSecrets::collect_sources(&ids, &files, self.ask_password)?
            .matching_ids(settings.bool(settings::DEFAULT_VAULT_ID_MATCH));
        if secrets.is_empty() {
            secrets.add(crate::vars::vault::DEFAULT_ID, PasswordSource::Prompt).map_err(|why| match why {
                VaultError::Source { .. } => VaultError::NoSecret,
                other => other,
            })?;
        }
        Ok(secrets)
    }
}

impl SealArgs {
    fn read_seal_id(&self) -> Option<String> {
        let wanted = self.encrypt_vault_id.clone();
        wanted.or_else(|| std::env::var("ANSIBLE_VAULT_ENCRYPT_IDENTITY").ok().filter(|id| !id.is_empty()))
    }

    /// The id and secret to seal with. A password that is typed for a new seal is typed twice.
    fn read_seal_secret(&self) -> anyhow::Result<(String, VaultPassword)> {
        let secrets = self.secrets.collect_secrets()?;
        let (id, secret) = secrets.to_encrypt(self.read_seal_id().as_deref())?;
        let typed = self.secrets.ask_password
            || (self.secrets.vault_ids.is_empty() && self.secrets.password_files.is_empty() && is_asking());
        if typed && ask_hidden("Confirm vault password: ")?.bytes() != secret.bytes() {
            bail!("the passwords are not the same");
        }
        Ok((id.to_owned(), secret.clone()))
    }
}

/// Whether no variable of the environment says where the password is, so that it was asked for.
fn is_asking() -> bool {
    ["ANSIBLE_VAULT_PASSWORD_FILE", "ANSIBLE_VAULT_IDENTITY_LIST"].iter().all(|name| std::env::var_os(name).is_none())
}

/// Does what was asked for.
///
/// # Errors
/// If a password is missing or wrong, or a file cannot be read or written. A file is either changed wholly or not at all.
pub fn run_vault(args: &VaultArgs) -> anyhow::Result<()> {
    match &args.action {
        Action::Create(args) => edit::create_files(args),
        Action::Decrypt(args) => decrypt_files(args),
        Action::Edit(args) => edit::edit_files(args),
        Action::Encrypt(args) => encrypt_files(args),
        Action::EncryptString(args) => string::encrypt_strings(args),
        Action::Rekey(args) => rekey_files(args),
        Action::View(args) => view_files(args),
    }
}

fn encrypt_files(args: &EncryptArgs) -> anyhow::Result<()> {
    let (id, secret) = args.seal.read_seal_secret()?;
    for file in files::input_files(&args.files, args.output.as_deref())? {
        let plain = files::read(file)?;
        if std::str::from_utf8(&plain).is_ok_and(is_vaulted) {
            bail!("`{file}` is vaulted already");
        }
        let sealed = encrypt_text(&plain, secret.bytes(), Some(&id), None);
        files::write(args.output.as_deref().unwrap_or(file), sealed.as_bytes())?;
    }
    files::report_done("encryption successful")
}

fn decrypt_files(args: &DecryptArgs) -> anyhow::Result<()> {
    let secrets = args.secrets.collect_secrets()?;
    for file in files::input_files(&args.files, args.output.as_deref())? {
        let plain = decrypt_file(file, &secrets)?;
        files::write(args.output.as_deref().unwrap_or(file), &plain)?;
    }
    files::report_done("decryption successful")
}

fn view_files(args: &ViewArgs) -> anyhow::Result<()> {
    let secrets = args.secrets.collect_secrets()?;
    args.files.iter().try_for_each(|file| files::write("-", &decrypt_file(file, &secrets)?))
}

fn rekey_files(args: &RekeyArgs) -> anyhow::Result<()> {
    let secrets = args.seal.secrets.collect_secrets()?;
    let mut new = VaultSecrets::default();
    match (&args.new_vault_id, &args.new_vault_password_file) {
        (Some(id), _) => {
            let (id, source) = PasswordSource::from_vault_id(id)?;
            new.add(&id, source)?;
        }
        (None, Some(file)) => new.add(crate::vars::vault::DEFAULT_ID, PasswordSource::from_path(file)?)?,
        (None, None) => {
            let secret = ask_hidden("New vault password: ")?;
            if ask_hidden("Confirm new vault password: ")?.bytes() != secret.bytes() {
                bail!("the passwords are not the same");
            }
            new.add_secret(crate::vars::vault::DEFAULT_ID, secret);
        }
    }
    let (new_id, new_secret) = new.to_encrypt(None)?;
    // A new password without an id of its own takes the id that was asked for.
    let id = args.seal.read_seal_id().filter(|_| args.new_vault_id.is_none()).unwrap_or_else(|| new_id.to_owned());
    for file in &args.files {
        let plain = decrypt_file(file, &secrets)?;
        let sealed = encrypt_text(&plain, new_secret.bytes(), Some(&id), None);
        // Never replace readable content with content that cannot be decrypted again.
        if decrypt_envelope(&sealed, new_secret.bytes())? != *plain {
            bail!("`{file}` could not be sealed again");
        }
        files::write(file, sealed.as_bytes())?;
    }
    files::report_done("rekey successful")
}

/// Decrypts a vaulted file.
fn decrypt_file(file: &str, secrets: &VaultSecrets) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    secrets.open_envelope(&read_vaulted(file)?).map(Zeroizing::new).with_context(|| format!("cannot open `{file}`"))
}

/// The text of a vaulted file.
fn read_vaulted(file: &str) -> anyhow::Result<String> {
    let text = String::from_utf8(files::read(file)?.to_vec()).ok().filter(|text| is_vaulted(text));
    text.with_context(|| format!("`{file}` is not vaulted"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        vault: VaultArgs,
    }

    fn vault(line: &[&str]) -> anyhow::Result<()> {
        run_vault(&Line::try_parse_from(std::iter::once(&"vault").chain(line))?.vault)
    }

    #[test]
    fn a_file_through_all_its_states() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(path("f"), "a: 1\n").unwrap();
        std::fs::set_permissions(path("f"), std::fs::Permissions::from_mode(0o640)).unwrap();
        std::fs::write(path("pw"), "one").unwrap();
        std::fs::write(path("new"), "two").unwrap();
        let old = format!("dev@{}", path("pw"));
        vault(&["encrypt", "--vault-id", &old, &path("f")]).unwrap();
        let text = std::fs::read_to_string(path("f")).unwrap();
        assert!(text.starts_with("$ANSIBLE_VAULT;1.2;AES256;dev\n"));
        assert!(vault(&["encrypt", "--vault-id", &old, &path("f")]).is_err());
        vault(&["rekey", "--vault-id", &old, "--new-vault-password-file", &path("new"), &path("f")]).unwrap();
        let wrong = vault(&["decrypt", "--vault-id", &old, &path("f")]).unwrap_err();
        assert_eq!(wrong.root_cause().to_string(), "none of the vault secrets (`dev`) opens the text");
        vault(&["decrypt", "--vault-password-file", &path("new"), "--output", &path("out"), &path("f")]).unwrap();
        assert_eq!(std::fs::read_to_string(path("out")).unwrap(), "a: 1\n");
        vault(&["decrypt", "--vault-password-file", &path("new"), &path("f")]).unwrap();
        assert_eq!(std::fs::read_to_string(path("f")).unwrap(), "a: 1\n");
        assert_eq!(std::fs::metadata(path("f")).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(std::fs::metadata(path("out")).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
