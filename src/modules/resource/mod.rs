//! What all modules share that bring one object into a state.
//!
//! A resource says how its object is found, compared, made, changed and removed; the adaptor here owns the rest, once:
//! which state was asked for, when a replacement is refused, in which order things happen, what is returned, and what
//! is said. Observing gets no way to write ([`RegistryReads`]), planning gets no way to read.

mod converge;
mod ended;
mod object_transition;
pub mod options;
mod outcome;
mod recover;

use std::future::Future;
use std::time::Duration;

use super::{Failure, ModuleArgs, ModuleOutcome, ObjectClaims, Spec, TaskContext};
use crate::diagnostic::Diagnostic;
use crate::ionos::api::Id;
use crate::ionos::create::CreationSettings;
use crate::ionos::{ApiError, Deferred, EarlierRecord, ListCache, RegistryApi, RegistryReads, Tuning};
use crate::reconcile::{FieldChange, ResourceAction};
use crate::value::{Dict, Value};

/// Why a task does not go on.
#[derive(Debug)]
pub enum ResourceError {
    /// A call failed.
    Api(ApiError),
    /// A sentence that is the whole message.
    Said(String),
    /// The same, with what can be done about it.
    Refused(Box<Diagnostic>),
    /// Something about the task is wrong.
    Wrong(Box<Diagnostic>),
}

impl From<ApiError> for ResourceError {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<Diagnostic> for ResourceError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Wrong(Box::new(diagnostic))
    }
}

/// An observed object.
#[derive(Debug)]
pub struct ObservedObject<T> {
    /// The object, if it is there.
    pub object: Option<T>,
    /// Parent object: the registry of a token.
    pub parent: Option<Id>,
    /// Why there can be no such object (no such registry), where that is so.
    pub no_parent: Option<String>,
    /// The names of all its siblings and its own, where they were read.
    pub names: Vec<String>,
    /// An earlier run's record of it.
    pub past: Option<EarlierRecord>,
    /// The object that an earlier run has made to replace this one, without bringing that to its end.
    pub successor: Option<(T, Option<EarlierRecord>)>,
}

impl<T> Default for ObservedObject<T> {
    fn default() -> Self {
        Self { object: None, parent: None, no_parent: None, names: Vec::new(), past: None, successor: None }
    }
}

/// Where an action is carried out.
pub struct Site<'a> {
    /// The API; in check mode one that writes to memory.
    pub api: &'a dyn RegistryApi,
    /// Parent object.
    pub parent: Option<&'a Id>,
    /// The names of all its siblings and its own, where they were read.
    pub names: &'a [String],
    /// Whether to wait until it is ready, or gone.
    pub wait: bool,
    /// For how long.
    pub patience: Duration,
    /// Pauses.
    pub tuning: Tuning,
    /// Lists that tasks share.
    pub kept: Option<&'a ListCache>,
    /// The object, or that it is missing, is known from a list that was read before the task.
    pub is_reused: bool,
    /// The task has looked again because the service refused what such a list had suggested.
    pub again: bool,
    /// The task looks again, once, if the service refuses what a shared list has suggested.
    pub looks_again: bool,
    /// Warnings and progress.
    pub context: &'a TaskContext<'a>,
}

impl<'a> Site<'a> {
    /// Returns the settings of a creation with recovery.
    pub fn creation_settings(&self, names: Option<&'a [String]>) -> CreationSettings<'a> {
        CreationSettings { tuning: self.tuning, interrupt: self.context.interrupt, kept: self.kept, names }
    }
}

/// Order of the two steps of a replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The new object, so that there is never none.
    CreateFirst,
    /// The removal of the old one, because both cannot be there together.
    DeleteFirst,
}

/// A kind of object that a module brings into a state.
pub trait Resource: Sync {
    /// Desired state, as the task gives it.
    type Desired;
    /// Observed object, as the API returns it.
    type Object: Clone;

    /// The parameters and what is said of the module.
    fn resource_spec(&self) -> &'static Spec;

