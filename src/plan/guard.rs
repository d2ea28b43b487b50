//! The real run of a plan: stops a writing request that the plan does not contain.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::host_effects::{self, EffectKind, EffectObserver, EffectRefusal, PlannedEffect};
use super::model::{Plan, PlannedTask, Write};
use super::record_writes::{WriteObserver, WriteRecordingApi};
use super::recorder::account_name;
use super::requests;
use crate::ionos::api::Id;
use crate::ionos::error::ErrorKind;
use crate::ionos::{ApiConnection, ApiError, Connector, RegistryApi};

/// Compares each request with the plan before it is sent. After the first that is not in it, nothing is sent any more.
pub struct Guard {
    alias: Option<String>,
    planned: Vec<Write>,
    effects: Vec<PlannedEffect>,
    undetermined: Vec<PlannedTask>,
    sent: RefCell<Vec<bool>>,
    /// Ids of created objects, by their placeholders in the plan.
    made: RefCell<HashMap<String, String>>,
    /// The planned number of a request that is under way.
    current: Cell<Option<usize>>,
    refused: RefCell<Option<String>>,
    /// Planned creations of unknown outcome.
    doubtful: RefCell<HashSet<usize>>,
    /// The ids of the tokens that were there when the plan was made.
    known: HashSet<String>,
}

impl Guard {
    /// A guard over the requests of a plan; the alias as for [`super::DryRunRecorder`].
    pub fn new(plan: &Plan, alias: Option<String>) -> Rc<Self> {
        Rc::new(Self {
            alias,
            sent: RefCell::new(vec![false; plan.writes.len()]),
            planned: plan.writes.clone(),
            effects: plan.host_effects.clone(),
            undetermined: plan.undetermined.clone(),
            made: RefCell::default(),
            current: Cell::new(None),
            refused: RefCell::default(),
            doubtful: RefCell::default(),
            known: plan.observed.iter().filter(|seen| seen.there).map(|seen| seen.id.clone()).collect(),
        })
    }

    /// A connector that lets only planned requests through to `real`.
    pub fn wrap_connector(self: &Rc<Self>, real: Rc<dyn Connector>) -> Rc<dyn Connector> {
        Rc::new(Guarded { inner: real, guard: Rc::clone(self) })
    }

    /// Returns the refused request, if there is one.
    pub fn refused_request(&self) -> Option<String> {
        self.refused.borrow().clone()
    }

    /// How many planned requests were not sent.
    pub fn count_unsent(&self) -> usize {
        self.sent.borrow().iter().filter(|sent| !**sent).count()
    }

    /// Whether a request is the planned one, with the ids that are known by now.
    fn is_planned(&self, planned: &Write, real: &Write) -> bool {
        let made = self.made.borrow();
        let same_id = |planned: &Option<String>, real: &Option<String>| match (planned, real) {
            (Some(planned), Some(real)) => made.get(planned).unwrap_or(planned) == real,
            (None, None) => true,
            _ => false,
        };
        let same_body = match (&planned.body, &real.body) {
            (Some(planned), Some(real)) => requests::is_same_body(planned, real),
            (None, None) => true,
            _ => false,
        };
        planned.call == real.call
            && planned.account == real.account
            && same_id(&planned.registry, &real.registry)
            && same_id(&planned.object, &real.object)
            && same_body
    }
}

/// The beginning of the text of an item: a registered result fills a screen.
fn shorten(item: &str) -> String {
    const LIMIT: usize = 120;
    match item.char_indices().nth(LIMIT) {
        Some((at, _)) => format!("{} ...", &item[..at]),
        None => item.to_owned(),
    }
}

impl EffectObserver for Guard {
    fn authorize_effect(&self, effect: &PlannedEffect) -> Result<(), EffectRefusal> {
        if self.refused.borrow().is_some() {
            return Err(EffectRefusal::Stopped);
        }
        // A task of which the plan says that it cannot tell what it does may do anything.
        let open = self.undetermined.iter().any(|step| step.task == effect.task && step.host == effect.host);
        if open || host_effects::is_predicted(&self.effects, effect) {
            return Ok(());
        }
        let item = effect.item.as_ref().map(|item| format!(" (item={})", shorten(item))).unwrap_or_default();
        let what = if effect.does == EffectKind::Change { "change something" } else { "run something" };
        let deviation =
            format!("task \"{}\" on {}{item} would {what}, and that is not in the plan", effect.task, effect.host);
        *self.refused.borrow_mut() = Some(deviation.clone());
        Err(EffectRefusal::NotPlanned { deviation })
    }
}

