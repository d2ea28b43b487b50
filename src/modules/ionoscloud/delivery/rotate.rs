//! The rotation of a token: carries out what [`next_rotation_step`] decides, one step after another, until there is nothing
//! to do. A run that is killed at any step leaves a state that the next run leads on.

use std::rc::Rc;

use jiff::Timestamp;

use super::deliver::{PasswordState, SinkReport, SinkStatus, password_of};
use super::error::DeliveryError;
use super::read::{DeliveryVerification, RotationSetting};
use super::settle::{Settling, list_lost, needs_replacement};
use crate::ionos::model::{Token, TokenPatch};
use crate::ionos::{ApiError, Date, Deferred, EarlierRecord};
use crate::modules::{Failure, ModuleOutcome};
use crate::reconcile::{
    Custody, Generation, RotationStep, Verb, generation_name, generation_number, next_rotation_step, replacement_token,
};
use crate::value::Value;

/// More steps than any rotation has.
const STEPS: usize = 200;

/// A generation and its token.
struct Member {
    generation: Generation,
    token: Token,
}

/// A rotation under way.
pub(super) struct Rotation<'a> {
    settling: Settling<'a>,
    setting: RotationSetting,
    /// The name in the task.
    family: &'a str,
    members: Vec<Member>,
    /// The generation that this run has verified.
    verified: Option<u32>,
    /// State of the sinks for the newest generation, once it is known.
    reports: Option<Vec<SinkReport>>,
    /// A successor was made because a sink had lost the password.
    replaced: bool,
}

impl<'a> Rotation<'a> {
    /// Looks at the generations of a token; `current` is the one that the task found or made.
    pub(super) async fn observe_generations(
        settling: Settling<'a>,
        setting: RotationSetting,
        family: &'a str,
        current: &Token,
    ) -> Result<Self, Failure> {
        let tokens = match settling.site.api.list_tokens(settling.registry).await {
            Ok(tokens) => tokens.unwrap_or_default(),
            Err(error) => {
                return Err(settling.into_failure(format!("failed to read the generations of `{family}`: {error}")));
            }
        };
        let mut rotation =
            Self { settling, setting, family, members: Vec::new(), verified: None, reports: None, replaced: false };
        rotation.add_all(&tokens, current);
        Ok(rotation)
    }

    fn add_all(&mut self, tokens: &Rc<Vec<Token>>, current: &Token) {
        for token in tokens.iter().chain([current]) {
            let Some(name) = token.properties.name.known() else { continue };
            let Some(number) = generation_number(self.family, name) else { continue };
            let known = self.members.iter().position(|member| member.generation.number == number);
            match known {
                // The one that the task has just made knows its password.
                Some(index) if token.id == current.id => drop(self.members.remove(index)),
                Some(_) => continue,
                None => {}
            }
            let (token, custody) = self.look_up(token.clone());
            self.add(number, token, custody);
        }
    }

    fn add(&mut self, number: u32, token: Token, custody: Custody) {
        let instant = |date: Option<&Date>| date.and_then(Date::instant);
        let properties = &token.properties;
        let generation = Generation {
            number,
            enabled: properties.status.known().is_none_or(|status| status.as_deref() != Some("disabled")),
            created: instant(token.metadata.created_date.known().and_then(Option::as_ref)),
            modified: instant(token.metadata.last_modified_date.as_ref()),
            expires: instant(properties.expiry_date.known().and_then(Option::as_ref)),
            custody,
        };
        self.members.push(Member { generation, token });
    }

    /// Finds out where the password of a token is.
    fn look_up(&self, token: Token) -> (Token, Custody) {
        let Settling { site, registry, courier, .. } = &self.settling;
        let (token, past) = match password_of(&token) {
            PasswordState::Gone => super::super::registry_token::with_past(site.api, registry, token),
            _ => (token, None),
        };
        let has_receipt = |name: String| courier.ledger.find_receipt(token.id.display_text(), &name).is_some();
        let mut receipts = courier.sinks.iter().map(|setting| has_receipt(setting.sink.name()));
        let custody = match (password_of(&token), past) {
            (PasswordState::Gone, Some(EarlierRecord::Lost(_))) => Custody::Lost,
            (PasswordState::Gone, _) if receipts.any(|has| has) => Custody::Delivered,
            (PasswordState::Gone, _) => Custody::Unknown,
            _ => Custody::Pending,
        };
        (token, custody)
    }

