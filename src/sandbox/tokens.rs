//! Tokens: T1 to T6.

use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::call::ApiCall;
use super::clock::MockTime;
use super::reply::{MockReply, ReplyResult};
use super::service::Service;
use super::store::{ChangeInfo, MockStore, StoredRegistry, StoredScope, StoredToken};
use super::validate;

impl Service {
    /// T1
    pub(super) fn list_tokens(&self, store: &MockStore, call: &ApiCall, registry: &str) -> ReplyResult {
        let registry = find_registry(store, registry)?;
        let limit = call.read_number("limit", 100, 1..=usize::MAX)?.min(self.options.max_page);
        let offset = call.read_number("offset", 0, 0..=usize::MAX)?;
        let items: Vec<Json> =
            registry.tokens.iter().skip(offset).take(limit).map(|t| self.token_json(t, "")).collect();
        let id = Uuid::new_v5(&registry.id, b"tokens");
        Ok(MockReply::from_json(
            200,
            &json!({"id": id, "type": "collection", "href": "", "count": items.len(), "limit": limit, "offset": offset,
                "total": registry.tokens.len(), "_links": {"self": "", "next": "", "previous": ""}, "items": items}),
        ))
    }

    /// T2
    pub(super) fn create_token(&self, store: &mut MockStore, call: &ApiCall, registry: &str) -> ReplyResult {
        let registry = find_mut(store, registry)?;
        let wanted = Wanted::read(&call.read_json()?, self.options.any_token_name)?;
        self.insert_token(registry, call, Uuid::new_v4(), wanted)
    }

    /// T3
    pub(super) fn get_token(&self, store: &MockStore, registry: &str, id: &str) -> ReplyResult {
        let registry = find_registry(store, registry)?;
        let uuid = validate::parse_uuid(id, "tokenId")?;
        let token = registry.tokens.iter().find(|t| t.id == uuid).ok_or_else(|| MockReply::new_missing("token", id))?;
        Ok(MockReply::from_json(200, &self.token_json(token, "")))
    }

    /// T4: absent keeps, a null expiry clears.
    pub(super) fn patch_token(&self, store: &mut MockStore, call: &ApiCall, registry: &str, id: &str) -> ReplyResult {
        let token = token_mut(find_mut(store, registry)?, id)?;
        let body = call.read_json()?;
        let fields = validate::check_object(&body, &["expiryDate", "scopes", "status"], "the body")?;
        let (expiry, scopes, status) =
            (validate::read_expiry(fields)?, validate::read_scopes(fields)?, validate::read_status(fields)?);
        self.check_expiry(expiry.flatten())?;
        if let Some(expiry) = expiry {
            token.expiry = expiry;
        }
        if let Some(scopes) = scopes {
            token.scopes = scopes;
        }
        if let Some(status) = status {
            token.status = status;
            token.state = None;
        }
        token.stamp.modified = Some((self.clock.now(), call.user.clone()));
        Ok(MockReply::from_json(200, &self.token_json(token, "")))
    }

    /// T5: creates under the id, or replaces all but the name and the password.
    pub(super) fn put_token(&self, store: &mut MockStore, call: &ApiCall, registry_id: &str, id: &str) -> ReplyResult {
        let registry = find_mut(store, registry_id)?;
        let uuid = validate::parse_uuid(id, "tokenId")?;
        let wanted = Wanted::read(&call.read_json()?, self.options.any_token_name)?;
        let Some(token) = registry.tokens.iter_mut().find(|t| t.id == uuid) else {
            return self.insert_token(registry, call, uuid, wanted);
        };
        if wanted.name != token.name {
            return Err(MockReply::new_invalid("name of a token cannot be changed"));
        }
        self.check_expiry(wanted.expiry)?;
        token.expiry = wanted.expiry;
        token.scopes = wanted.scopes;
        token.status = wanted.status;
        token.state = None;
        token.stamp.modified = Some((self.clock.now(), call.user.clone()));
        let location = self.url_of(&format!("/registries/{registry_id}/tokens/{id}"));
        Ok(MockReply::from_json(201, &self.token_json(token, "")).with_header("Location", location))
    }

    /// T6
    pub(super) fn delete_token(store: &mut MockStore, registry: &str, id: &str) -> ReplyResult {
        let registry = find_mut(store, registry)?;
        let uuid = token_mut(registry, id)?.id;
        registry.tokens.retain(|t| t.id != uuid);
        Ok(MockReply::new_empty(204))
    }

