//! What a run has left in files.

use std::io::{BufRead as _, BufReader};
use std::path::Path;

use indexmap::IndexMap;

use super::super::view::HostRecap;
use crate::credentials::{Backend, Catalog, CredentialLog, Folder, RemoteLog, StoreError, StoredLog};

/// Returns the recap at the end of an event file.
pub fn read_recap(events: &Path) -> IndexMap<String, HostRecap> {
    let Ok(file) = std::fs::File::open(events) else { return IndexMap::new() };
    let lines = BufReader::new(file).lines().map_while(Result::ok);
    let recaps = lines.filter(|line| line.starts_with(r#"{"event": "recap""#));
    let recap = recaps.last().and_then(|line| serde_json::from_str::<serde_json::Value>(&line).ok());
    recap.and_then(|recap| serde_json::from_value(recap.get("hosts")?.clone()).ok()).unwrap_or_default()
}

/// Returns the names of tokens whose passwords runs that have ended have left in a state directory.
pub fn list_saved_tokens(state: &Path) -> Vec<String> {
    name_saved_tokens(&Folder::in_state_dir(state))
}

/// Returns the same of logs that an engine keeps.
pub fn list_saved_in_logs(logs: Vec<RemoteLog>) -> Vec<String> {
    name_saved_tokens(&ReadLogs(logs))
}

fn name_saved_tokens(backend: &dyn Backend) -> Vec<String> {
    let Ok(catalog) = Catalog::read(backend) else { return Vec::new() };
    let free = catalog.entries.iter().filter(|listed| !listed.is_held);
    let mut names: Vec<String> = free.map(|listed| listed.entry.subject.name.clone()).collect();
    names.sort();
    names.dedup();
    names
}

/// Logs that were read, and are only looked at.
struct ReadLogs(Vec<RemoteLog>);

impl Backend for ReadLogs {
    fn begin_log(&self) -> Result<Box<dyn CredentialLog>, StoreError> {
        Err(StoreError::NoFolder)
    }

    fn read_all(&self) -> Result<Vec<StoredLog>, StoreError> {
        let stored = |log: &RemoteLog| StoredLog {
            name: log.log.clone(),
            text: Ok(zeroize::Zeroizing::new(log.text.clone())),
            is_held: log.held,
        };
        Ok(self.0.iter().map(stored).collect())
    }

    fn hold_log(&self, _: &str) -> Result<Option<Box<dyn CredentialLog>>, StoreError> {
        Ok(None)
    }

    fn describe_place(&self) -> String {
        "the database".to_owned()
    }
}
