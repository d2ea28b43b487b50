//! Comparing one field.

use std::collections::{BTreeMap, BTreeSet};

use crate::ionos::model::TokenScope;
use crate::ionos::{Date, Deferred};
use crate::value::Value;

use super::FieldChange;

/// When a token shall end.
#[derive(Debug, Clone, PartialEq)]
pub enum Expiry {
    /// Never: an expiry that is there is removed.
    Never,
    /// At this instant.
    At(Date),
    /// Not after this instant. For an existing token, "30 days from now" is a maximum: an earlier expiry is kept, because
    /// otherwise every run would extend it and the token would never expire.
    Within(Date),
}

impl Expiry {
    /// Returns the date to send.
    pub fn date(&self) -> Option<Date> {
        match self {
            Self::Never => None,
            Self::At(date) | Self::Within(date) => Some(date.clone()),
        }
    }

    /// Whether an observed expiry is as desired.
    pub fn is_met_by(&self, observed: Option<&Date>) -> bool {
        match (self, observed) {
            (Self::Never, None) => true,
            (Self::At(wanted), Some(have)) => wanted == have,
            (Self::Within(latest), Some(have)) => have <= latest,
            _ => false,
        }
    }
}

/// Scopes as the set that they are: same name and type are one scope, actions have no order and no repetition.
pub fn normal_scopes(scopes: &[TokenScope]) -> BTreeMap<(&str, &str), BTreeSet<&str>> {
    let mut normal: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for scope in scopes {
        let actions = normal.entry((&scope.name, &scope.kind)).or_default();
        actions.extend(scope.actions.iter().map(String::as_str));
    }
    normal
}

/// Compares one field: nothing if the task does not name it or it is as desired.
///
/// A desired or observed value that is not known yet counts as different, except where both are the same unknown.
pub(super) fn is_different<T: PartialEq, U: PartialEq>(
    desired: &Deferred<T>,
    observed: &Deferred<U>,
    is_met: impl FnOnce(&T, &U) -> bool,
) -> bool {
    match (desired, observed) {
        (Deferred::Known(wanted), Deferred::Known(have)) => !is_met(wanted, have),
        (Deferred::Unknown(a), Deferred::Unknown(b)) => !std::sync::Arc::ptr_eq(a, b),
        _ => true,
    }
}

/// A change of a field.
pub(super) fn field_change(name: &'static str, before: Value, after: Value) -> FieldChange {
    FieldChange { name, before, after }
}

/// Scopes as results show them.
pub(super) fn scopes_value(scopes: &[TokenScope]) -> Value {
    Value::list(scopes.iter().map(|scope| {
        Value::dict([
            ("actions", Value::list(scope.actions.iter().map(|a| Value::text(a.as_str())))),
            ("name", Value::text(scope.name.as_str())),
            ("type", Value::text(scope.kind.as_str())),
        ])
    }))
}

/// A date as results show it.
pub(super) fn date_value(date: Option<&Date>) -> Value {
    date.map_or(Value::Null, |date| Value::text(date.to_result_text()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(name: &str, actions: &[&str]) -> TokenScope {
        TokenScope {
            name: name.to_owned(),
            kind: "repository".to_owned(),
            actions: actions.iter().map(|&a| a.to_owned()).collect(),
        }
    }

    #[test]
    fn scopes_are_sets_of_sets() {
        let one = [scope("a", &["push", "pull", "pull"]), scope("b", &[])];
        let other = [scope("b", &[]), scope("a", &["pull"]), scope("a", &["push"])];
        assert_eq!(normal_scopes(&one), normal_scopes(&other));
        assert_ne!(normal_scopes(&one), normal_scopes(&other[1..]));
    }

    #[test]
    fn a_relative_expiry_is_a_limit() {
        let limit = Date::read("2031-01-01T00:00:00Z");
        let within = Expiry::Within(limit.clone());
        assert!(within.is_met_by(Some(&Date::read("2030-12-31T00:00:00Z"))));
        assert!(within.is_met_by(Some(&limit)));
        assert!(!within.is_met_by(Some(&Date::read("2031-01-01T00:00:01Z"))));
        assert!(!within.is_met_by(None));
        assert!(Expiry::Never.is_met_by(None));
        assert!(!Expiry::Never.is_met_by(Some(&limit)));
    }
}