    fn find_member(&self, number: u32) -> &Member {
        let found = self.members.iter().find(|member| member.generation.number == number);
        found.expect("the decision names generations that were observed")
    }

    fn newest_member(&self) -> Option<&Member> {
        self.members.iter().max_by_key(|member| member.generation.number)
    }

    /// The time by the service's clock, which dates the tokens.
    fn service_time(&self) -> Timestamp {
        let clock = self.settling.site.api.witness().clock;
        clock.unwrap_or_else(|| crate::modules::resource::options::current_time(self.settling.site.context))
    }

    /// Carries out steps until there is nothing to do.
    pub(super) async fn run_steps(mut self) -> Result<ModuleOutcome, Failure> {
        for _ in 0..STEPS {
            let generations: Vec<Generation> = self.members.iter().map(|member| member.generation.clone()).collect();
            let step = next_rotation_step(&generations, &self.setting.policy, self.service_time(), self.verified);
            let done = match step {
                RotationStep::Create(number) => self.create_generation(number, None).await,
                RotationStep::Deliver(number) => match self.deliver_generation(number).await {
                    Ok(true) => Ok(()),
                    Ok(false) => return self.conclude_rotation(None),
                    Err(why) => Err(why),
                },
                RotationStep::Verify(number) => self.verify_generation(number).await,
                RotationStep::Disable(number) => self.disable_generation(number).await,
                RotationStep::Delete(number) => self.delete_generation(number, "its grace period is over").await,
                RotationStep::Discard(number) => self.delete_generation(number, "its password was lost").await,
                RotationStep::Wait(number) => {
                    self.settling.site.context.warn(format!(
                        "another run seems to be working on `{}`; the next run continues the rotation",
                        generation_name(self.family, number)
                    ));
                    return self.conclude_rotation(None);
                }
                RotationStep::Rest { due } => match self.compare_sinks().await {
                    Ok(true) => Ok(()),
                    Ok(false) => return self.conclude_rotation(due),
                    Err(why) => Err(why),
                },
            };
            if let Err(why) = done {
                let message =
                    format!("failed to rotate token `{}`: {why}; the next run continues from here", self.family);
                return Err(self.settling.into_failure(message));
            }
        }
        Err(self.settling.into_failure(format!("the rotation of token `{}` comes to no end", self.family)))
    }

    /// Makes a generation, with the properties that the task gives and those of its predecessor otherwise.
    async fn create_generation(&mut self, number: u32, reason: Option<String>) -> Result<(), DeliveryError> {
        let settling = &self.settling;
        settling.courier.prepare_sinks().await?;
        let mut new = match self.newest_member() {
            Some(newest) => replacement_token(settling.fields, &newest.token),
            None => crate::reconcile::new_token(settling.fields),
        };
        new.name = Deferred::Known(generation_name(self.family, number));
        // The rotation itself leads on from a killed run, and it does not remove the predecessor at once.
        new.replaces = None;
        // The new token gets a full lifetime, not the rest of its predecessor's.
        new.expiry_date =
            settling.fields.expiry.clone().map(|expiry| expiry.map(|expiry| expiry.date())).or(new.expiry_date);
        new.status = Some(Deferred::Known("enabled".to_owned()));
        let made = settling.create_token(&new).await?;
        self.settling.record_action(Verb::Create, &made, Some(&made), reason);
        self.settling.show_token(&made, if self.members.is_empty() { "create" } else { "rotate" });
        self.add(number, made, Custody::Pending);
        self.reports = None;
        Ok(())
    }

