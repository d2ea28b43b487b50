//! A host: claims the job, carries out effects one by one, and may be gone before the next.

use std::collections::VecDeque;

use super::super::ending::RunEnding;
use super::super::step::{Applied, Fetched, Planned, Relation, RunEvent, decide_event};
use super::super::{Next, RunEffect, next_step};
use super::world::{Applying, Doing, LEASE, OBJECTS, PlanOfRun, Simulation};
use crate::gitops::record::RunTarget;
use crate::gitops::view::{Outcome, PlanCounts};

impl Simulation<'_> {
    /// A host does its next step.
    pub(super) fn advance_host(&mut self, host: usize, storm: bool) {
        if self.hosts[host].stalled_until > self.time {
            return;
        }
        match std::mem::take(&mut self.hosts[host].doing) {
            Doing::Nothing => self.begin_run(host),
            Doing::Effects(epoch, effects) => self.carry_out(host, epoch, effects, storm),
            Doing::Applying(child) => self.apply_plan(host, child, storm),
        }
    }

    /// Renews a claim; false if another has it.
    fn renew_claim(&mut self, epoch: u64) -> bool {
        if !self.store_up || self.claimed != epoch {
            return false;
        }
        self.lease_until = self.time + LEASE;
        true
    }

    fn begin_run(&mut self, host: usize) {
        if !self.store_up {
            return;
        }
        let now = self.now();
        let next = next_step(&self.record, &self.rules, now);
        if next == Next::Look {
            let head = Self::commit_id(self.head);
            let found = if self.git_up { Ok(head) } else { Err("unreachable".to_owned()) };
            // Looks are not saved by a claim; a run under way sees them later.
            self.record = decide_event(&self.record, &self.rules, RunEvent::Looked(found), now).0;
            return;
        }
        if matches!(next, Next::Sleep(_)) || self.lease_until > self.time {
            return;
        }
        self.claimed += 1;
        self.lease_until = self.time + LEASE;
        let epoch = self.claimed;
        let event = match next {
            Next::Resume => RunEvent::Resume,
            Next::Recover => RunEvent::Interrupted("gone".to_owned()),
            Next::Start(reasons, target) => {
                self.runs += 1;
                RunEvent::Begin { epoch, reasons, target }
            }
            Next::Apply => RunEvent::BeginApply { epoch },
            Next::Look | Next::Sleep(_) => return,
        };
        let effects = self.feed_event(event);
        self.hosts[host].doing = Doing::Effects(epoch, effects.into());
    }

    fn feed_event(&mut self, event: RunEvent) -> Vec<RunEffect> {
        let (record, effects) = decide_event(&self.record, &self.rules, event, self.now());
        self.record = record;
        effects
    }

    fn carry_out(&mut self, host: usize, epoch: u64, mut effects: VecDeque<RunEffect>, storm: bool) {
        // A claim that was lost, or a store that is away: whatever the host wanted to write down does not count.
        if !self.renew_claim(epoch) {
            return;
        }
        let event = match effects.pop_front() {
            None => {
                self.lease_until = self.time;
                return;
            }
            Some(RunEffect::Fetch { target }) => RunEvent::Fetched(self.fetch_target(&target)),
            Some(RunEffect::Plan { commit }) => RunEvent::Planned(self.plan_commit(&commit, storm)),
            Some(RunEffect::Apply { commit }) => {
                self.start_apply(host, epoch, &commit);
                return;
            }
            Some(RunEffect::Wait | RunEffect::End(_) | RunEffect::EndWaiting { .. }) => {
                self.hosts[host].doing = Doing::Effects(epoch, effects);
                return;
            }
        };
        effects.extend(self.feed_event(event));
        self.hosts[host].doing = Doing::Effects(epoch, effects);
    }

    fn fetch_target(&mut self, target: &RunTarget) -> Result<Fetched, String> {
        if !self.git_up {
            return Err("unreachable".to_owned());
        }
        let applied = self.record.applied.as_deref().map(Self::index);
        let (commit, head) = match target {
            RunTarget::Head => (self.head, Some(Self::commit_id(self.head))),
            RunTarget::Applied => (applied.unwrap_or(self.head), None),
            RunTarget::Earlier(to) => (Self::index(to), Some(Self::commit_id(self.head))),
        };
        let relation = match applied {
            None => Relation::First,
            Some(applied) if applied == commit => Relation::Same,
            Some(applied) if self.is_descendant(commit, applied) => Relation::Newer,
            Some(_) => Relation::Unrelated,
        };
        // The applied commit itself is looked at again; the baseline counts as it is.
        let signed = match relation {
            Relation::Same => self.commits[commit].is_signed,
            _ => self.is_signed_since(commit, applied),
        };
        let signed = signed || self.asked_for.contains(&commit);
        let within = !matches!(target, RunTarget::Earlier(_)) || self.is_descendant(self.head, commit);
        let unverified = (!signed || !within).then(|| "unverified".to_owned());
        Ok(Fetched { commit: Self::commit_id(commit), head, relation, unverified })
    }

    fn plan_commit(&mut self, commit: &str, storm: bool) -> Result<Planned, String> {
        if storm && self.dice.roll_chance(20) {
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
        self.assert_promise(run.is_some(), "an apply without a run");
        let run = run.unwrap();
        self.check_commit(Self::index(commit));
        let plan = self.plans.get(&run.run).cloned().unwrap_or_default();
        let needs = self.is_manual() && !plan.changes.is_empty();
        self.assert_promise(!needs || run.approved, "an apply without approval");
        // The apply looks first: a plan that does not fit any more is not applied.
        if plan.from != self.objects {
            let ended =
                RunEnding { outcome: Outcome::Refused, error: Some("the world has changed".to_owned()), retry: true };
            let effects = self.feed_event(RunEvent::Applied(Err(ended)));
            self.hosts[host].doing = Doing::Effects(epoch, effects.into());
            return;
        }
        let left = plan.changes.keys().copied().collect();
        self.hosts[host].doing = Doing::Applying(Applying { epoch, plan, left, deadline: self.time + LEASE });
    }

    fn apply_plan(&mut self, host: usize, child: Applying, storm: bool) {
        let Applying { epoch, plan, mut left, deadline } = child;
        // The child compares the deadline before each write, whether its parent lives or not.
        let alive = self.renew_claim(epoch);
        let deadline = if alive { self.time + LEASE } else { deadline };
        if self.time >= deadline {
            return;
        }
        if let Some(object) = left.pop() {
            // Somebody else may have written meanwhile; the request is then one of the plan that is not needed.
            if self.objects[object] != plan.changes[&object] {
                self.write(epoch, &plan, object);
            }
            self.hosts[host].doing = Doing::Applying(Applying { epoch, plan, left, deadline });
            return;
        }
        if !alive {
            return;
        }
        let result = if storm && self.dice.roll_chance(15) {
            Err(RunEnding::from_failure("a task failed"))
        } else {
            Ok(Applied::default())
        };
        let effects = self.feed_event(RunEvent::Applied(result));
        self.hosts[host].doing = Doing::Effects(epoch, effects.into());
    }
}
