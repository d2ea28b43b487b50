//! The steps of a run.

use jiff::Timestamp;

use super::super::config::{ActionKind, Approval, Drift, PruneMode};
use super::super::record::{
    ActiveRun, Health, JobRecord, KnownToken, MadeObject, Phase, RetryState, RunTarget, WaitingRun, shorten_commit,
};
use super::super::view::{Outcome, PlanCounts, Reason};
use super::due::find_expiring;
use super::ending::RunEnding;
use super::rules::{JobRules, add_saturating};
use super::{Decided, RunEffect, end};

/// Event in the life cycle of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum RunEvent {
    /// The driver has claimed the job and starts a run.
    Begin {
        /// Number of the claim.
        epoch: u64,
        /// Why.
        reasons: Vec<Reason>,
        /// The commit to run.
        target: RunTarget,
    },
    /// The driver has claimed the job and applies the plan that waits.
    BeginApply {
        /// Number of the claim.
        epoch: u64,
    },
    /// A look at the repository, without a run.
    Looked(Result<String, String>),
    /// The commit was fetched and verified, or not.
    Fetched(Result<Fetched, String>),
    /// The plan was made, or not.
    Planned(Result<Planned, String>),
    /// The plan was applied, or not.
    Applied(Result<Applied, RunEnding>),
    /// The run was stopped before its end: by a signal, or found after a crash.
    Interrupted(String),
    /// The suspension is over.
    Resume,
}

/// How a commit stands to the applied one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Nothing is applied yet.
    First,
    /// It is the applied one.
    Same,
    /// It descends from the applied one.
    Newer,
    /// It does not.
    Unrelated,
}

/// A commit that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The commit.
    pub commit: String,
    /// Where the branch stands, if the run was told.
    pub head: Option<String>,
    /// How it stands to the applied one.
    pub relation: Relation,
    /// Why it, or a commit before it, is not accepted.
    pub unverified: Option<String>,
}

/// A plan, as far as it decides anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Digest and counts.
    pub counts: PlanCounts,
    /// Changes by other modules than those of registries.
    pub others: u64,
    /// Objects that differ and whose differences are not ignored.
    pub drifted: u64,
    /// Only differences that the job ignores are left.
    pub only_ignored: bool,
    /// Tokens that the job names, with their ends.
    pub tokens: Vec<KnownToken>,
    /// Nothing in it goes beyond the plan that was approved before the interruption.
    pub within_approved: bool,
    /// Objects that the job made, if it has nothing to change; none where the plan does not say which of them it names.
    pub objects: Option<Vec<MadeObject>>,
}

impl Planned {
    /// Whether to apply it may change anything.
    pub fn has_changes(&self) -> bool {
        self.counts.has_changes() || self.others > 0
    }
}

/// State after an apply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// Changes that the check afterwards still found: the playbook does not converge.
    pub left: u64,
    /// Tokens that the job names, with their ends.
    pub tokens: Vec<KnownToken>,
    /// Objects that the job has made so far.
    pub objects: Vec<MadeObject>,
}

/// Returns the record after an event, and what is to be done.
pub fn decide_event(record: &JobRecord, rules: &JobRules<'_>, event: RunEvent, now: Timestamp) -> Decided {
    let mut record = record.clone();
    let effects = match event {
        RunEvent::Begin { epoch, reasons, target } => {
            begin_run(&mut record, rules, RunStart { epoch, reasons, target }, now)
        }
        RunEvent::BeginApply { epoch } => begin_apply(&mut record, epoch, now),
        RunEvent::Looked(found) => handle_look(&mut record, found, now),
        RunEvent::Resume => {
            record.suspended = None;
            Vec::new()
        }
        RunEvent::Fetched(result) => handle_fetch(&mut record, rules, result, now),
        RunEvent::Planned(result) => handle_plan(&mut record, rules, result, now),
        RunEvent::Applied(result) => handle_apply(&mut record, rules, result, now),
        RunEvent::Interrupted(why) => handle_interruption(&mut record, rules, &why, now),
    };
    (record, effects)
}

/// A claim of a job, for a run.
struct RunStart {
    epoch: u64,
    reasons: Vec<Reason>,
    target: RunTarget,
}

