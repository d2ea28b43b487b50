//! `git`: which repository and revision, how it is reached, and whose commits count.

use std::path::PathBuf;

use super::reader::Mapping;
use super::secret::SecretSource;

/// How a repository is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GitTransport {
    /// `https://`
    Https,
    /// `http://`, which anybody on the way can change.
    Http,
    /// `ssh://`, or `user@host:path`.
    Ssh,
    /// `git://`, which anybody on the way can change.
    Git,
    /// A path, or `file://`.
    Local,
}

/// Branch or tag that a job follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revision {
    /// The branch that `HEAD` of the repository names.
    Head,
    /// A branch.
    Branch(String),
    /// Of the tags that match this pattern the newest by version.
    Tag(String),
}

/// Whose commits count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitVerification {
    /// SSH signatures of keys in an allowed-signers file of this machine.
    Ssh {
        /// The file.
        allowed_signers: PathBuf,
        /// Keys that are not valid any more.
        revoked: Option<PathBuf>,
    },
    /// PGP signatures of these keys.
    Pgp {
        /// Full fingerprints, in upper case without blanks.
        fingerprints: Vec<String>,
        /// File with the public keys.
        keyring: PathBuf,
    },
}

/// A repository as a job sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitConfig {
    /// Where it is: a URL, or an absolute path.
    pub url: String,
    /// How it is reached.
    pub transport: GitTransport,
    /// The branch or tag to follow.
    pub revision: Revision,
    /// The folder in it where a run stands.
    pub path: String,
    /// Login name for HTTPS.
    pub username: Option<String>,
    /// Password for HTTPS.
    pub password: Option<SecretSource>,
    /// Private key for SSH.
    pub ssh_key_file: Option<PathBuf>,
    /// Known hosts for SSH.
    pub known_hosts_file: Option<PathBuf>,
    /// Whose commits count; without it, everybody's.
    pub verify: Option<CommitVerification>,
    /// Whether a branch that does not descend from the applied commit is followed.
    pub allow_rewrite: bool,
}

pub(super) const KEYS: &[&str] = &[
    "url",
    "branch",
    "tag",
    "path",
    "username",
    "password",
    "password_file",
    "ssh_key_file",
    "known_hosts_file",
    "verify",
    "allow_rewrite",
];

/// Reads `git` of a job.
pub(super) fn read(job: &Mapping<'_>, job_name: &str) -> Option<GitConfig> {
    let Some(git) = job.read_mapping("git", &format!("`git` of job `{job_name}`")) else {
        if job.find_entry("git").is_none() {
            let message = format!("job `{job_name}` has no `git`");
            job.reader.add_message(job.mapping_error(message).hint("write `git: {url: URL, branch: main}`"));
        }
        return None;
    };
    git.refuse_unknown(KEYS);
    let written = git.read_required("url", "write `url: https://HOST/OWNER/NAME.git`, an ssh address or a path")?;
    let (url, transport) = read_url(&git, &written)?;
    check_credentials(&git, transport);
    Some(GitConfig {
        url,
        transport,
        revision: read_revision(&git),
        path: read_path(&git),
        username: git.read_text("username"),
        password: git.read_secret("password"),
        ssh_key_file: git.read_file_path("ssh_key_file"),
        known_hosts_file: git.read_file_path("known_hosts_file"),
        verify: read_verification(&git),
        allow_rewrite: git.read_flag("allow_rewrite").unwrap_or_default(),
    })
}

fn read_url(git: &Mapping<'_>, written: &str) -> Option<(String, GitTransport)> {
    let span = git.find_entry("url")?.value.span();
    let schemes = [
        ("https", GitTransport::Https),
        ("http", GitTransport::Http),
        ("ssh", GitTransport::Ssh),
        ("git", GitTransport::Git),
        ("file", GitTransport::Local),
    ];
    if let Some((scheme, rest)) = written.split_once("://") {
        let Some((_, transport)) = schemes.iter().find(|(known, _)| *known == scheme) else {
            let remedy = "use https, ssh, file, or a path";
            git.reader.add_error(span, format!("`{scheme}` is not a way to reach a repository"), remedy);
            return None;
        };
        let login = rest.split('/').next().and_then(|host| host.rsplit_once('@')).map_or("", |(login, _)| login);
        if login.contains(':') {
            let remedy = "write `username: NAME` and `password_file: FILE` instead";
            git.reader.add_error(span, "`url` holds a password, which is never written in this file", remedy);
            return None;
        }
        return Some((written.to_owned(), *transport));
    }
    // `host:path` is an address of SSH; a colon after a slash is part of a path.
    let before_colon = written.split_once(':').map(|(host, _)| host);
    if before_colon.is_some_and(|host| !host.is_empty() && !host.contains('/')) {
        return Some((written.to_owned(), GitTransport::Ssh));
    }
    if written.starts_with('-') {
        git.reader.add_error(
            span,
            format!("`{written}` is not the address of a repository"),
            "use https, ssh, file, or a path",
        );
        return None;
    }
    let path = git.reader.resolve_path(written);
    let path = crate::playbook::real_path(path);
    Some((path.display().to_string(), GitTransport::Local))
}

