//! Tokens: T1 to T6.

use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::call::Call;
use super::clock::Moment;
use super::reply::{Answer, Reply};
use super::service::Service;
use super::store::{Registry, Scope, Stamp, Store, Token};
use super::validate;

impl Service {
    /// T1
    pub(super) fn list_tokens(&self, store: &Store, call: &Call, registry: &str) -> Answer {
        let registry = find(store, registry)?;
        let limit = call.number("limit", 100, 1..=usize::MAX)?.min(self.options.max_page);
        let offset = call.number("offset", 0, 0..=usize::MAX)?;
        let items: Vec<Json> =
            registry.tokens.iter().skip(offset).take(limit).map(|t| self.token_json(t, "")).collect();
        let id = Uuid::new_v5(&registry.id, b"tokens");
        Ok(Reply::json(
            200,
            &json!({"id": id, "type": "collection", "href": "", "count": items.len(), "limit": limit, "offset": offset,
                "total": registry.tokens.len(), "_links": {"self": "", "next": "", "previous": ""}, "items": items}),
        ))
    }

    /// T2
    pub(super) fn create_token(&self, store: &mut Store, call: &Call, registry: &str) -> Answer {
        let registry = find_mut(store, registry)?;
        let wanted = Wanted::read(&call.json()?, self.options.any_token_name)?;
        self.insert_token(registry, call, Uuid::new_v4(), wanted)
    }

    /// T3
    pub(super) fn get_token(&self, store: &Store, registry: &str, id: &str) -> Answer {
        let registry = find(store, registry)?;
        let uuid = validate::uuid(id, "tokenId")?;
        let token = registry.tokens.iter().find(|t| t.id == uuid).ok_or_else(|| Reply::missing("token", id))?;
        Ok(Reply::json(200, &self.token_json(token, "")))
    }

    /// T4: absent keeps, a null expiry clears.
    pub(super) fn patch_token(&self, store: &mut Store, call: &Call, registry: &str, id: &str) -> Answer {
        let token = token_mut(find_mut(store, registry)?, id)?;
        let body = call.json()?;
        let fields = validate::object(&body, &["expiryDate", "scopes", "status"], "the body")?;
        let (expiry, scopes, status) =
            (validate::expiry(fields)?, validate::scopes(fields)?, validate::status(fields)?);
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
        Ok(Reply::json(200, &self.token_json(token, "")))
    }

    /// T5: creates under the id, or replaces all but the name and the password.
    pub(super) fn put_token(&self, store: &mut Store, call: &Call, registry_id: &str, id: &str) -> Answer {
        let registry = find_mut(store, registry_id)?;
        let uuid = validate::uuid(id, "tokenId")?;
        let wanted = Wanted::read(&call.json()?, self.options.any_token_name)?;
        let Some(token) = registry.tokens.iter_mut().find(|t| t.id == uuid) else {
            return self.insert_token(registry, call, uuid, wanted);
        };
        if wanted.name != token.name {
            return Err(Reply::invalid("name of a token cannot be changed"));
        }
        self.check_expiry(wanted.expiry)?;
        token.expiry = wanted.expiry;
        token.scopes = wanted.scopes;
        token.status = wanted.status;
        token.state = None;
        token.stamp.modified = Some((self.clock.now(), call.user.clone()));
        let location = self.location(&format!("/registries/{registry_id}/tokens/{id}"));
        Ok(Reply::json(201, &self.token_json(token, "")).with("Location", location))
    }

    /// T6
    pub(super) fn delete_token(store: &mut Store, registry: &str, id: &str) -> Answer {
        let registry = find_mut(store, registry)?;
        let uuid = token_mut(registry, id)?.id;
        registry.tokens.retain(|t| t.id != uuid);
        Ok(Reply::empty(204))
    }

    fn insert_token(&self, registry: &mut Registry, call: &Call, id: Uuid, wanted: Wanted) -> Answer {
        self.check_expiry(wanted.expiry)?;
        if !self.options.duplicate_names && registry.tokens.iter().any(|t| t.name == wanted.name) {
            return Err(Reply::error(409, "cr-409-name", format!("token name {} is already in use", wanted.name)));
        }
        let token = Token {
            id,
            name: wanted.name,
            status: wanted.status,
            state: None,
            expiry: wanted.expiry,
            scopes: wanted.scopes,
            stamp: Stamp { created: self.clock.now(), created_by: call.user.clone(), modified: None },
        };
        let body = self.token_json(&token, &password_of(id));
        let location = self.location(&format!("/registries/{}/tokens/{id}", registry.id));
        registry.tokens.push(token);
        Ok(Reply::json(201, &body).with("Location", location))
    }

    fn check_expiry(&self, expiry: Option<Moment>) -> Result<(), Reply> {
        match (expiry, self.options.minimum_expiry) {
            (Some(at), Some(least)) if at < self.clock.now().plus(least) => {
                Err(Reply::invalid(format!("expiryDate must be at least {} s ahead", least.as_secs())))
            }
            _ => Ok(()),
        }
    }

    /// `TokenResponse`; the password is only ever given to the call that creates.
    fn token_json(&self, token: &Token, password: &str) -> Json {
        let state = token.state.as_deref().unwrap_or(&token.status);
        json!({"id": token.id, "type": "token", "href": "", "metadata": self.metadata(&token.stamp, state),
            "properties": {"name": token.name, "status": token.status, "expiryDate": token.expiry.map(Moment::api),
                "scopes": token.scopes, "credentials": {"username": token.name, "password": password}}})
    }
}

/// A checked `PostTokenInput`.
struct Wanted {
    name: String,
    status: String,
    expiry: Option<Moment>,
    scopes: Option<Vec<Scope>>,
}

impl Wanted {
    fn read(body: &Json, any_name: bool) -> Result<Self, Reply> {
        let outer = validate::object(body, &["properties"], "the body")?;
        let properties = outer.get("properties").ok_or_else(|| Reply::invalid("properties is required"))?;
        let fields: &Map<String, Json> =
            validate::object(properties, &["name", "expiryDate", "scopes", "status"], "properties")?;
        let name = validate::required(fields, "name")?;
        if name.is_empty() || !(any_name || validate::token_name(name)) {
            return Err(Reply::invalid("invalid value for name"));
        }
        Ok(Self {
            name: name.to_owned(),
            status: validate::status(fields)?.unwrap_or_else(|| "enabled".to_owned()),
            expiry: validate::expiry(fields)?.flatten(),
            scopes: validate::scopes(fields)?.flatten(),
        })
    }
}

/// Returns the password of a token: one that no scanner takes for a real one. It follows from the id, so that a test can
/// tell whether a token's real password is where it should be.
pub fn password_of(token: Uuid) -> String {
    format!("fake-password-{}", Uuid::new_v5(&Uuid::NAMESPACE_OID, token.as_bytes()).simple())
}

fn find<'a>(store: &'a Store, id: &str) -> Result<&'a Registry, Reply> {
    let uuid = validate::uuid(id, "registryId")?;
    store.registry(uuid).ok_or_else(|| Reply::missing("registry", id))
}

fn find_mut<'a>(store: &'a mut Store, id: &str) -> Result<&'a mut Registry, Reply> {
    let uuid = validate::uuid(id, "registryId")?;
    store.registry_mut(uuid).ok_or_else(|| Reply::missing("registry", id))
}

fn token_mut<'a>(registry: &'a mut Registry, id: &str) -> Result<&'a mut Token, Reply> {
    let uuid = validate::uuid(id, "tokenId")?;
    registry.tokens.iter_mut().find(|t| t.id == uuid).ok_or_else(|| Reply::missing("token", id))
}
