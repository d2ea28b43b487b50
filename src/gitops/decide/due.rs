//! When a job is due, and by which clock.

use std::time::Duration;

use jiff::Timestamp;

use super::super::record::{Health, JobRecord, RetryState, RunTarget};
use super::super::view::{NextDue, Reason};
use super::prune::next_prune_step_at;
use super::rules::{Dependencies, JobRules, add_saturating, apply_jitter};

/// Between two runs that prune by the clock.
const PRUNE_PAUSE: Duration = Duration::from_secs(600);

/// Next thing to do for a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Nothing before this time; without it, nothing until something happens.
    Sleep(Option<Timestamp>),
    /// End a suspension whose time is over.
    Resume,
    /// A run is under way that belongs to no process any more.
    Recover,
    /// Look where the branch stands.
    Look,
    /// Start a run.
    Start(Vec<Reason>, RunTarget),
    /// Apply the plan that waits and is approved.
    Apply,
}

/// Returns what is to be done for a job at a time.
pub fn next_step(record: &JobRecord, rules: &JobRules<'_>, now: Timestamp) -> Next {
    if record.active.is_some() {
        return Next::Recover;
    }
    if let Some(suspension) = &record.suspended {
        return match suspension.until {
            Some(until) if until <= now => Next::Resume,
            until => Next::Sleep(until),
        };
    }
    if rules.suspended {
        return Next::Sleep(None);
    }
    let may_run = rules.dependencies == Dependencies::Fine;
    if let Some(waiting) = &record.waiting
        && (waiting.approval.is_some() || waiting.approved_at.is_some_and(|at| at <= now))
        && !has_newer(record)
        && may_run
    {
        return Next::Apply;
    }
    let reasons = collect_reasons(record, rules, now);
    if !reasons.is_empty() && may_run {
        let target = choose_target(record, rules, &reasons, now);
        return Next::Start(reasons, target);
    }
    if poll_at(record, rules).is_none_or(|at| is_over(at, now, Some(rules.poll))) {
        return Next::Look;
    }
    Next::Sleep(next_due(record, rules, now).map(|next| next.at))
}

/// Whether the branch has moved on since the plan that waits was made.
fn has_newer(record: &JobRecord) -> bool {
    let Some(waiting) = &record.waiting else { return false };
    waiting.target == RunTarget::Head
        && record.observed.as_ref().is_some_and(|seen| *seen != waiting.commit)
        && is_new(record)
}

/// Whether the commit on the branch was neither applied nor tried, and is not passed over.
fn is_new(record: &JobRecord) -> bool {
    let seen = &record.observed;
    seen.is_some()
        && *seen != record.applied
        && *seen != record.attempted
        && *seen != record.passed_over
        && !waits_for_retry(record)
}

/// Whether the next try of what the branch still stands at is ahead.
fn waits_for_retry(record: &JobRecord) -> bool {
    record.retry.as_ref().is_some_and(|retry| retry.at.is_some() && retry.seen == record.observed)
}

fn collect_reasons(record: &JobRecord, rules: &JobRules<'_>, now: Timestamp) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = record.offers.iter().map(|offer| offer.reason).collect();
    let first_look = record.health == Health::New && record.attempted.is_none() && record.lost.is_none();
    if is_new(record) {
        reasons.push(if first_look { Reason::Poll } else { Reason::Push });
    }
    // A plan that waits is not made again by the clock.
    if record.waiting.is_none() {
        let clocks = [
            (Reason::Schedule, schedule_at(record, rules).is_some_and(|at| at <= now)),
            (Reason::Schedule, prune_at(record, rules).is_some_and(|at| at <= now)),
            (
                Reason::Drift,
                drift_at(record, rules).is_some_and(|at| is_over(at, now, rules.drift.map(|(every, _)| every))),
            ),
            (Reason::Expiry, expiry_at(record, rules).is_some_and(|at| at <= now)),
        ];
        reasons.extend(clocks.into_iter().filter(|(_, due)| *due).map(|(reason, _)| reason));
        if let Some(retry) = due_retry(record, rules, now) {
            reasons.push(Reason::Retry);
            reasons.extend(&retry.reasons);
        }
        if signers_changed(record, rules) {
            reasons.push(Reason::Poll);
        }
    }
    reasons.sort_unstable();
    reasons.dedup();
    reasons
}

/// Returns the next try, if its time has come.
fn due_retry<'a>(record: &'a JobRecord, rules: &JobRules<'_>, now: Timestamp) -> Option<&'a RetryState> {
    record.retry.as_ref().filter(|retry| retry.at.is_some_and(|at| is_over(at, now, Some(rules.retry.max))))
}

/// Whether the time has come. One that is further away than the longest pause was set by a clock that was wrong.
fn is_over(at: Timestamp, now: Timestamp, longest: Option<Duration>) -> bool {
    at <= now || longest.is_some_and(|longest| at > add_saturating(now, longest))
}