fn check_credentials(git: &Mapping<'_>, transport: GitTransport) {
    let web = matches!(transport, GitTransport::Https | GitTransport::Http);
    for (key, fits, wanted) in [
        ("username", web, "https"),
        ("password", web, "https"),
        ("password_file", web, "https"),
        ("ssh_key_file", transport == GitTransport::Ssh, "ssh"),
        ("known_hosts_file", transport == GitTransport::Ssh, "ssh"),
    ] {
        if let (false, Some(entry)) = (fits, git.find_entry(key)) {
            let message = format!("`{key}` is for addresses of {wanted}, and `url` is not one");
            git.reader.add_error(entry.key.span(), message, format!("remove `{key}`, or change `url`"));
        }
    }
    let has_password = git.find_entry("password").is_some() || git.find_entry("password_file").is_some();
    if let (Some(entry), false) = (git.find_entry("username"), has_password) {
        git.reader.add_error(entry.key.span(), "`username` has no password", "add `password_file: FILE`");
    }
    if transport == GitTransport::Http
        && has_password
        && let Some(entry) = git.find_entry("url")
    {
        git.reader.add_error(entry.value.span(), "a password would be sent without encryption", "use `https://`");
    }
    if let (GitTransport::Http | GitTransport::Git, Some(entry), None) =
        (transport, git.find_entry("url"), git.find_entry("verify"))
    {
        let message = "this address is not encrypted: others on the network can change what is applied";
        let remedy = "use `https://` or ssh, or verify signatures with `verify`";
        git.reader.add_message(crate::diagnostic::Diagnostic::warning(message).at(entry.value.span(), "").hint(remedy));
    }
}

fn read_revision(git: &Mapping<'_>) -> Revision {
    if let (Some(_), Some(tag)) = (git.find_entry("branch"), git.find_entry("tag")) {
        git.reader.add_error(tag.key.span(), "a job follows a branch or tags, not both", "remove `branch` or `tag`");
    }
    let valid = |key: &str, text: String| {
        let bad = text.is_empty()
            || text.starts_with(['-', '/'])
            || text.contains("..")
            || text.chars().any(|c| c.is_whitespace() || c.is_control() || "~^:\\".contains(c));
        if let (true, Some(entry)) = (bad, git.find_entry(key)) {
            git.reader.add_error(
                entry.value.span(),
                format!("`{text}` is not a name that git allows"),
                "check the name",
            );
        }
        text
    };
    if let Some(tag) = git.read_text("tag") {
        return Revision::Tag(valid("tag", tag));
    }
    match git.read_text("branch") {
        Some(branch) if branch != "HEAD" => Revision::Branch(valid("branch", branch)),
        _ => Revision::Head,
    }
}

fn read_path(git: &Mapping<'_>) -> String {
    let path = git.read_text("path").unwrap_or_else(|| ".".to_owned());
    check_inner_path(git, "path", &path);
    path
}

/// Reports a path that leaves the repository.
pub(super) fn check_inner_path(mapping: &Mapping<'_>, key: &str, path: &str) {
    let leaves = path.starts_with('/') || {
        let mut depth = 0i32;
        path.split('/').any(|part| {
            depth += match part {
                ".." => -1,
                "." | "" => 0,
                _ => 1,
            };
            depth < 0
        })
    };
    if let (true, Some(entry)) = (leaves, mapping.find_entry(key)) {
        let message = format!("`{path}` lies outside of the repository");
        mapping.reader.add_error(entry.value.span(), message, "name a path within it");
    }
}

fn read_verification(git: &Mapping<'_>) -> Option<CommitVerification> {
    let verify = git.read_mapping("verify", "`verify`")?;
    verify.refuse_unknown(&["allowed_signers", "revoked_signers", "pgp_fingerprints", "keyring"]);
    let (ssh, pgp) = (verify.find_entry("allowed_signers"), verify.find_entry("pgp_fingerprints"));
    match (ssh, pgp) {
        (Some(_), Some(pgp)) => {
            let remedy = "remove `allowed_signers` or `pgp_fingerprints`";
            git.reader.add_error(pgp.key.span(), "`verify` takes SSH or PGP signatures, not both", remedy);
            None
        }
        (Some(_), None) => Some(CommitVerification::Ssh {
            allowed_signers: verify.read_file_path("allowed_signers")?,
            revoked: verify.read_file_path("revoked_signers"),
        }),
        (None, Some(entry)) => {
            let fingerprints: Vec<String> =
                verify.read_texts("pgp_fingerprints").iter().map(|text| normalize_fingerprint(text)).collect();
            if let Some(bad) = fingerprints
                .iter()
                .find(|text| !matches!(text.len(), 40 | 64) || !text.bytes().all(|b| b.is_ascii_hexdigit()))
            {
                let remedy = "give the full fingerprint, as `gpg --list-keys --with-subkey-fingerprint` prints it";
                git.reader.add_error(entry.value.span(), format!("`{bad}` is not the fingerprint of a key"), remedy);
            }
            if verify.find_entry("keyring").is_none() {
                let remedy = "export the public keys with `gpg --export` and name the file";
                git.reader.add_message(verify.mapping_error("`verify` has no `keyring`").hint(remedy));
            }
            Some(CommitVerification::Pgp { fingerprints, keyring: verify.read_file_path("keyring")? })
        }
        (None, None) => {
            let remedy = "write `allowed_signers: FILE`, or `pgp_fingerprints: [...]` and `keyring: FILE`";
            git.reader.add_message(verify.mapping_error("`verify` names no signers").hint(remedy));
            None
        }
    }
}

fn normalize_fingerprint(fingerprint: &str) -> String {
    fingerprint.chars().filter(|c| !c.is_whitespace()).collect::<String>().trim_start_matches("0x").to_uppercase()
}
