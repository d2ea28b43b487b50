//! Whether an object whose creation got no answer was made by this run.
//!
//! It is certain where the service said "created" and only what followed was lost. Otherwise all of this must hold, and
//! each of it leaves out somebody else who made the same at the same time:
//!
//! - the name was not there when the task looked, and nothing but this object has appeared since: no one else is at work;
//! - it has exactly the properties that were sent;
//! - the service dates its creation, by its own clock, between the moment the request was sent and now;
//! - it was not made by another account, as far as it is known which one is ours.

use jiff::{SignedDuration, Timestamp};

use super::api::Witness;
use super::model::{Metadata, NewRegistry, NewToken, Registry, Token, TokenScope};
use super::origin_doubt::OriginDoubt;
use super::{ApiError, Date, Deferred, RegistryReads};

/// Dates have whole seconds, and the machine that dates an answer need not be the one that dates an object.
const SLACK: SignedDuration = SignedDuration::from_secs(2);

/// The tokens of a registry around a creation.
#[derive(Clone, Copy)]
pub(super) struct TokenLists<'a> {
    /// The names before it, if all of them are known.
    pub(super) before: Option<&'a [String]>,
    /// The tokens after it.
    pub(super) after: &'a [Token],
}

/// A creation that was asked for.
pub(super) struct Attempt {
    begun: Option<Timestamp>,
    created: Option<Option<String>>,
}

impl Attempt {
    /// The request is about to be sent.
    pub(super) fn begin_attempt(reads: &(impl RegistryReads + ?Sized)) -> Self {
        Self { begun: reads.witness().clock, created: None }
    }

    /// It got no answer, or none that can be read.
    pub(super) fn note_failure(&mut self, error: &ApiError) {
        if let Some(created) = &error.carried_out {
            self.created = Some(created.clone());
        }
    }

    /// Whether it made this token; if that is not certain, why.
    pub(super) fn check_token_origin(
        &self,
        new: &NewToken,
        found: &Token,
        lists: TokenLists<'_>,
        witness: &Witness,
    ) -> Result<(), OriginDoubt> {
        if self.is_certain(found.id.display_text()) {
            return Ok(());
        }
        check_same_token(new, found)?;
        self.check_origin(&found.metadata, witness)?;
        let Some(before) = lists.before else {
            return Err(OriginDoubt::EarlierNamesUnknown);
        };
        let name = found.properties.name.display_text();
        let appeared = lists.after.iter().map(|token| token.properties.name.display_text());
        let others: Vec<String> = appeared
            .filter(|other| *other != name && !before.iter().any(|known| known == other))
            .map(str::to_owned)
            .collect();
        if others.is_empty() { Ok(()) } else { Err(OriginDoubt::OthersAppeared(others)) }
    }

    /// Whether it made this registry; if that is not certain, why. Nothing is removed on the strength of it, so that a
    /// service that does not tell the time is believed.
    pub(super) fn check_registry_origin(
        &self,
        new: &NewRegistry,
        found: &Registry,
        witness: &Witness,
    ) -> Result<(), OriginDoubt> {
        if self.is_certain(found.id.display_text()) {
            return Ok(());
        }
        if found.properties.location != new.location {
            return Err(OriginDoubt::OtherLocation(found.properties.location.display_text().to_owned()));
        }
        if self.begun.is_none() || witness.clock.is_none() {
            return Ok(());
        }
        self.check_origin(&found.metadata, witness)
    }

    fn is_certain(&self, id: &str) -> bool {
        self.created.as_ref().is_some_and(|created| created.as_deref().is_none_or(|created| created == id))
    }

    /// Created between the request and now, by no other account.
    fn check_origin(&self, metadata: &Metadata, witness: &Witness) -> Result<(), OriginDoubt> {
        if let (Some(ours), Some(Some(theirs))) = (&witness.account, metadata.created_by_user_id.known())
            && ours != theirs
        {
            return Err(OriginDoubt::OtherAccount);
        }
        let (Some(begun), Some(now)) = (self.begun, witness.clock) else {
            return Err(OriginDoubt::NoServiceTime);
        };
        let Some(Some(Date::At(created))) = metadata.created_date.known() else {
            return Err(OriginDoubt::NoCreationDate);
        };
        if *created < begun - SLACK {
            return Err(OriginDoubt::OlderThanRequest);
        }
        if *created > now + SLACK {
            return Err(OriginDoubt::InFuture);
        }
        Ok(())
    }
}

/// Checks that a token has the properties of a request.
///
/// # Errors
/// With the property that is different.
pub fn check_same_token(new: &NewToken, found: &Token) -> Result<(), OriginDoubt> {
    let have = &found.properties;
    let status = new.status.as_ref().and_then(Deferred::known).map_or("enabled", String::as_str);
    if let Some(other) = have.status.known().and_then(Option::as_deref).filter(|other| *other != status) {
        return Err(OriginDoubt::OtherStatus(other.to_owned()));
    }
    let expiry = new.expiry_date.as_ref().and_then(Deferred::known).cloned().flatten();
    if have.expiry_date.known() != Some(&expiry) {
        return Err(OriginDoubt::OtherExpiry);
    }
    let wanted = new.scopes.as_ref().and_then(Deferred::known).map(Vec::as_slice).unwrap_or_default();
    let scopes = have.scopes.known().and_then(Option::as_deref).unwrap_or_default();
    if sort_scopes(wanted) == sort_scopes(scopes) { Ok(()) } else { Err(OriginDoubt::OtherScopes) }
}

/// Scopes without their order.
fn sort_scopes(scopes: &[TokenScope]) -> Vec<(&str, &str, Vec<&str>)> {
    let mut all: Vec<_> = scopes
        .iter()
        .map(|scope| {
            let mut actions: Vec<&str> = scope.actions.iter().map(String::as_str).collect();
            actions.sort_unstable();
            actions.dedup();
            (scope.name.as_str(), scope.kind.as_str(), actions)
        })
        .collect();
    all.sort();
    all
}
