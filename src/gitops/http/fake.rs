//! A core that remembers what it was asked, for tests of the server.

use std::cell::RefCell;
use std::rc::Rc;

use indexmap::IndexMap;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::control::{Access, ApprovalAnswer, ControlError, EventChunk, GitopsControl, NotReady, Queued};
use crate::gitops::hooks::HookVerifier;
use crate::gitops::metrics::Metrics;
use crate::gitops::view::{
    Decision, GitopsStatus, HostRecap, JobRun, JobState, JobStatus, LastRun, NextDue, Outcome, PendingApproval,
    PlanCounts, Reason, RunStep, StepName, Suspension,
};
use crate::plan::Plan;

/// Secret of the hook of job `tokens`.
pub const SECRET: &str = "s3cret";

/// A core with one job for each state, and the runs `r-applied`, `r-waiting` and `r-failed`.
pub struct FakeControl {
    pub access: Rc<Access>,
    pub requests: RefCell<Vec<String>>,
    pub events: RefCell<EventChunk>,
    pub is_healthy: bool,
    pub metrics: Metrics,
}

impl FakeControl {
    pub fn new(access: Access) -> Self {
        let lines = [
            json!({"event": "play_start", "play": "Registry tokens"}),
            json!({"event": "host", "play": "Registry tokens", "task": "Token <ci>", "host": "localhost", "status": "changed",
                   "action": "registry_token", "result": {}}),
            json!({"event": "host", "play": "Registry tokens", "task": "Write it down", "host": "localhost",
                   "status": "failed", "action": "copy", "result": {"msg": "no space left on device"}}),
        ];
        let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let next = lines.len() as u64;
        Self {
            access: Rc::new(access),
            requests: RefCell::default(),
            events: RefCell::new(EventChunk { lines, next, ended: true }),
            is_healthy: true,
            metrics: Metrics::default(),
        }
    }

    fn record_request(&self, request: String) {
        self.requests.borrow_mut().push(request);
    }

    fn check_run(run: &str) -> Result<(), ControlError> {
        match run {
            "r-waiting" => Ok(()),
            "r-applied" => Err(ControlError::NotWaiting("run `r-applied` has ended".to_owned())),
            _ => Err(ControlError::UnknownRun(run.to_owned())),
        }
    }
}

fn seconds_ago(seconds: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_secs(seconds)
}

fn fake_job(name: &str, state: JobState) -> JobStatus {
    let commit = |digit: &str| Some(digit.repeat(40));
    let mut job = JobStatus {
        job: name.to_owned(),
        state,
        observed: commit("a"),
        attempted: commit("a"),
        applied: commit("a"),
        last_run: Some(LastRun { run: "r-applied".to_owned(), outcome: Outcome::Applied, ended: seconds_ago(750) }),
        next_due: Some(NextDue { at: seconds_ago(-43), by: Reason::Poll }),
        drift: 0,
        waiting: None,
        suspended: None,
        message: None,
    };
    match state {
        JobState::Waiting => {
            job.waiting = Some(PendingApproval {
                run: "r-waiting".to_owned(),
                digest: "d1".to_owned(),
                since: seconds_ago(130),
                approved_at: None,
            });
            job.applied = commit("b");
        }
        JobState::Failed => {
            job.last_run =
                Some(LastRun { run: "r-failed".to_owned(), outcome: Outcome::Failed, ended: seconds_ago(33) });
            job.message = Some("fetch failed: fatal: repository 'https://git.example.com/x.git/' not found".to_owned());
            job.next_due = Some(NextDue { at: seconds_ago(-61), by: Reason::Retry });
        }
        JobState::Refused => job.message = Some("commit cccccccc has no signature that is allowed".to_owned()),
        JobState::Drift => job.drift = 2,
        JobState::Blocked => job.message = Some("waits for `base`, which failed".to_owned()),
        JobState::Suspended => {
            job.suspended = Some(Suspension {
                reason: Some("holidays".to_owned()),
                until: Some(seconds_ago(-90_000)),
                since: Some(seconds_ago(90)),
            });
            job.next_due = None;
        }
        JobState::New => (job.applied, job.last_run) = (None, None),
        JobState::Ok | JobState::Running => {}
    }
    job
}

