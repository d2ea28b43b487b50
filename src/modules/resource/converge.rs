//! One task on one resource: look, decide, act.

use std::cell::RefCell;

use super::ended::ConvergeError;
use super::object_transition::ObjectTransition;
use super::options;
use super::{ObservedObject, Order, Resource, ResourceError, Site, id_value, suggest_names};
use crate::diagnostic::Diagnostic;
use crate::ionos::{ApiConnection, ApiError, RegistryApi};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, ObjectClaims, Spec, TaskContext, TaskModule};
use crate::reconcile::{Record, ResourceAction, Verb};
use crate::value::{Dict, Value};

impl<R: Resource> TaskModule for R {
    fn module_spec(&self) -> &'static Spec {
        Resource::resource_spec(self)
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(async move {
            let spec = Resource::resource_spec(self);
            let state = args.str("state").or_else(|| spec.states.first().copied()).unwrap_or("present");
            let run = ResourceRun { resource: self, spec, state, context, args, settled: RefCell::default() };
            match run.converge_object().await {
                Ok(outcome) => Ok(outcome),
                Err(ConvergeError::Failed(failure) | ConvergeError::Outdated(failure)) => Err(*failure),
                Err(ConvergeError::Undetermined(why)) => {
                    Ok(ModuleOutcome { undetermined: Some(why), ..ModuleOutcome::default() })
                }
            }
        })
    }

    fn claim_objects(&self, args: &ModuleArgs, environment: &[(String, String)]) -> ObjectClaims {
        Resource::claim_objects(self, args, environment)
    }

    fn check_values(&self, args: &ModuleArgs, context: &TaskContext<'_>) -> Result<(), Box<Diagnostic>> {
        check_desired(self, args, context)
    }
}

/// Checks the desired state before the run; an error here would occur in every run.
fn check_desired<R: Resource>(
    resource: &R,
    args: &ModuleArgs,
    context: &TaskContext<'_>,
) -> Result<(), Box<Diagnostic>> {
    match resource.read_desired(args, context) {
        Ok(_) | Err(ResourceError::Api(_)) => Ok(()),
        Err(ResourceError::Said(summary)) => Err(Box::new(Diagnostic::error(summary))),
        Err(ResourceError::Refused(message) | ResourceError::Wrong(message)) => Err(message),
    }
}

/// One task on one resource.
pub(super) struct ResourceRun<'a, R: Resource> {
    pub(super) resource: &'a R,
    pub(super) spec: &'static Spec,
    pub(super) state: &'a str,
    pub(super) context: &'a TaskContext<'a>,
    pub(super) args: &'a ModuleArgs,
    /// The object as it is at the end.
    pub(super) settled: RefCell<Option<R::Object>>,
}

