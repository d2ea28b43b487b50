//! One task on one resource: look, decide, act.

use std::cell::RefCell;

use super::ended::Ended;
use super::{Observation, Order, Resource, Site, Stop, near};
use crate::diagnostic::Diagnostic;
use crate::ionos::{ApiError, Connection, RegistryApi};
use crate::modules::ionoscloud::options;
use crate::modules::{Args, Failure, Local, Module, Outcome, Spec, TaskContext};
use crate::reconcile::{Action, Verb};
use crate::value::{Dict, Value};

impl<R: Resource> Module for R {
    fn spec(&self) -> &'static Spec {
        Resource::spec(self)
    }

    fn run<'a>(&'a self, args: &'a Args, context: &'a TaskContext<'a>) -> Local<'a, Result<Outcome, Failure>> {
        Box::pin(async move {
            let spec = Resource::spec(self);
            let state = args.str("state").or_else(|| spec.states.first().copied()).unwrap_or("present");
            let run = Run { resource: self, spec, state, context, args, settled: RefCell::default() };
            match run.go().await {
                Ok(outcome) => Ok(outcome),
                Err(Ended::Failed(failure) | Ended::Outdated(failure)) => Err(*failure),
                Err(Ended::Undetermined(why)) => Ok(Outcome { undetermined: Some(why), ..Outcome::default() }),
            }
        })
    }

    fn check_values(&self, args: &Args, context: &TaskContext<'_>) -> Result<(), Box<Diagnostic>> {
        check_desired(self, args, context)
    }
}

/// What `desired` refuses is wrong in every run.
fn check_desired<R: Resource>(resource: &R, args: &Args, context: &TaskContext<'_>) -> Result<(), Box<Diagnostic>> {
    match resource.desired(args, context) {
        Ok(_) | Err(Stop::Api(_)) => Ok(()),
        Err(Stop::Said(summary)) => Err(Box::new(Diagnostic::error(summary))),
        Err(Stop::Refused(message) | Stop::Wrong(message)) => Err(message),
    }
}

/// One task on one resource.
pub(super) struct Run<'a, R: Resource> {
    pub(super) resource: &'a R,
    pub(super) spec: &'static Spec,
    pub(super) state: &'a str,
    pub(super) context: &'a TaskContext<'a>,
    pub(super) args: &'a Args,
    /// The object as it is at the end.
    pub(super) settled: RefCell<Option<R::Object>>,
}

