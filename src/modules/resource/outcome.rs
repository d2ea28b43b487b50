//! What is returned and said of a task on a resource.

use super::converge::ResourceRun;
use super::ended::ConvergeError;
use super::object_transition::ObjectTransition;
use super::{Resource, ResourceError, Site, id_value};
use crate::ionos::error::ErrorKind;
use crate::ionos::{ApiError, ListCache};
use crate::modules::{Diff, Failure, ModuleEffect, ModuleOutcome};
use crate::reconcile::{Record, Verb};
use crate::value::{Dict, Value};

/// The key of a result that says where the password is, never what it is.
pub(super) const PASSWORD: &str = "password";
/// No task has used it yet.
pub(super) const PENDING: &str = "pending";
/// It is in the store, because an earlier run has not used it, or on purpose.
pub(super) const KEPT: &str = "kept";

impl<R: Resource> ResourceRun<'_, R> {
    /// The result of what was done.
    pub(super) fn action_outcome(
        &self,
        site: &Site<'_>,
        want: &R::Desired,
        change: ObjectTransition<'_, R::Object>,
    ) -> ModuleOutcome {
        let ObjectTransition { verb, before, after, reason } = change;
        let changed = verb != Verb::Nothing;
        self.settled.replace(after.cloned());
        let mut outcome = ModuleOutcome::new(changed, Dict::new()).with("action", verb.name());
        let identity = self.resource.object_identity(want);
        if self.context.check && changed {
            let label = self.spec.label;
            outcome.data.set("msg", format!("{label} {identity} would be {}", verb.participle()).into());
        }
        match (after, before) {
            (Some(object), _) => {
                let returned = self.resource.returned_value(object);
                returned.each_secret(&mut |secret| outcome.effects.push(ModuleEffect::Secret(secret.to_owned())));
                outcome.data.set(self.spec.returns.unwrap_or("object"), returned);
            }
            (None, Some(gone)) => outcome.data.set("id", id_value(&self.resource.object_id(gone))),
            (None, None) => {}
        }
        if matches!(verb, Verb::Create | Verb::Replace)
            && after.is_some_and(|object| self.resource.has_password(object))
        {
            outcome.data.set(PASSWORD, PENDING.into());
        }
        let fields = |object: Option<&R::Object>| object.map(|o| self.resource.managed_fields(o)).unwrap_or_default();
        let (old, new) = (fields(before), fields(after));
        if changed && self.context.diff {
            let header = format!("{} {identity}", self.spec.label);
            outcome.diff.push(Diff {
                before_header: header.clone(),
                after_header: header,
                before: Some(old.clone().into()),
                after: Some(new.clone().into()),
                ..Diff::default()
            });
        }
        if matches!(verb, Verb::Nothing | Verb::Update)
            && let Some(remark) = before.and_then(|object| self.resource.existing_note(object, self.context))
        {
            self.context.warn(remark);
        }
        let shown = after.or(before);
        let id = shown.map_or(Value::Null, |object| id_value(&self.resource.object_id(object)));
        let name = shown.map_or(identity, |object| self.resource.object_name(object));
        outcome.actions.push(Record {
            identity: name,
            id,
            parent: site.parent.map_or(Value::Null, id_value),
            before: old,
            after: new,
            reason,
            ..self.empty_record(verb)
        });
        outcome
    }

    /// A record of this run that names no object yet.
    pub(super) fn empty_record(&self, verb: Verb) -> Record {
        Record {
            kind: self.spec.label,
            identity: String::new(),
            id: Value::Null,
            parent: Value::Null,
            verb,
            before: Dict::new(),
            after: Dict::new(),
            reason: None,
            planned: self.context.check,
            error: None,
        }
    }

    /// The record of an action that failed.
    pub(super) fn failed_record(
        &self,
        site: &Site<'_>,
        want: &R::Desired,
        change: &ObjectTransition<'_, R::Object>,
        error: &ApiError,
    ) -> Record {
        let fields = |object: Option<&R::Object>| object.map(|o| self.resource.managed_fields(o)).unwrap_or_default();
        Record {
            identity: self.resource.object_identity(want),
            id: change.before.map_or(Value::Null, |object| id_value(&self.resource.object_id(object))),
            parent: site.parent.map_or(Value::Null, id_value),
            before: fields(change.before),
            after: fields(change.after),
            error: Some(error.to_string()),
            ..self.empty_record(change.verb)
        }
    }

    /// A write that failed, in the words of Ansible.
    pub(super) fn failed_write(
        &self,
        verb: Verb,
        want: &R::Desired,
        site: &Site<'_>,
        error: ApiError,
    ) -> ConvergeError {
        if error.kind == ErrorKind::Undetermined {
            return ConvergeError::Undetermined(error.message);
        }
        let label = self.spec.label;
        let message = match verb {
            Verb::Create | Verb::Replace => format!("failed to create the new {label}: {error}"),
            Verb::Update => format!("failed to update the {label}: {error}"),
            Verb::Delete | Verb::Nothing => format!("failed to remove the {label}: {error}"),
        };
        let record = self.failed_record(site, want, &ObjectTransition::attempt(verb, None), &error);
        let failure = Box::new(Failure { broke_off: false, actions: vec![record], ..Failure::new(message) });
        let refused = error.is_conflict() || error.is_not_found();
        if refused && site.looks_again && site.kept.is_some_and(ListCache::clear) {
            return ConvergeError::Outdated(failure);
        }
        ConvergeError::Failed(failure)
    }

    /// An object that could not be looked at: it counts as failed, though its action is unknown.
    pub(super) fn failed_observation(&self, want: &R::Desired, stop: ResourceError) -> ConvergeError {
        let error = match &stop {
            ResourceError::Api(error) => Some(error.to_string()),
            ResourceError::Said(said) => Some(said.clone()),
            ResourceError::Refused(_) | ResourceError::Wrong(_) => None,
        };
        let mut ended = self.end_task(stop);
        if let (ConvergeError::Failed(failure), Some(_)) = (&mut ended, &error) {
            let identity = self.resource.object_identity(want);
            failure.actions.push(Record { identity, error, ..self.empty_record(Verb::Nothing) });
        }
        ended
    }

    /// Everything else that ends a task.
    pub(super) fn end_task(&self, stop: ResourceError) -> ConvergeError {
        let prefix = format!("failed to set {} state {}", self.spec.label, self.state);
        match stop {
            ResourceError::Api(error) if error.kind == ErrorKind::Undetermined => {
                ConvergeError::Undetermined(error.message)
            }
            ResourceError::Api(error) => ConvergeError::Failed(Box::new(Failure::new(format!("{prefix}: {error}")))),
            ResourceError::Said(message) => ConvergeError::Failed(Box::new(Failure::new(message))),
            ResourceError::Refused(diagnostic) => {
                ConvergeError::Failed(Box::new(Failure::from_diagnostic(*diagnostic)))
            }
            ResourceError::Wrong(diagnostic) => {
                let message = format!("{prefix}: {}", diagnostic.one_line());
                ConvergeError::Failed(Box::new(Failure {
                    broke_off: false,
                    diagnostic: Some(diagnostic),
                    ..Failure::new(message)
                }))
            }
        }
    }
}
