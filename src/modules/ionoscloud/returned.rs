//! Objects as results show them: the documented keys in snake case, all of them, null where there is nothing.

use crate::ionos::content::Reading;
use crate::ionos::model::{Metadata, Registry, Token};
use crate::ionos::{Date, Deferred};
use crate::modules::resource::id_value;
use crate::reconcile::{registry_fields, token_fields};
use crate::value::{Dict, Value, json};
use serde_json::Value as Json;

fn date_value(date: Option<&Date>) -> Value {
    date.map(Date::to_result_text).into()
}

fn text_value(text: Option<&str>) -> Value {
    text.into()
}

fn metadata_value(metadata: &Metadata) -> Value {
    let word = |fact: &Deferred<Option<String>>| fact.to_value(|t| text_value(t.as_deref()));
    Value::dict([
        ("created_by", word(&metadata.created_by)),
        ("created_by_user_id", word(&metadata.created_by_user_id)),
        ("created_date", metadata.created_date.to_value(|d| date_value(d.as_ref()))),
        ("last_modified_by", text_value(metadata.last_modified_by.as_deref())),
        ("last_modified_by_user_id", text_value(metadata.last_modified_by_user_id.as_deref())),
        ("last_modified_date", date_value(metadata.last_modified_date.as_ref())),
        ("state", word(&metadata.state)),
    ])
}

/// A token. Its password, where there is one, must not be shown.
pub(super) fn token_value(token: &Token) -> Value {
    let have = &token.properties;
    let credentials = have.credentials.as_ref().map_or(Value::Null, |pair| {
        let password =
            pair.password.to_value(|p| if p.is_empty() { Value::text("") } else { Value::secret(p.expose()) });
        Value::dict([("password", password), ("username", pair.username.to_value(|u| Value::text(u.as_str())))])
    });
    let fields = token_fields(token);
    let mut properties = Dict::new();
    properties.set("credentials", credentials);
    for key in ["expiry_date", "name", "scopes", "status"] {
        properties.set(key, fields.get(key).cloned().unwrap_or(Value::Null));
    }
    object_value(&token.href, id_value(&token.id), &token.metadata, properties, token.kind.as_deref())
}

/// A registry.
pub(super) fn registry_value(registry: &Registry) -> Value {
    let have = &registry.properties;
    let fields = registry_fields(registry);
    let field = |key: &str| fields.get(key).cloned().unwrap_or(Value::Null);
    let usage = have.storage_usage.as_ref().map_or(Value::Null, |usage| {
        Value::dict([("bytes", usage.bytes.into()), ("updated_at", date_value(usage.updated_at.as_ref()))])
    });
    let mut properties = Dict::new();
    for key in ["api_subnet_allow_list", "features", "garbage_collection_schedule"] {
        properties.set(key, field(key));
    }
    properties.set("hostname", have.hostname.to_value(|h| Value::text(h.as_str())));
    properties.set("location", field("location"));
    properties.set("name", field("name"));
    properties.set("storage_usage", usage);
    object_value(&registry.href, id_value(&registry.id), &registry.metadata, properties, registry.kind.as_deref())
}

/// Something that is only read: the documented keys in snake case, in the order of the shape; dates in the form of all
/// results; null where there is nothing.
pub(super) fn reading_value(reading: &Reading, shape: &Value) -> Value {
    shape_value(Some(&reading.json), shape)
}

/// JSON of the service in a documented shape. A shape of null takes anything.
fn shape_value(json: Option<&Json>, shape: &Value) -> Value {
    match (json, shape) {
        (Some(Json::Array(items)), Value::List(of)) => match of.first() {
            Some(one) => Value::list(items.iter().map(|item| shape_value(Some(item), one))),
            None => Value::Null,
        },
        (Some(Json::Object(map)), Value::Dict(keys)) => keys
            .iter()
            .map(|(key, inner)| {
                let name = key.as_str().unwrap_or_default();
                let found = map.iter().find(|(theirs, _)| to_snake(theirs) == name).map(|(_, value)| value);
                let value = shape_value(found, inner);
                let is_date = name.ends_with("_at") || name.ends_with("_date");
                let value = match value.as_str().filter(|_| is_date) {
                    Some(text) => Value::text(Date::read(text).to_result_text()),
                    None => value,
                };
                (key.clone(), value)
            })
            .collect::<Dict>()
            .into(),
        (None | Some(Json::Null), _) => Value::Null,
        (Some(other), _) => json::from_serde(other),
    }
}

/// `lastPushedAt` as `last_pushed_at`, `resourceURN` as `resource_urn`.
fn to_snake(text: &str) -> String {
    let mut out = String::new();
    let mut before_upper = false;
    for c in text.chars() {
        if c.is_uppercase() && !before_upper && !out.is_empty() {
            out.push('_');
        }
        before_upper = c.is_uppercase();
        out.extend(c.to_lowercase());
    }
    out
}

fn object_value(href: &str, id: Value, meta: &Metadata, properties: Dict, kind: Option<&str>) -> Value {
    Value::dict([
        ("href", Value::text(href)),
        ("id", id),
        ("metadata", metadata_value(meta)),
        ("properties", properties.into()),
        ("type", text_value(kind)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::json::{JsonStyle, to_string};

    #[test]
    fn a_token_has_the_keys_of_the_documented_sample() {
        let answer = r#"{"id": "1e9f", "href": "", "type": "token", "metadata": {"createdBy": "ops@example.org",
            "createdByUserId": "u", "createdDate": "2023-05-29T13:51:29Z", "state": "enabled"},
            "properties": {"name": "t", "status": "enabled", "scopes": [{"type": "repo", "name": "nume",
            "actions": ["pull"]}], "credentials": {"username": "t", "password": "p"}}}"#;
        let value = token_value(&serde_json::from_str(answer).unwrap());
        let expected = r#"{"href": "", "id": "1e9f", "metadata": {"created_by": "ops@example.org", "created_by_user_id": "u", "created_date": "2023-05-29T13:51:29+00:00", "last_modified_by": null, "last_modified_by_user_id": null, "last_modified_date": null, "state": "enabled"}, "properties": {"credentials": {"password": "********", "username": "t"}, "expiry_date": null, "name": "t", "scopes": [{"actions": ["pull"], "name": "nume", "type": "repo"}], "status": "enabled"}, "type": "token"}"#;
        assert_eq!(to_string(&value, JsonStyle { mask_secrets: true, ..JsonStyle::EVENT }), expected);
    }
}
