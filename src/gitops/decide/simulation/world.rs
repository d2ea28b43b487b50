//! The branch, the objects, the store, and what happens to them.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::super::request::{JobRequest, answer_request};
use super::super::rules::JobRules;
use super::super::{Next, RunEffect, next_step};
use crate::gitops::config::{Approval, Drift};
use crate::gitops::record::{Health, JobRecord, RunTarget};
use crate::gitops::view::{Outcome, Reason};

/// How long a claim holds without a beat.
pub(super) const LEASE: i64 = 20;
/// Objects of the job.
pub(super) const OBJECTS: usize = 4;

/// Numbers that look random and are the same for the same seed.
pub(super) struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    pub fn roll_below(&mut self, end: usize) -> usize {
        usize::try_from(self.next()).unwrap_or(0) % end
    }

    /// Once in so many times.
    pub fn roll_chance(&mut self, times: usize) -> bool {
        self.roll_below(times) == 0
    }
}

/// A commit: what it wants of each object, and where it comes from.
#[derive(Clone)]
pub(super) struct Commit {
    pub parent: Option<usize>,
    pub wants: [u64; OBJECTS],
    pub is_signed: bool,
}

/// A plan: what each object was and shall be.
#[derive(Clone, Default)]
pub(super) struct PlanOfRun {
    pub digest: String,
    pub from: [u64; OBJECTS],
    pub changes: BTreeMap<usize, u64>,
}

/// A host.
#[derive(Default)]
pub(super) struct SimulatedHost {
    pub stalled_until: i64,
    pub doing: Doing,
}

/// Current activity of a host.
#[derive(Default)]
pub(super) enum Doing {
    /// Nothing.
    #[default]
    Nothing,
    /// It holds the claim of this number, and carries out effects.
    Effects(u64, VecDeque<RunEffect>),
    /// A child of it applies: what is left to write, and until when it may.
    Applying(Applying),
}

/// A child that applies.
pub(super) struct Applying {
    pub epoch: u64,
    pub plan: PlanOfRun,
    pub left: Vec<usize>,
    pub deadline: i64,
}

/// Everything there is.
pub(super) struct Simulation<'a> {
    pub seed: u64,
    pub dice: Dice,
    pub rules: JobRules<'a>,
    /// Seconds of the one true clock.
    pub time: i64,
    /// How far the clock of the hosts is off.
    pub skew: i64,
    pub commits: Vec<Commit>,
    pub head: usize,
    pub objects: [u64; OBJECTS],
    pub record: JobRecord,
    pub store_up: bool,
    pub git_up: bool,
    /// The epoch that was claimed last, and until when it holds.
    pub claimed: u64,
    pub lease_until: i64,
    pub plans: BTreeMap<String, PlanOfRun>,
    pub hosts: Vec<SimulatedHost>,
    pub writes: u64,
    pub runs: u64,
    pub crashes: u64,
    last_writer: u64,
    /// Commits that a person asked for.
    pub asked_for: Vec<usize>,
    signer_generation: u64,
}

impl<'a> Simulation<'a> {
    pub fn new(seed: u64, dice: Dice, rules: JobRules<'a>) -> Self {
        Self {
            seed,
            dice,
            rules,
            time: 1_800_000_000,
            skew: 0,
            commits: vec![Commit { parent: None, wants: [1; OBJECTS], is_signed: true }],
            head: 0,
            objects: [0; OBJECTS],
            record: JobRecord::new("job"),
            store_up: true,
            git_up: true,
            claimed: 0,
            lease_until: 0,
            plans: BTreeMap::new(),
            hosts: vec![SimulatedHost::default(), SimulatedHost::default()],
            writes: 0,
            runs: 0,
            crashes: 0,
            last_writer: 0,
            asked_for: Vec::new(),
            signer_generation: 0,
        }
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_second(self.time + self.skew).unwrap()
    }

    #[track_caller]
    pub fn assert_promise(&self, holds: bool, what: &str) {
        assert!(holds, "seed {}, second {}: {what}\n{:#?}", self.seed, self.time, self.record);
    }

    pub fn commit_id(commit: usize) -> String {
        format!("c{commit:08}")
    }

    pub fn index(id: &str) -> usize {
        id[1..].parse().unwrap()
    }

    pub fn is_descendant(&self, mut commit: usize, ancestor: usize) -> bool {
        loop {
            if commit == ancestor {
                return true;
            }
            match self.commits[commit].parent {
                Some(parent) => commit = parent,
                None => return false,
            }
        }
    }