fn begin_run(record: &mut JobRecord, rules: &JobRules<'_>, start: RunStart, now: Timestamp) -> Vec<RunEffect> {
    let RunStart { epoch, reasons, target } = start;
    record.epoch = epoch;
    if reasons.contains(&Reason::Expiry) {
        record.expiry_served.extend(find_expiring(record, rules, now));
    }
    if rules.schedule.is_some() {
        record.scheduled = Some(now);
    }
    if reasons.contains(&Reason::Drift) {
        // Also a look that is refused or fails was one: the next comes after the pause of its kind.
        record.drift_looked = Some(now);
    }
    // This run serves requests that came before now; the next run serves later ones.
    record.offers.clear();
    if let Some(retry) = &mut record.retry {
        retry.at = None;
    }
    record.looked = Some(now);
    record.active = Some(ActiveRun {
        run: record.run_id(epoch),
        epoch,
        reasons,
        commit: None,
        target: target.clone(),
        phase: Phase::Fetch,
        started: now,
        approved: false,
    });
    vec![RunEffect::Fetch { target }]
}

fn begin_apply(record: &mut JobRecord, epoch: u64, now: Timestamp) -> Vec<RunEffect> {
    record.epoch = epoch;
    let Some(waiting) = record.waiting.take() else { return Vec::new() };
    record.active = Some(ActiveRun {
        run: waiting.run,
        epoch,
        reasons: waiting.reasons,
        commit: Some(waiting.commit.clone()),
        target: waiting.target,
        phase: Phase::Apply,
        started: now,
        approved: true,
    });
    vec![RunEffect::Apply { commit: waiting.commit }]
}

fn handle_look(record: &mut JobRecord, found: Result<String, String>, now: Timestamp) -> Vec<RunEffect> {
    record.looked = Some(now);
    match found {
        Ok(head) => {
            record.observed = Some(head);
            // The repository is there again: why wait.
            if let Some(retry) = record.retry.as_mut().filter(|retry| retry.unreachable) {
                retry.at = Some(now);
            }
            Vec::new()
        }
        // While a try is ahead, it will say the same.
        Err(_) if record.retry.as_ref().is_some_and(|retry| retry.at.is_some()) => Vec::new(),
        Err(_) => {
            record.offers.push(super::super::record::Offer { reason: Reason::Poll, to: None });
            Vec::new()
        }
    }
}

fn handle_fetch(
    record: &mut JobRecord,
    rules: &JobRules<'_>,
    result: Result<Fetched, String>,
    now: Timestamp,
) -> Vec<RunEffect> {
    let Some(mut active) = record.active.take() else { return Vec::new() };
    let fetched = match result {
        Ok(fetched) => fetched,
        Err(why) => {
            let effects = end::end_run(record, rules, active, RunEnding::from_failure(why), now);
            if let Some(retry) = &mut record.retry {
                retry.unreachable = true;
            }
            return effects;
        }
    };
    if let Some(head) = &fetched.head {
        record.observed = Some(head.clone());
    }
    active.commit = Some(fetched.commit.clone());
    let refusal = find_refusal(record, rules, &fetched, &active.target);
    if rules.signers.is_some() {
        record.signers.clone_from(&rules.signers);
    }
    if let Some(why) = refusal {
        return refuse_commit(record, rules, active, (fetched.commit, why), now);
    }
    let mut effects = Vec::new();
    // Only a commit that counts takes the place of one that waits.
    if let Some(waiting) = record.waiting.take() {
        let why = format!("run {} came while it waited", active.run);
        let ended = RunEnding { outcome: Outcome::Superseded, error: Some(why), retry: false };
        effects.extend(end::end_waiting(record, waiting, ended, now));
    }
    if record.attempted.as_ref() != Some(&fetched.commit) {
        // The failed commit was another one.
        record.retry = None;
    }
    note_attempt(record, &active.target, &fetched.commit);
    active.phase = Phase::Plan;
    record.active = Some(active);
    effects.push(RunEffect::Plan { commit: fetched.commit });
    effects
}

