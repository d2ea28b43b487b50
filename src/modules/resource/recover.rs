//! Objects that an earlier run did not bring to their end: what it has left is taken over, finished, or made again.

use super::converge::ResourceRun;
use super::ended::ConvergeError;
use super::object_transition::ObjectTransition;
use super::outcome::{KEPT, PASSWORD, PENDING};
use super::{ObservedObject, Resource, Site};
use crate::ionos::{ApiError, EarlierRecord, LeftPassword, LostCreation};
use crate::modules::ModuleOutcome;
use crate::reconcile::{ResourceAction, Verb};

impl<R: Resource> ResourceRun<'_, R> {
    /// Brings an object with a past into the desired state.
    pub(super) async fn align_with_record(
        &self,
        site: &Site<'_>,
        want: &R::Desired,
        have: &R::Object,
        past: &EarlierRecord,
    ) -> Result<ModuleOutcome, ConvergeError> {
        match past {
            EarlierRecord::Lost(lost) => self.recreate_lost(site, want, have, (have, lost)).await,
            EarlierRecord::Sealed { why, left: LeftPassword::ByBrokenRun } => {
                let (label, name) = (self.spec.label, self.resource.object_name(have));
                let said = format!(
                    "an earlier run created {label} `{name}` and failed; its password is kept, and {why}. To \
                     continue without it: `ionplay token forget {name}`"
                );
                Err(self.end_task(ApiError::unsent(said).into()))
            }
            EarlierRecord::Sealed { why, .. } => {
                let (label, name) = (self.spec.label, self.resource.object_name(have));
                self.context.warn(format!("the password of {label} `{name}` is kept from an earlier run: {why}"));
                let outcome = self.change_existing(site, want, have).await?;
                Ok(outcome.with(PASSWORD, KEPT))
            }
            EarlierRecord::Password { left, .. } => {
                let outcome = self.change_existing(site, want, have).await?;
                // The successor has a password of its own.
                if outcome.data.get("action") == Some(&Verb::Replace.name().into()) {
                    return Ok(outcome);
                }
                Ok(self.handed_on(site, have, (*left, Verb::Create), outcome))
            }
        }
    }

    /// The result of a task that has the password of an earlier run, which `verb` began.
    fn handed_on(
        &self,
        site: &Site<'_>,
        object: &R::Object,
        (left, verb): (LeftPassword, Verb),
        mut outcome: ModuleOutcome,
    ) -> ModuleOutcome {
        let state = match left {
            LeftPassword::ByThisRun => PENDING,
            LeftPassword::Kept => {
                site.api.mark_received(&self.resource.object_id(object));
                KEPT
            }
            LeftPassword::ByBrokenRun => {
                site.api.mark_received(&self.resource.object_id(object));
                self.context.warn(format!(
                    "an earlier run created {} `{}` and failed; its password is in this result",
                    self.spec.label,
                    self.resource.object_name(object)
                ));
                outcome.changed = true;
                outcome.data.set("action", verb.name().into());
                outcome.data.set("recovered", true.into());
                PENDING
            }
        };
        outcome.with(PASSWORD, state)
    }

    /// Makes an object again whose password was never received, if it is certain that the earlier run made it. What the
    /// task does not name is as in `old`.
    async fn recreate_lost(
        &self,
        site: &Site<'_>,
        want: &R::Desired,
        old: &R::Object,
        (have, lost): (&R::Object, &LostCreation),
    ) -> Result<ModuleOutcome, ConvergeError> {
        let (label, name, id) = (self.spec.label, self.resource.object_name(have), self.resource.object_id(have));
        let how = match &lost.why {
            Some(why) => format!("ended without a confirming answer: {why}"),
            None => "was killed before the answer came".to_owned(),
        };
        if let Err(doubt) = &lost.ours {
            let said = format!(
                "{label} `{name}` ({}) exists, and its password is unknown: the run that requested it at {} {how}. It was \
                 left alone, because it is not certain that this run made it: {doubt}. Remove it (`state: absent`) and run \
                 this again; if somebody else made it and has its password: `ionplay token forget {name}`",
                id.display_text(),
                lost.requested,
            );
            return Err(self.end_task(ApiError::unsent(said).into()));
        }
        let parent = site.parent.ok_or_else(|| self.end_task(ApiError::unsent("there is no registry").into()))?;
        site.api.take_back_token(parent, &id).await.map_err(|error| {
            let said = format!(
                "{label} `{name}` ({}) exists, its password is unknown, and removing it failed: {error}. Remove it \
                 (`state: absent`) and run this again",
                id.display_text()
            );
            self.end_task(ApiError { message: said, status: None, code: None, note: None, ..error }.into())
        })?;
        self.context.warn(format!(
            "the run that requested {label} `{name}` at {} {how}; the {label} it made was removed and is made again",
            lost.requested
        ));
        let names: Vec<String> = site.names.iter().filter(|known| **known != name).cloned().collect();
        let site = Site { names: &names, ..*site };
        let made = self.resource.create_object(&site, want, Some(old)).await;
        let made = made.map_err(|error| self.failed_write(Verb::Create, want, &site, error))?;
        let reason = format!(
            "takes the place of {label} {}, whose password was lost with a run that was killed",
            id.display_text()
        );
        let change =
            ObjectTransition { reason: Some(reason), ..ObjectTransition::new(Verb::Create, None, Some(&made)) };
        Ok(self.action_outcome(&site, want, change))
    }

    /// Returns whether the task finishes a replacement that an earlier run has begun.
    pub(super) fn needs_resume(&self, have: Option<&R::Object>, seen: &ObservedObject<R::Object>) -> bool {
        let left = match &seen.successor {
            Some((_, Some(EarlierRecord::Password { left, .. }))) => *left,
            // The outcome of the creation is unknown: the task looks at it in its normal way.
            Some((_, Some(EarlierRecord::Lost(_)))) => return true,
            _ => return false,
        };
        match have {
            // A replacement that a task of this run has finished needs nothing more.
            None => left != LeftPassword::ByThisRun,
            Some(_) => self.args.bool("allow_replace"),
        }
    }

    /// Finishes a replacement: the new object is there, the old one goes, and the task has the password.
    pub(super) async fn resume_replacement(
        &self,
        site: &Site<'_>,
        want: &R::Desired,
        seen: &ObservedObject<R::Object>,
    ) -> Result<ModuleOutcome, ConvergeError> {
        let old = seen.object.as_ref();
        let (made, left) = match &seen.successor {
            Some((made, Some(EarlierRecord::Password { left, .. }))) => (made, *left),
            Some((made, Some(EarlierRecord::Lost(lost)))) => {
                return self.replace_again(site, want, old, (made, lost)).await;
            }
            _ => return Ok(self.not_there(site.api, want, seen)),
        };
        if let Some(old) = old {
            let removed = self.resource.delete_object(site, old).await;
            removed.map_err(|error| self.failed_write(Verb::Delete, want, site, error))?;
        }
        let mut after = made.clone();
        if let ResourceAction::Update { fields } = self.resource.plan_action(want, Some(made)) {
            let updated = self.resource.update_object(site, want, made, &fields).await;
            after = updated.map_err(|error| self.failed_write(Verb::Update, want, site, error))?;
        }
        let verb = if old.is_some() || left == LeftPassword::ByBrokenRun { Verb::Replace } else { Verb::Nothing };
        let change = ObjectTransition::new(verb, old.or(Some(made)), Some(&after));
        let outcome = self.action_outcome(site, want, change);
        Ok(self.handed_on(site, &after, (left, Verb::Replace), outcome))
    }

    /// Replaces an object whose successor was requested, but whose password was never received.
    async fn replace_again(
        &self,
        site: &Site<'_>,
        want: &R::Desired,
        old: Option<&R::Object>,
        (made, lost): (&R::Object, &LostCreation),
    ) -> Result<ModuleOutcome, ConvergeError> {
        let outcome = self.recreate_lost(site, want, old.unwrap_or(made), (made, lost)).await?;
        let Some(old) = old else { return Ok(outcome) };
        let removed = self.resource.delete_object(site, old).await;
        removed.map_err(|error| self.failed_write(Verb::Delete, want, site, error))?;
        Ok(outcome.with("action", Verb::Replace.name()))
    }
}
