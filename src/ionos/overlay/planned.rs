//! Objects as the service would make them, as far as its description says.

use crate::ionos::Fact;
use crate::ionos::model::{
    Features, LoginPair, Metadata, NewRegistry, NewToken, Registry, RegistryProperties, Scanning, Token,
    TokenProperties,
};

/// A registry as the service would have made it. Waiting for it is foretold to succeed, so it runs.
pub(super) fn planned_registry(new: &NewRegistry) -> Registry {
    let awaits = format!("the creation of registry `{}`", new.name.shown());
    // Scanning is on by default, says the description.
    let scanned = Features { vulnerability_scanning: Some(Scanning { enabled: true }) };
    Registry {
        id: Fact::later(awaits.clone()),
        href: String::new(),
        kind: Some("registry".to_owned()),
        metadata: planned_metadata(&awaits, Fact::Known(Some("Running".to_owned()))),
        properties: RegistryProperties {
            name: new.name.clone(),
            location: new.location.clone(),
            garbage_collection_schedule: option(new.garbage_collection_schedule.as_ref()),
            hostname: Fact::later(awaits),
            storage_usage: None,
            features: new.features.clone().map_or(Fact::Known(Some(scanned)), |features| features.map(Some)),
            // No list and an empty one mean the same; answers have a list.
            api_subnet_allow_list: new.api_subnet_allow_list.clone().unwrap_or_default().map(Some),
        },
    }
}

/// A token as the service would have made it.
pub(super) fn planned_token(new: &NewToken) -> Token {
    let awaits = format!("the creation of registry token `{}`", new.name.shown());
    let status = new.status.clone().map_or(Fact::Known(Some("enabled".to_owned())), |status| status.map(Some));
    Token {
        id: Fact::later(awaits.clone()),
        href: String::new(),
        kind: Some("token".to_owned()),
        metadata: planned_metadata(&awaits, status.clone()),
        properties: TokenProperties {
            name: new.name.clone(),
            status,
            expiry_date: new.expiry_date.clone().unwrap_or_default(),
            scopes: option(new.scopes.as_ref()),
            credentials: Some(LoginPair { username: new.name.clone(), password: Fact::later(awaits) }),
        },
    }
}

pub(super) fn planned_metadata(awaits: &str, state: Fact<Option<String>>) -> Metadata {
    Metadata {
        created_by: Fact::later(awaits),
        created_by_user_id: Fact::later(awaits),
        created_date: Fact::later(awaits),
        state,
        ..Metadata::default()
    }
}

pub(super) fn option<T: Clone>(given: Option<&Fact<T>>) -> Fact<Option<T>> {
    given.map_or(Fact::Known(None), |fact| fact.clone().map(Some))
}
