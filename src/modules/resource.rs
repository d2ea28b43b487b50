//! What all modules share that bring one object into a state.
//!
//! A resource says how its object is found, compared, made, changed and removed; the adaptor here owns the rest, once:
//! which state was asked for, when a replacement is refused, in which order things happen, what is returned, and what
//! is said. Observing gets no way to write ([`RegistryReads`]), planning gets no way to read.

use std::future::Future;
use std::time::Duration;

use super::ionoscloud::options;
use super::{Args, Diff, Effect, Failure, Local, Module, Outcome, Spec, TaskContext};
use crate::diagnostic::Diagnostic;
use crate::ionos::api::Id;
use crate::ionos::careful::Care;
use crate::ionos::error::ErrorKind;
use crate::ionos::{ApiError, Connection, Fact, Kept, RegistryApi, RegistryReads, Tuning};
use crate::reconcile::{Action, FieldChange, Record, Verb};
use crate::value::{Dict, Value};

/// Why a task does not go on.
#[derive(Debug)]
pub enum Stop {
    /// A call failed.
    Api(ApiError),
    /// A sentence that is the whole message.
    Said(String),
    /// Something about the task is wrong.
    Wrong(Box<Diagnostic>),
}

impl From<ApiError> for Stop {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<Diagnostic> for Stop {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Wrong(Box::new(diagnostic))
    }
}

/// What was found.
#[derive(Debug)]
pub struct Observation<T> {
    /// The object, if it is there.
    pub object: Option<T>,
    /// What it belongs to: the registry of a token.
    pub parent: Option<Id>,
    /// Why there can be no such object (no such registry), where that is so.
    pub no_parent: Option<String>,
    /// The names of all its siblings and its own, where they were read.
    pub names: Vec<String>,
}

/// Where an action is carried out.
pub struct Site<'a> {
    /// The API; in check mode one that writes to memory.
    pub api: &'a dyn RegistryApi,
    /// What the object belongs to.
    pub parent: Option<&'a Id>,
    /// The names of all its siblings and its own, where they were read.
    pub names: &'a [String],
    /// Whether to wait until it is ready, or gone.
    pub wait: bool,
    /// For how long.
    pub patience: Duration,
    /// Pauses.
    pub tuning: Tuning,
    /// Lists that were kept from earlier passes of a loop.
    pub kept: Option<&'a Kept>,
    /// Warnings and progress.
    pub context: &'a TaskContext<'a>,
}

impl<'a> Site<'a> {
    /// What a creation goes by.
    pub fn care(&self, names: Option<&'a [String]>) -> Care<'a> {
        Care { tuning: self.tuning, interrupt: self.context.interrupt, kept: self.kept, names }
    }
}

/// What comes first in a replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The new object, so that there is never none.
    CreateFirst,
    /// The removal of the old one, because both cannot be there together.
    DeleteFirst,
}

/// A kind of object that a module brings into a state.
pub trait Resource: Sync {
    /// What a task says of it.
    type Desired;
    /// What the API says of it.
    type Object: Clone;

    /// The parameters and what is said of the module.
    fn spec(&self) -> &'static Spec;