/// Returns why a commit is not run; none if it is.
fn find_refusal(record: &JobRecord, rules: &JobRules<'_>, fetched: &Fetched, target: &RunTarget) -> Option<String> {
    if let Some(why) = record.lost.as_ref().or(fetched.unverified.as_ref()) {
        return Some(why.clone());
    }
    if fetched.relation != Relation::Unrelated || *target != RunTarget::Head || rules.allow_rewrite {
        return None;
    }
    Some(format!(
        "history was rewritten: commit {} does not descend from {}, which was applied last; restore the branch, or \
         accept it with `ionplay gitops accept-baseline FILE {} COMMIT`",
        shorten_commit(&fetched.commit),
        shorten_commit(record.applied.as_deref().unwrap_or_default()),
        record.job
    ))
}

/// Ends a run whose commit is refused, for a reason.
fn refuse_commit(
    record: &mut JobRecord,
    rules: &JobRules<'_>,
    active: ActiveRun,
    (commit, why): (String, String),
    now: Timestamp,
) -> Vec<RunEffect> {
    if active.target == RunTarget::Head {
        record.attempted = Some(commit);
    }
    let was_asked = matches!(active.target, RunTarget::Earlier(_));
    let effects = end::end_run(record, rules, active, RunEnding::from_refusal(why), now);
    if let Some(retry) = record.retry.as_mut().filter(|_| was_asked) {
        // The requested commit is not available. The job itself may be fine: the next run shows it.
        retry.at = Some(add_saturating(now, rules.retry.first));
        retry.target = RunTarget::Head;
        retry.reasons.clear();
    }
    effects
}

fn note_attempt(record: &mut JobRecord, target: &RunTarget, commit: &str) {
    if *target != RunTarget::Applied {
        record.attempted = Some(commit.to_owned());
    }
    if let RunTarget::Earlier(_) = target {
        // From now on the branch is passed over; unless this is where it stands.
        let stands = record.observed.as_deref() == Some(commit);
        record.passed_over = if stands { None } else { record.observed.clone() };
    }
}

fn handle_plan(
    record: &mut JobRecord,
    rules: &JobRules<'_>,
    result: Result<Planned, String>,
    now: Timestamp,
) -> Vec<RunEffect> {
    let Some(mut active) = record.active.take() else { return Vec::new() };
    let commit = active.commit.clone().unwrap_or_default();
    let plan = match result {
        Ok(plan) => plan,
        Err(why) => return end::end_run(record, rules, active, RunEnding::from_failure(why), now),
    };
    let again = record.applied.as_ref() == Some(&commit) && !matches!(active.target, RunTarget::Earlier(_));
    if is_prunable(record, rules, &active) {
        record.pruned = Some(now);
    }
    if again || !plan.has_changes() {
        record.drift_looked = Some(now);
    }
    let only_looks = is_only_look(&active.reasons);
    if !plan.has_changes() || again && plan.only_ignored && only_looks {
        record.tokens.clone_from(&plan.tokens);
        if let Some(objects) = plan.objects {
            record.objects = objects;
        }
        record.drift = 0;
        let outcome =
            if matches!(active.target, RunTarget::Earlier(_)) { Outcome::RolledBack } else { Outcome::Unchanged };
        return end::succeed_run(record, rules, active, outcome, now);
    }
    let corrects = matches!(rules.drift, Some((_, Drift::Correct)));
    if again && only_looks && !corrects {
        record.tokens.clone_from(&plan.tokens);
        record.drift = plan.drifted;
        return end::end_run(record, rules, active, RunEnding::from_outcome(Outcome::Drifted), now);
    }
    let within = plan.within_approved && record.approved_before.is_some();
    match needs_approval(rules, &plan) {
        Some(approved_at) if !within => {
            let approved_at = approved_at.map(|after| add_saturating(now, after));
            wait_for_approval(record, active, (commit, plan.counts.digest), approved_at, now);
            vec![RunEffect::Wait]
        }
        needed => {
            active.phase = Phase::Apply;
            active.approved = needed.is_some();
            record.active = Some(active);
            vec![RunEffect::Apply { commit }]
        }
    }
}

