//! What was sent about a job, so that it is not sent again.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::super::config::Occasion;
use super::super::delivery::{read_json, write_json};

/// Memory of a job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct JobMemory {
    /// The condition that lasts.
    pub condition: Option<Condition>,
    /// Whether the job was failed or drifted and has not been fine since.
    pub is_troubled: bool,
    /// The last run that ended well and was told of.
    pub run: Option<String>,
    /// Whether the job was suspended.
    pub is_suspended: bool,
    /// Tokens that were told of, as `REGISTRY/NAME@DATE`.
    pub tokens: BTreeSet<String>,
    /// Number of transitions so far, which makes their ids.
    pub count: u64,
    /// When each receiver last heard of the condition.
    pub told: BTreeMap<String, Timestamp>,
}

/// A condition that lasts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Condition {
    /// Which one: `failed`, `drifted` or `waiting`.
    pub occasion: Occasion,
    /// Distinguishes occurrences: the commit that failed, the run that waits.
    pub key: String,
}

impl JobMemory {
    /// Reads the memory of a job; one that is not there, or damaged, is empty.
    pub fn read(folder: &Path, job: &str) -> Self {
        read_json(&memory_path(folder, job)).unwrap_or_default()
    }

    /// Writes it.
    pub fn write(&self, folder: &Path, job: &str) -> io::Result<()> {
        write_json(&memory_path(folder, job), self)
    }
}

fn memory_path(folder: &Path, job: &str) -> PathBuf {
    folder.join(format!("{}.json", utf8_percent_encode(job, NON_ALPHANUMERIC)))
}