    /// Delivers the password and checks that it has arrived; only then the store need not keep it. Returns whether every
    /// sink has confirmed.
    async fn deliver_generation(&mut self, number: u32) -> Result<bool, DeliveryError> {
        let token = self.find_member(number).token.clone();
        let reports = self.settling.courier.deliver_password(&token).await;
        let failed = reports.iter().any(|report| report.status == SinkStatus::Failed);
        if !failed {
            let with_login = self.setting.verification == DeliveryVerification::Login;
            self.settling.courier.verify_sinks(&token, with_login).await?;
            self.settling.confirm_delivery(&token, &reports);
            self.update_generation(number, |generation| generation.custody = Custody::Delivered);
            self.verified = Some(number);
        }
        self.reports = Some(reports);
        Ok(!failed)
    }

    /// Checks a delivery of an earlier run before the predecessor is disabled.
    async fn verify_generation(&mut self, number: u32) -> Result<(), DeliveryError> {
        let token = self.find_member(number).token.clone();
        let reports = self.settling.courier.deliver_password(&token).await;
        let verified = self.settling.courier.verify_sinks(&token, false).await;
        if verified.is_err() && needs_replacement(&reports) && !self.replaced {
            self.replaced = true;
            return self.create_generation(number + 1, Some(list_lost(&reports))).await;
        }
        verified?;
        self.verified = Some(number);
        self.reports = Some(reports);
        Ok(())
    }

    async fn disable_generation(&mut self, number: u32) -> Result<(), DeliveryError> {
        let Settling { site, registry, .. } = &self.settling;
        let old = self.find_member(number).token.clone();
        let patch = TokenPatch { status: Some(Deferred::Known("disabled".to_owned())), ..TokenPatch::default() };
        let after = accept_not_found(site.api.patch_token(registry, &old.id, &patch).await)?;
        match after {
            Some(after) => {
                self.settling.record_action(Verb::Update, &old, Some(&after), Some("its successor works".to_owned()));
                let now = self.service_time();
                self.update_generation(number, |generation| {
                    generation.enabled = false;
                    generation.modified = Some(now);
                });
            }
            // It has ended by itself.
            None => self.members.retain(|member| member.generation.number != number),
        }
        Ok(())
    }

    async fn delete_generation(&mut self, number: u32, reason: &str) -> Result<(), DeliveryError> {
        let Settling { site, registry, .. } = &self.settling;
        let old = self.find_member(number).token.clone();
        accept_not_found(site.api.delete_token(registry, &old.id).await)?;
        self.settling.record_action(Verb::Delete, &old, None, Some(reason.to_owned()));
        self.members.retain(|member| member.generation.number != number);
        Ok(())
    }

    /// Compares what the sinks have with what was delivered. Returns whether a successor was made for one that has lost it.
    async fn compare_sinks(&mut self) -> Result<bool, DeliveryError> {
        if self.reports.is_some() {
            return Ok(false);
        }
        let Some(newest) = self.newest_member() else { return Ok(false) };
        let (number, token) = (newest.generation.number, newest.token.clone());
        let reports = self.settling.courier.deliver_password(&token).await;
        if needs_replacement(&reports) && !self.replaced {
            self.replaced = true;
            self.create_generation(number + 1, Some(list_lost(&reports))).await?;
            return Ok(true);
        }
        self.reports = Some(reports);
        Ok(false)
    }

    fn update_generation(&mut self, number: u32, change: impl FnOnce(&mut Generation)) {
        let found = self.members.iter_mut().find(|member| member.generation.number == number);
        if let Some(member) = found {
            change(&mut member.generation);
        }
    }

    fn conclude_rotation(self, due: Option<Timestamp>) -> Result<ModuleOutcome, Failure> {
        let Some(newest) = self.newest_member() else { return Ok(self.settling.outcome) };
        let token = newest.token.clone();
        let rotation = Value::dict([
            ("generation", i64::from(newest.generation.number).into()),
            ("due", due.map_or(Value::Null, |due| Value::text(due.to_string()))),
        ]);
        let reports = self.reports.unwrap_or_default();
        let mut settling = self.settling;
        settling.outcome.data.set("rotation", rotation);
        settling.conclude_delivery(&token, &reports)
    }
}

/// A token that has ended meanwhile needs no change.
fn accept_not_found<T>(answer: Result<T, ApiError>) -> Result<Option<T>, ApiError> {
    match answer {
        Ok(after) => Ok(Some(after)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
