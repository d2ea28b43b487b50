//! One call of git, with everything off that could surprise.

use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;

use super::{GitRepository, RepositoryError};
use crate::gitops::child::{ChildOutput, ChildSetup, run_child};
use crate::gitops::config::{GitConfig, GitTransport, show_duration};

/// Options of every call.
const SAFE: &[&str] = &[
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "transfer.fsckObjects=true",
    "-c",
    "fetch.fsckObjects=true",
    "-c",
    "gc.auto=0",
    "-c",
    "maintenance.auto=false",
    "-c",
    "core.symlinks=true",
    "-c",
    "core.autocrlf=false",
    "-c",
    "filter.lfs.smudge=",
    "-c",
    "filter.lfs.required=false",
    "-c",
    "protocol.allow=never",
];

/// Environment that is handed on: where programs are, and how the network is reached.
pub(crate) const INHERITED: &[&str] = &[
    "PATH",
    "HOME",
    "LANG",
    "TZ",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
];

/// Returns the variables of this process that children get.
pub(crate) fn inherited_variables() -> Vec<(String, String)> {
    INHERITED.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?))).collect()
}

impl GitRepository<'_> {
    /// Runs git in the mirror.
    pub(super) async fn run_git(&self, what: &str, arguments: &[&str]) -> Result<ChildOutput, RepositoryError> {
        self.git_with(what, arguments, &[]).await
    }

    /// Runs git in the mirror, with more environment.
    pub(super) async fn git_with(
        &self,
        what: &str,
        arguments: &[&str],
        more: &[(String, String)],
    ) -> Result<ChildOutput, RepositoryError> {
        let mut command = vec!["git".to_owned()];
        command.extend(SAFE.iter().map(|option| (*option).to_owned()));
        command.extend(["-c".to_owned(), format!("protocol.{}.allow=always", scheme_name(self.config.transport))]);
        command.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        let mut environment = inherited_variables();
        environment.extend(environment_of(self.config, &self.mirror)?);
        environment.extend(more.iter().cloned());
        let folder = if self.mirror.is_dir() { self.mirror.as_path() } else { Path::new("/") };
        let setup = ChildSetup {
            command: &command,
            folder,
            environment: &environment,
            limit: self.limit,
            lock: None,
            stop: None,
        };
        let output = run_child(setup).await.map_err(|error| RepositoryError::NoGit(error.to_string()))?;
        if output.timed_out {
            return Err(RepositoryError::Slow { what: what.to_owned(), limit: show_duration(self.limit) });
        }
        Ok(output)
    }

    /// Runs git in the mirror and returns what it printed.
    pub(super) async fn git_text(&self, what: &str, arguments: &[&str]) -> Result<String, RepositoryError> {
        let output = self.run_git(what, arguments).await?;
        if output.is_success() { Ok(output.stdout) } else { Err(git_error(what, &output)) }
    }
}

/// Lines that git adds to every failure of a fetch, one sentence in two lines, without its full stop.
const ADVICE: &[&str] = &["Please make sure you have the correct access rights", "and the repository exists"];

/// The error of a call that has failed.
pub(super) fn git_error(what: &str, output: &ChildOutput) -> RepositoryError {
    let lines = output.stderr.lines().map(|line| line.trim().trim_end_matches('.'));
    let words: Vec<&str> = lines.filter(|line| !line.is_empty() && !ADVICE.contains(line)).take(6).collect();
    let words = if words.is_empty() { format!("git ended with {:?}", output.exit) } else { words.join("; ") };
    RepositoryError::Git { what: what.to_owned(), words }
}

pub(super) fn scheme_name(transport: GitTransport) -> &'static str {
    match transport {
        GitTransport::Https => "https",
        GitTransport::Http => "http",
        GitTransport::Ssh => "ssh",
        GitTransport::Git => "git",
        GitTransport::Local => "file",
    }
}

fn environment_of(config: &GitConfig, mirror: &Path) -> Result<Vec<(String, String)>, RepositoryError> {
    let mut environment: Vec<(String, String)> = [
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_ASKPASS", "true"),
        ("SSH_ASKPASS", "true"),
        ("GIT_OPTIONAL_LOCKS", "0"),
        ("GIT_NO_REPLACE_OBJECTS", "1"),
        ("LC_ALL", "C"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    environment.push(("GIT_CONFIG_GLOBAL".to_owned(), own_configuration(config, mirror).display().to_string()));
    match config.transport {
        GitTransport::Https | GitTransport::Http => environment.extend(web_credentials(config)?),
        GitTransport::Ssh => environment.push(("GIT_SSH_COMMAND".to_owned(), ssh_command(config))),
        GitTransport::Git | GitTransport::Local => {}
    }
    Ok(environment)
}

/// The configuration that git reads instead of the user's: the operator has named this repository, so it is read whoever
/// owns it.
fn own_configuration(config: &GitConfig, mirror: &Path) -> PathBuf {
    let none = PathBuf::from("/dev/null");
    if config.transport != GitTransport::Local {
        return none;
    }
    let path = mirror.with_extension("gitconfig");
    if !path.exists() {
        let folder = config.url.strip_prefix("file://").unwrap_or(&config.url);
        let text = format!(
            "[safe]\n\tdirectory = \"{0}\"\n\tdirectory = \"{0}/.git\"\n",
            folder.replace(['"', '\\', '\n'], "")
        );
        let _ = path.parent().map(std::fs::create_dir_all);
        let written = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
        let _ = written.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
    }
    if path.exists() { path } else { none }
}

/// The password as a header in the environment: neither in arguments, which others can list, nor in a file.
fn web_credentials(config: &GitConfig) -> Result<Vec<(String, String)>, RepositoryError> {
    let Some(password) = &config.password else { return Ok(Vec::new()) };
    let login = format!("{}:{}", config.username.as_deref().unwrap_or("git"), password.read()?.expose());
    let header = format!("Authorization: Basic {}", base64::engine::general_purpose::STANDARD.encode(login));
    let origin: String = config.url.split('/').take(3).collect::<Vec<_>>().join("/");
    Ok([
        ("GIT_CONFIG_COUNT", "1".to_owned()),
        ("GIT_CONFIG_KEY_0", format!("http.{origin}/.extraHeader")),
        ("GIT_CONFIG_VALUE_0", header),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into())
}

fn ssh_command(config: &GitConfig) -> String {
    let quoted = |path: &Path| format!("'{}'", path.display().to_string().replace('\'', r"'\''"));
    let mut command = "ssh -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=20".to_owned();
    if let Some(key) = &config.ssh_key_file {
        command += &format!(" -i {} -o IdentitiesOnly=yes", quoted(key));
    }
    if let Some(hosts) = &config.known_hosts_file {
        command += &format!(" -o UserKnownHostsFile={} -o GlobalKnownHostsFile=/dev/null", quoted(hosts));
    }
    command
}
