//! Drift: changes in the account since the last apply of a playbook.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::digest::sha256_hex;
use super::model::{Invocation, Observed, Plan};
use super::{save, verify};
use crate::state_dir;

/// The world as an apply left it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Snapshot {
    /// When it was applied.
    pub applied: String,
    /// Objects observed at that time.
    pub observed: Vec<Observed>,
}

/// Where the snapshot of a playbook is kept.
pub fn snapshot_path(run: &Invocation) -> Option<PathBuf> {
    let folder = state_dir::state_folder()?;
    let absolute = |name: &String| std::path::absolute(name).unwrap_or_else(|_| PathBuf::from(name));
    let names: Vec<String> =
        run.playbooks.iter().chain(&run.inventory).map(|name| absolute(name).display().to_string()).collect();
    let key = sha256_hex(format!("{}\n{:?}", names.join("\n"), run.limit).as_bytes());
    Some(folder.join(format!("applied-{}.json", &key[..32])))
}

/// Saves the state after the apply of a playbook.
///
/// # Errors
/// If it cannot be written.
pub fn save_snapshot(run: &Invocation, now: &Plan) -> anyhow::Result<()> {
    let Some(path) = snapshot_path(run) else { return Ok(()) };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let snapshot = Snapshot { applied: jiff::Timestamp::now().to_string(), observed: select_objects(&now.observed) };
    save::write(&path, &serde_json::to_string_pretty(&snapshot)?)
}

/// Returns the saved snapshot, if the playbook was ever applied.
pub fn load_snapshot(run: &Invocation) -> Option<Snapshot> {
    serde_json::from_slice(&std::fs::read(snapshot_path(run)?).ok()?).ok()
}

/// The differences since then, in sentences.
pub fn describe_drift(snapshot: &Snapshot, now: &Plan) -> Vec<String> {
    verify::compare_observed(&snapshot.observed, &select_objects(&now.observed))
}

/// Selects the observations that are objects.
fn select_objects(observed: &[Observed]) -> Vec<Observed> {
    observed.iter().filter(|o| matches!(o.kind.as_str(), "registry" | "token" | "repository")).cloned().collect()
}