    /// Reads the desired state; reports every invalid argument before any request.
    ///
    /// # Errors
    /// When an argument makes no sense.
    fn read_desired(&self, args: &ModuleArgs, context: &TaskContext<'_>) -> Result<Self::Desired, ResourceError>;

    /// Returns the objects that a task with these arguments may change.
    fn claim_objects(&self, args: &ModuleArgs, environment: &[(String, String)]) -> ObjectClaims;

    /// Returns the task's name for the object.
    fn object_identity(&self, want: &Self::Desired) -> String;

    /// Finds the object.
    fn observe_object(
        &self,
        reads: &dyn RegistryReads,
        want: &Self::Desired,
    ) -> impl Future<Output = Result<ObservedObject<Self::Object>, ResourceError>>;

    /// Decides the action for an object that must exist.
    fn plan_action(&self, want: &Self::Desired, have: Option<&Self::Object>) -> ResourceAction;

    /// The desired name, if another object has it. Asked only before a replacement.
    fn find_name_conflict(
        &self,
        site: &Site<'_>,
        want: &Self::Desired,
        have: &Self::Object,
    ) -> impl Future<Output = Result<Option<String>, ApiError>>;

    /// Returns the order of the two steps of a replacement.
    fn replacement_order(&self, want: &Self::Desired, have: &Self::Object) -> Order;

    /// Makes the object; with an old one, its successor.
    fn create_object(
        &self,
        site: &Site<'_>,
        want: &Self::Desired,
        old: Option<&Self::Object>,
    ) -> impl Future<Output = Result<Self::Object, ApiError>>;

    /// Changes exactly these fields.
    fn update_object(
        &self,
        site: &Site<'_>,
        want: &Self::Desired,
        have: &Self::Object,
        fields: &[FieldChange],
    ) -> impl Future<Output = Result<Self::Object, ApiError>>;

    /// Removes the object.
    fn delete_object(&self, site: &Site<'_>, have: &Self::Object) -> impl Future<Output = Result<(), ApiError>>;

    /// Waits until an object that is as desired can be used too.
    fn wait_until_ready(
        &self,
        site: &Site<'_>,
        have: Self::Object,
    ) -> impl Future<Output = Result<Self::Object, ApiError>>;

    /// Reads an object again, by itself; `None` if it is gone.
    fn read_again(
        &self,
        site: &Site<'_>,
        have: &Self::Object,
    ) -> impl Future<Output = Result<Option<Self::Object>, ApiError>>;

    /// Does what depends on the object, once it is as desired: the delivery of its password, say.
    ///
    /// # Errors
    /// With the failure of the task.
    fn complete_task(
        &self,
        _site: &Site<'_>,
        _want: &Self::Desired,
        _object: &Self::Object,
        outcome: ModuleOutcome,
    ) -> impl Future<Output = Result<ModuleOutcome, Failure>> {
        std::future::ready(Ok(outcome))
    }

    /// Returns the id.
    fn object_id(&self, object: &Self::Object) -> Id;

    /// Returns the name.
    fn object_name(&self, object: &Self::Object) -> String;

    /// Returns the managed fields, for differences.
    fn managed_fields(&self, object: &Self::Object) -> Dict;

    /// The object as it is returned.
    fn returned_value(&self, object: &Self::Object) -> Value;

    /// Returns whether the object has a password that is shown only once, or will have.
    fn has_password(&self, _object: &Self::Object) -> bool {
        false
    }

    /// Returns a warning for a task that removes the object, of siblings that belong to it and stay.
    fn removal_note(&self, _want: &Self::Desired, _siblings: &[String]) -> Option<String> {
        None
    }

    /// Returns a note for a task that finds the object and keeps or changes it.
    fn existing_note(&self, _object: &Self::Object, _context: &TaskContext<'_>) -> Option<String> {
        None
    }
}

/// An id as a value.
pub fn id_value(id: &Id) -> Value {
    id.to_value(|id| Value::text(id.as_str()))
}

/// Returns a text argument, known or deferred.
pub fn deferred_text(value: &Value) -> Deferred<String> {
    match value {
        Value::Unknown(unknown) => Deferred::Unknown(unknown.clone()),
        Value::Str(text) => Deferred::Known(text.as_str().to_owned()),
        other => Deferred::Known(crate::value::python::str(other)),
    }
}

/// "; did you mean `a` or `b`?", or what there is if it is little, or nothing.
pub fn suggest_names(wanted: &str, names: &[String]) -> String {
    let quoted = |names: &[&str]| names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>();
    let similar = crate::suggest::find_several(wanted, names, 3);
    if !similar.is_empty() {
        return format!("; did you mean {}?", quoted(&similar).join(" or "));
    }
    match names.len() {
        0 => "; there is none".to_owned(),
        1..=5 => {
            let all: Vec<&str> = names.iter().map(String::as_str).collect();
            format!("; there is {}", quoted(&all).join(", "))
        }
        many => format!("; none of the {many} that exist has a similar name"),
    }
}
