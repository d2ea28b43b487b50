//! `ionplay docker-credential`: answers docker, podman and skopeo by the credential-helper protocol.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use crate::credentials::logins::LoginFile;
use crate::credentials::sinks::SERVER_FACT;
use crate::credentials::{Catalog, CredentialKey, Listed, StoreError, backend_of};
use crate::exit::Exit;
use crate::plan::seal;
use crate::state_dir;

/// Program name that container clients call.
pub const HELPER_NAME: &str = "docker-credential-ionplay";

/// Clients recognize this sentence.
const NOT_FOUND: &str = "credentials not found in native keychain";

/// Maximum size of a request.
const LONGEST: u64 = 64 * 1024;

/// Provide logins from the credential store to container clients
///
/// For docker, podman and skopeo, with the credential-helper protocol: the request comes on standard input. Install it with
/// `ln -s "$(command -v ionplay)" ~/.local/bin/docker-credential-ionplay`, and name it in `config.json`:
/// `"credHelpers": {"HOST": "ionplay"}`. It provides the tokens that a task delivered to `credentials: [store: true]`, and
/// logins that clients stored.
#[derive(Debug, clap::Args)]
pub struct DockerCredentialArgs {
    #[arg(value_enum, value_name = "ACTION")]
    action: Action,
    /// Key file that decrypts the passwords
    #[arg(long, env = "IONPLAY_SEAL_KEY_FILE", value_name = "FILE")]
    seal_key_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Action {
    /// Print the login for a server
    Get,
    /// Store a login from a client
    Store,
    /// Remove a login from a client
    Erase,
    /// Print all servers with their user names
    List,
    /// Print the version
    Version,
}

/// A login in the format of the protocol.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireLogin {
    #[serde(rename = "ServerURL")]
    server_url: String,
    username: String,
    secret: String,
}

impl Drop for WireLogin {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

/// Answers one request. Failures go to standard output, where clients expect them.
pub fn run_helper(args: &DockerCredentialArgs) -> Exit {
    match answer_request(args) {
        Ok(text) => {
            let mut out = std::io::stdout().lock();
            let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
            if written.is_ok() { Exit::Success } else { Exit::General }
        }
        Err(error) => {
            // A client that has gone does not miss it.
            let _ = writeln!(std::io::stdout(), "{error:#}");
            Exit::General
        }
    }
}

fn answer_request(args: &DockerCredentialArgs) -> anyhow::Result<Zeroizing<String>> {
    if args.action == Action::Version {
        return Ok(Zeroizing::new(format!("{HELPER_NAME} (ionplay) v{}\n", env!("CARGO_PKG_VERSION"))));
    }
    let state = state_dir::state_folder().context(StoreError::NoFolder)?;
    let key = args.seal_key_file.as_deref().map(seal::read_key).transpose()?;
    let helper = Helper {
        catalog: Catalog::read(&*backend_of(&state))?,
        logins: LoginFile::in_state_dir(&state, key.clone()),
        key,
    };
    match args.action {
        Action::Get => helper.get(&read_server()?),
        Action::Store => {
            let text = read_input()?;
            let login: WireLogin = serde_json::from_str(&text).context("the request is not a login")?;
            let server = host_of(&login.server_url);
            if server.is_empty() {
                bail!("no credentials server URL");
            }
            helper.logins.set_login(server, &login.username, &login.secret)?;
            Ok(Zeroizing::default())
        }
        Action::Erase => helper.erase_login(&read_server()?),
        Action::List => {
            let mut servers: BTreeMap<String, String> = helper.logins.list_users()?;
            for listed in helper.stored_entries() {
                if let Some(server) = server_of(listed) {
                    servers.insert(server.to_owned(), listed.entry.subject.name.clone());
                }
            }
            Ok(Zeroizing::new(format!("{}\n", serde_json::to_string(&servers)?)))
        }
        Action::Version => Ok(Zeroizing::default()),
    }
}

struct Helper {
    catalog: Catalog,
    logins: LoginFile,
    key: Option<CredentialKey>,
}

impl Helper {
    /// Returns the entries that are kept for clients, oldest first.
    fn stored_entries(&self) -> impl Iterator<Item = &Listed> {
        let stored = |listed: &&Listed| listed.entry.has_password() && server_of(listed).is_some();
        self.catalog.entries.iter().filter(stored)
    }

    /// Of several tokens for a server, such as the generations of one, the newest answers.
    fn find_newest(&self, server: &str) -> Option<&Listed> {
        let own = self.stored_entries().filter(|listed| server_of(listed) == Some(server));
        own.max_by(|a, b| a.entry.requested.cmp(&b.entry.requested))
    }

    fn get(&self, url: &str) -> anyhow::Result<Zeroizing<String>> {
        let server = host_of(url);
        let (username, secret) = match self.find_newest(server) {
            Some(listed) => (listed.entry.subject.name.clone(), listed.entry.unseal_password(self.key.as_ref())?),
            None => self.logins.get(server)?.context(NOT_FOUND)?,
        };
        let login = WireLogin { server_url: url.to_owned(), username, secret: secret.as_str().to_owned() };
        Ok(Zeroizing::new(serde_json::to_string(&login)? + "\n"))
    }

    /// The password of a token exists once, so a client does not remove it.
    fn erase_login(&self, url: &str) -> anyhow::Result<Zeroizing<String>> {
        let server = host_of(url);
        if let Some(listed) = self.find_newest(server) {
            let name = &listed.entry.subject.name;
            bail!(
                "a playbook keeps the password of token `{name}` for {server}; `ionplay token forget {name}` removes it"
            );
        }
        self.logins.remove_login(server)?;
        Ok(Zeroizing::default())
    }
}

fn server_of(listed: &Listed) -> Option<&str> {
    listed.entry.facts.get(SERVER_FACT)?.as_str()
}

/// Returns the host of a server address, which may have a scheme and a path.
fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}

fn read_server() -> anyhow::Result<String> {
    let text = read_input()?;
    let server = text.trim();
    if server.is_empty() {
        bail!("no credentials server URL");
    }
    Ok(server.to_owned())
}

fn read_input() -> anyhow::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    let read = std::io::stdin().lock().take(LONGEST + 1).read_to_string(&mut text);
    let length = read.context("the request cannot be read")?;
    if length as u64 > LONGEST {
        bail!("the request is longer than {LONGEST} bytes");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::host_of;

    #[test]
    fn servers_are_known_by_their_host() {
        for url in ["r.example:5000", "https://r.example:5000", "https://r.example:5000/v2/", "r.example:5000/team"] {
            assert_eq!(host_of(url), "r.example:5000", "{url}");
        }
    }
}
