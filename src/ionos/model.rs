//! What the API says and takes.
//!
//! Answers are read generously: unknown keys are ignored and null is accepted everywhere, because the service sends
//! more, and less, than its description says. Requests hold exactly what is meant: an absent field is not sent.

use serde::{Deserialize, Deserializer, Serialize};
use zeroize::Zeroizing;

use super::{Date, Deferred};

/// Null counts as the empty value.
fn null_as_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// A token of a registry.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Token {
    /// Id of the token.
    pub id: Deferred<String>,
    /// Usually empty.
    #[serde(deserialize_with = "null_as_default")]
    pub href: String,
    /// `token`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Who made it and when.
    #[serde(deserialize_with = "null_as_default")]
    pub metadata: Metadata,
    /// Properties of the token.
    #[serde(deserialize_with = "null_as_default")]
    pub properties: TokenProperties,
}

/// Properties of a token.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TokenProperties {
    /// Unique within its registry.
    pub name: Deferred<String>,
    /// `enabled` or `disabled`.
    pub status: Deferred<Option<String>>,
    /// When the service deletes it; never if absent.
    pub expiry_date: Deferred<Option<Date>>,
    /// Scopes: where the token may do which actions.
    pub scopes: Deferred<Option<Vec<TokenScope>>>,
    /// For `docker login`; the password is there in the creating answer only.
    pub credentials: Option<LoginPair>,
}

/// A permission: actions on objects of one type and name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct TokenScope {
    /// `pull`, `push`, `delete`.
    #[serde(deserialize_with = "null_as_default")]
    pub actions: Vec<String>,
    /// A repository, or a pattern.
    #[serde(deserialize_with = "null_as_default")]
    pub name: String,
    /// `repository` or `registry`.
    #[serde(rename = "type", deserialize_with = "null_as_default")]
    pub kind: String,
}

/// User name and password of a registry token.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct LoginPair {
    /// Equals the name of the token.
    pub username: Deferred<String>,
    /// Empty except in the creating answer.
    pub password: Deferred<OneTimePassword>,
}

/// A password from the moment an answer is decoded: never formatted, wiped when it is dropped.
#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(from = "String")]
pub struct OneTimePassword(Zeroizing<String>);

impl OneTimePassword {
    /// Takes over a password.
    pub fn new(password: impl Into<String>) -> Self {
        Self(Zeroizing::new(password.into()))
    }

    /// Returns the text, for those who store it or hand it on.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the service sent none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for OneTimePassword {
    fn from(password: String) -> Self {
        Self::new(password)
    }
}

impl std::fmt::Debug for OneTimePassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("********")
    }
}

/// Who made an object and when.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Metadata {
    /// An account name.
    pub created_by: Deferred<Option<String>>,
    /// Id of the user who created it.
    pub created_by_user_id: Deferred<Option<String>>,
    /// When.
    pub created_date: Deferred<Option<Date>>,
    /// An account name.
    pub last_modified_by: Option<String>,
    /// Id of the user who changed it last.
    pub last_modified_by_user_id: Option<String>,
    /// When.
    pub last_modified_date: Option<Date>,
    /// `New`, `WaitingForStorage`, `Running` for registries; mirrors the status for tokens.
    pub state: Deferred<Option<String>>,
}

/// A registry.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Registry {
    /// Id of the registry.
    pub id: Deferred<String>,
    /// Usually empty.
    #[serde(deserialize_with = "null_as_default")]
    pub href: String,
    /// `registry`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Who made it, when, and its state.
    #[serde(deserialize_with = "null_as_default")]
    pub metadata: Metadata,
    /// Properties of the registry.
    #[serde(deserialize_with = "null_as_default")]
    pub properties: RegistryProperties,
}

/// Properties of a registry.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RegistryProperties {
    /// Unique in the whole service.
    pub name: Deferred<String>,
    /// Such as `de/fra`.
    pub location: Deferred<String>,
    /// When unused layers are removed; never without one.
    pub garbage_collection_schedule: Deferred<Option<CollectionSchedule>>,
    /// Empty until the registry runs.
    pub hostname: Deferred<String>,
    /// Used storage.
    pub storage_usage: Option<StorageUsage>,
    /// Enabled features.
    pub features: Deferred<Option<Features>>,
    /// Who may reach it; everybody if empty.
    pub api_subnet_allow_list: Deferred<Option<Vec<String>>>,
}