impl<R: Resource> Run<'_, R> {
    async fn go(&self) -> Result<Outcome, Ended> {
        let label = self.spec.label;
        let mut connection =
            options::connection(self.args, self.context, label, self.state).map_err(|stop| self.ended(stop))?;
        connection.kept = self.context.kept.clone();
        options::require(self.spec, self.args, label, self.state).map_err(|stop| self.ended(stop))?;
        let want = self.resource.desired(self.args, self.context).map_err(|stop| self.ended(stop))?;
        let api = self.context.registries.connect(&connection).map_err(|error| self.ended(error.into()))?;
        match self.attempt(&*api, &connection, &want, false).await {
            Err(Ended::Outdated(_)) => self.attempt(&*api, &connection, &want, true).await,
            other => other,
        }
    }

    /// Looks, decides and acts.
    async fn attempt(
        &self,
        api: &dyn RegistryApi,
        connection: &Connection,
        want: &R::Desired,
        again: bool,
    ) -> Result<Outcome, Ended> {
        let seen = self.resource.observe(api, want).await.map_err(|stop| self.unseen(want, stop))?;
        let site = Site {
            api,
            parent: seen.parent.as_ref(),
            names: &seen.names,
            wait: self.args.get("wait").is_none_or(Value::is_true),
            patience: connection.waiting.patience,
            tuning: connection.tuning,
            kept: connection.kept.as_deref(),
            again,
            context: self.context,
        };
        let _writing = self.context.interrupt.writing();
        let outcome = match (self.state, &seen.object) {
            ("absent", None) => Ok(self.not_there(api, want, &seen)),
            ("absent", Some(have)) => self.remove(&site, want, have).await,
            (_, _) if seen.no_parent.is_some() => {
                let why = seen.no_parent.clone().unwrap_or_default();
                Err(self.ended(ApiError::unsent(why).into()))
            }
            ("update", have) if self.resumes(have.as_ref(), &seen) => self.resume(&site, want, &seen).await,
            ("update", None) => Ok(self.not_there(api, want, &seen)),
            (_, None) => self.make(&site, want).await,
            (_, Some(have)) => match &seen.past {
                None => self.align(&site, want, have).await,
                Some(past) => self.align_left(&site, want, have, past).await,
            },
        };
        let settled = self.settled.take();
        match (outcome, settled) {
            (Ok(outcome), Some(object)) => {
                let settled = self.resource.settle(&site, want, &object, outcome).await;
                settled.map_err(|failure| Ended::Failed(Box::new(failure)))
            }
            (outcome, _) => outcome,
        }
    }

    /// Nothing there to remove or to update; existing playbooks expect that this is no failure.
    pub(super) fn not_there(&self, api: &dyn RegistryApi, want: &R::Desired, seen: &Observation<R::Object>) -> Outcome {
        let identity = self.resource.identity(want);
        let label = self.spec.label;
        if let Some(parent) = &seen.parent {
            api.note_missing(parent, &identity);
        }
        match &seen.no_parent {
            Some(why) => self.context.warn(format!("{why}; there is nothing to delete")),
            None if self.state == "update" => {
                let near = near(&identity, &seen.names);
                self.context.warn(format!("{label} `{identity}` was not found, so nothing was updated{near}"));
            }
            None => {}
        }
        let mut outcome = Outcome::new(false, Dict::new()).with("action", Verb::Nothing.name());
        let record = self.record(identity, Value::Null, seen.parent.as_ref(), Verb::Nothing, Dict::new(), Dict::new());
        outcome.actions.push(record);
        outcome
    }

    pub(super) async fn make(&self, site: &Site<'_>, want: &R::Desired) -> Result<Outcome, Ended> {
        let made = self.resource.create(site, want, None).await;
        if let Err(error) = &made
            && error.is_conflict()
            && site.kept.is_none()
            && let Ok(Observation { object: Some(have), past, .. }) = self.resource.observe(site.api, want).await
        {
            // Somebody else has created it meanwhile: it is there, which is what the task wants.
            return match &past {
                None => self.align(site, want, &have).await,
                Some(past) => self.align_left(site, want, &have, past).await,
            };
        }
        let made = made.map_err(|error| self.broken(Verb::Create, want, site, error))?;
        Ok(self.done(Verb::Create, want, site, None, Some(&made), None))
    }

    pub(super) async fn align(&self, site: &Site<'_>, want: &R::Desired, have: &R::Object) -> Result<Outcome, Ended> {
        match self.resource.plan(want, Some(have)) {
            Action::Update { fields } => {
                let after = self.resource.update(site, want, have, &fields).await;
                let after = after.map_err(|error| self.broken(Verb::Update, want, site, error))?;
                Ok(self.done(Verb::Update, want, site, Some(have), Some(&after), None))
            }
            Action::Replace { reason, .. } => self.replace(site, want, have, reason).await,
            Action::Nothing | Action::Create | Action::Delete => {
                let have = self.resource.ready(site, have.clone()).await.map_err(|error| self.ended(error.into()))?;
                Ok(self.done(Verb::Nothing, want, site, Some(&have), Some(&have), None))
            }
        }
    }

    pub(super) async fn replace(
        &self,
        site: &Site<'_>,
        want: &R::Desired,
        have: &R::Object,
        reason: String,
    ) -> Result<Outcome, Ended> {
        let label = self.spec.label;
        let rival = self.resource.rival(site, want, have).await;
        if let Some(name) = rival.map_err(|error| self.ended(error.into()))? {
            let said = format!("failed to update the {label}: Another resource with the desired name ({name}) exists");
            return Err(self.ended(Stop::Said(said)));
        }
        if !self.args.bool("allow_replace") {
            let order = self.resource.order(want, have);
            let loss = match order {
                Order::CreateFirst => "",
                Order::DeleteFirst => "; the old one would be removed first, with everything in it",
            };
            let said = format!("{label} should be replaced but allow_replace is set to False. ({reason}{loss})");
            return Err(self.ended(Stop::Said(said)));
        }
        let (identity, old) = (self.resource.name(have), self.resource.id(have));
        let made = match self.resource.order(want, have) {
            Order::CreateFirst => {
                let made = self.resource.create(site, want, Some(have)).await;
                let made = made.map_err(|error| self.broken(Verb::Replace, want, site, error))?;
                if let Err(error) = self.resource.delete(site, have).await {
                    return Err(self.half_replaced(want, site, have, &made, error, reason));
                }
                made
            }
            Order::DeleteFirst => {
                let removed = self.resource.delete(site, have).await;
                removed.map_err(|error| self.broken(Verb::Delete, want, site, error))?;
                let made = self.resource.create(site, want, Some(have)).await;
                made.map_err(|error| {
                    let message = format!(
                        "failed to create the new {label}: {error}; the old one, `{identity}` ({}), has been removed \
                         already, so there is none now: run the task again with `state: present`",
                        old.shown()
                    );
                    let record = self.failed_record(want, site, Verb::Replace, Some(have), &error);
                    Ended::Failed(Box::new(Failure {
                        broke_off: false,
                        changed: true,
                        actions: vec![record],
                        ..Failure::new(message)
                    }))
                })?
            }
        };
        Ok(self.done(Verb::Replace, want, site, Some(have), Some(&made), Some(reason)))
    }

    /// The new object is there and the old one too: what the new one has to say must not be lost.
    fn half_replaced(
        &self,
        want: &R::Desired,
        site: &Site<'_>,
        have: &R::Object,
        made: &R::Object,
        error: ApiError,
        reason: String,
    ) -> Ended {
        let label = self.spec.label;
        let message = format!(
            "failed to remove the {label}: {error}; the new {label} `{}` ({}) exists and is in this result, and the \
             old one `{}` ({}) still exists: remove it when you can",
            self.resource.name(made),
            self.resource.id(made).shown(),
            self.resource.name(have),
            self.resource.id(have).shown(),
        );
        let complete = self.done(Verb::Replace, want, site, Some(have), Some(made), Some(reason));
        let mut record = self.failed_record(want, site, Verb::Replace, Some(have), &error);
        record.after = self.resource.fields(made);
        Ended::Failed(Box::new(Failure {
            broke_off: false,
            message,
            data: complete.data,
            changed: true,
            diagnostic: None,
            actions: vec![record],
            effects: complete.effects,
        }))
    }

    async fn remove(&self, site: &Site<'_>, want: &R::Desired, have: &R::Object) -> Result<Outcome, Ended> {
        let removed = self.resource.delete(site, have).await;
        removed.map_err(|error| self.broken(Verb::Delete, want, site, error))?;
        Ok(self.done(Verb::Delete, want, site, Some(have), None, None))
    }
}
