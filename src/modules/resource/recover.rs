//! Objects that an earlier run did not bring to their end: what it has left is taken over, finished, or made again.

use super::converge::Run;
use super::ended::Ended;
use super::outcome::{KEPT, PASSWORD, PENDING};
use super::{Observation, Resource, Site};
use crate::ionos::{ApiError, LeftPassword, Lost, Past};
use crate::modules::Outcome;
use crate::reconcile::{Action, Verb};

impl<R: Resource> Run<'_, R> {
    /// Brings an object with a past into the desired state.
    pub(super) async fn align_left(
        &self,
        site: &Site<'_>,
        want: &R::Desired,
        have: &R::Object,
        past: &Past,
    ) -> Result<Outcome, Ended> {
        match past {
            Past::Lost(lost) => self.remake(site, want, have, (have, lost)).await,
            Past::Sealed { why, left: LeftPassword::ByBrokenRun } => {
                let (label, name) = (self.spec.label, self.resource.name(have));
                let said = format!(
                    "an earlier run made {label} `{name}` and did not end well; its password is kept, and {why}. To go on \
                     without it: `ionplay token forget {name}`"
                );
                Err(self.ended(ApiError::unsent(said).into()))
            }
            Past::Sealed { why, .. } => {
                let (label, name) = (self.spec.label, self.resource.name(have));
                self.context.warn(format!("the password of {label} `{name}` is kept from an earlier run: {why}"));
                let outcome = self.align(site, want, have).await?;
                Ok(outcome.with(PASSWORD, KEPT))
            }
            Past::Password { left, .. } => {
                let outcome = self.align(site, want, have).await?;
                // The successor has a password of its own.
                if outcome.data.get("action") == Some(&Verb::Replace.name().into()) {
                    return Ok(outcome);
                }
                Ok(self.handed_on(site, have, *left, Verb::Create, outcome))
            }
        }
    }

    /// The result of a task that has the password of an earlier run.
    fn handed_on(
        &self,
        site: &Site<'_>,
        object: &R::Object,
        left: LeftPassword,
        verb: Verb,
        mut outcome: Outcome,
    ) -> Outcome {
        let state = match left {
            LeftPassword::ByThisRun => PENDING,
            LeftPassword::Kept => {
                site.api.hand_on(&self.resource.id(object));
                KEPT
            }
            LeftPassword::ByBrokenRun => {
                site.api.hand_on(&self.resource.id(object));
                self.context.warn(format!(
                    "an earlier run made {} `{}` and did not end well; its password is in this result",
                    self.spec.label,
                    self.resource.name(object)
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
    async fn remake(
        &self,
        site: &Site<'_>,
        want: &R::Desired,
        old: &R::Object,
        (have, lost): (&R::Object, &Lost),
    ) -> Result<Outcome, Ended> {
        let (label, name, id) = (self.spec.label, self.resource.name(have), self.resource.id(have));
        let how = match &lost.why {
            Some(why) => format!("ended without an answer that says so: {why}"),
            None => "was killed before the answer came".to_owned(),
        };
        if let Err(doubt) = &lost.ours {
            let said = format!(
                "{label} `{name}` ({}) exists, and its password is unknown: the run that requested it at {} {how}. It was \
                 left alone, because it is not certain that this run made it: {doubt}. Remove it (`state: absent`) and run \
                 this again; if somebody else made it and has its password: `ionplay token forget {name}`",
                id.shown(),
                lost.requested,
            );
            return Err(self.ended(ApiError::unsent(said).into()));
        }
        let parent = site.parent.ok_or_else(|| self.ended(ApiError::unsent("there is no registry").into()))?;
        site.api.take_back_token(parent, &id).await.map_err(|error| {
            let said = format!(
                "{label} `{name}` ({}) exists, its password is unknown, and removing it failed: {error}. Remove it \
                 (`state: absent`) and run this again",
                id.shown()
            );
            self.ended(ApiError { message: said, status: None, code: None, note: None, ..error }.into())
        })?;
        self.context.warn(format!(
            "the run that requested {label} `{name}` at {} {how}; the {label} it made was removed and is made again",
            lost.requested
        ));
        let names: Vec<String> = site.names.iter().filter(|known| **known != name).cloned().collect();
        let site = Site { names: &names, ..*site };
        let made = self.resource.create(&site, want, Some(old)).await;
        let made = made.map_err(|error| self.broken(Verb::Create, want, &site, error))?;
        Ok(self.done(Verb::Create, want, &site, None, Some(&made), None))
    }

    /// Returns whether the task finishes a replacement that an earlier run has begun.
    pub(super) fn resumes(&self, have: Option<&R::Object>, seen: &Observation<R::Object>) -> bool {
        let left = match &seen.successor {
            Some((_, Some(Past::Password { left, .. }))) => *left,
            // What became of the creation is not known: the task as it is looks at it.
            Some((_, Some(Past::Lost(_)))) => return true,
            _ => return false,
        };
        match have {
            // What a task of this run has finished is finished.
            None => left != LeftPassword::ByThisRun,
            Some(_) => self.args.bool("allow_replace"),
        }
    }

    /// Finishes a replacement: the new object is there, the old one goes, and the task has the password.
    pub(super) async fn resume(
        &self,
        site: &Site<'_>,
        want: &R::Desired,
        seen: &Observation<R::Object>,
    ) -> Result<Outcome, Ended> {
        let old = seen.object.as_ref();
        let (made, left) = match &seen.successor {
            Some((made, Some(Past::Password { left, .. }))) => (made, *left),
            Some((made, Some(Past::Lost(lost)))) => return self.replace_again(site, want, old, (made, lost)).await,
            _ => return Ok(self.not_there(site.api, want, seen)),
        };
        if let Some(old) = old {
            let removed = self.resource.delete(site, old).await;
            removed.map_err(|error| self.broken(Verb::Delete, want, site, error))?;
        }
        let mut after = made.clone();
        if let Action::Update { fields } = self.resource.plan(want, Some(made)) {
            let updated = self.resource.update(site, want, made, &fields).await;
            after = updated.map_err(|error| self.broken(Verb::Update, want, site, error))?;
        }
        let verb = if old.is_some() || left == LeftPassword::ByBrokenRun { Verb::Replace } else { Verb::Nothing };
        let outcome = self.done(verb, want, site, old.or(Some(made)), Some(&after), None);
        Ok(self.handed_on(site, &after, left, Verb::Replace, outcome))
    }

    /// Replaces an object whose successor was requested, but whose password was never received.
    async fn replace_again(
        &self,
        site: &Site<'_>,
        want: &R::Desired,
        old: Option<&R::Object>,
        (made, lost): (&R::Object, &Lost),
    ) -> Result<Outcome, Ended> {
        let outcome = self.remake(site, want, old.unwrap_or(made), (made, lost)).await?;
        let Some(old) = old else { return Ok(outcome) };
        let removed = self.resource.delete(site, old).await;
        removed.map_err(|error| self.broken(Verb::Delete, want, site, error))?;
        Ok(outcome.with("action", Verb::Replace.name()))
    }
}