/// Days and time of a weekly collection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct CollectionSchedule {
    /// `Monday` to `Sunday`.
    #[serde(deserialize_with = "null_as_default")]
    pub days: Vec<String>,
    /// Such as `01:23:00+00:00`.
    #[serde(deserialize_with = "null_as_default")]
    pub time: String,
}

/// How much a registry holds.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct StorageUsage {
    /// Bytes.
    pub bytes: Option<i64>,
    /// When that was counted.
    pub updated_at: Option<Date>,
}

/// Features of a registry.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Features {
    /// Scanning; cannot be switched off again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vulnerability_scanning: Option<Scanning>,
}

/// Whether images are scanned.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub struct Scanning {
    /// Whether they are.
    #[serde(deserialize_with = "null_as_default")]
    pub enabled: bool,
}

/// A place where registries can be.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Location {
    /// Such as `de/fra`.
    #[serde(deserialize_with = "null_as_default")]
    pub id: String,
}

/// A token that a new one replaces.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Predecessor {
    /// Id of the object.
    pub id: String,
    /// Name of the object.
    pub name: String,
}

/// A token to be made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NewToken {
    /// Name of the token.
    pub name: Deferred<String>,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry_date: Option<Deferred<Option<Date>>>,
    /// Scopes of the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Deferred<Vec<TokenScope>>>,
    /// `enabled` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Deferred<String>>,
    /// The token that this one replaces; the service does not learn it.
    #[serde(skip)]
    pub replaces: Option<Predecessor>,
}

/// Changes to a token; absent fields stay.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenPatch {
    /// When it ends; known and none removes the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry_date: Option<Deferred<Option<Date>>>,
    /// The whole list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Deferred<Vec<TokenScope>>>,
    /// `enabled` or `disabled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Deferred<String>>,
}

/// A registry to be made.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewRegistry {
    /// Name of the registry.
    pub name: Deferred<String>,
    /// Location of the registry.
    pub location: Deferred<String>,
    /// When unused layers are removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub garbage_collection_schedule: Option<Deferred<CollectionSchedule>>,
    /// Enabled features.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub features: Option<Deferred<Features>>,
    /// Who may reach it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_subnet_allow_list: Option<Deferred<Vec<String>>>,
}

/// Changes to a registry; absent fields stay.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RegistryPatch {
    /// When unused layers are removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub garbage_collection_schedule: Option<Deferred<CollectionSchedule>>,
    /// Enabled features.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub features: Option<Deferred<Features>>,
    /// Who may reach it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_subnet_allow_list: Option<Deferred<Vec<String>>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nulls_and_unknown_keys_are_accepted_everywhere() {
        let token: Token = serde_json::from_str(
            r#"{"id": "x", "href": null, "type": null, "new": 1, "metadata": null, "properties": {"name": null,
                "scopes": [{"actions": null, "name": null, "type": null, "extra": {}}], "status": null,
                "credentials": {"username": null}, "expiryDate": null}}"#,
        )
        .unwrap();
        assert_eq!(token.id, Deferred::Known("x".to_owned()));
        assert_eq!(token.properties.scopes, Deferred::Known(Some(vec![TokenScope::default()])));
        let registry: Registry = serde_json::from_str(
            r#"{"properties": {"garbageCollectionSchedule": {"days": null, "time": null}, "features": null,
                "storageUsage": {"bytes": null, "updatedAt": null}, "maintenanceWindow": {}}}"#,
        )
        .unwrap();
        assert_eq!(
            registry.properties.garbage_collection_schedule,
            Deferred::Known(Some(CollectionSchedule::default()))
        );
    }

    #[test]
    fn a_patch_holds_only_what_is_named() {
        let patch = TokenPatch { status: Some(Deferred::Known("disabled".to_owned())), ..TokenPatch::default() };
        assert_eq!(serde_json::to_string(&patch).unwrap(), r#"{"status":"disabled"}"#);
        let patch = TokenPatch { expiry_date: Some(Deferred::Known(None)), ..TokenPatch::default() };
        assert_eq!(serde_json::to_string(&patch).unwrap(), r#"{"expiryDate":null}"#);
    }

    #[test]
    fn what_is_not_known_is_never_sent() {
        let patch = TokenPatch { status: Some(Deferred::known_after("a registry")), ..TokenPatch::default() };
        assert!(serde_json::to_string(&patch).unwrap_err().to_string().contains("not known yet"));
    }
}
