//! `server` and `store`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::reader::Mapping;
use super::secret::SecretSource;

/// Where the server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// A TCP address.
    Tcp(SocketAddr),
    /// A socket in the file system, of mode 0660.
    Unix(PathBuf),
}

/// HTTP server of `serve`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerConfig {
    /// Where it listens; without it there is no server.
    pub listen: Option<Listen>,
    /// Bearer token for POST requests other than hooks.
    pub token: Option<SecretSource>,
    /// The address that links use.
    pub public_url: Option<String>,
}

/// Storage backend of jobs and runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreConfig {
    /// Files in the state folder of one machine.
    Files,
    /// PostgreSQL.
    Postgres(PostgresConfig),
}

/// `postgres` of `store`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresConfig {
    /// URL of the database.
    pub url: SecretSource,
    /// A host that does not answer for so long loses its jobs to another one.
    pub lease: Duration,
}

/// The longest time that a host which died keeps its jobs.
const LEASE: Duration = Duration::from_secs(18);
/// Shorter leases end by themselves on a busy machine.
const SHORTEST_LEASE: Duration = Duration::from_secs(3);

const ADDRESS: &str = "write `127.0.0.1:8470`, `[::1]:8470` or `unix:/run/ionplay/gitops.sock`";

/// Reads `server`.
pub(super) fn read(top: &Mapping<'_>) -> ServerConfig {
    let Some(server) = top.read_mapping("server", "`server`") else { return ServerConfig::default() };
    server.refuse_unknown(&["listen", "token", "token_file", "public_url"]);
    let public_url = server.read_text("public_url").map(|url| url.trim_end_matches('/').to_owned());
    if let (Some(url), Some(entry)) = (&public_url, server.find_entry("public_url"))
        && !(url.starts_with("https://") || url.starts_with("http://"))
    {
        let message = format!("`public_url` must begin with `https://` or `http://`, got `{url}`");
        server.reader.add_error(entry.value.span(), message, "it is the address of the page, as browsers reach it");
    }
    let listen = server.read_text("listen").and_then(|text| {
        if let Some(path) = text.strip_prefix("unix:") {
            return Some(Listen::Unix(server.reader.resolve_path(path)));
        }
        let address = text.replace("localhost:", "127.0.0.1:").parse().map(Listen::Tcp).ok();
        if let (None, Some(entry)) = (&address, server.find_entry("listen")) {
            let message = format!("`{text}` is not an address to listen on");
            server.reader.add_error(entry.value.span(), message, ADDRESS);
        }
        address
    });
    ServerConfig { listen, token: server.read_secret("token"), public_url }
}

/// Reads `store`.
pub(super) fn read_store(top: &Mapping<'_>) -> StoreConfig {
    const REMEDY: &str = "write `store: files` or `store: {postgres: {url_file: FILE}}`";
    let Some(entry) = top.find_entry("store") else { return StoreConfig::Files };
    if entry.value.entries().is_none() {
        if entry.value.as_str() != Some("files") {
            let message = format!("`{}` is not a store", entry.value.span().text());
            top.reader.add_error(entry.value.span(), message, REMEDY);
        }
        return StoreConfig::Files;
    }
    let Some(store) = top.read_mapping("store", "`store`") else { return StoreConfig::Files };
    store.refuse_unknown(&["postgres"]);
    let Some(postgres) = store.read_mapping("postgres", "`postgres` of `store`") else {
        if store.find_entry("postgres").is_none() {
            top.reader.add_error(entry.value.span(), "`store` names no store", REMEDY);
        }
        return StoreConfig::Files;
    };
    postgres.refuse_unknown(&["url", "url_file", "lease"]);
    let lease = postgres.read_duration("lease").unwrap_or(LEASE);
    if let (true, Some(entry)) = (lease < SHORTEST_LEASE, postgres.find_entry("lease")) {
        top.reader.add_error(entry.value.span(), "a lease lasts at least `3s`", "leave it out: the default is `18s`");
    }
    match postgres.read_secret("url") {
        Some(url) => StoreConfig::Postgres(PostgresConfig { url, lease }),
        None => {
            if postgres.find_entry("url").is_none() && postgres.find_entry("url_file").is_none() {
                top.reader.add_message(postgres.mapping_error("`postgres` of `store` has no `url_file`").hint(REMEDY));
            }
            StoreConfig::Files
        }
    }
}
