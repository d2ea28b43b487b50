//! What people and hooks ask of a job.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::record::{Health, JobRecord, Offer};
use super::super::view::{Decision, GitopsStatus, Outcome, Reason, Suspension};
use super::RunEffect;
use super::end::end_waiting;
use super::ending::RunEnding;
use super::rules::JobRules;

/// A request. `by` is who asks: `cli`, `api` or `page`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum JobRequest {
    /// Make the job due.
    Run {
        /// Why.
        reason: Reason,
    },
    /// Approve the plan that waits.
    Approve {
        /// The run.
        run: String,
        /// Digest of the plan that the person saw.
        digest: Option<String>,
        /// Who asks.
        by: String,
        /// Why.
        reason: Option<String>,
    },
    /// Reject it.
    Reject {
        /// The run.
        run: String,
        /// Why.
        reason: Option<String>,
        /// Who asks.
        by: String,
    },
    /// Start no more runs.
    Suspend {
        /// Why.
        reason: Option<String>,
        /// Until when.
        until: Option<Timestamp>,
    },
    /// Start runs again.
    Resume,
    /// Look at the repository now. A daemon answers when nothing is due for the job any more.
    Look,
    /// Nothing: a daemon answers with the status of all jobs.
    Status,
    /// Apply an earlier commit.
    Rollback {
        /// The commit.
        to: String,
    },
    /// History begins at this commit.
    AcceptBaseline {
        /// The commit.
        commit: String,
    },
}

/// How a request was answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answered {
    /// It was done.
    Done {
        /// The run that serves it, where there is one.
        run: Option<String>,
        /// A run that was due already serves it, too.
        merged: bool,
    },
    /// The status of all jobs.
    Status {
        /// The document.
        status: GitopsStatus,
    },
    /// It makes no sense now.
    Refused {
        /// Why.
        why: String,
    },
    /// The plan is another than the one that was shown.
    OtherPlan {
        /// Why.
        why: String,
    },
}

/// Answers a request.
pub fn answer_request(
    record: &JobRecord,
    rules: &JobRules<'_>,
    request: &JobRequest,
    now: Timestamp,
) -> (JobRecord, Vec<RunEffect>, Answered) {
    let mut record = record.clone();
    let mut effects = Vec::new();
    let answered = match request {
        JobRequest::Run { reason } => offer_run(&mut record, rules, Offer { reason: *reason, to: None }),
        JobRequest::Rollback { to } => {
            offer_run(&mut record, rules, Offer { reason: Reason::Rollback, to: Some(to.clone()) })
        }
        JobRequest::Suspend { reason, until } => {
            record.suspended = Some(Suspension { reason: reason.clone(), until: *until, since: Some(now) });
            answer_done(None)
        }
        JobRequest::Resume if rules.suspended => {
            answer_refused(format!("the file suspends job `{}`: remove its `suspend: true`", record.job))
        }
        JobRequest::Resume => {
            record.suspended = None;
            // It may have been long: look at once.
            record.looked = None;
            answer_done(None)
        }
        JobRequest::Look => {
            record.looked = None;
            answer_done(None)
        }
        JobRequest::Status => answer_done(None),
        JobRequest::AcceptBaseline { .. } if record.active.is_some() => {
            let run = record.active.as_ref().map(|active| active.run.clone()).unwrap_or_default();
            answer_refused(format!("run `{run}` is active; set the applied commit after it has ended"))
        }
        JobRequest::AcceptBaseline { commit } => {
            effects = accept_baseline(&mut record, commit, now);
            answer_done(None)
        }
        JobRequest::Approve { run, digest, by, reason } => {
            let approval = Decision { approved: true, by: by.clone(), at: now, reason: reason.clone() };
            approve_plan(&mut record, run, digest.as_deref(), approval)
        }
        JobRequest::Reject { run, reason, by } => match record.waiting.take_if(|waiting| waiting.run == *run) {
            Some(waiting) => {
                let ended = RunEnding { outcome: Outcome::Rejected, error: reason.clone(), retry: false };
                effects = end_waiting(&mut record, waiting, ended, now);
                let answer = Decision { approved: false, by: by.clone(), at: now, reason: reason.clone() };
                for effect in &mut effects {
                    if let RunEffect::EndWaiting { decision, .. } = effect {
                        *decision = Some(answer.clone());
                    }
                }
                answer_done(Some(run.clone()))
            }
            None => not_waiting(&record, run),
        },
    };
    (record, effects, answered)
}

/// Lets history begin at a commit.
fn accept_baseline(record: &mut JobRecord, commit: &str, now: Timestamp) -> Vec<RunEffect> {
    let mut effects = Vec::new();
    // A plan that waits was made from the history of before.
    if let Some(waiting) = record.waiting.take() {
        let why = "the applied commit was set".to_owned();
        let ended = RunEnding { outcome: Outcome::Superseded, error: Some(why), retry: false };
        effects = end_waiting(record, waiting, ended, now);
    }
    record.lost = None;
    record.applied = Some(commit.to_owned());
    record.baseline = Some(commit.to_owned());
    record.attempted = None;
    record.passed_over = None;
    record.retry = None;
    record.message = None;
    record.health = Health::Fine;
    record.drift_looked = Some(now);
    // If the branch is at this commit, it is run again: the part that was done is unknown.
    record.offers.push(Offer { reason: Reason::Manual, to: None });
    effects
}

fn answer_done(run: Option<String>) -> Answered {
    Answered::Done { run, merged: false }
}

fn answer_refused(why: String) -> Answered {
    Answered::Refused { why }
}

fn not_waiting(record: &JobRecord, run: &str) -> Answered {
    let how = match &record.active {
        Some(active) if active.run == run => "is under way".to_owned(),
        _ => "has ended".to_owned(),
    };
    let now = record.waiting.as_ref().map(|waiting| format!("; run `{}` waits", waiting.run)).unwrap_or_default();
    answer_refused(format!("run `{run}` {how} and waits for no approval{now}"))
}

fn approve_plan(record: &mut JobRecord, run: &str, digest: Option<&str>, approval: Decision) -> Answered {
    let Some(waiting) = record.waiting.as_mut().filter(|waiting| waiting.run == run) else {
        return not_waiting(record, run);
    };
    if digest.is_some_and(|digest| digest != waiting.digest) {
        let why = format!("the plan of run `{run}` is another than the one that was shown; look at it again");
        return Answered::OtherPlan { why };
    }
    waiting.approval.get_or_insert(approval);
    answer_done(Some(run.to_owned()))
}

fn offer_run(record: &mut JobRecord, rules: &JobRules<'_>, new: Offer) -> Answered {
    if record.suspended.is_some() || rules.suspended {
        let why = record.suspended.as_ref().and_then(|suspension| suspension.reason.clone());
        let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
        return answer_refused(format!(
            "job `{0}` is suspended{why}; `ionplay gitops resume FILE {0}` ends that",
            record.job
        ));
    }
    let merged = !record.offers.is_empty();
    if !record.offers.contains(&new) {
        record.offers.push(new);
    }
    // Run ids are made of the number of the claim, and the next claim has the next one.
    Answered::Done { run: Some(record.run_id(record.epoch + 1)), merged }
}