impl WriteObserver for Guard {
    fn before_write(&self, write: &Write) -> Result<(), ApiError> {
        if self.refused.borrow().is_some() {
            return Err(ApiError::unsent(EffectRefusal::Stopped.to_string()));
        }
        let found = {
            let sent = self.sent.borrow();
            self.planned
                .iter()
                .enumerate()
                .position(|(number, planned)| !sent[number] && self.is_planned(planned, write))
        };
        let Some(number) = found else {
            let said = format!("{} is not in the plan", describe_write(write));
            *self.refused.borrow_mut() = Some(said.clone());
            return Err(ApiError::unsent(format!("{said}; the run stopped before this request")));
        };
        self.sent.borrow_mut()[number] = true;
        self.current.set(Some(number));
        Ok(())
    }

    fn after_write(&self, write: Write, failed: Option<&ApiError>, made: Option<&Id>) {
        // Requests of several hosts may be under way: the one that this was is found again by what it says.
        let number = self
            .current
            .take()
            .filter(|number| self.is_planned(&self.planned[*number], &write))
            .or_else(|| (0..self.planned.len()).find(|number| self.is_planned(&self.planned[*number], &write)));
        let Some(number) = number else { return };
        self.doubtful.borrow_mut().remove(&number);
        match (failed, made) {
            // It may have been lost, and is sent again then.
            (Some(error), _) if matches!(error.kind, ErrorKind::Unclear | ErrorKind::Passing | ErrorKind::Unsent) => {
                self.sent.borrow_mut()[number] = false;
                if error.kind == ErrorKind::Unclear {
                    self.doubtful.borrow_mut().insert(number);
                }
            }
            (None, Some(id)) => {
                self.made.borrow_mut().insert(format!("#{}", number + 1), id.display_text().to_owned());
            }
            _ => {}
        }
    }

    fn placeholder_for(&self, id: &Id) -> String {
        id.display_text().to_owned()
    }

    /// Allows one planned creation of a token to be repeated: the token whose password was lost is removed and created again.
    /// Tokens that existed before are never removed.
    fn taking_back(&self, removal: &Write) -> Result<(), ApiError> {
        let doubtful = self.doubtful.borrow();
        let planned = |write: &Write| {
            let made = self.made.borrow();
            let registry = write.registry.as_ref().map(|id| made.get(id).unwrap_or(id));
            write.call == "create_token" && write.account == removal.account && registry == removal.registry.as_ref()
        };
        let ours = doubtful.iter().any(|number| planned(&self.planned[*number]));
        let new = removal.object.as_ref().is_some_and(|id| !self.known.contains(id));
        if ours && new && self.refused.borrow().is_none() { Ok(()) } else { self.before_write(removal) }
    }
}

fn describe_write(write: &Write) -> String {
    let what = write.call.replace('_', " ");
    let name = write.body.as_ref().and_then(|body| body.get("name")).and_then(|name| name.as_str());
    match (name, &write.object, &write.registry) {
        (Some(name), ..) => format!("the request to {what} `{name}`"),
        (None, Some(object), _) => format!("the request to {what} `{object}`"),
        (None, None, Some(registry)) => format!("the request to {what} `{registry}`"),
        (None, None, None) => format!("the request to {what}"),
    }
}

struct Guarded {
    inner: Rc<dyn Connector>,
    guard: Rc<Guard>,
}

impl Connector for Guarded {
    fn connect(&self, connection: &ApiConnection) -> Result<Rc<dyn RegistryApi>, ApiError> {
        let inner = self.inner.connect(connection)?;
        let account = account_name(self.guard.alias.as_deref(), connection);
        Ok(Rc::new(WriteRecordingApi { inner, watch: Rc::clone(&self.guard), account }))
    }
}
