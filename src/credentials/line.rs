//! The lines of a log: each tells one step in the life of a password.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::ionos::model::Predecessor;

/// One step.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub(super) enum LogLine {
    /// A token is about to be requested.
    #[serde(alias = "asked")]
    Intended {
        number: u64,
        service: String,
        registry: String,
        name: String,
        /// The time by the clock of this machine.
        at: String,
        /// The time by the clock of the service, where it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service_time: Option<String>,
        /// The token that the new one replaces.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replaces: Option<Predecessor>,
        /// The task.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        task: Option<String>,
        /// The properties of the request, none of them secret.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sent: Option<Json>,
    },
    /// The service has created it.
    #[serde(alias = "made")]
    Created { number: u64, id: String, password: Option<String>, sealed: Option<String> },
    /// Nothing says whether the service has created it.
    Unclear {
        number: u64,
        /// The failure.
        why: String,
        /// The time by the clock of the service, where it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service_time: Option<String>,
    },
    /// A run ended well without using the password.
    Kept { number: u64 },
    /// The password stays in the store on purpose.
    Stored { number: u64 },
    /// The password has been delivered; the store needs it no more.
    Delivered { number: u64, to: String },
    /// Something to remember about the token besides its password.
    Fact { number: u64, key: String, value: Json },
    /// There is nothing more to keep.
    Closed { number: u64 },
}
