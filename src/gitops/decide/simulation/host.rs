//! A host: claims the job, carries out effects one by one, and may be gone before the next.

use std::collections::VecDeque;

use super::super::step::{Applied, Ended, Event, Fetched, Planned, Relation, decide};
use super::super::{Effect, Next, next_step};
use super::world::{LEASE, OBJECTS, PlanOfRun, World};
use crate::gitops::record::Target;
use crate::gitops::view::{Outcome, PlanCounts};

/// A host.
#[derive(Default)]
pub(super) struct Host {
    pub stalled_until: i64,
    pub doing: Doing,
}

/// What it is about.
#[derive(Default)]
pub(super) enum Doing {
    /// Nothing.
    #[default]
    Nothing,
    /// It holds the claim of this number, and carries out effects.
    Effects(u64, VecDeque<Effect>),
    /// A child of it applies: what is left to write, and until when it may.
    Applying { epoch: u64, plan: PlanOfRun, left: Vec<usize>, deadline: i64 },
}

impl World<'_> {
    /// A host does its next step.
    pub(super) fn advance(&mut self, host: usize, storm: bool) {
        if self.hosts[host].stalled_until > self.time {
            return;
        }
        match std::mem::take(&mut self.hosts[host].doing) {
            Doing::Nothing => self.begin(host),
            Doing::Effects(epoch, effects) => self.carry_out(host, epoch, effects, storm),
            Doing::Applying { epoch, plan, left, deadline } => self.apply(host, epoch, plan, left, deadline, storm),
        }
    }

    /// Renews a claim; false if another has it.
    fn beat(&mut self, epoch: u64) -> bool {
        if !self.store_up || self.claimed != epoch {
            return false;
        }
        self.lease_until = self.time + LEASE;
        true
    }

    fn begin(&mut self, host: usize) {
        if !self.store_up {
            return;
        }
        let now = self.now();
        let next = next_step(&self.record, &self.rules, now);
        if next == Next::Look {
            let head = Self::id(self.head);
            let found = if self.git_up { Ok(head) } else { Err("unreachable".to_owned()) };
            // Looks are not saved by a claim; a run under way sees them later.
            self.record = decide(&self.record, &self.rules, Event::Looked(found), now).0;
            return;
        }
        if matches!(next, Next::Sleep(_)) || self.lease_until > self.time {
            return;
        }
        self.claimed += 1;
        self.lease_until = self.time + LEASE;
        let epoch = self.claimed;
        let event = match next {
            Next::Resume => Event::Resume,
            Next::Recover => Event::Interrupted("gone".to_owned()),
            Next::Start(reasons, target) => {
                self.runs += 1;
                Event::Begin { epoch, reasons, target }
            }
            Next::Apply => Event::BeginApply { epoch },
            Next::Look | Next::Sleep(_) => return,
        };
        let effects = self.decide(event);
        self.hosts[host].doing = Doing::Effects(epoch, effects.into());
    }

    fn decide(&mut self, event: Event) -> Vec<Effect> {
        let (record, effects) = decide(&self.record, &self.rules, event, self.now());
        self.record = record;
        effects
    }

    fn carry_out(&mut self, host: usize, epoch: u64, mut effects: VecDeque<Effect>, storm: bool) {
        // A claim that was lost, or a store that is away: whatever the host wanted to write down does not count.
        if !self.beat(epoch) {
            return;
        }
        let event = match effects.pop_front() {
            None => {
                self.lease_until = self.time;
                return;
            }
            Some(Effect::Fetch { target }) => Event::Fetched(self.fetch(&target)),
            Some(Effect::Plan { commit }) => Event::Planned(self.plan(&commit, storm)),
            Some(Effect::Apply { commit }) => {
                self.start_apply(host, epoch, &commit);
                return;
            }
            Some(Effect::Wait | Effect::End(_) | Effect::EndWaiting { .. }) => {
                self.hosts[host].doing = Doing::Effects(epoch, effects);
                return;
            }
        };
        effects.extend(self.decide(event));
        self.hosts[host].doing = Doing::Effects(epoch, effects);
    }

    fn fetch(&mut self, target: &Target) -> Result<Fetched, String> {
        if !self.git_up {
            return Err("unreachable".to_owned());
        }
        let applied = self.record.applied.as_deref().map(Self::index);
        let (commit, head) = match target {
            Target::Head => (self.head, Some(Self::id(self.head))),
            Target::Applied => (applied.unwrap_or(self.head), None),
            Target::Earlier(to) => (Self::index(to), Some(Self::id(self.head))),
        };
        let relation = match applied {
            None => Relation::First,
            Some(applied) if applied == commit => Relation::Same,
            Some(applied) if self.descends(commit, applied) => Relation::Newer,
            Some(_) => Relation::Unrelated,
        };
        // The applied commit itself is looked at again; the baseline counts as it is.
        let signed = match relation {
            Relation::Same => self.commits[commit].is_signed,
            _ => self.is_signed_since(commit, applied),
        };
        let signed = signed || self.asked_for.contains(&commit);
        let within = !matches!(target, Target::Earlier(_)) || self.descends(self.head, commit);
        let unverified = (!signed || !within).then(|| "unverified".to_owned());
        Ok(Fetched { commit: Self::id(commit), head, relation, unverified })
    }

    fn plan(&mut self, commit: &str, storm: bool) -> Result<Planned, String> {
        if storm && self.dice.chance(20) {
            return Err("the playbook fails".to_owned());
        }
        let wants = self.commits[Self::index(commit)].wants;
        let from = self.objects;
        let changes =
            (0..OBJECTS).filter(|object| from[*object] != wants[*object]).map(|object| (object, wants[object]));
        let run = self.record.active.as_ref().map(|active| active.run.clone()).unwrap_or_default();
        let plan = PlanOfRun { digest: format!("{run}-{}", self.time), from, changes: changes.collect() };
        let number = u64::try_from(plan.changes.len()).unwrap();
        let counts = PlanCounts {
            digest: plan.digest.clone(),
            create: 0,
            update: number,
            replace: 0,
            delete: 0,
            unchanged: 0,
            undetermined: 0,
        };
        let approved = self.record.approved_before.as_ref().and_then(|run| self.plans.get(run));
        let within = approved.is_some_and(|approved| {
            plan.changes.iter().all(|(object, wanted)| approved.changes.get(object) == Some(wanted))
        });
        self.plans.insert(run, plan);
        Ok(Planned {
            counts,
            others: 0,
            drifted: number,
            only_ignored: number == 0,
            tokens: Vec::new(),
            within_approved: within,
            objects: None,
        })
    }

    fn start_apply(&mut self, host: usize, epoch: u64, commit: &str) {
        let run = self.record.active.clone();
        self.promise(run.is_some(), "an apply without a run");
        let run = run.unwrap();
        self.check_commit(Self::index(commit));
        let plan = self.plans.get(&run.run).cloned().unwrap_or_default();
        let needs = self.is_manual() && !plan.changes.is_empty();
        self.promise(!needs || run.approved, "an apply that nobody approved");
        // The apply looks first: a plan that does not fit any more is not applied.
        if plan.from != self.objects {
            let ended =
                Ended { outcome: Outcome::Refused, error: Some("the world has changed".to_owned()), retry: true };
            let effects = self.decide(Event::Applied(Err(ended)));
            self.hosts[host].doing = Doing::Effects(epoch, effects.into());
            return;
        }
        let left = plan.changes.keys().copied().collect();
        self.hosts[host].doing = Doing::Applying { epoch, plan, left, deadline: self.time + LEASE };
    }

    fn apply(&mut self, host: usize, epoch: u64, plan: PlanOfRun, mut left: Vec<usize>, deadline: i64, storm: bool) {
        // The child compares the deadline before each write, whether its parent lives or not.
        let alive = self.beat(epoch);
        let deadline = if alive { self.time + LEASE } else { deadline };
        if self.time >= deadline {
            return;
        }
        if let Some(object) = left.pop() {
            // Somebody else may have written meanwhile; the request is then one of the plan that is not needed.
            if self.objects[object] != plan.changes[&object] {
                self.write(epoch, &plan, object);
            }
            self.hosts[host].doing = Doing::Applying { epoch, plan, left, deadline };
            return;
        }
        if !alive {
            return;
        }
        let result =
            if storm && self.dice.chance(15) { Err(Ended::failed("a task failed")) } else { Ok(Applied::default()) };
        let effects = self.decide(Event::Applied(result));
        self.hosts[host].doing = Doing::Effects(epoch, effects.into());
    }
}
