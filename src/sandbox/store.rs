//! What the emulated account holds: plain data, kept in memory and, when asked for, in a file.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use uuid::Uuid;

use super::clock::MockTime;

/// Everything the account holds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MockStore {
    /// Counts creations; gives every registry its place in the list.
    pub sequence: u64,
    /// All registries in order of creation, those being deleted included.
    pub registries: Vec<StoredRegistry>,
    /// The advisories that artifacts refer to.
    pub vulnerabilities: Vec<Vulnerability>,
}

/// Who made and last changed a resource.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChangeInfo {
    /// When it was made.
    pub created: MockTime,
    /// By which user.
    pub created_by: String,
    /// When it was last changed, and by whom; absent on what was never changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<(MockTime, String)>,
}

/// A container registry.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredRegistry {
    /// Id, lower case.
    pub id: Uuid,
    /// Rank among all registries ever created.
    pub sequence: u64,
    /// Name, unique unless duplicates are allowed.
    pub name: String,
    /// Location, such as `de/fra`.
    pub location: String,
    /// Who and when.
    pub stamp: ChangeInfo,
    /// A state fixed by the seed; otherwise the state follows from the age.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// When deletion was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<MockTime>,
    /// The host name from the seed; otherwise made from the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// `WeeklySchedule`, as checked JSON.
    #[serde(default)]
    pub schedule: Option<Json>,
    /// `RegistryFeatures`, as checked JSON; null only by seed.
    #[serde(default)]
    pub features: Option<Json>,
    /// Addresses and networks that may reach it.
    #[serde(default)]
    pub allow: Option<Vec<String>>,
    /// `storageUsage`, as JSON.
    #[serde(default)]
    pub storage: Option<Json>,
    /// Tokens in order of creation.
    #[serde(default)]
    pub tokens: Vec<StoredToken>,
    /// Repositories.
    #[serde(default)]
    pub repositories: Vec<StoredRepository>,
}

/// A registry token. Its password is never kept: it is said once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredToken {
    /// Id.
    pub id: Uuid,
    /// Name, also the login.
    pub name: String,
    /// `enabled` or `disabled`; a seed may hold other words.
    pub status: String,
    /// A `metadata.state` that differs from the status, by seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// When it is deleted.
    #[serde(default)]
    pub expiry: Option<MockTime>,
    /// Scopes.
    #[serde(default)]
    pub scopes: Option<Vec<StoredScope>>,
    /// Who and when.
    pub stamp: ChangeInfo,
}

/// One right of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredScope {
    /// Pull, push, ..; the API checks no words here.
    pub actions: Option<Vec<String>>,
    /// Repository name or pattern.
    pub name: String,
    /// Kind of thing; the API checks no words here.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A repository of a registry.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoredRepository {
    /// Name, also the id.
    pub name: String,
    /// How often something was pulled.
    #[serde(default)]
    pub pull_count: u64,
    /// How often something was pushed.
    #[serde(default)]
    pub push_count: u64,
    /// When something was last pulled.
    #[serde(default)]
    pub last_pulled_at: Option<MockTime>,
    /// When something was last pushed.
    #[serde(default)]
    pub last_pushed_at: Option<MockTime>,
    /// When it was made.
    #[serde(default)]
    pub created_date: Option<MockTime>,
    /// Artifacts.
    #[serde(default)]
    pub artifacts: Vec<Artifact>,
}

/// An artifact (an image, a chart, ..) of a repository.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Artifact {
    /// Digest, also the id.
    pub digest: String,
    /// Media type.
    #[serde(default = "image_manifest")]
    pub media_type: String,
    /// Tags.
    #[serde(default)]
    pub tags: Option<Vec<String>>,
    /// How often it was pulled.
    #[serde(default)]
    pub pull_count: u64,
    /// How often it was pushed.
    #[serde(default)]
    pub push_count: u64,
    /// When it was last pushed.
    pub last_pushed_at: MockTime,
    /// When it was last pulled.
    #[serde(default)]
    pub last_pulled_at: Option<MockTime>,
    /// When it was last scanned.
    #[serde(default)]
    pub last_scanned_at: Option<MockTime>,
    /// Ids of the vulnerabilities found in it.
    #[serde(default)]
    pub vulnerabilities: Vec<String>,
}

fn image_manifest() -> String {
    "application/vnd.oci.image.manifest.v1+json".to_owned()
}

/// A vulnerability as an advisory database tells it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Vulnerability {
    /// Id in the advisory database.
    pub id: String,
    /// When it was published.
    pub published_at: MockTime,
    /// When it was last changed.
    #[serde(default)]
    pub updated_at: Option<MockTime>,
    /// Description of the vulnerability.
    #[serde(default)]
    pub description: String,
    /// Remedy.
    #[serde(default)]
    pub recommendations: Option<String>,
    /// Where it is told, `{id, url}`.
    #[serde(default)]
    pub data_source: Option<Json>,
    /// Whether a fixed version exists.
    #[serde(default)]
    pub fixable: bool,
    /// Affected packages, list of `{type, name, version}`.
    #[serde(default)]
    pub affects: Vec<Json>,
    /// Further reading.
    #[serde(default)]
    pub references: Option<Vec<String>>,
    /// Severity word, `none` to `critical`.
    pub severity: String,
    /// CVSS score.
    #[serde(default)]
    pub score: f64,
}

/// How long a registry takes to come and to go.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How long it is `New`.
    pub new: Duration,
    /// How long it is `WaitingForStorage` after that.
    pub storage: Duration,
    /// How long a deleted registry is still there.
    pub deletion: Duration,
}

impl StoredRegistry {
    /// The word for `metadata.state` at a moment.
    pub fn state_at(&self, now: MockTime, pace: Pace) -> &str {
        let running_from = self.stamp.created.plus(pace.new).plus(pace.storage);
        match &self.state {
            // No word for a registry on its way out is documented; clients must not depend on this one.
            _ if self.deleted.is_some() => "Deleting",
            Some(word) => word,
            None if now >= running_from => "Running",
            None if now >= self.stamp.created.plus(pace.new) => "WaitingForStorage",
            None => "New",
        }
    }
}

impl MockStore {
    /// Removes what time has removed: expired tokens, deleted registries. Tells whether anything went.
    pub fn remove_expired(&mut self, now: MockTime, pace: Pace) -> bool {
        let before = self.registries.len();
        self.registries.retain(|r| r.deleted.is_none_or(|at| now < at.plus(pace.deletion)));
        let mut gone = before != self.registries.len();
        for registry in &mut self.registries {
            let tokens = registry.tokens.len();
            registry.tokens.retain(|t| t.expiry.is_none_or(|at| now < at));
            gone |= tokens != registry.tokens.len();
        }
        gone
    }

    /// The next number of a creation.
    pub fn next_number(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// A registry that is not being deleted.
    pub fn find_registry(&self, id: Uuid) -> Option<&StoredRegistry> {
        self.registries.iter().find(|r| r.id == id && r.deleted.is_none())
    }

    /// The same, to be changed.
    pub fn registry_mut(&mut self, id: Uuid) -> Option<&mut StoredRegistry> {
        self.registries.iter_mut().find(|r| r.id == id && r.deleted.is_none())
    }

    /// The advisory with an id.
    pub fn find_vulnerability(&self, id: &str) -> Option<&Vulnerability> {
        self.vulnerabilities.iter().find(|v| v.id == id)
    }
}