    fn insert_token(&self, registry: &mut StoredRegistry, call: &ApiCall, id: Uuid, wanted: Wanted) -> ReplyResult {
        self.check_expiry(wanted.expiry)?;
        if !self.options.duplicate_names && registry.tokens.iter().any(|t| t.name == wanted.name) {
            return Err(MockReply::new_error(
                409,
                "cr-409-name",
                format!("token name {} is already in use", wanted.name),
            ));
        }
        let token = StoredToken {
            id,
            name: wanted.name,
            status: wanted.status,
            state: None,
            expiry: wanted.expiry,
            scopes: wanted.scopes,
            stamp: ChangeInfo { created: self.clock.now(), created_by: call.user.clone(), modified: None },
        };
        let body = self.token_json(&token, &password_of(id));
        let location = self.url_of(&format!("/registries/{}/tokens/{id}", registry.id));
        registry.tokens.push(token);
        Ok(MockReply::from_json(201, &body).with_header("Location", location))
    }

    fn check_expiry(&self, expiry: Option<MockTime>) -> Result<(), MockReply> {
        match (expiry, self.options.minimum_expiry) {
            (Some(at), Some(least)) if at < self.clock.now().plus(least) => {
                Err(MockReply::new_invalid(format!("expiryDate must be at least {} s ahead", least.as_secs())))
            }
            _ => Ok(()),
        }
    }

    /// `TokenResponse`; the password is only ever given to the call that creates.
    fn token_json(&self, token: &StoredToken, password: &str) -> Json {
        let state = token.state.as_deref().unwrap_or(&token.status);
        json!({"id": token.id, "type": "token", "href": "", "metadata": self.render_metadata(&token.stamp, state),
            "properties": {"name": token.name, "status": token.status, "expiryDate": token.expiry.map(MockTime::to_api),
                "scopes": token.scopes, "credentials": {"username": token.name, "password": password}}})
    }
}

/// A checked `PostTokenInput`.
struct Wanted {
    name: String,
    status: String,
    expiry: Option<MockTime>,
    scopes: Option<Vec<StoredScope>>,
}

impl Wanted {
    fn read(body: &Json, any_name: bool) -> Result<Self, MockReply> {
        let outer = validate::check_object(body, &["properties"], "the body")?;
        let properties = outer.get("properties").ok_or_else(|| MockReply::new_invalid("properties is required"))?;
        let fields: &Map<String, Json> =
            validate::check_object(properties, &["name", "expiryDate", "scopes", "status"], "properties")?;
        let name = validate::required_text(fields, "name")?;
        if name.is_empty() || !(any_name || validate::token_name(name)) {
            return Err(MockReply::new_invalid("invalid value for name"));
        }
        Ok(Self {
            name: name.to_owned(),
            status: validate::read_status(fields)?.unwrap_or_else(|| "enabled".to_owned()),
            expiry: validate::read_expiry(fields)?.flatten(),
            scopes: validate::read_scopes(fields)?.flatten(),
        })
    }
}

/// Returns the password of a token: one that no scanner takes for a real one. It follows from the id, so that a test can
/// tell whether a token's real password is where it should be.
pub fn password_of(token: Uuid) -> String {
    format!("fake-password-{}", Uuid::new_v5(&Uuid::NAMESPACE_OID, token.as_bytes()).simple())
}

fn find_registry<'a>(store: &'a MockStore, id: &str) -> Result<&'a StoredRegistry, MockReply> {
    let uuid = validate::parse_uuid(id, "registryId")?;
    store.find_registry(uuid).ok_or_else(|| MockReply::new_missing("registry", id))
}

fn find_mut<'a>(store: &'a mut MockStore, id: &str) -> Result<&'a mut StoredRegistry, MockReply> {
    let uuid = validate::parse_uuid(id, "registryId")?;
    store.registry_mut(uuid).ok_or_else(|| MockReply::new_missing("registry", id))
}

fn token_mut<'a>(registry: &'a mut StoredRegistry, id: &str) -> Result<&'a mut StoredToken, MockReply> {
    let uuid = validate::parse_uuid(id, "tokenId")?;
    registry.tokens.iter_mut().find(|t| t.id == uuid).ok_or_else(|| MockReply::new_missing("token", id))
}