    /// What the task says; everything that can be wrong about it is found here, before any request.
    ///
    /// # Errors
    /// When an argument makes no sense.
    fn desired(&self, args: &Args, context: &TaskContext<'_>) -> Result<Self::Desired, Stop>;

    /// What the task calls the object.
    fn identity(&self, want: &Self::Desired) -> String;

    /// Finds the object.
    fn observe(
        &self,
        reads: &dyn RegistryReads,
        want: &Self::Desired,
    ) -> impl Future<Output = Result<Observation<Self::Object>, Stop>>;

    /// What has to be done to an object that shall be there.
    fn plan(&self, want: &Self::Desired, have: Option<&Self::Object>) -> Action;

    /// The desired name, if another object has it. Asked only before a replacement.
    fn rival(
        &self,
        site: &Site<'_>,
        want: &Self::Desired,
        have: &Self::Object,
    ) -> impl Future<Output = Result<Option<String>, ApiError>>;

    /// What comes first in a replacement.
    fn order(&self, want: &Self::Desired, have: &Self::Object) -> Order;

    /// Makes the object; with an old one, its successor.
    fn create(
        &self,
        site: &Site<'_>,
        want: &Self::Desired,
        old: Option<&Self::Object>,
    ) -> impl Future<Output = Result<Self::Object, ApiError>>;

    /// Changes exactly these fields.
    fn update(
        &self,
        site: &Site<'_>,
        want: &Self::Desired,
        have: &Self::Object,
        fields: &[FieldChange],
    ) -> impl Future<Output = Result<Self::Object, ApiError>>;

    /// Removes the object.
    fn delete(&self, site: &Site<'_>, have: &Self::Object) -> impl Future<Output = Result<(), ApiError>>;

    /// Waits until an object that is as desired can be used too.
    fn ready(&self, site: &Site<'_>, have: Self::Object) -> impl Future<Output = Result<Self::Object, ApiError>>;

    /// Its id.
    fn id(&self, object: &Self::Object) -> Id;

    /// Its name.
    fn name(&self, object: &Self::Object) -> String;

    /// Its managed fields, for differences.
    fn fields(&self, object: &Self::Object) -> Dict;

    /// The object as it is returned.
    fn returned(&self, object: &Self::Object) -> Value;

    /// What is said when the task finds the object and leaves or changes it.
    fn remark(&self, _object: &Self::Object, _context: &TaskContext<'_>) -> Option<String> {
        None
    }
}

impl<R: Resource> Module for R {
    fn spec(&self) -> &'static Spec {
        Resource::spec(self)
    }

    fn run<'a>(&'a self, args: &'a Args, context: &'a TaskContext<'a>) -> Local<'a, Result<Outcome, Failure>> {
        Box::pin(async move {
            let spec = Resource::spec(self);
            let state = args.str("state").or_else(|| spec.states.first().copied()).unwrap_or("present");
            let run = Run { resource: self, spec, state, context, args };
            match run.go().await {
                Ok(outcome) => Ok(outcome),
                Err(Ended::Failed(failure)) => Err(*failure),
                Err(Ended::Undetermined(why)) => Ok(Outcome { undetermined: Some(why), ..Outcome::default() }),
                Err(Ended::Outdated) => {
                    Err(Failure::new("the lists of the service change faster than they can be read"))
                }
            }
        })
    }
}

/// How a task ends that does not end well.
enum Ended {
    Failed(Box<Failure>),
    Undetermined(String),
    /// The service refused what a list that was kept from an earlier pass had suggested; the list has been dropped.
    Outdated,
}

/// One task on one resource.
struct Run<'a, R> {
    resource: &'a R,
    spec: &'static Spec,
    state: &'a str,
    context: &'a TaskContext<'a>,
    args: &'a Args,
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
        match self.attempt(&*api, &connection, &want).await {
            Err(Ended::Outdated) => self.attempt(&*api, &connection, &want).await,
            other => other,
        }
    }

    /// Looks, decides and acts.
    async fn attempt(
        &self,
        api: &dyn RegistryApi,
        connection: &Connection,
        want: &R::Desired,
    ) -> Result<Outcome, Ended> {
        let seen = self.resource.observe(api, want).await.map_err(|stop| self.ended(stop))?;
        let site = Site {
            api,
            parent: seen.parent.as_ref(),
            names: &seen.names,
            wait: self.args.get("wait").is_none_or(Value::is_true),
            patience: connection.patience,
            tuning: connection.tuning,
            kept: connection.kept.as_deref(),
            context: self.context,
        };
        match (self.state, &seen.object) {
            ("absent", None) => Ok(self.not_there(want, &seen)),
            ("absent", Some(have)) => self.remove(&site, want, have).await,
            (_, _) if seen.no_parent.is_some() => {
                let why = seen.no_parent.clone().unwrap_or_default();
                Err(self.ended(ApiError::unsent(why).into()))
            }
            ("update", None) => Ok(self.not_there(want, &seen)),
            (_, None) => self.make(&site, want).await,
            (_, Some(have)) => self.align(&site, want, have).await,
        }
    }

