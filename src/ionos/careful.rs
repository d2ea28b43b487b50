//! Creating something when answers may be lost.
//!
//! A POST whose answer did not arrive may have been carried out. Sending it again blindly gives a conflict at best, so
//! this looks first. Nothing there: it is sent again. A registry is there: it is the one, nothing about it was shown
//! only once. A token is there: its password went with the lost answer and cannot be asked for. If this run made it
//! beyond doubt, the token is of no use to anybody, so it is removed and made again, once; otherwise the run stops and
//! says what is there.
//!
//! Beyond doubt means: it was not there when the task looked, it has exactly the properties that were sent, and the
//! service dates its creation within this call (give or take what clocks differ).

use std::time::Duration;

use jiff::Timestamp;

use super::api::Id;
use super::error::ErrorKind;
use super::model::{NewRegistry, NewToken, Registry, Token};
use super::{ApiError, Date, Fact, RegistryApi, Tuning};
use crate::value::KNOWN_AFTER_CREATION;

/// How far two clocks may be apart.
const SKEW: i64 = 300;

/// An object that was made, and what has to be told about how.
#[derive(Debug)]
pub struct Made<T> {
    /// The object.
    pub object: T,
    /// What happened on the way.
    pub notes: Vec<String>,
}

/// Makes a token that was not there when the task looked.
///
/// # Errors
/// With the service's refusal, or with what is known about a token whose answer was lost.
pub async fn create_token(
    api: &dyn RegistryApi,
    registry: &Id,
    new: &NewToken,
    tuning: &Tuning,
) -> Result<Made<Token>, ApiError> {
    let started = Timestamp::now();
    let name = new.name.shown();
    let mut notes = Vec::new();
    let mut pause = tuning.pause;
    let mut doubtful = false;
    for attempt in 1.. {
        let error = match api.create_token(registry, new).await {
            Ok(object) => return Ok(Made { object, notes }),
            Err(error) => error,
        };
        if error.kind != ErrorKind::Unclear && !(doubtful && error.is_conflict()) {
            return Err(error);
        }
        doubtful = true;
        let found = look_for_token(api, registry, name).await.map_err(|second| ApiError {
            message: format!(
                "{}; looking whether token `{name}` was made failed too: {second}; it may exist, and its password is not known",
                error.message
            ),
            ..error.clone()
        })?;
        match found {
            None => {}
            Some(found) if is_ours(new, &found, started) => {
                api.delete_token(registry, &found.id).await.map_err(|second| ApiError {
                    message: format!(
                        "{}; token `{name}` ({}) was made, its password was lost with the answer, and removing it \
                         failed: {second}",
                        error.message,
                        found.id.shown()
                    ),
                    ..error.clone()
                })?;
                if !notes.is_empty() {
                    let message = format!(
                        "{}; token `{name}` was made twice, its password was lost with the answer both times, and it was \
                         removed again",
                        error.message
                    );
                    return Err(ApiError { message, ..error });
                }
                notes.push(format!(
                    "the answer to the creation of token `{name}` was lost, and its password with it; the token was \
                     removed and is made again"
                ));
            }
            Some(found) => {
                return Err(ApiError {
                    message: format!(
                        "{}; a token `{name}` ({}) exists now whose password is not known, and it is not certain \
                         that this run made it; delete it, or use another name",
                        error.message,
                        found.id.shown()
                    ),
                    ..error
                });
            }
        }
        if attempt >= tuning.attempts {
            return Err(error);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(30));
    }
    unreachable!("the loop ends by returning")
}

/// Makes a registry that was not there when the task looked.
///
/// # Errors
/// With the service's refusal, or when the answer was lost and looking did not help.
pub async fn create_registry(
    api: &dyn RegistryApi,
    new: &NewRegistry,
    tuning: &Tuning,
) -> Result<Made<Registry>, ApiError> {
    let started = Timestamp::now();
    let name = new.name.shown();
    let mut pause = tuning.pause;
    let mut doubtful = false;
    for attempt in 1.. {
        let error = match api.create_registry(new).await {
            Ok(object) => return Ok(Made { object, notes: Vec::new() }),
            Err(error) => error,
        };
        if error.kind != ErrorKind::Unclear && !(doubtful && error.is_conflict()) {
            return Err(error);
        }
        doubtful = true;
        let all = api.registries(Some(name)).await.map_err(|second| ApiError {
            message: format!(
                "{}; looking whether registry `{name}` was made failed too: {second}; it may exist",
                error.message
            ),
            ..error.clone()
        })?;
        if let Some(object) = all.into_iter().find(|registry| registry.properties.name.shown() == name) {
            if object.properties.location == new.location && is_recent(&object.metadata.created_date, started) {
                let note = format!("the answer to the creation of registry `{name}` was lost; the registry is there");
                return Ok(Made { object, notes: vec![note] });
            }
            return Err(error);
        }
        if attempt >= tuning.attempts {
            return Err(error);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(30));
    }
    unreachable!("the loop ends by returning")
}

