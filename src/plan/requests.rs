//! Writing requests as plans note them.

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use crate::ionos::Deferred;
use crate::ionos::model::{NewRegistry, NewToken, RegistryPatch, TokenPatch};
use crate::value::STARS;

/// The key that marks a deferred value.
pub const LATER: &str = "$later";

fn deferred_to_json<T: Serialize>(fact: &Deferred<T>) -> Json {
    match fact {
        Deferred::Known(value) => serde_json::to_value(value).unwrap_or(Json::Null),
        Deferred::Unknown(unknown) => json!({ LATER: unknown.awaits }),
    }
}

/// A body, field by field; missing fields are not sent.
struct Body(Map<String, Json>);

impl Body {
    fn new() -> Self {
        Self(Map::new())
    }

    fn with_field<T: Serialize>(mut self, key: &str, field: Option<&Deferred<T>>) -> Self {
        if let Some(field) = field {
            self.0.insert(key.to_owned(), deferred_to_json(field));
        }
        self
    }

    fn into_json(self) -> Json {
        Json::Object(self.0)
    }
}

/// The body that makes a registry.
pub fn new_registry(new: &NewRegistry) -> Json {
    Body::new()
        .with_field("name", Some(&new.name))
        .with_field("location", Some(&new.location))
        .with_field("garbageCollectionSchedule", new.garbage_collection_schedule.as_ref())
        .with_field("features", new.features.as_ref())
        .with_field("apiSubnetAllowList", new.api_subnet_allow_list.as_ref())
        .into_json()
}

/// The body that changes a registry.
pub fn registry_patch(patch: &RegistryPatch) -> Json {
    Body::new()
        .with_field("garbageCollectionSchedule", patch.garbage_collection_schedule.as_ref())
        .with_field("features", patch.features.as_ref())
        .with_field("apiSubnetAllowList", patch.api_subnet_allow_list.as_ref())
        .into_json()
}

/// The body that makes a token.
pub fn new_token(new: &NewToken) -> Json {
    Body::new()
        .with_field("name", Some(&new.name))
        .with_field("expiryDate", new.expiry_date.as_ref())
        .with_field("scopes", new.scopes.as_ref())
        .with_field("status", new.status.as_ref())
        .into_json()
}

/// The body that changes a token.
pub fn token_patch(patch: &TokenPatch) -> Json {
    Body::new()
        .with_field("expiryDate", patch.expiry_date.as_ref())
        .with_field("scopes", patch.scopes.as_ref())
        .with_field("status", patch.status.as_ref())
        .into_json()
}

/// Whether a text is the planned one. A plan has stars where a secret was: what the secret is, its file and variables
/// say, whose digests the plan has.
fn is_same_text(planned: &str, real: &str) -> bool {
    let mut parts = planned.split(STARS);
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = real.strip_prefix(first) else { return false };
    let mut last = None;
    for part in parts {
        if let Some(between) = last.replace(part) {
            let Some(at) = rest.find(between) else { return false };
            rest = &rest[at + between.len()..];
        }
    }
    last.map_or(rest.is_empty(), |last| rest.ends_with(last))
}

/// Whether a body is the planned one; a placeholder takes anything.
pub fn is_same_body(planned: &Json, real: &Json) -> bool {
    match (planned, real) {
        (Json::String(planned), Json::String(real)) => is_same_text(planned, real),
        (Json::Object(planned), _) if planned.len() == 1 && planned.contains_key(LATER) => true,
        (Json::Object(planned), Json::Object(real)) => {
            planned.len() == real.len()
                && planned.iter().all(|(key, value)| real.get(key).is_some_and(|real| is_same_body(value, real)))
        }
        (Json::Array(planned), Json::Array(real)) => {
            planned.len() == real.len() && planned.iter().zip(real).all(|(planned, real)| is_same_body(planned, real))
        }
        (planned, real) => planned == real,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_a_secret_and_the_rest_is_compared() {
        let same = |planned: &str, real: &str| is_same_body(&json!({ "name": planned }), &json!({ "name": real }));
        for (planned, real) in [("********", "made"), ("ci-********", "ci-made"), ("********-********-x", "a-b-c-x")] {
            assert!(same(planned, real), "{planned} {real}");
        }
        for (planned, real) in
            [("ci-********", "cd-made"), ("********-x", "made-y"), ("a", "ab"), ("ab", "a"), ("", "a")]
        {
            assert!(!same(planned, real), "{planned} {real}");
        }
    }

    #[test]
    fn placeholders_take_anything_and_nothing_else_does() {
        let planned = json!({"name": {"$later": "x"}, "scopes": [{"name": "a"}]});
        assert!(is_same_body(&planned, &json!({"name": "b", "scopes": [{"name": "a"}]})));
        assert!(!is_same_body(&planned, &json!({"name": "b", "scopes": [{"name": "c"}]})));
        assert!(!is_same_body(&planned, &json!({"name": "b", "scopes": []})));
        assert!(!is_same_body(&planned, &json!({"name": "b", "scopes": [{"name": "a"}], "status": "disabled"})));
    }

    #[test]
    fn bodies_hold_what_is_sent() {
        let new = NewToken {
            name: Deferred::Known("ci".to_owned()),
            expiry_date: Some(Deferred::Known(None)),
            ..NewToken::default()
        };
        assert_eq!(new_token(&new), json!({"name": "ci", "expiryDate": null}));
        let patch = TokenPatch { status: Some(Deferred::known_after("a registry")), ..TokenPatch::default() };
        assert_eq!(token_patch(&patch), json!({"status": {"$later": "a registry"}}));
    }
}
