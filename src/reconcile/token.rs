//! Tokens: desired × observed to an action, and the requests that carry it out.

use crate::ionos::model::{NewToken, Predecessor, Token, TokenPatch, TokenScope};
use crate::ionos::{Date, Deferred};
use crate::value::{Dict, Value};

use super::field::{date_value, field_change, is_different, scopes_value};
use super::{Expiry, FieldChange, ResourceAction, normal_scopes};

/// Desired state of a token; `None` means "leave as it is".
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TokenDesired {
    /// Name of the token.
    pub name: Option<Deferred<String>>,
    /// When it ends.
    pub expiry: Option<Deferred<Expiry>>,
    /// Scopes; an empty list removes all.
    pub scopes: Option<Deferred<Vec<TokenScope>>>,
    /// `enabled` or `disabled`.
    pub status: Option<Deferred<String>>,
}

/// Decides the action that brings a token to its desired state.
///
/// A token whose answer holds no status is taken for an enabled one, as the service's default has it.
pub fn reconcile_token(desired: &TokenDesired, observed: Option<&Token>) -> ResourceAction {
    let Some(observed) = observed else {
        return ResourceAction::Create;
    };
    let fields = token_changes(desired, observed);
    if let Some(renamed) = fields.iter().find(|field| field.name == "name") {
        let reason = match renamed.before.as_str() {
            Some(before) => format!("the name of token `{before}` cannot be changed"),
            None => "the name of a token cannot be changed".to_owned(),
        };
        return ResourceAction::Replace { fields, reason };
    }
    if fields.is_empty() { ResourceAction::Nothing } else { ResourceAction::Update { fields } }
}

/// The named fields that differ, in the order of results.
fn token_changes(desired: &TokenDesired, observed: &Token) -> Vec<FieldChange> {
    let have = &observed.properties;
    let mut fields = Vec::new();
    if let Some(name) = &desired.name
        && is_different(name, &have.name, |a, b| a == b)
    {
        fields.push(field_change("name", name_value(&have.name), name_value(name)));
    }
    if let Some(expiry) = &desired.expiry
        && is_different(expiry, &have.expiry_date, |a, b| a.is_met_by(b.as_ref()))
    {
        let after = expiry.to_value(|e| date_value(e.date().as_ref()));
        fields.push(field_change("expiry_date", expiry_value(&have.expiry_date), after));
    }
    if let Some(status) = &desired.status
        && is_different(status, &have.status, |a, b| a == b.as_deref().unwrap_or("enabled"))
    {
        fields.push(field_change("status", status_value(&have.status), name_value(status)));
    }
    if let Some(scopes) = &desired.scopes
        && is_different(scopes, &have.scopes, |a, b| {
            normal_scopes(a) == normal_scopes(b.as_deref().unwrap_or_default())
        })
    {
        let before = have.scopes.to_value(|s| scopes_value(s.as_deref().unwrap_or_default()));
        fields.push(field_change("scopes", before, scopes.to_value(|s| scopes_value(s))));
    }
    fields
}

/// The request that makes a token from nothing.
pub fn new_token(desired: &TokenDesired) -> NewToken {
    NewToken {
        name: desired.name.clone().unwrap_or_default(),
        expiry_date: desired.expiry.clone().map(|expiry| expiry.map(|e| e.date())),
        scopes: desired.scopes.clone(),
        status: desired.status.clone(),
        replaces: None,
    }
}

/// Returns the request that creates the successor of a token; it keeps fields that the task does not name.
///
/// A limit that the old token keeps already (`+30d`, and it ends sooner) leaves the old end as it is.
pub fn replacement_token(desired: &TokenDesired, old: &Token) -> NewToken {
    let have = &old.properties;
    let kept_expiry = || match &have.expiry_date {
        Deferred::Known(None) => None,
        other => Some(other.clone()),
    };
    let expiry_date = match (&desired.expiry, &have.expiry_date) {
        (None, _) => kept_expiry(),
        (Some(Deferred::Known(wanted)), Deferred::Known(date)) if wanted.is_met_by(date.as_ref()) => kept_expiry(),
        (Some(wanted), _) => Some(wanted.clone().map(|e| e.date())),
    };
    let kept_scopes = || match &have.scopes {
        Deferred::Known(None) => None,
        Deferred::Known(Some(scopes)) => Some(Deferred::Known(scopes.clone())),
        Deferred::Unknown(unknown) => Some(Deferred::Unknown(unknown.clone())),
    };
    let kept_status = || match &have.status {
        Deferred::Known(status) => status.clone().map(Deferred::Known),
        Deferred::Unknown(unknown) => Some(Deferred::Unknown(unknown.clone())),
    };
    NewToken {
        name: desired.name.clone().unwrap_or_else(|| have.name.clone()),
        expiry_date,
        scopes: desired.scopes.clone().or_else(kept_scopes),
        status: desired.status.clone().or_else(kept_status),
        replaces: old.id.known().map(|id| Predecessor { id: id.clone(), name: have.name.display_text().to_owned() }),
    }
}

