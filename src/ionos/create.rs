//! Creating something when answers may be lost.
//!
//! A POST whose answer did not arrive may have been carried out. Sending it again blindly gives a conflict at best, so
//! this looks first. Nothing there: it is sent again. A registry is there: it is the one, nothing about it was shown
//! only once. A token is there: its password went with the lost answer and cannot be asked for. If this run made it,
//! the token is of no use to anybody, so it is removed and made again, once; where that is not sure, it is left alone,
//! and the run says what is there and why it is in doubt. `ownership.rs` has the rule.

use std::time::Duration;

use super::api::Id;
use super::error::ErrorKind;
use super::model::{NewRegistry, NewToken, Registry, Token};
use super::ownership::{Attempt, TokenLists};
use super::{ApiError, ListCache, RegistryApi, Tuning};
use crate::interrupt::Interrupt;
use crate::value::KNOWN_AFTER_CREATION;

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// An object that was made, and what has to be told about how.
#[derive(Debug)]
pub struct CreatedObject<T> {
    /// The object.
    pub object: T,
    /// Notes on recovery steps.
    pub notes: Vec<String>,
}

/// Settings of a creation with recovery.
pub struct CreationSettings<'a> {
    /// Pauses and limits.
    pub tuning: Tuning,
    /// Whether the user still wants to wait.
    pub interrupt: &'a Interrupt,
    /// Lists that are out of date as soon as something is in doubt.
    pub kept: Option<&'a ListCache>,
    /// The names that were there when the task looked, if it looked at all of them.
    pub names: Option<&'a [String]>,
}

impl CreationSettings<'_> {
    /// Returns the names that were there when the task looked, and those that this run has requested itself.
    fn names_before(&self, registry: &Id) -> Option<Vec<String>> {
        let requested = self.kept.map(|kept| kept.requested_names(registry.display_text())).unwrap_or_default();
        self.names.map(|names| names.iter().cloned().chain(requested).collect())
    }
}

/// Makes a token that was not there when the task looked.
///
/// # Errors
/// With the service's refusal, or with what is known about a token whose answer was lost.
pub async fn create_token(
    api: &dyn RegistryApi,
    registry: &Id,
    new: &NewToken,
    settings: &CreationSettings<'_>,
) -> Result<CreatedObject<Token>, ApiError> {
    if let Some(kept) = settings.kept {
        kept.note_requested(registry.display_text(), new.name.display_text());
    }
    TokenCreation { api, registry, new, settings }.run().await
}

/// The creation of one token, until it has an answer.
struct TokenCreation<'a> {
    api: &'a dyn RegistryApi,
    registry: &'a Id,
    new: &'a NewToken,
    settings: &'a CreationSettings<'a>,
}

impl TokenCreation<'_> {
    async fn run(&self) -> Result<CreatedObject<Token>, ApiError> {
        let name = self.new.name.display_text();
        let mut attempts = Attempts::new(self.settings);
        let mut notes = Vec::new();
        let mut attempt = Attempt::begin_attempt(self.api);
        loop {
            let error = match self.api.create_token(self.registry, self.new).await {
                Ok(object) => return Ok(CreatedObject { object, notes }),
                Err(error) => attempts.accept_unclear(error).map_err(|error| may_exist(error, name))?,
            };
            attempt.note_failure(&error);
            if self.take_back_made(&attempt, &error).await? {
                if !notes.is_empty() {
                    let said = format!(
                        "token `{name}` was made twice, its password was lost with the answer both times, and it was \
                         removed again"
                    );
                    return Err(followed_by(&error, &said));
                }
                notes.push(format!(
                    "the answer to the creation of token `{name}` was lost, and its password with it; the token was \
                     removed and is made again"
                ));
                attempt = Attempt::begin_attempt(self.api);
            }
            attempts.wait_before_retry(error).await.map_err(|last| {
                let said = match notes.len() {
                    0 => format!("token `{name}` does not exist"),
                    _ => format!(
                        "token `{name}` was made, its password was lost with the answer, and it was removed again"
                    ),
                };
                followed_by(&last, &said)
            })?;
        }
    }

    /// Looks for the token of a creation that ended with `error`. If this run made it, it is removed, because its
    /// password is lost; returns whether it was there.
    async fn take_back_made(&self, attempt: &Attempt, error: &ApiError) -> Result<bool, ApiError> {
        let name = self.new.name.display_text();
        let all = self.api.list_tokens(self.registry).await.map_err(|second| {
            let said = format!(
                "looking whether token `{name}` was made failed too: {second}; it may exist, and its password is not \
                 known"
            );
            followed_by(error, &said)
        })?;
        let all = all.unwrap_or_default();
        let found =
            all.iter().find(|token| token.properties.name.display_text() == name && name != KNOWN_AFTER_CREATION);
        let Some(found) = found else { return Ok(false) };
        let id = found.id.display_text();
        let before = self.settings.names_before(self.registry);
        let lists = TokenLists { before: before.as_deref(), after: &all };
        attempt.check_token_origin(self.new, found, lists, &self.api.witness()).map_err(|why| {
            let said = format!(
                "a token `{name}` ({id}) exists now, but its password is unknown; it was left alone, because it is not \
                 certain that this run created it: {why}. If it is not in use, delete it by its id and run this again"
            );
            followed_by(error, &said)
        })?;
        self.api.take_back_token(self.registry, &found.id).await.map_err(|second| {
            let said = format!(
                "token `{name}` ({id}) was made, its password was lost with the answer, and removing it failed: {second}"
            );
            followed_by(error, &said)
        })?;
        Ok(true)
    }
}

