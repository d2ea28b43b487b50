//! The recorded cases: what was put in, and what the reference made of it.
//!
//! `cases.jsonl` has one case a line: the arguments of the task, what the account held, the environment, what went wrong
//! on the way, and the reference's outcome, requests and result. They were recorded with ansible-core 2.19.14 and
//! collection 7.8.0.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;

/// A recorded case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Its name.
    pub case: String,
    /// The arguments of the task.
    #[serde(default)]
    pub args: Json,
    /// What the account holds.
    pub seed: Json,
    /// Changes to the environment; null takes a variable away.
    #[serde(default)]
    pub env: BTreeMap<String, Option<String>>,
    /// What goes wrong.
    #[serde(default)]
    pub faults: Vec<Json>,
    /// How the server differs.
    #[serde(default)]
    pub options: CaseOptions,
    /// What the reference did.
    pub reference: Reference,
}

/// How the server of a case differs.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseOptions {
    /// Two tokens may have one name.
    #[serde(default)]
    pub duplicate_names: bool,
}

/// What the reference did.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    outcome: String,
    /// Its requests.
    pub http: Vec<String>,
    /// Its result.
    pub result: Json,
}

impl Case {
    /// All of them, in the order of the record.
    pub fn all() -> Vec<Self> {
        include_str!("cases.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Reference {
    /// `ok`, `changed` or `failed`.
    pub fn outcome(&self) -> &str {
        if self.outcome == "ok" && self.result["changed"] == true { "changed" } else { &self.outcome }
    }

    /// What it says it did.
    pub fn action(&self) -> &str {
        self.result["action"].as_str().unwrap_or_default()
    }

    /// Its message, without the dump of an answer that follows the status.
    pub fn message(&self) -> &str {
        let message = self.result["msg"].as_str().unwrap_or_default();
        message.split_once("\nReason:").map_or(message, |(said, _)| said)
    }

    /// Its writing requests.
    pub fn writes(&self) -> impl Iterator<Item = &str> {
        self.http.iter().map(String::as_str).filter(|call| !call.starts_with("GET "))
    }
}
