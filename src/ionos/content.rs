//! What registries hold: repositories, artifacts, vulnerabilities. They are listed and, but for one call, never written,
//! so they stay the JSON that the service sent; what is shown of them is decided where they are shown.

use serde::Deserialize;
use serde_json::Value as Json;

use super::deferred::{Deferred, Id};

/// An object as the service tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Id: name of a repository, digest of an artifact, number of an advisory.
    pub id: Id,
    /// Everything that was sent.
    pub json: Json,
}

impl<'de> Deserialize<'de> for Reading {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        let id = json.get("id").and_then(Json::as_str).unwrap_or_default().to_owned();
        Ok(Self { id: Deferred::Known(id), json })
    }
}

/// A list that a registry has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistryContents {
    /// Repositories of the registry.
    Repositories,
    /// The artifacts of all its repositories.
    Artifacts,
    /// The artifacts of one repository.
    ArtifactsOf(String),
    /// Vulnerabilities of one artifact.
    Vulnerabilities {
        /// The repository.
        repository: String,
        /// The digest of the artifact.
        artifact: String,
    },
}

impl RegistryContents {
    /// The repository that the list is about, if it is about one.
    pub fn repository(&self) -> Option<&str> {
        match self {
            Self::Repositories | Self::Artifacts => None,
            Self::ArtifactsOf(repository) | Self::Vulnerabilities { repository, .. } => Some(repository),
        }
    }
}

/// Filters and order that the service applies: parameter and value.
pub type Query = [(&'static str, String)];