fn fake_step(step: StepName, from: i64, to: i64) -> RunStep {
    RunStep { step, started: seconds_ago(from), ended: Some(seconds_ago(to)), exit: None }
}

fn fake_run(id: &str, outcome: Option<Outcome>) -> JobRun {
    let mut steps = vec![
        fake_step(StepName::Fetch, 760, 759),
        fake_step(StepName::Verify, 759, 759),
        fake_step(StepName::Plan, 759, 757),
    ];
    if outcome == Some(Outcome::Waiting) {
        steps.push(RunStep { step: StepName::Decide, started: seconds_ago(130), ended: None, exit: None });
    } else {
        steps.push(fake_step(StepName::Apply, 757, 751));
    }
    let recap = HostRecap { ok: 3, changed: 1, ..HostRecap::default() };
    JobRun {
        run: id.to_owned(),
        job: "tokens".to_owned(),
        commit: Some("a".repeat(40)),
        reasons: vec![Reason::Push, Reason::Hook],
        outcome,
        started: seconds_ago(760),
        ended: outcome.filter(|outcome| *outcome != Outcome::Waiting).map(|_| seconds_ago(750)),
        host: "runner-1".to_owned(),
        epoch: 3,
        plan: Some(PlanCounts {
            digest: "d1".to_owned(),
            create: 1,
            update: 1,
            replace: 1,
            delete: 0,
            unchanged: 2,
            undetermined: 1,
        }),
        recap: IndexMap::from([("localhost".to_owned(), recap)]),
        commands: vec![["ionplay", "plan", "site.yml", "-e", "stage=a b"].map(str::to_owned).to_vec()],
        passwords_kept: if outcome == Some(Outcome::Failed) { vec!["ci".to_owned()] } else { Vec::new() },
        error: (outcome == Some(Outcome::Failed)).then(|| "task \"Write it down\" failed:\n  no space left".to_owned()),
        decision: (outcome == Some(Outcome::Applied)).then(|| Decision {
            approved: true,
            by: "page".to_owned(),
            at: seconds_ago(757),
            reason: None,
        }),
        steps,
    }
}

fn fake_plan() -> Plan {
    let action = |action: &str, name: &str, before, after| {
        json!({"kind": "Registry Token", "name": name, "id": null, "parent": null, "action": action, "before": before,
               "after": after, "reason": null, "error": null})
    };
    serde_json::from_value(json!({
        "format": 1, "tool": "0", "made": "2026-11-29T20:00:00Z", "run": {"playbooks": ["site.yml"]}, "salt": "", "files": {},
        "variables": "", "sealed": null,
        "actions": [
            action("create", "ci <script>", json!({}), json!({"name": "ci <script>", "status": "enabled"})),
            action("update", "deploy", json!({"status": "disabled"}), json!({"status": "enabled"})),
            action("replace", "build", json!({"name": "old"}), json!({"name": "build"})),
            action("none", "same", json!({}), json!({})),
        ],
        "others": [{"task": "Log in", "host": "localhost", "item": null, "why": null}],
        "undetermined": [{"task": "Use it", "host": "localhost", "item": "a", "why": "waits for `token.password`"}],
        "failed": [], "observed": [], "writes": [], "deeds": [], "digest": "d1",
    }))
    .expect("the plan has the fields of its format")
}

impl GitopsControl for FakeControl {
    async fn read_status(&self) -> Result<GitopsStatus, ControlError> {
        let mut jobs = vec![fake_job("tokens", JobState::Waiting)];
        jobs.extend(JobState::ALL.iter().skip(1).map(|state| fake_job(&format!("job-{state}"), *state)));
        jobs.push(fake_job("fine & dandy", JobState::Ok));
        Ok(GitopsStatus { version: 1, host: "runner-1".to_owned(), jobs })
    }