    /// Nothing there to remove or to update; existing playbooks expect that this is no failure.
    fn not_there(&self, want: &R::Desired, seen: &Observation<R::Object>) -> Outcome {
        let identity = self.resource.identity(want);
        let label = self.spec.label;
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

    async fn make(&self, site: &Site<'_>, want: &R::Desired) -> Result<Outcome, Ended> {
        let made = self.resource.create(site, want, None).await;
        let made = made.map_err(|error| self.broken(Verb::Create, want, site, error))?;
        Ok(self.done(Verb::Create, want, site, None, Some(&made), None))
    }

    async fn align(&self, site: &Site<'_>, want: &R::Desired, have: &R::Object) -> Result<Outcome, Ended> {
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

    async fn replace(
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
        let made =
            match self.resource.order(want, have) {
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
            broke_off: false, changed: true, actions: vec![record], ..Failure::new(message) }))
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
        }))
    }

    async fn remove(&self, site: &Site<'_>, want: &R::Desired, have: &R::Object) -> Result<Outcome, Ended> {
        let removed = self.resource.delete(site, have).await;
        removed.map_err(|error| self.broken(Verb::Delete, want, site, error))?;
        Ok(self.done(Verb::Delete, want, site, Some(have), None, None))
    }

    /// The result of what was done.
    fn done(
        &self,
        verb: Verb,
        want: &R::Desired,
        site: &Site<'_>,
        before: Option<&R::Object>,
        after: Option<&R::Object>,
        reason: Option<String>,
    ) -> Outcome {
        let changed = verb != Verb::Nothing;
        let mut outcome = Outcome::new(changed, Dict::new()).with("action", verb.name());
        let identity = self.resource.identity(want);
        if self.context.check && changed {
            let label = self.spec.label;
            outcome.data.set("msg", format!("{label} {identity} would be {}", verb.participle()).into());
        }
        match (after, before) {
            (Some(object), _) => {
                let returned = self.resource.returned(object);
                returned.each_secret(&mut |secret| outcome.effects.push(Effect::Secret(secret.to_owned())));
                outcome.data.set(self.spec.returns.unwrap_or("object"), returned);
            }
            (None, Some(gone)) => outcome.data.set("id", id_value(&self.resource.id(gone))),
            (None, None) => {}
        }
        let fields = |object: Option<&R::Object>| object.map(|o| self.resource.fields(o)).unwrap_or_default();
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
            && let Some(remark) = before.and_then(|object| self.resource.remark(object, self.context))
        {
            self.context.warn(remark);
        }
        let shown = after.or(before);
        let id = shown.map_or(Value::Null, |object| id_value(&self.resource.id(object)));
        let name = shown.map_or(identity, |object| self.resource.name(object));
        let mut record = self.record(name, id, site.parent, verb, old, new);
        record.reason = reason;
        outcome.actions.push(record);
        outcome
    }

    fn record(
        &self,
        identity: String,
        id: Value,
        parent: Option<&Id>,
        verb: Verb,
        before: Dict,
        after: Dict,
    ) -> Record {
        Record {
            kind: self.spec.label,
            identity,
            id,
            parent: parent.map_or(Value::Null, id_value),
            verb,
            before,
            after,
            reason: None,
            planned: self.context.check,
            error: None,
        }
    }

    fn failed_record(
        &self,
        want: &R::Desired,
        site: &Site<'_>,
        verb: Verb,
        before: Option<&R::Object>,
        error: &ApiError,
    ) -> Record {
        let id = before.map_or(Value::Null, |object| id_value(&self.resource.id(object)));
        let fields = before.map(|object| self.resource.fields(object)).unwrap_or_default();
        let identity = self.resource.identity(want);
        let record = self.record(identity, id, site.parent, verb, fields, Dict::new());
        Record { error: Some(error.to_string()), ..record }
    }

    /// A write that failed, in the words of the original.
    fn broken(&self, verb: Verb, want: &R::Desired, site: &Site<'_>, error: ApiError) -> Ended {
        if error.kind == ErrorKind::Undetermined {
            return Ended::Undetermined(error.message);
        }
        if (error.is_conflict() || error.is_not_found()) && site.kept.is_some_and(Kept::clear) {
            return Ended::Outdated;
        }
        let label = self.spec.label;
        let message = match verb {
            Verb::Create | Verb::Replace => format!("failed to create the new {label}: {error}"),
            Verb::Update => format!("failed to update the {label}: {error}"),
            Verb::Delete | Verb::Nothing => format!("failed to remove the {label}: {error}"),
        };
        let record = self.failed_record(want, site, verb, None, &error);
        Ended::Failed(Box::new(Failure { broke_off: false, actions: vec![record], ..Failure::new(message) }))
    }

    /// Everything else that ends a task.
    fn ended(&self, stop: Stop) -> Ended {
        let prefix = format!("failed to set {} state {}", self.spec.label, self.state);
        match stop {
            Stop::Api(error) if error.kind == ErrorKind::Undetermined => Ended::Undetermined(error.message),
            Stop::Api(error) => Ended::Failed(Box::new(Failure::new(format!("{prefix}: {error}")))),
            Stop::Said(message) => Ended::Failed(Box::new(Failure::new(message))),
            Stop::Wrong(diagnostic) => {
                let message = format!("{prefix}: {}", diagnostic.one_line());
                Ended::Failed(Box::new(Failure {
                    broke_off: false,
                    diagnostic: Some(diagnostic),
                    ..Failure::new(message)
                }))
            }
        }
    }
}

/// An id as a value.
pub fn id_value(id: &Id) -> Value {
    id.to_value(|id| Value::text(id.as_str()))
}

/// What is known of a text argument.
pub fn text_fact(value: &Value) -> Fact<String> {
    match value {
        Value::Unknown(unknown) => Fact::Unknown(unknown.clone()),
        Value::Str(text) => Fact::Known(text.as_str().to_owned()),
        other => Fact::Known(crate::value::python::str(other)),
    }
}

/// "; did you mean `a` or `b`?", or what there is if it is little, or nothing.
pub fn near(wanted: &str, names: &[String]) -> String {
    let quoted = |names: &[&str]| names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>();
    let similar = crate::suggest::several(wanted, names, 3);
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
