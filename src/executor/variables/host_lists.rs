//! Magic variables that list the hosts of a play: made once, and shared by all hosts until a host leaves or comes back.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use crate::executor::play::PlayRun;
use crate::executor::state::RunState;
use crate::value::Value;

/// The lists of a play.
#[derive(Default)]
pub struct HostLists {
    all: OnceCell<Value>,
    active: RefCell<Option<(Departures, ActiveHosts)>>,
}

/// How many hosts have left the play by each way, and how often hosts were taken back. The lists do not change while these
/// do not.
type Departures = [usize; 4];

/// The hosts that still take part.
#[derive(Clone)]
pub struct ActiveHosts {
    /// `ansible_play_hosts`
    pub play: Value,
    /// `ansible_play_batch`
    pub batch: Value,
}

impl PlayRun {
    /// Returns all hosts of the play (`ansible_play_hosts_all`).
    pub(in crate::executor) fn list_all_hosts(&self) -> Value {
        self.host_lists.all.get_or_init(|| list_names(self.all_hosts.iter())).clone()
    }

    /// Returns the hosts that still take part.
    pub(in crate::executor) fn list_active_hosts(&self, run: &RunState) -> ActiveHosts {
        let (ended, removed) = (self.ended_hosts.borrow(), self.removed_hosts.borrow());
        let departures = [run.failed.borrow().len(), ended.len(), removed.len(), run.readmissions.get()];
        if let Some((known, lists)) = &*self.host_lists.active.borrow()
            && *known == departures
        {
            return lists.clone();
        }
        let takes_part = |host: &&Rc<str>| !ended.contains(*host) && !removed.contains(*host) && !run.is_out(host);
        let lists = ActiveHosts {
            play: list_names(self.all_hosts.iter().filter(takes_part)),
            batch: list_names(self.batch.iter().filter(takes_part)),
        };
        self.host_lists.active.replace(Some((departures, lists.clone())));
        lists
    }
}

fn list_names<'a>(hosts: impl Iterator<Item = &'a Rc<str>>) -> Value {
    Value::list(hosts.map(|host| Value::text(&**host)))
}