    async fn list_runs(&self, job: &str, limit: usize) -> Result<Vec<JobRun>, ControlError> {
        if job != "tokens" {
            return Err(ControlError::UnknownJob(job.to_owned()));
        }
        let mut earlier = fake_run("r-earlier", Some(Outcome::Applied));
        earlier.commit = Some("c".repeat(40));
        let runs = vec![
            fake_run("r-waiting", Some(Outcome::Waiting)),
            fake_run("r-failed", Some(Outcome::Failed)),
            fake_run("r-applied", Some(Outcome::Applied)),
            earlier,
        ];
        Ok(runs.into_iter().take(limit).collect())
    }

    async fn read_run(&self, id: &str) -> Result<JobRun, ControlError> {
        let runs = self.list_runs("tokens", 10).await?;
        runs.into_iter().find(|run| run.run == id).ok_or_else(|| ControlError::UnknownRun(id.to_owned()))
    }

    async fn read_events(&self, run: &str, from: u64) -> Result<EventChunk, ControlError> {
        self.read_run(run).await?;
        let all = self.events.borrow();
        if from >= all.next {
            return Ok(EventChunk { lines: String::new(), ..all.clone() });
        }
        // One line at a time.
        let rest = &all.lines[usize::try_from(from).unwrap_or(0)..];
        let length = rest.find('\n').map_or(rest.len(), |position| position + 1);
        Ok(EventChunk { lines: rest[..length].to_owned(), next: from + length as u64, ended: all.ended })
    }

    async fn read_plan(&self, run: &str) -> Result<Option<Plan>, ControlError> {
        self.read_run(run).await?;
        Ok((run != "r-failed").then(fake_plan))
    }

    async fn request_run(&self, job: &str, reason: Reason) -> Result<Queued, ControlError> {
        if job != "tokens" {
            return Err(ControlError::UnknownJob(job.to_owned()));
        }
        let merged = self.requests.borrow().iter().any(|request| request.starts_with("run tokens"));
        self.record_request(format!("run {job} {reason}"));
        Ok(Queued { job: job.to_owned(), run: None, merged })
    }

    async fn wait_for_run(&self, _: &Queued) -> Result<Option<JobRun>, ControlError> {
        self.read_run("r-applied").await.map(Some)
    }

    async fn suspend_job(
        &self,
        job: &str,
        reason: Option<String>,
        until: Option<Timestamp>,
    ) -> Result<(), ControlError> {
        self.record_request(format!("suspend {job} {reason:?} {}", until.is_some()));
        Ok(())
    }

    async fn resume_job(&self, job: &str) -> Result<(), ControlError> {
        self.record_request(format!("resume {job}"));
        Ok(())
    }

    async fn roll_back(&self, job: &str, to: Option<String>) -> Result<Queued, ControlError> {
        self.record_request(format!("rollback {job} {to:?}"));
        Ok(Queued { job: job.to_owned(), run: Some("r9".to_owned()), merged: false })
    }

    async fn approve_run(&self, run: &str, answer: ApprovalAnswer) -> Result<(), ControlError> {
        Self::check_run(run)?;
        if answer.digest.as_ref().is_some_and(|digest| digest != "d1") {
            return Err(ControlError::OtherPlan(run.to_owned()));
        }
        self.record_request(format!("approve {run} by {}", answer.by));
        Ok(())
    }

    async fn reject_run(&self, run: &str, answer: ApprovalAnswer) -> Result<(), ControlError> {
        Self::check_run(run)?;
        self.record_request(format!("reject {run} by {}: {}", answer.by, answer.reason.unwrap_or_default()));
        Ok(())
    }

    fn find_hook(&self, job: &str) -> Option<Rc<HookVerifier>> {
        (job == "tokens").then(|| HookVerifier::new(None, [SECRET]).map(Rc::new)).flatten()
    }

    fn access(&self) -> Rc<Access> {
        Rc::clone(&self.access)
    }

    fn check_health(&self) -> Result<(), NotReady> {
        if self.is_healthy { Ok(()) } else { Err(NotReady::Stuck(90)) }
    }

    fn check_readiness(&self) -> Result<(), NotReady> {
        self.check_health()
    }

    fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}