/// Whether the last commit was verified, or refused, by other signers than those that count now.
fn signers_changed(record: &JobRecord, rules: &JobRules<'_>) -> bool {
    let differ = record.attempted.is_some() && rules.signers.is_some() && record.signers != rules.signers;
    differ && !waits_for_retry(record)
}

/// Which commit a run of these reasons goes for.
fn choose_target(record: &JobRecord, rules: &JobRules<'_>, reasons: &[Reason], now: Timestamp) -> RunTarget {
    if let Some(to) = record.offers.iter().rev().find_map(|offer| offer.to.clone()) {
        return RunTarget::Earlier(to);
    }
    if is_new(record) {
        return RunTarget::Head;
    }
    if let Some(retry) = due_retry(record, rules, now) {
        return retry.target.clone();
    }
    let by_clock = reasons.iter().all(|reason| matches!(reason, Reason::Drift | Reason::Expiry | Reason::Schedule));
    // The branch stands at a commit that was refused: the applied one is kept in order all the same.
    let refused = by_clock && record.health == Health::Refused && record.observed == record.attempted;
    let passed_over = record.observed.is_some() && record.observed == record.passed_over;
    if record.applied.is_some() && (refused || passed_over) { RunTarget::Applied } else { RunTarget::Head }
}

/// Returns the next clock of a job.
pub fn next_due(record: &JobRecord, rules: &JobRules<'_>, now: Timestamp) -> Option<NextDue> {
    if rules.suspended {
        return None;
    }
    if let Some(suspension) = &record.suspended {
        return suspension.until.map(|at| NextDue { at, by: Reason::Poll });
    }
    let poll = poll_at(record, rules).unwrap_or(now);
    if let Some(waiting) = &record.waiting {
        return Some(NextDue { at: waiting.approved_at.map_or(poll, |at| at.min(poll)), by: Reason::Poll });
    }
    if !record.offers.is_empty() {
        return Some(NextDue { at: now, by: record.offers[0].reason });
    }
    let clocks = [
        (retry_at(record), Reason::Retry),
        (schedule_at(record, rules), Reason::Schedule),
        (prune_at(record, rules), Reason::Schedule),
        (drift_at(record, rules), Reason::Drift),
        (expiry_at(record, rules), Reason::Expiry),
        (Some(poll), Reason::Poll),
    ];
    clocks.into_iter().filter_map(|(at, by)| Some(NextDue { at: at?, by })).min_by_key(|next| next.at)
}

/// Returns when the repository is looked at next; none if it never was.
fn poll_at(record: &JobRecord, rules: &JobRules<'_>) -> Option<Timestamp> {
    let looked = record.looked?;
    Some(add_saturating(looked, apply_jitter(rules.poll, &record.job, looked.as_second().unsigned_abs())))
}

fn retry_at(record: &JobRecord) -> Option<Timestamp> {
    record.retry.as_ref()?.at
}

fn schedule_at(record: &JobRecord, rules: &JobRules<'_>) -> Option<Timestamp> {
    rules.schedule?.next_after(record.scheduled?)
}

/// Returns when an object that the job no longer names is to be pruned. What could not be pruned is tried again with pauses.
fn prune_at(record: &JobRecord, rules: &JobRules<'_>) -> Option<Timestamp> {
    record.applied.as_ref()?;
    if record.health.is_broken() {
        return None;
    }
    let due = record.objects.iter().filter_map(|object| next_prune_step_at(object, rules.prune)).min()?;
    Some(record.pruned.map_or(due, |last| due.max(add_saturating(last, PRUNE_PAUSE))))
}

fn drift_at(record: &JobRecord, rules: &JobRules<'_>) -> Option<Timestamp> {
    let (every, _) = rules.drift?;
    record.applied.as_ref()?;
    // The next try of what failed looks at everything, too.
    if record.health == Health::Failed {
        return None;
    }
    let looked = record.drift_looked?;
    Some(add_saturating(looked, apply_jitter(every, &record.job, looked.as_second().unsigned_abs())))
}

fn expiry_at(record: &JobRecord, rules: &JobRules<'_>) -> Option<Timestamp> {
    let before = rules.expiry?;
    record.applied.as_ref()?;
    let open = record.tokens.iter().filter(|token| !record.expiry_served.contains(&token.expiry_key()));
    let before = jiff::SignedDuration::try_from(before).ok()?;
    open.map(|token| token.expiry.saturating_sub(before).unwrap_or(Timestamp::MIN)).min()
}

/// Returns the tokens whose end is near at a time.
pub(super) fn find_expiring(record: &JobRecord, rules: &JobRules<'_>, now: Timestamp) -> Vec<String> {
    let Some(before) = rules.expiry.and_then(|before| jiff::SignedDuration::try_from(before).ok()) else {
        return Vec::new();
    };
    let near = |expiry: Timestamp| expiry.saturating_sub(before).unwrap_or(Timestamp::MIN) <= now;
    record.tokens.iter().filter(|token| near(token.expiry)).map(super::super::record::KnownToken::expiry_key).collect()
}
