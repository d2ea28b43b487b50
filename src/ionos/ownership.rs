//! Whether an object whose creation got no answer was made by this run.
//!
//! It is certain where the service said "created" and only what followed was lost. Otherwise all of this must hold, and
//! each of it leaves out somebody else who made the same at the same time:
//!
//! - the name was not there when the task looked, and nothing but this object has appeared since: nobody else is at work;
//! - it has exactly the properties that were sent;
//! - the service dates its creation, by its own clock, between the moment the request was sent and now;
//! - it was not made by another account, as far as it is known which one is ours.

use jiff::{SignedDuration, Timestamp};

use super::api::Witness;
use super::model::{Metadata, NewRegistry, NewToken, Registry, Token, TokenScope};
use super::{ApiError, Date, Deferred, RegistryReads};

/// Dates have whole seconds, and the machine that dates an answer need not be the one that dates an object.
const SLACK: SignedDuration = SignedDuration::from_secs(2);

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
        before: Option<&[String]>,
        after: &[Token],
        witness: &Witness,
    ) -> Result<(), String> {
        if self.is_certain(found.id.display_text()) {
            return Ok(());
        }
        check_same_token(new, found)?;
        self.check_origin(&found.metadata, witness)?;
        let Some(before) = before else {
            return Err("which tokens were there before is not known".to_owned());
        };
        let name = found.properties.name.display_text();
        let appeared = after.iter().map(|token| token.properties.name.display_text());
        let others: Vec<String> = appeared
            .filter(|other| *other != name && !before.iter().any(|known| known == other))
            .map(|other| format!("`{other}`"))
            .collect();
        match others.len() {
            0 => Ok(()),
            _ => Err(format!("{} also appeared meanwhile, so another client is active here", others.join(", "))),
        }
    }

    /// Whether it made this registry; if that is not certain, why. Nothing is removed on the strength of it, so that a
    /// service that does not tell the time is believed.
    pub(super) fn check_registry_origin(
        &self,
        new: &NewRegistry,
        found: &Registry,
        witness: &Witness,
    ) -> Result<(), String> {
        if self.is_certain(found.id.display_text()) {
            return Ok(());
        }
        if found.properties.location != new.location {
            return Err(format!("it is in `{}`", found.properties.location.display_text()));
        }
        if self.begun.is_none() || witness.clock.is_none() {
            return Ok(());
        }
        self.check_origin(&found.metadata, witness)
    }

    fn is_certain(&self, id: &str) -> bool {
        self.created.as_ref().is_some_and(|created| created.as_deref().is_none_or(|created| created == id))
    }

    /// Made between the sending and now, by nobody else.
    fn check_origin(&self, metadata: &Metadata, witness: &Witness) -> Result<(), String> {
        if let (Some(ours), Some(Some(theirs))) = (&witness.account, metadata.created_by_user_id.known())
            && ours != theirs
        {
            return Err("it was made by another account".to_owned());
        }
        let (Some(begun), Some(now)) = (self.begun, witness.clock) else {
            return Err("the service does not return the time".to_owned());
        };
        let Some(Some(Date::At(created))) = metadata.created_date.known() else {
            return Err("the service does not return its creation time".to_owned());
        };
        if *created < begun - SLACK {
            return Err("it was created before the request".to_owned());
        }
        if *created > now + SLACK {
            return Err("it is dated in the future".to_owned());
        }
        Ok(())
    }
}

/// Checks that a token has the properties of a request.
///
/// # Errors
/// With the property that is different.
pub fn check_same_token(new: &NewToken, found: &Token) -> Result<(), String> {
    let have = &found.properties;
    let status = new.status.as_ref().and_then(Deferred::known).map_or("enabled", String::as_str);
    if let Some(other) = have.status.known().and_then(Option::as_deref).filter(|other| *other != status) {
        return Err(format!("its `status` is `{other}`"));
    }
    let expiry = new.expiry_date.as_ref().and_then(Deferred::known).cloned().flatten();
    if have.expiry_date.known() != Some(&expiry) {
        return Err("its `expiry_date` is another".to_owned());
    }
    let wanted = new.scopes.as_ref().and_then(Deferred::known).map(Vec::as_slice).unwrap_or_default();
    let scopes = have.scopes.known().and_then(Option::as_deref).unwrap_or_default();
    if sort_scopes(wanted) == sort_scopes(scopes) { Ok(()) } else { Err("its `scopes` are others".to_owned()) }
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
