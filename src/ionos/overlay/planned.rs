//! Objects as the service would make them, as far as its description says.

use crate::ionos::Deferred;
use crate::ionos::model::{
    Features, LoginPair, Metadata, NewRegistry, NewToken, Registry, RegistryProperties, Scanning, Token,
    TokenProperties,
};

/// A registry as the service would have made it. Waiting for it is predicted to succeed, so it runs.
pub(super) fn planned_registry(new: &NewRegistry) -> Registry {
    let awaits = format!("the creation of registry `{}`", new.name.display_text());
    // Scanning is on by default, says the description.
    let scanned = Features { vulnerability_scanning: Some(Scanning { enabled: true }) };
    Registry {
        id: Deferred::known_after(awaits.clone()),
        href: String::new(),
        kind: Some("registry".to_owned()),
        metadata: planned_metadata(&awaits, Deferred::Known(Some("Running".to_owned()))),
        properties: RegistryProperties {
            name: new.name.clone(),
            location: new.location.clone(),
            garbage_collection_schedule: to_optional(new.garbage_collection_schedule.as_ref()),
            hostname: Deferred::known_after(awaits),
            storage_usage: None,
            features: new.features.clone().map_or(Deferred::Known(Some(scanned)), |features| features.map(Some)),
            // No list and an empty one mean the same; answers have a list.
            api_subnet_allow_list: new.api_subnet_allow_list.clone().unwrap_or_default().map(Some),
        },
    }
}

/// A token as the service would have made it.
pub(super) fn planned_token(new: &NewToken) -> Token {
    let awaits = format!("the creation of registry token `{}`", new.name.display_text());
    let status = new.status.clone().map_or(Deferred::Known(Some("enabled".to_owned())), |status| status.map(Some));
    Token {
        id: Deferred::known_after(awaits.clone()),
        href: String::new(),
        kind: Some("token".to_owned()),
        metadata: planned_metadata(&awaits, status.clone()),
        properties: TokenProperties {
            name: new.name.clone(),
            status,
            expiry_date: new.expiry_date.clone().unwrap_or_default(),
            scopes: to_optional(new.scopes.as_ref()),
            credentials: Some(LoginPair { username: new.name.clone(), password: Deferred::known_after(awaits) }),
        },
    }
}

pub(super) fn planned_metadata(awaits: &str, state: Deferred<Option<String>>) -> Metadata {
    Metadata {
        created_by: Deferred::known_after(awaits),
        created_by_user_id: Deferred::known_after(awaits),
        created_date: Deferred::known_after(awaits),
        state,
        ..Metadata::default()
    }
}

pub(super) fn to_optional<T: Clone>(given: Option<&Deferred<T>>) -> Deferred<Option<T>> {
    given.map_or(Deferred::Known(None), |fact| fact.clone().map(Some))
}