/// The request that changes exactly these fields.
pub fn token_patch(desired: &TokenDesired, fields: &[FieldChange]) -> TokenPatch {
    let named = |name: &str| fields.iter().any(|field| field.name == name);
    TokenPatch {
        expiry_date: desired.expiry.clone().filter(|_| named("expiry_date")).map(|e| e.map(|e| e.date())),
        scopes: desired.scopes.clone().filter(|_| named("scopes")),
        status: desired.status.clone().filter(|_| named("status")),
    }
}

/// The managed fields of a token, for differences.
pub fn token_fields(token: &Token) -> Dict {
    let have = &token.properties;
    let mut fields = Dict::new();
    fields.set("name", name_value(&have.name));
    fields.set("expiry_date", expiry_value(&have.expiry_date));
    fields.set("status", status_value(&have.status));
    fields.set("scopes", have.scopes.to_value(|s| s.as_deref().map_or(Value::Null, scopes_value)));
    fields
}

fn name_value(name: &Deferred<String>) -> Value {
    name.to_value(|n| Value::text(n.as_str()))
}

fn status_value(status: &Deferred<Option<String>>) -> Value {
    status.to_value(|s| s.as_deref().map_or(Value::Null, Value::text))
}

fn expiry_value(expiry: &Deferred<Option<Date>>) -> Value {
    expiry.to_value(|date| date_value(date.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ionos::model::TokenProperties;
    use proptest::prelude::*;

    /// Returns the token that the service creates from a request, with as few fields as possible.
    fn made(new: &NewToken) -> Token {
        let properties = TokenProperties {
            name: new.name.clone(),
            status: new.status.clone().map_or(Deferred::Known(Some("enabled".to_owned())), |s| s.map(Some)),
            expiry_date: new.expiry_date.clone().unwrap_or_default(),
            scopes: new.scopes.clone().map_or(Deferred::Known(None), |s| s.map(Some)),
            credentials: None,
        };
        Token { id: Deferred::Known("new".to_owned()), properties, ..Token::default() }
    }

    fn patched(mut token: Token, patch: &TokenPatch) -> Token {
        if let Some(expiry) = &patch.expiry_date {
            token.properties.expiry_date = expiry.clone();
        }
        if let Some(scopes) = &patch.scopes {
            token.properties.scopes = scopes.clone().map(Some);
        }
        if let Some(status) = &patch.status {
            token.properties.status = status.clone().map(Some);
        }
        token
    }

    fn applied(desired: &TokenDesired, observed: Option<&Token>) -> Option<Token> {
        match reconcile_token(desired, observed) {
            ResourceAction::Nothing => observed.cloned(),
            ResourceAction::Create => Some(made(&new_token(desired))),
            ResourceAction::Update { fields } => observed.cloned().map(|t| patched(t, &token_patch(desired, &fields))),
            ResourceAction::Replace { .. } => observed.map(|old| made(&replacement_token(desired, old))),
            ResourceAction::Delete => None,
        }
    }

    fn dates() -> impl Strategy<Value = Date> {
        (0i64..6).prop_map(|n| Date::read(&format!("203{n}-01-01T00:00:00Z")))
    }

    fn scopes() -> impl Strategy<Value = Vec<TokenScope>> {
        let scope =
            (0usize..3, 0usize..2, proptest::collection::vec(0usize..3, 0..4)).prop_map(|(n, k, actions)| TokenScope {
                name: ["*", "a", "b/*"][n].to_owned(),
                kind: ["repository", "registry"][k].to_owned(),
                actions: actions.into_iter().map(|a| ["pull", "push", "delete"][a].to_owned()).collect(),
            });
        proptest::collection::vec(scope, 0..4)
    }

    fn known<T: Clone + std::fmt::Debug + 'static>(s: impl Strategy<Value = T>) -> impl Strategy<Value = Deferred<T>> {
        s.prop_map(Deferred::Known)
    }

    fn desired() -> impl Strategy<Value = TokenDesired> {
        let expiry = prop_oneof![Just(Expiry::Never), dates().prop_map(Expiry::At), dates().prop_map(Expiry::Within)];
        (
            proptest::option::of(known("[a-c]x")),
            proptest::option::of(known(expiry)),
            proptest::option::of(known(scopes())),
            proptest::option::of(known(prop_oneof![Just("enabled".to_owned()), Just("disabled".to_owned())])),
        )
            .prop_map(|(name, expiry, scopes, status)| TokenDesired { name, expiry, scopes, status })
    }

    fn observed() -> impl Strategy<Value = Token> {
        (
            known("[a-c]x"),
            known(proptest::option::of(dates())),
            known(proptest::option::of(scopes())),
            known(proptest::option::of(Just("disabled".to_owned()))),
        )
            .prop_map(|(name, expiry_date, scopes, status)| Token {
                id: Deferred::Known("old".to_owned()),
                properties: TokenProperties { name, expiry_date, scopes, status, credentials: None },
                ..Token::default()
            })
    }

    proptest! {
        #[test]
        fn what_was_applied_needs_nothing_more(desired in desired(), observed in proptest::option::of(observed())) {
            let after = applied(&desired, observed.as_ref());
            prop_assert_eq!(reconcile_token(&desired, after.as_ref()), ResourceAction::Nothing);
        }

        #[test]
        fn nothing_changes_that_the_task_did_not_name(desired in desired(), observed in observed()) {
            let after = applied(&desired, Some(&observed)).unwrap().properties;
            let before = observed.properties;
            if desired.name.is_none() { prop_assert_eq!(&after.name, &before.name); }
            if desired.expiry.is_none() { prop_assert_eq!(&after.expiry_date, &before.expiry_date); }
            if desired.scopes.is_none() { prop_assert_eq!(&after.scopes, &before.scopes); }
            if desired.status.is_none() {
                let status = |s: &Deferred<Option<String>>| s.known().unwrap().clone().unwrap_or("enabled".to_owned());
                prop_assert_eq!(status(&after.status), status(&before.status));
            }
        }

        #[test]
        fn order_of_scopes_and_actions_does_not_matter(mut scopes in scopes(), seed in 0usize..24) {
            let desired = TokenDesired { scopes: Some(Deferred::Known(scopes.clone())), ..TokenDesired::default() };
            let len = scopes.len().max(1);
            scopes.rotate_left(seed % len);
            for scope in &mut scopes { scope.actions.reverse(); }
            let properties = TokenProperties { scopes: Deferred::Known(Some(scopes)), ..TokenProperties::default() };
            let token = Token { properties, ..Token::default() };
            prop_assert_eq!(reconcile_token(&desired, Some(&token)), ResourceAction::Nothing);
        }
    }

    fn token(name: &str) -> Token {
        let properties = TokenProperties {
            name: Deferred::Known(name.to_owned()),
            status: Deferred::Known(Some("disabled".to_owned())),
            expiry_date: Deferred::Known(Some(Date::read("2031-01-01T00:00:00Z"))),
            ..TokenProperties::default()
        };
        Token { properties, ..Token::default() }
    }

    #[test]
    fn a_rename_is_a_replacement_that_keeps_the_rest() {
        let desired = TokenDesired { name: Some(Deferred::Known("b".to_owned())), ..TokenDesired::default() };
        let ResourceAction::Replace { reason, .. } = reconcile_token(&desired, Some(&token("a"))) else {
            panic!("not a replacement");
        };
        assert_eq!(reason, "the name of token `a` cannot be changed");
        let new = replacement_token(&desired, &token("a"));
        assert_eq!(new.status, Some(Deferred::Known("disabled".to_owned())));
        assert_eq!(new.expiry_date, Some(Deferred::Known(Some(Date::read("2031-01-01T00:00:00Z")))));
    }

    #[test]
    fn what_is_not_known_yet_is_planned() {
        let desired = TokenDesired { status: Some(Deferred::known_after("a registry")), ..TokenDesired::default() };
        let ResourceAction::Update { fields } = reconcile_token(&desired, Some(&token("a"))) else {
            panic!("not an update");
        };
        assert_eq!(fields.len(), 1);
        assert!(fields[0].after.is_unknown());
    }
}
