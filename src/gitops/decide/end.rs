//! The end of a run, and what it means for its job.

use jiff::Timestamp;

use super::super::record::{
    ActiveRun, AppliedCommit, Health, JobRecord, RetryState, RunTarget, WaitingRun, shorten_commit,
};
use super::super::view::{JobState, JobStatus, LastRun, Outcome, PendingApproval, Reason};
use super::RunEffect;
use super::due::next_due;
use super::ending::RunEnding;
use super::prune::describe_unnamed;
use super::rules::{Dependencies, JobRules, add_saturating, retry_pause};

/// How many applied commits are kept for a rollback.
const APPLIED_KEPT: usize = 20;

/// Ends a run that has brought its job to its commit.
pub(super) fn succeed_run(
    record: &mut JobRecord,
    rules: &JobRules<'_>,
    active: ActiveRun,
    outcome: Outcome,
    now: Timestamp,
) -> Vec<RunEffect> {
    if let Some(commit) = active.commit.clone() {
        if record.applied.as_ref() != Some(&commit) {
            record.applied_before.insert(0, AppliedCommit { commit: commit.clone(), run: active.run.clone() });
            record.applied_before.truncate(APPLIED_KEPT);
        }
        record.applied = Some(commit);
    }
    if rules.schedule.is_some() && record.scheduled.is_none() {
        record.scheduled = Some(now);
    }
    end_run(record, rules, active, RunEnding::from_outcome(outcome), now)
}

/// Ends a run.
pub(super) fn end_run(
    record: &mut JobRecord,
    rules: &JobRules<'_>,
    active: ActiveRun,
    ended: RunEnding,
    now: Timestamp,
) -> Vec<RunEffect> {
    match ended.outcome {
        Outcome::Unchanged | Outcome::Applied | Outcome::Corrected | Outcome::RolledBack => {
            record.health = Health::Fine;
            record.retry = None;
            record.last_success = Some(now);
            record.approved_before = None;
            record.message = record
                .passed_over
                .as_ref()
                .filter(|over| record.observed.as_ref() == Some(over))
                .map(|over| format!("commit {} is passed over until a newer one comes", shorten_commit(over)));
        }
        Outcome::Drifted => {
            record.health = Health::Drift;
            record.retry = None;
            let things = if record.drift == 1 { "object differs" } else { "objects differ" };
            record.message = Some(format!("{} {things} from what was applied", record.drift));
        }
        Outcome::Failed | Outcome::Refused => {
            record.health = if ended.outcome == Outcome::Failed { Health::Failed } else { Health::Refused };
            record.message.clone_from(&ended.error);
            let failures = record.retry.as_ref().map_or(0, |retry| retry.failures).saturating_add(1);
            let at = ended.retry.then(|| add_saturating(now, retry_pause(rules.retry, &record.job, failures)));
            let (reasons, target) = (carry_reasons(&active.reasons), active.target.clone());
            let seen = record.observed.clone();
            record.retry = Some(RetryState { failures, at, unreachable: false, reasons, target, seen });
        }
        Outcome::Waiting | Outcome::Rejected | Outcome::Superseded | Outcome::Interrupted => {}
    }
    let looked = ended.outcome.is_fine() || ended.outcome == Outcome::Drifted;
    if looked && is_head_refused(record) {
        // The applied commit is in order; the one that the branch stands at is still refused.
        record.health = Health::Refused;
        let why = "the commit at the head of the branch was refused; the applied commit is maintained";
        record.message.get_or_insert_with(|| why.to_owned());
    }
    record.active = None;
    record_end(record, &active.run, &active.reasons, &ended, now);
    vec![RunEffect::End(ended)]
}

/// Whether the branch stands at a commit that was tried, and is neither applied nor passed over.
fn is_head_refused(record: &JobRecord) -> bool {
    let seen = &record.observed;
    seen.is_some() && *seen == record.attempted && *seen != record.applied && *seen != record.passed_over
}