/// A failure, and what has become of the object.
fn followed_by(error: &ApiError, said: &str) -> ApiError {
    ApiError { message: format!("{}; {said}", error.message), ..error.clone() }
}

/// Adds to a failure that leaves the outcome open what follows from it.
fn may_exist(mut error: ApiError, name: &str) -> ApiError {
    if error.leaves_outcome_open() {
        let note = format!("token `{name}` may have been created all the same; the next run looks for it");
        error.note = Some(error.note.map_or_else(|| note.clone(), |known| format!("{known}; {note}")));
    }
    error
}

/// Makes a registry that was not there when the task looked.
///
/// # Errors
/// With the service's refusal, or when the answer was lost and looking did not help.
pub async fn create_registry(
    api: &dyn RegistryApi,
    new: &NewRegistry,
    settings: &CreationSettings<'_>,
) -> Result<CreatedObject<Registry>, ApiError> {
    let name = new.name.display_text();
    let mut attempts = Attempts::new(settings);
    let mut attempt = Attempt::begin_attempt(api);
    loop {
        let error = match api.create_registry(new).await {
            Ok(object) => return Ok(CreatedObject { object, notes: Vec::new() }),
            Err(error) => attempts.accept_unclear(error)?,
        };
        attempt.note_failure(&error);
        let all = api.list_registries(Some(name)).await.map_err(|second| ApiError {
            message: format!("{}; registry `{name}` may exist now, and looking for it failed: {second}", error.message),
            ..error.clone()
        })?;
        if let Some(object) = all.into_iter().find(|registry| registry.properties.name.display_text() == name) {
            attempt.check_registry_origin(new, &object, &api.witness()).map_err(|why| ApiError {
                message: format!(
                    "{}; a registry `{name}` ({}) exists now, and it is not certain that this run made it: {why}; run \
                     this again to bring it into the desired state",
                    error.message,
                    object.id.display_text()
                ),
                ..error.clone()
            })?;
            let note = format!("the answer to the creation of registry `{name}` was lost; the registry exists");
            return Ok(CreatedObject { object, notes: vec![note] });
        }
        attempts.wait_before_retry(error).await.map_err(|last| ApiError {
            message: format!("{}; registry `{name}` does not exist", last.message),
            ..last
        })?;
    }
}

/// The attempts at one creation.
struct Attempts<'a> {
    settings: &'a CreationSettings<'a>,
    sent: u32,
    pause: Duration,
    doubtful: bool,
}

impl<'a> Attempts<'a> {
    fn new(settings: &'a CreationSettings<'a>) -> Self {
        Self { settings, sent: 0, pause: settings.tuning.pause, doubtful: false }
    }

    /// A failure that leaves open whether the object was made; others end the creation. A conflict is open where an
    /// answer was lost before: perhaps the object is in conflict with itself.
    fn accept_unclear(&mut self, error: ApiError) -> Result<ApiError, ApiError> {
        self.sent += 1;
        if error.kind != ErrorKind::Unclear && !(self.doubtful && error.is_conflict()) {
            return Err(error);
        }
        self.doubtful = true;
        if let Some(kept) = self.settings.kept {
            kept.clear();
        }
        Ok(error)
    }

