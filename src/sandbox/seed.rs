//! Seeds: what the account holds at the start, written for people.
//!
//! ```yaml
//! registries:
//!   - name: reg-a                  # id, location, state, ... may be left out
//!     tokens: 150                  # so many, or a list
//!     repositories:
//!       - name: ubuntu
//!         artifacts: [{digest: "sha256:1", lastPushedAt: 2031-01-02T03:04:05Z, vulnerabilities: [CVE-1]}]
//! vulnerabilities:
//!   - {id: CVE-1, severity: high, score: 7.5, publishedAt: 2030-01-01T00:00:00Z}
//! ```
//!
//! Names, ids and words are taken as they are: a seed may hold what the API would refuse to create.

use serde::{Deserialize, Deserializer};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::clock::MockTime;
use super::fault::DescriptionError;
use super::store::{ChangeInfo, MockStore, StoredRegistry, StoredRepository, StoredScope, StoredToken, Vulnerability};

/// A seed as it is written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    /// The registries.
    #[serde(default)]
    pub registries: Vec<SeedRegistry>,
    /// The advisories.
    #[serde(default)]
    pub vulnerabilities: Vec<Vulnerability>,
}

/// A registry of a seed; only the name is needed.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SeedRegistry {
    name: String,
    #[serde(default)]
    id: Option<Uuid>,
    #[serde(default)]
    location: Option<String>,
    /// Absent: `Running`. Null: it grows like a new one.
    #[serde(default, deserialize_with = "read_present")]
    state: Option<Option<String>>,
    #[serde(default)]
    hostname: Option<String>,
    #[serde(default)]
    created_date: Option<MockTime>,
    #[serde(default)]
    garbage_collection_schedule: Option<Json>,
    /// Absent: scanning is on. Null stays null.
    #[serde(default, deserialize_with = "read_present")]
    features: Option<Option<Json>>,
    #[serde(default)]
    api_subnet_allow_list: Option<Vec<String>>,
    #[serde(default)]
    storage_usage: Option<Json>,
    #[serde(default)]
    tokens: Tokens,
    #[serde(default)]
    repositories: Vec<StoredRepository>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Tokens {
    Count(u32),
    List(Vec<SeedToken>),
}

impl Default for Tokens {
    fn default() -> Self {
        Self::Count(0)
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SeedToken {
    name: String,
    #[serde(default)]
    id: Option<Uuid>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    expiry_date: Option<MockTime>,
    #[serde(default)]
    created_date: Option<MockTime>,
    #[serde(default)]
    scopes: Option<Vec<StoredScope>>,
}

/// Tells null from absent.
fn read_present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

impl Seed {
    /// Reads YAML or JSON.
    ///
    /// # Errors
    /// If the text is neither, or describes something else.
    pub fn parse_seed(text: &str) -> Result<Self, DescriptionError> {
        if let Ok(seed) = serde_json::from_str(text) {
            return Ok(seed);
        }
        // The first line says what and where; a picture of the text follows.
        serde_yaml::from_str(text).map_err(|why| {
            let said = why.to_string();
            let first = said.lines().next().unwrap_or(&said);
            DescriptionError::Seed(first.strip_prefix("error: ").unwrap_or(first).to_owned())
        })
    }

    /// The store it describes. Ids that were left out follow from the names, so two servers with one seed agree.
    pub fn into_store(self, now: MockTime, user: &str) -> MockStore {
        let mut store = MockStore { vulnerabilities: self.vulnerabilities, ..MockStore::default() };
        for seed in self.registries {
            let sequence = store.next_number();
            let id = seed
                .id
                .unwrap_or_else(|| Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{sequence}/{}", seed.name).as_bytes()));
            let stamp = |created: Option<MockTime>| ChangeInfo {
                created: created.unwrap_or(now),
                created_by: user.to_owned(),
                modified: None,
            };
            let tokens = seed.tokens.into_list().into_iter().enumerate().map(|(index, token)| StoredToken {
                id: token.id.unwrap_or_else(|| Uuid::new_v5(&id, format!("{index}/{}", token.name).as_bytes())),
                name: token.name,
                status: token.status.unwrap_or_else(|| "enabled".to_owned()),
                state: token.state,
                expiry: token.expiry_date,
                scopes: token.scopes,
                stamp: stamp(token.created_date),
            });
            let tokens = tokens.collect();
            let scanning = || Some(json!({"vulnerabilityScanning": {"enabled": true}}));
            store.registries.push(StoredRegistry {
                id,
                sequence,
                name: seed.name,
                location: seed.location.unwrap_or_else(|| "de/txl".to_owned()),
                stamp: stamp(seed.created_date),
                state: seed.state.unwrap_or_else(|| Some("Running".to_owned())),
                deleted: None,
                hostname: seed.hostname,
                schedule: seed.garbage_collection_schedule,
                features: seed.features.unwrap_or_else(scanning),
                allow: seed.api_subnet_allow_list,
                storage: seed.storage_usage,
                tokens,
                repositories: seed.repositories,
            });
        }
        store
    }
}

impl Tokens {
    /// A number stands for `token-0000` and so on.
    fn into_list(self) -> Vec<SeedToken> {
        match self {
            Self::List(list) => list,
            Self::Count(count) => (0..count)
                .map(|index| SeedToken {
                    name: format!("token-{index:04}"),
                    id: None,
                    status: None,
                    state: None,
                    expiry_date: None,
                    created_date: None,
                    scopes: Some(Vec::new()),
                })
                .collect(),
        }
    }
}