    /// Whether a commit and all before it, up to another one, are signed.
    pub fn is_signed_since(&self, mut commit: usize, applied: Option<usize>) -> bool {
        loop {
            if applied.is_some_and(|applied| self.is_descendant(applied, commit)) {
                return true;
            }
            if !self.commits[commit].is_signed {
                return false;
            }
            match self.commits[commit].parent {
                Some(parent) => commit = parent,
                None => return true,
            }
        }
    }

    /// One thing happens.
    pub fn run_step(&mut self) {
        self.time += i64::try_from(self.dice.roll_below(8)).unwrap();
        let host = self.dice.roll_below(self.hosts.len());
        match self.dice.roll_below(100) {
            0..70 => self.advance_host(host, true),
            70..74 => self.push_commit(),
            74..78 => self.drift_object(),
            78..80 => self.crash_host(host),
            80..82 => self.stall_host(host),
            82..84 => self.make_request(JobRequest::Run { reason: Reason::Hook }),
            84 => self.make_request(JobRequest::Run { reason: Reason::Manual }),
            85..89 => self.decide_by_person(),
            89 => self.suspend_or_resume(),
            90 => self.roll_back(),
            91 => self.skew = i64::try_from(self.dice.roll_below(7200)).unwrap() - 3600,
            92..94 => self.store_up = !self.dice.roll_chance(2),
            94..96 => self.git_up = !self.dice.roll_chance(2),
            96 => self.rewrite_branch(),
            97 => self.accept_baseline(),
            98 => self.change_signers(),
            _ => self.time += i64::try_from(self.dice.roll_below(1200)).unwrap(),
        }
    }

    fn push_commit(&mut self) {
        let mut wants = self.commits[self.head].wants;
        let object = self.dice.roll_below(OBJECTS);
        wants[object] = 1 + u64::try_from(self.dice.roll_below(5)).unwrap();
        let is_signed = !self.dice.roll_chance(5);
        self.commits.push(Commit { parent: Some(self.head), wants, is_signed });
        self.head = self.commits.len() - 1;
    }

    /// The branch is moved to a commit that does not descend from where it stood.
    fn rewrite_branch(&mut self) {
        let parent = self.commits[self.head].parent;
        let wants = [2; OBJECTS];
        self.commits.push(Commit { parent, wants, is_signed: true });
        self.head = self.commits.len() - 1;
    }

    fn drift_object(&mut self) {
        let object = self.dice.roll_below(OBJECTS);
        self.objects[object] = 100 + u64::try_from(self.dice.roll_below(3)).unwrap();
    }

    fn crash_host(&mut self, host: usize) {
        self.crashes += 1;
        // The children end with the host, or at once if the machine lost its power.
        self.hosts[host] = SimulatedHost::default();
    }

    fn stall_host(&mut self, host: usize) {
        self.hosts[host].stalled_until = self.time + i64::try_from(self.dice.roll_below(90)).unwrap();
    }

    fn change_signers(&mut self) {
        self.signer_generation += 1;
        self.rules.signers = Some(format!("signers-{}", self.signer_generation));
    }

    /// A person or a hook asks, by whichever process has the job or can take it.
    fn make_request(&mut self, request: JobRequest) {
        if !self.store_up {
            return;
        }
        let (record, effects, _) = answer_request(&self.record, &self.rules, &request, self.now());
        let before = std::mem::replace(&mut self.record, record);
        for effect in &effects {
            if let RunEffect::EndWaiting { ended, .. } = effect {
                let known = matches!(ended.outcome, Outcome::Rejected | Outcome::Superseded);
                self.assert_promise(known && before.waiting.is_some(), "only an answer ends a wait");
            }
        }
    }

    fn decide_by_person(&mut self) {
        let Some(waiting) = self.record.waiting.clone() else { return };
        let (run, by) = (waiting.run.clone(), "cli".to_owned());
        if self.dice.roll_chance(4) {
            self.make_request(JobRequest::Reject { run, reason: None, by });
        } else {
            let digest = Some(waiting.digest);
            self.make_request(JobRequest::Approve { run, digest, by, reason: None });
        }
    }

    fn suspend_or_resume(&mut self) {
        if self.record.suspended.is_some() {
            self.make_request(JobRequest::Resume);
        } else {
            let until = self.dice.roll_chance(2).then(|| self.now() + SignedDuration::from_secs(300));
            self.make_request(JobRequest::Suspend { reason: None, until });
        }
    }