    /// The pause before the next attempt, if there is one.
    async fn wait_before_retry(&mut self, error: ApiError) -> Result<(), ApiError> {
        if self.sent >= self.settings.tuning.attempts {
            return Err(error);
        }
        if !self.settings.interrupt.pause_for(self.pause).await {
            let note = Some(format!("{}; not tried again", self.settings.interrupt.reason()));
            return Err(ApiError { note, ..error });
        }
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ionos::fake::{Account, Mishap};
    use crate::ionos::model::OneTimePassword;
    use crate::ionos::{Deferred, RegistryReads};

    fn creation_settings<'a>(interrupt: &'a Interrupt, names: &'a [String]) -> CreationSettings<'a> {
        let tuning = Tuning { pause: Duration::from_millis(1), ..Tuning::default() };
        CreationSettings { tuning, interrupt, kept: None, names: Some(names) }
    }

    fn ci() -> NewToken {
        NewToken { name: Deferred::Known("ci".to_owned()), ..NewToken::default() }
    }

    async fn create(account: &Account) -> Result<CreatedObject<Token>, ApiError> {
        let registry = account.registry_id("demo").await.unwrap().unwrap();
        let names = account.token_names();
        create_token(account, &registry, &ci(), &creation_settings(&Interrupt::default(), &names)).await
    }

    fn account(mishaps: &[Mishap]) -> Account {
        let account = Account::with_tokens("demo", &[]);
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
        assert_eq!(
            made.object.properties.credentials.unwrap().password.known().map(OneTimePassword::expose),
            Some("only-shown-here")
        );
        assert_eq!(made.notes.len(), 1, "{:?}", made.notes);
        assert_eq!(account.tokens.borrow().len(), 1);
    }

    /// Somebody else makes the same token while our request is lost; it is never removed.
    async fn left_alone(arrange: impl FnOnce(&Account), expected: &str) {
        let account = account(&[Mishap::RequestLost]);
        arrange(&account);
        let error = create(&account).await.unwrap_err();
        assert!(error.message.contains(expected) && error.message.contains("was left alone"), "{error}");
        assert!(account.token_names().contains(&"ci".to_owned()));
    }

    fn meanwhile(account: &Account, names: &[&str], change: impl FnOnce(&mut Token)) {
        let registry = account.registries.borrow()[0].id.clone();
        let mut new = Vec::new();
        for name in names {
            let token = NewToken { name: Deferred::Known((*name).to_owned()), ..NewToken::default() };
            new.push((registry.clone(), account.token_of(&token, new.len())));
        }
        change(&mut new[0].1);
        *account.meanwhile.borrow_mut() = new;
    }

    #[tokio::test(flavor = "current_thread")]
    async fn somebody_elses_token_is_left_alone() {
        let disabled = |token: &mut Token| token.properties.status = Deferred::Known(Some("disabled".to_owned()));
        left_alone(|account| meanwhile(account, &["ci"], disabled), "its `status` is").await;
        let old = |token: &mut Token| {
            let before = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(30);
            token.metadata.created_date = Deferred::Known(Some(crate::ionos::Date::At(before)));
        };
        left_alone(|account| meanwhile(account, &["ci"], old), "before it was asked for").await;
        left_alone(|account| meanwhile(account, &["ci", "cd"], |_| {}), "`cd` appeared").await;
        let theirs = |token: &mut Token| token.metadata.created_by_user_id = Deferred::Known(Some("them".to_owned()));
        let arrange = |account: &Account| {
            meanwhile(account, &["ci"], theirs);
            account.witness.borrow_mut().account = Some("us".to_owned());
        };
        left_alone(arrange, "another account").await;
        let arrange = |account: &Account| {
            meanwhile(account, &["ci"], |_| {});
            account.witness.borrow_mut().clock = None;
        };
        left_alone(arrange, "does not tell the time").await;
    }

    #[tokio::test(flavor = "current_thread")]
    async fn an_answer_that_says_created_settles_it() {
        // Nothing else could be told, but the answer had come as far as its first line.
        let account = account(&[Mishap::AnswerTorn]);
        account.witness.borrow_mut().clock = None;
        let made = create(&account).await.unwrap();
        assert_eq!((made.notes.len(), account.tokens.borrow().len()), (1, 1));
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
        let new = NewRegistry { name: Deferred::Known("demo".to_owned()), ..NewRegistry::default() };
        let made = create_registry(&account, &new, &creation_settings(&Interrupt::default(), &[])).await.unwrap();
        assert_eq!(made.object.properties.name.display_text(), "demo");
        assert_eq!(account.registries.borrow().len(), 1);
    }
}