/// Lets a run wait with its commit and the digest of its plan.
fn wait_for_approval(
    record: &mut JobRecord,
    active: ActiveRun,
    (commit, digest): (String, String),
    approved_at: Option<Timestamp>,
    now: Timestamp,
) {
    record.waiting = Some(WaitingRun {
        run: active.run,
        commit,
        digest,
        reasons: active.reasons,
        target: active.target,
        since: now,
        approved_at,
        approval: None,
    });
    record.message = Some("a plan waits for approval".to_owned());
    record.retry = None;
    if record.health.is_broken() {
        record.health = Health::Fine;
    }
}

/// Whether a run only looks whether all is in order, unless it corrects drift.
fn is_only_look(reasons: &[Reason]) -> bool {
    reasons.iter().all(|reason| matches!(reason, Reason::Drift | Reason::Poll | Reason::Retry))
}

/// Returns whether the plan of the run under way may have steps that prune: one that only reports drift has none.
pub fn may_prune(record: &JobRecord, rules: &JobRules<'_>) -> bool {
    record.active.as_ref().is_some_and(|active| is_prunable(record, rules, active))
}

fn is_prunable(record: &JobRecord, rules: &JobRules<'_>, active: &ActiveRun) -> bool {
    let corrects = matches!(rules.drift, Some((_, Drift::Correct)));
    let again = record.applied == active.commit && record.applied.is_some();
    rules.prune.mode > PruneMode::Report && (corrects || !again || !is_only_look(&active.reasons))
}

/// Whether a person has to approve a plan, and after how long a rule does it instead.
fn needs_approval(rules: &JobRules<'_>, plan: &Planned) -> Option<Option<std::time::Duration>> {
    match rules.approve {
        Approval::Auto => None,
        Approval::Manual => Some(None),
        Approval::After(time) => Some(Some(*time)),
        Approval::ManualIf(kinds) => {
            let has = |kind: &ActionKind| match kind {
                ActionKind::Create => plan.counts.create > 0,
                ActionKind::Update => plan.counts.update > 0,
                ActionKind::Replace => plan.counts.replace > 0,
                ActionKind::Delete => plan.counts.delete > 0,
                ActionKind::Undetermined => plan.counts.undetermined > 0,
            };
            kinds.iter().any(has).then_some(None)
        }
    }
}

fn handle_apply(
    record: &mut JobRecord,
    rules: &JobRules<'_>,
    result: Result<Applied, RunEnding>,
    now: Timestamp,
) -> Vec<RunEffect> {
    let Some(active) = record.active.take() else { return Vec::new() };
    match result {
        Err(ended) => end::end_run(record, rules, active, ended, now),
        Ok(done) => {
            record.tokens = done.tokens;
            record.objects = done.objects;
            record.drift = 0;
            record.drift_looked = Some(now);
            record.approved_before = None;
            let again = active.commit == record.applied;
            let outcome = match &active.target {
                RunTarget::Earlier(_) => Outcome::RolledBack,
                _ if again && active.reasons.contains(&Reason::Drift) => Outcome::Corrected,
                _ => Outcome::Applied,
            };
            let effects = end::succeed_run(record, rules, active, outcome, now);
            if done.left > 0 {
                record.message = Some(format!(
                    "the playbook does not come to rest: the check after the apply still found {} changes",
                    done.left
                ));
            }
            effects
        }
    }
}

fn handle_interruption(record: &mut JobRecord, rules: &JobRules<'_>, why: &str, now: Timestamp) -> Vec<RunEffect> {
    let Some(active) = record.active.take() else { return Vec::new() };
    if active.phase == Phase::Apply && active.approved {
        record.approved_before = Some(active.run.clone());
    }
    let failures = record.retry.as_ref().map_or(0, |retry| retry.failures);
    let (reasons, target) = (end::carry_reasons(&active.reasons), active.target.clone());
    let ended = RunEnding { outcome: Outcome::Interrupted, error: Some(why.to_owned()), retry: false };
    let effects = end::end_run(record, rules, active, ended, now);
    // Whatever it was about is due again at once.
    let seen = record.observed.clone();
    record.retry = Some(RetryState { failures, at: Some(now), unreachable: false, reasons, target, seen });
    effects
}