async fn look_for_token(api: &dyn RegistryApi, registry: &Id, name: &str) -> Result<Option<Token>, ApiError> {
    let all = api.tokens(registry).await?.unwrap_or_default();
    Ok(all.into_iter().find(|token| token.properties.name.shown() == name && name != KNOWN_AFTER_CREATION))
}

/// Whether a token is the one that was asked for a moment ago.
fn is_ours(new: &NewToken, found: &Token, started: Timestamp) -> bool {
    let have = &found.properties;
    let status = new.status.as_ref().and_then(Fact::known).map_or("enabled", String::as_str);
    let expiry = new.expiry_date.as_ref().and_then(Fact::known).cloned().flatten();
    let wanted = new.scopes.as_ref().and_then(Fact::known).map(Vec::as_slice).unwrap_or_default();
    let scopes = have.scopes.known().and_then(Option::as_deref).unwrap_or_default();
    have.status.known().is_some_and(|s| s.as_deref().unwrap_or("enabled") == status)
        && have.expiry_date.known() == Some(&expiry)
        && same_scopes(wanted, scopes)
        && is_recent(&found.metadata.created_date, started)
}

/// Order apart, the same scopes.
fn same_scopes(a: &[super::model::Scope], b: &[super::model::Scope]) -> bool {
    let sorted = |scopes: &[super::model::Scope]| {
        let mut all: Vec<_> = scopes
            .iter()
            .map(|scope| {
                let mut actions = scope.actions.clone();
                actions.sort();
                actions.dedup();
                (scope.name.clone(), scope.kind.clone(), actions)
            })
            .collect();
        all.sort();
        all
    };
    sorted(a) == sorted(b)
}

fn is_recent(created: &Fact<Option<Date>>, started: Timestamp) -> bool {
    let Some(Date::At(created)) = created.known().and_then(Option::as_ref) else {
        return false;
    };
    let now = Timestamp::now().as_second();
    (started.as_second() - SKEW..=now + SKEW).contains(&created.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ionos::RegistryReads;
    use crate::ionos::fake::{Account, Mishap};

    fn tuning() -> Tuning {
        Tuning { pause: Duration::from_millis(1), ..Tuning::default() }
    }

    fn ci() -> NewToken {
        NewToken { name: Fact::Known("ci".to_owned()), ..NewToken::default() }
    }

    async fn create(account: &Account) -> Result<Made<Token>, ApiError> {
        let registry = account.registry_id("demo").await.unwrap().unwrap();
        create_token(account, &registry, &ci(), &tuning()).await
    }

    fn account(mishaps: &[Mishap]) -> Account {
        let account = Account::with("demo", &[]);
        account.mishaps.borrow_mut().extend(mishaps.iter().cloned());
        account
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_lost_request_is_sent_again() {
        let account = account(&[Mishap::RequestLost]);
        let made = create(&account).await.unwrap();
        assert!(made.notes.is_empty());
        assert_eq!(account.tokens.borrow().len(), 1);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_token_whose_password_was_lost_is_made_again() {
        let account = account(&[Mishap::AnswerLost]);
        let made = create(&account).await.unwrap();
        assert_eq!(made.object.properties.credentials.unwrap().password.shown(), "only-shown-here");
        assert_eq!(made.notes.len(), 1, "{:?}", made.notes);
        assert_eq!(account.tokens.borrow().len(), 1);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn somebody_elses_token_is_left_alone() {
        let account = account(&[Mishap::RequestLost]);
        let registry = account.registry_id("demo").await.unwrap().unwrap();
        let theirs = NewToken { status: Some(Fact::Known("disabled".to_owned())), ..ci() };
        account.put_token(&registry, &theirs);
        let error = create(&account).await.unwrap_err();
        assert!(error.message.contains("not certain"), "{error}");
        assert_eq!(account.tokens.borrow().len(), 1);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_refusal_is_no_mystery() {
        let account = account(&[Mishap::Refused(ApiError::from_answer(500, ""))]);
        assert_eq!(create(&account).await.unwrap_err().status, Some(500));
        assert_eq!(account.writes.get(), 1);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn if_the_useless_token_cannot_be_removed_the_error_says_so() {
        let refusal = ApiError::from_answer(500, "");
        let account = account(&[Mishap::AnswerLost, Mishap::Refused(refusal)]);
        let error = create(&account).await.unwrap_err();
        assert!(error.message.contains("was made") && error.message.contains("removing it failed"), "{error}");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_registry_whose_answer_was_lost_is_taken_over() {
        let account = Account::default();
        account.mishaps.borrow_mut().push_back(Mishap::AnswerLost);
        let new = NewRegistry { name: Fact::Known("demo".to_owned()), ..NewRegistry::default() };
        let made = create_registry(&account, &new, &tuning()).await.unwrap();
        assert_eq!(made.object.properties.name.shown(), "demo");
        assert_eq!(account.registries.borrow().len(), 1);
    }
}