    fn roll_back(&mut self) {
        let earlier = self.record.applied_before.get(1).map(|one| one.commit.clone());
        if let Some(to) = earlier {
            self.asked_for.push(Self::index(&to));
            self.make_request(JobRequest::Rollback { to });
        }
    }

    fn accept_baseline(&mut self) {
        if self.record.health == Health::Refused {
            let commit = self.head;
            if self.store_up && self.record.active.is_none() {
                self.asked_for.push(commit);
            }
            self.make_request(JobRequest::AcceptBaseline { commit: Self::commit_id(commit) });
        }
    }

    /// An object is written: this is where promises are kept or broken.
    pub fn write(&mut self, epoch: u64, plan: &PlanOfRun, object: usize) {
        let wanted = plan.changes[&object];
        self.assert_promise(epoch == self.claimed, "a write by a claim that is not the last one");
        self.assert_promise(epoch >= self.last_writer, "a write by an earlier claim than that of the last write");
        self.assert_promise(self.objects[object] != wanted, "a second write of the same");
        self.objects[object] = wanted;
        self.last_writer = epoch;
        self.writes += 1;
    }

    /// Whether a run may bring the job to a commit.
    pub fn check_commit(&self, commit: usize) {
        let applied = self.record.applied.as_deref().map(Self::index);
        let forward = applied.is_none_or(|applied| self.is_descendant(commit, applied));
        let asked = self.asked_for.contains(&commit);
        self.assert_promise(
            forward || asked || self.rules.allow_rewrite,
            "a commit that does not descend from the applied one",
        );
        self.assert_promise(self.record.lost.is_none(), "an apply without a known history");
    }

    /// The storm is over: hosts live, store and repository are there, people answer. Then everything has to come to rest,
    /// and in order.
    pub fn run_to_rest(&mut self) {
        (self.store_up, self.git_up, self.skew) = (true, true, 0);
        for host in &mut self.hosts {
            host.stalled_until = 0;
        }
        self.make_request(JobRequest::Resume);
        for _ in 0..600 {
            self.time += 30;
            for host in 0..self.hosts.len() {
                // A step of each host at one time is as good as any other order.
                for _ in 0..12 {
                    self.advance_host(host, false);
                }
            }
            if let Some(waiting) = self.record.waiting.clone() {
                let (run, by) = (waiting.run, "cli".to_owned());
                self.make_request(JobRequest::Approve { run, digest: Some(waiting.digest), by, reason: None });
            }
            if self.is_at_rest() {
                break;
            }
        }
        self.assert_at_rest();
    }

    fn is_at_rest(&self) -> bool {
        let idle = self.hosts.iter().all(|host| matches!(host.doing, Doing::Nothing));
        let next = next_step(&self.record, &self.rules, self.now());
        let waits = self.record.retry.as_ref().is_some_and(|retry| retry.at.is_some());
        !waits
            && idle
            && matches!(next, Next::Sleep(_))
            && self.record.observed == Some(Self::commit_id(self.head))
            && self.in_order()
    }

    /// Whether the world is as the rules want it.
    fn in_order(&self) -> bool {
        let Some(applied) = self.record.applied.as_deref().map(Self::index) else {
            return self.record.health == Health::Refused || self.record.passed_over.is_some();
        };
        let corrects = matches!(self.rules.drift, Some((_, Drift::Correct)));
        // Signers have changed, and those of today do not vouch for the applied commit: it is not applied again.
        let refused = self.record.health == Health::Refused
            && self.record.retry.as_ref().is_some_and(|retry| retry.target == RunTarget::Applied);
        !corrects || refused || self.record.health == Health::Failed || self.objects == self.commits[applied].wants
    }

    fn assert_at_rest(&self) {
        self.assert_promise(self.record.active.is_none(), "a job that stays as running");
        self.assert_promise(self.in_order(), "drift that is not corrected");
        let head = Some(Self::commit_id(self.head));
        let reached = self.record.applied == head;
        let excused = self.record.health == Health::Refused || self.record.passed_over == head;
        self.assert_promise(reached || excused, "a branch that is not followed");
        if reached && self.record.health == Health::Refused {
            let signed = self.is_signed_since(self.head, None);
            self.assert_promise(!signed || self.asked_for.contains(&self.head), "a commit in order that is refused");
        }
    }

    /// Whether a person has to approve.
    pub fn is_manual(&self) -> bool {
        !matches!(self.rules.approve, Approval::Auto)
    }
}