/// Returns the reasons that the next try of a run has, too.
pub(super) fn carry_reasons(reasons: &[Reason]) -> Vec<Reason> {
    let lasts = |reason: &Reason| !matches!(reason, Reason::Poll | Reason::Push | Reason::Retry);
    reasons.iter().copied().filter(lasts).collect()
}

/// Ends a run that waits.
pub(super) fn end_waiting(
    record: &mut JobRecord,
    waiting: WaitingRun,
    ended: RunEnding,
    now: Timestamp,
) -> Vec<RunEffect> {
    if ended.outcome == Outcome::Rejected {
        if waiting.target == RunTarget::Head {
            record.passed_over = Some(waiting.commit.clone());
        }
        let reason = ended.error.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
        record.message = Some(format!(
            "run {} was rejected{reason}; commit {} is passed over until a newer one comes",
            waiting.run,
            shorten_commit(&waiting.commit)
        ));
    } else {
        record.message = None;
    }
    record_end(record, &waiting.run, &waiting.reasons, &ended, now);
    vec![RunEffect::EndWaiting { run: waiting.run, ended, decision: None }]
}

/// Whether a run is listed: those that found nothing by the clock are only counted.
pub(crate) fn is_listed(outcome: Outcome, reasons: &[Reason], first: bool) -> bool {
    let by_clock = reasons.iter().all(|reason| matches!(reason, Reason::Poll | Reason::Drift));
    outcome != Outcome::Unchanged || first || !by_clock
}

fn record_end(record: &mut JobRecord, run: &str, reasons: &[Reason], ended: &RunEnding, now: Timestamp) {
    record.count_outcome(ended.outcome);
    let first = record.last_run.is_none();
    if is_listed(ended.outcome, reasons, first) {
        if !record.runs.iter().any(|listed| listed == run) {
            record.runs.insert(0, run.to_owned());
        }
        record.last_run = Some(LastRun { run: run.to_owned(), outcome: ended.outcome, ended: now });
    } else {
        record.runs.retain(|listed| listed != run);
    }
}

/// Returns the state of a job, as documents name it.
pub fn derive_state(record: &JobRecord, rules: &JobRules<'_>) -> JobState {
    if record.active.is_some() {
        return JobState::Running;
    }
    if record.suspended.is_some() || rules.suspended {
        return JobState::Suspended;
    }
    if record.lost.is_some() {
        return JobState::Refused;
    }
    if let Dependencies::Broken(_) = rules.dependencies {
        return JobState::Blocked;
    }
    match record.health {
        Health::Failed => JobState::Failed,
        Health::Refused => JobState::Refused,
        _ if record.waiting.is_some() => JobState::Waiting,
        Health::Drift => JobState::Drift,
        Health::New if record.last_run.is_none() => JobState::New,
        _ => JobState::Ok,
    }
}

/// Returns the status of a job.
pub fn derive_status(record: &JobRecord, rules: &JobRules<'_>, now: Timestamp) -> JobStatus {
    let state = derive_state(record, rules);
    let message = match (&rules.dependencies, state) {
        (Dependencies::Broken(job), JobState::Blocked) => {
            Some(format!("job `{job}`, which it depends on, is not fine"))
        }
        (_, JobState::Suspended) => {
            let reason = record.suspended.as_ref().and_then(|suspension| suspension.reason.clone());
            reason.or_else(|| rules.suspended.then(|| "suspended by the file".to_owned()))
        }
        _ => record.message.clone(),
    };
    let message = message.or_else(|| describe_unnamed(record, rules));
    JobStatus {
        job: record.job.clone(),
        state,
        observed: record.observed.clone(),
        attempted: record.attempted.clone(),
        applied: record.applied.clone(),
        last_run: record.last_run.clone(),
        next_due: next_due(record, rules, now),
        drift: record.drift,
        waiting: record.waiting.as_ref().map(|waiting| PendingApproval {
            run: waiting.run.clone(),
            digest: waiting.digest.clone(),
            since: waiting.since,
            approved_at: waiting.approved_at,
        }),
        suspended: record.suspended.clone(),
        message,
    }
}
