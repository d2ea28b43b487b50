//! Whose commits count: every commit since the applied one is signed by a key that this machine allows.

use std::os::unix::fs::DirBuilderExt as _;

use sha2::{Digest as _, Sha256};

use super::git::git_error;
use super::{GitRepository, RepositoryError};
use crate::gitops::config::{CommitVerification, GitConfig};
use crate::gitops::decide::Relation;

/// Returns a digest of the signers that count; none where nothing is verified. Another digest means that what was accepted
/// has to be looked at again.
pub fn signers_digest(config: &GitConfig) -> Option<String> {
    let (files, more): (Vec<_>, String) = match config.verify.as_ref()? {
        CommitVerification::Ssh { allowed_signers, revoked } => {
            (std::iter::once(allowed_signers).chain(revoked).collect(), String::new())
        }
        CommitVerification::Pgp { fingerprints, keyring } => (vec![keyring], fingerprints.join(" ")),
    };
    let mut digest = Sha256::new();
    for file in files {
        // A file that is gone allows nothing, and that is another state, too.
        let content = std::fs::read(file).unwrap_or_default();
        digest.update(content.len().to_le_bytes());
        digest.update(content);
    }
    digest.update(more.as_bytes());
    Some(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

const WHAT: &str = "cannot verify commits";

impl GitRepository<'_> {
    /// Returns why the commit, or one between it and the applied one, is not accepted.
    pub(super) async fn verify_commit(
        &self,
        commit: &str,
        applied: Option<&str>,
        relation: Relation,
    ) -> Result<Option<String>, RepositoryError> {
        let Some(verification) = &self.config.verify else { return Ok(None) };
        // The applied commit itself is looked at again: its signer may not count any more.
        let range = match (applied, relation) {
            (Some(applied), Relation::Newer | Relation::Unrelated) => format!("{applied}..{commit}"),
            _ => commit.to_owned(),
        };
        let single = relation == Relation::Same;
        match verification {
            CommitVerification::Ssh { allowed_signers, revoked } => {
                let mut options = vec!["-c".to_owned(), "gpg.format=ssh".to_owned()];
                options.extend(["-c".to_owned(), format!("gpg.ssh.allowedSignersFile={}", allowed_signers.display())]);
                if let Some(revoked) = revoked {
                    options.extend(["-c".to_owned(), format!("gpg.ssh.revocationFile={}", revoked.display())]);
                }
                let log = self.check_signatures(&options, &range, single, &[]).await?;
                Ok(first_refused(&log, |signature| signature.letter == "G"))
            }
            CommitVerification::Pgp { fingerprints, keyring } => {
                let home = tempfile::Builder::new()
                    .prefix("ionplay-gpg-")
                    .tempdir()
                    .map_err(|error| RepositoryError::Folder { path: "gpg home".to_owned(), why: error.to_string() })?;
                let _ = std::fs::DirBuilder::new().mode(0o700).create(home.path());
                let environment = [("GNUPGHOME".to_owned(), home.path().display().to_string())];
                self.import_keys(keyring, home.path()).await?;
                let log = self.check_signatures(&[], &range, single, &environment).await?;
                let allowed = |key: &str| !key.is_empty() && fingerprints.iter().any(|known| known == key);
                Ok(first_refused(&log, |signature| {
                    matches!(signature.letter.as_str(), "G" | "U")
                        && (allowed(&signature.key) || allowed(&signature.primary))
                }))
            }
        }
    }

    async fn check_signatures(
        &self,
        options: &[String],
        range: &str,
        single: bool,
        environment: &[(String, String)],
    ) -> Result<String, RepositoryError> {
        let mut arguments: Vec<&str> = options.iter().map(String::as_str).collect();
        arguments.extend(["log", "--no-show-signature", "--format=%H%x09%G?%x09%GS%x09%GF%x09%GP"]);
        if single {
            arguments.push("-1");
        }
        arguments.extend(["--end-of-options", range, "--"]);
        let output = self.git_with(WHAT, &arguments, environment).await?;
        if output.is_success() { Ok(output.stdout) } else { Err(git_error(WHAT, &output)) }
    }

    async fn import_keys(&self, keyring: &std::path::Path, home: &std::path::Path) -> Result<(), RepositoryError> {
        let command = ["gpg", "--batch", "--quiet", "--no-autostart", "--homedir"]
            .map(str::to_owned)
            .into_iter()
            .chain([home.display().to_string(), "--import".to_owned(), keyring.display().to_string()]);
        let command: Vec<String> = command.collect();
        let environment = super::git::inherited_variables();
        let setup = crate::gitops::child::ChildSetup {
            command: &command,
            folder: home,
            environment: &environment,
            limit: self.limit,
            lock: None,
            stop: None,
        };
        let output = crate::gitops::child::run_child(setup).await;
        let output = output
            .map_err(|error| RepositoryError::Git { what: "cannot run gpg".to_owned(), words: error.to_string() })?;
        if output.is_success() { Ok(()) } else { Err(git_error("cannot read the keyring", &output)) }
    }
}

/// A commit with what git says of its signature.
struct Signature {
    commit: String,
    letter: String,
    signer: String,
    key: String,
    primary: String,
}

/// Returns the reason for the oldest commit that is not accepted.
fn first_refused(log: &str, accepted: impl Fn(&Signature) -> bool) -> Option<String> {
    let read = |line: &str| {
        let mut parts = line.split('\t').map(str::to_owned);
        let mut next = || parts.next().unwrap_or_default();
        Signature { commit: next(), letter: next(), signer: next(), key: next(), primary: next() }
    };
    let refused = log.lines().rev().map(read).find(|signature| !accepted(signature))?;
    let commit = refused.commit.get(..12).unwrap_or(&refused.commit);
    let by = if refused.signer.is_empty() { String::new() } else { format!(" by {}", refused.signer) };
    let why = match refused.letter.as_str() {
        "N" => "has no signature".to_owned(),
        "B" => format!("has a bad signature{by}"),
        "X" | "Y" => format!("has a signature{by} whose key or itself has expired"),
        "R" => format!("has a signature{by} whose key was revoked"),
        "G" | "U" => format!("is signed{by} with a key that is not allowed ({})", refused.key),
        "E" => "has a signature of a key that is not known on this machine".to_owned(),
        _ => "has a signature that cannot be checked".to_owned(),
    };
    Some(format!("commit {commit} {why}; sign it with a key that `verify` allows, or allow its key on this machine"))
}
