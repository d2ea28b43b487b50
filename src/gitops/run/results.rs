//! What a run has left in files.

use std::io::{BufRead as _, BufReader};
use std::path::Path;

use indexmap::IndexMap;

use super::super::view::HostRecap;
use crate::credentials::{Catalog, Folder};

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
    let Ok(catalog) = Catalog::read(&Folder::in_state_dir(state)) else { return Vec::new() };
    let free = catalog.entries.iter().filter(|listed| !listed.is_held);
    let mut names: Vec<String> = free.map(|listed| listed.entry.subject.name.clone()).collect();
    names.sort();
    names.dedup();
    names
}