impl<R: Resource> ResourceRun<'_, R> {
    async fn converge_object(&self) -> Result<ModuleOutcome, ConvergeError> {
        let label = self.spec.label;
        let mut connection =
            options::read_connection(self.args, self.context, label, self.state).map_err(|stop| self.end_task(stop))?;
        connection.kept = self.context.kept.as_ref().map(|kept| kept.of_endpoint(&connection.endpoint));
        // What acts on more than one named object, as a rotation does, decides by what is there now.
        let acts_widely = self.resource.claim_objects(self.args, self.context.environment) == ObjectClaims::Unclear;
        let is_fresh =
            acts_widely || self.args.bool("fresh") || self.context.kept.as_ref().is_some_and(|kept| kept.is_fresh());
        connection.kept.iter().filter(|_| is_fresh).for_each(|kept| _ = kept.clear());
        options::require_params(self.spec, self.args, label, self.state).map_err(|stop| self.end_task(stop))?;
        let want = self.resource.read_desired(self.args, self.context).map_err(|stop| self.end_task(stop))?;
        let api = self.context.registries.connect(&connection).map_err(|error| self.end_task(error.into()))?;
        match self.converge_once(&*api, &connection, &want, false).await {
            Err(ConvergeError::Outdated(_)) => self.converge_once(&*api, &connection, &want, true).await,
            other => other,
        }
    }

    /// Looks, decides and acts.
    async fn converge_once(
        &self,
        api: &dyn RegistryApi,
        connection: &ApiConnection,
        want: &R::Desired,
        again: bool,
    ) -> Result<ModuleOutcome, ConvergeError> {
        connection.is_reused.set(false);
        let seen = self.resource.observe_object(api, want).await.map_err(|stop| self.failed_observation(want, stop))?;
        if let Some(order) = self.context.order.filter(|_| self.needs_turn(want, &seen)) {
            order.give_up();
            return Err(ConvergeError::Failed(Box::default()));
        }
        let site = Site {
            api,
            parent: seen.parent.as_ref(),
            names: &seen.names,
            wait: self.args.get("wait").is_none_or(Value::is_true),
            patience: connection.waiting.patience,
            tuning: connection.tuning,
            kept: connection.kept.as_deref(),
            again,
            is_reused: connection.is_reused.get(),
            // A refusal means the same for all items of a loop: any of them may have read the list.
            looks_again: !again && (connection.is_reused.get() || self.context.is_looped),
            context: self.context,
        };
        let _writing = self.context.interrupt.begin_writing();
        let outcome = match (self.state, &seen.object) {
            ("absent", None) => Ok(self.not_there(api, want, &seen)),
            ("absent", Some(have)) => self.remove_object(&site, want, have).await,
            (_, _) if seen.no_parent.is_some() => {
                let why = seen.no_parent.clone().unwrap_or_default();
                Err(self.end_task(ApiError::unsent(why).into()))
            }
            ("update", have) if self.needs_resume(have.as_ref(), &seen) => {
                self.resume_replacement(&site, want, &seen).await
            }
            ("update", None) => Ok(self.not_there(api, want, &seen)),
            (_, None) => self.create_missing(&site, want).await,
            (_, Some(have)) => match &seen.past {
                None => self.change_existing(&site, want, have).await,
                Some(past) => self.align_with_record(&site, want, have, past).await,
            },
        };
        if let (Ok(_), "absent", Some(note)) = (&outcome, self.state, self.resource.removal_note(want, &seen.names)) {
            self.context.warn(note);
        }
        let settled = self.settled.take();
        match (outcome, settled) {
            (Ok(outcome), Some(object)) => {
                let settled = self.resource.complete_task(&site, want, &object, outcome).await;
                settled.map_err(|failure| ConvergeError::Failed(Box::new(failure)))
            }
            (outcome, _) => outcome,
        }
    }

    /// Whether what is done, or said, depends on more than the object itself: on its siblings, or on what is recorded of it.
    fn needs_turn(&self, want: &R::Desired, seen: &ObservedObject<R::Object>) -> bool {
        if seen.past.is_some() || seen.successor.is_some() {
            return true;
        }
        match (self.state, &seen.object) {
            ("absent", _) => self.resource.removal_note(want, &seen.names).is_some(),
            // The nearest names are suggested.
            ("update", None) => seen.no_parent.is_none(),
            (_, None) => false,
            (_, Some(have)) => matches!(self.resource.plan_action(want, Some(have)), ResourceAction::Replace { .. }),
        }
    }

    /// Nothing there to remove or to update; existing playbooks expect that this is not a failure.
    pub(super) fn not_there(
        &self,
        api: &dyn RegistryApi,
        want: &R::Desired,
        seen: &ObservedObject<R::Object>,
    ) -> ModuleOutcome {
        let identity = self.resource.object_identity(want);
        let label = self.spec.label;
        if let Some(parent) = &seen.parent {
            api.note_missing(parent, &identity);
        }
        match &seen.no_parent {
            Some(why) => self.context.warn(format!("{why}; there is nothing to delete")),
            None if self.state == "update" => {
                let near = suggest_names(&identity, &seen.names);
                self.context.warn(format!("{label} `{identity}` was not found, so nothing was updated{near}"));
            }
            None => {}
        }
        let mut outcome = ModuleOutcome::new(false, Dict::new()).with("action", Verb::Nothing.name());
        let parent = seen.parent.as_ref().map_or(Value::Null, id_value);
        outcome.actions.push(Record { identity, parent, ..self.empty_record(Verb::Nothing) });
        outcome
    }

    pub(super) async fn create_missing(
        &self,
        site: &Site<'_>,
        want: &R::Desired,
    ) -> Result<ModuleOutcome, ConvergeError> {
        let made = self.resource.create_object(site, want, None).await;
        if made.as_ref().is_err_and(ApiError::is_conflict) && !site.looks_again {
            site.kept.iter().for_each(|kept| _ = kept.clear());
        }
        if let Err(error) = &made
            && error.is_conflict()
            && !site.looks_again
            && !site.again
            && let Ok(ObservedObject { object: Some(have), past, .. }) =
                self.resource.observe_object(site.api, want).await
        {
            // Somebody else has created it meanwhile: it is there, which is what the task wants.
            return match &past {
                None => self.change_existing(site, want, &have).await,
                Some(past) => self.align_with_record(site, want, &have, past).await,
            };
        }
        let made = made.map_err(|error| self.failed_write(Verb::Create, want, site, error))?;
        Ok(self.action_outcome(site, want, ObjectTransition::new(Verb::Create, None, Some(&made))))
    }

    pub(super) async fn change_existing(
        &self,
        site: &Site<'_>,
        want: &R::Desired,
        have: &R::Object,
    ) -> Result<ModuleOutcome, ConvergeError> {
        match self.resource.plan_action(want, Some(have)) {
            ResourceAction::Update { fields } => {
                let after = self.resource.update_object(site, want, have, &fields).await;
                let after = after.map_err(|error| self.failed_write(Verb::Update, want, site, error))?;
                Ok(self.action_outcome(site, want, ObjectTransition::new(Verb::Update, Some(have), Some(&after))))
            }
            ResourceAction::Replace { .. } if site.is_reused => self.replace_read_again(site, want, have).await,
            ResourceAction::Replace { reason, .. } => self.replace_object(site, want, have, reason).await,
            ResourceAction::Nothing | ResourceAction::Create | ResourceAction::Delete => {
                let have = self
                    .resource
                    .wait_until_ready(site, have.clone())
                    .await
                    .map_err(|error| self.end_task(error.into()))?;
                Ok(self.action_outcome(site, want, ObjectTransition::new(Verb::Nothing, Some(&have), Some(&have))))
            }
        }
    }

    /// Replaces an object that is known from a list of before: it is read by itself first.
    async fn replace_read_again(
        &self,
        site: &Site<'_>,
        want: &R::Desired,
        have: &R::Object,
    ) -> Result<ModuleOutcome, ConvergeError> {
        let now = self.resource.read_again(site, have).await.map_err(|error| self.end_task(error.into()))?;
        match now.map(|now| (self.resource.plan_action(want, Some(&now)), now)) {
            Some((ResourceAction::Replace { reason, .. }, now)) => self.replace_object(site, want, &now, reason).await,
            _ => {
                site.kept.iter().for_each(|kept| _ = kept.clear());
                Err(ConvergeError::Outdated(Box::default()))
            }
        }
    }

    pub(super) async fn replace_object(
        &self,
        site: &Site<'_>,
        want: &R::Desired,
        have: &R::Object,
        reason: String,
    ) -> Result<ModuleOutcome, ConvergeError> {
        let label = self.spec.label;
        let rival = self.resource.find_name_conflict(site, want, have).await;
        if let Some(name) = rival.map_err(|error| self.end_task(error.into()))? {
            let said = format!("failed to update the {label}: Another resource with the desired name ({name}) exists");
            return Err(self.end_task(ResourceError::Said(said)));
        }
        if !self.args.bool("allow_replace") {
            let order = self.resource.replacement_order(want, have);
            let loss = match order {
                Order::CreateFirst => "",
                Order::DeleteFirst => "; the old one would be removed first, with everything in it",
            };
            let said = format!("{label} should be replaced but allow_replace is set to False. ({reason}{loss})");
            return Err(self.end_task(ResourceError::Said(said)));
        }
        let (identity, old) = (self.resource.object_name(have), self.resource.object_id(have));
        let made = match self.resource.replacement_order(want, have) {
            Order::CreateFirst => {
                let made = self.resource.create_object(site, want, Some(have)).await;
                let made = made.map_err(|error| self.failed_write(Verb::Replace, want, site, error))?;
                if let Err(error) = self.resource.delete_object(site, have).await {
                    return Err(self.half_replaced(site, want, (have, &made, reason), &error));
                }
                made
            }
            Order::DeleteFirst => {
                let removed = self.resource.delete_object(site, have).await;
                removed.map_err(|error| self.failed_write(Verb::Delete, want, site, error))?;
                let made = self.resource.create_object(site, want, Some(have)).await;
                made.map_err(|error| {
                    let message = format!(
                        "failed to create the new {label}: {error}; the old one, `{identity}` ({}), has been removed \
                         already, so there is none now: run the task again with `state: present`",
                        old.display_text()
                    );
                    let record =
                        self.failed_record(site, want, &ObjectTransition::attempt(Verb::Replace, Some(have)), &error);
                    ConvergeError::Failed(Box::new(Failure {
                        broke_off: false,
                        changed: true,
                        actions: vec![record],
                        ..Failure::new(message)
                    }))
                })?
            }
        };
        let change =
            ObjectTransition { reason: Some(reason), ..ObjectTransition::new(Verb::Replace, Some(have), Some(&made)) };
        Ok(self.action_outcome(site, want, change))
    }

    /// The new object is there and the old one too: what the new one has to say must not be lost.
    fn half_replaced(
        &self,
        site: &Site<'_>,
        want: &R::Desired,
        (have, made, reason): (&R::Object, &R::Object, String),
        error: &ApiError,
    ) -> ConvergeError {
        let label = self.spec.label;
        let message = format!(
            "failed to remove the {label}: {error}; the new {label} `{}` ({}) exists and is in this result, and the \
             old one `{}` ({}) still exists: remove it when you can",
            self.resource.object_name(made),
            self.resource.object_id(made).display_text(),
            self.resource.object_name(have),
            self.resource.object_id(have).display_text(),
        );
        let change = ObjectTransition::new(Verb::Replace, Some(have), Some(made));
        let record = self.failed_record(site, want, &change, error);
        let complete = self.action_outcome(site, want, ObjectTransition { reason: Some(reason), ..change });
        ConvergeError::Failed(Box::new(Failure {
            broke_off: false,
            message,
            data: complete.data,
            changed: true,
            diagnostic: None,
            actions: vec![record],
            effects: complete.effects,
        }))
    }

    async fn remove_object(
        &self,
        site: &Site<'_>,
        want: &R::Desired,
        have: &R::Object,
    ) -> Result<ModuleOutcome, ConvergeError> {
        let removed = self.resource.delete_object(site, have).await;
        removed.map_err(|error| self.failed_write(Verb::Delete, want, site, error))?;
        Ok(self.action_outcome(site, want, ObjectTransition::new(Verb::Delete, Some(have), None)))
    }
}
