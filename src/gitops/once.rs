//! One look at every job, and the runs that are due: for cron, timers and pipelines.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Semaphore;

use super::clock;
use super::decide::Next;
use super::hub::{Attended, Hub, Slot};
use super::view::{JobState, JobStatus};

/// So many jobs are attended to side by side.
const SIDE_BY_SIDE: usize = 4;
/// Between two tries to take a job that another process has.
const PAUSE: Duration = Duration::from_millis(50);

/// How the jobs are after a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum JobsVerdict {
    /// All is fine.
    Fine,
    /// Something waits for approval.
    Waiting,
    /// A job is failed or refused.
    Failed,
}

/// Attends to jobs until nothing is due for them: those that others depend on first.
pub async fn attend_once(hub: &Rc<Hub>, jobs: &[String]) {
    hub.attend_only(jobs);
    let room = Semaphore::new(SIDE_BY_SIDE);
    let mut left: Vec<String> = jobs.to_vec();
    while !left.is_empty() && !hub.is_stopping() {
        let waits = |job: &String| {
            let config = hub.config();
            let needed: BTreeSet<&String> = config.find_job(job).iter().flat_map(|job| job.depends_on.iter()).collect();
            left.iter().any(|other| other != job && needed.contains(other))
        };
        let (later, now): (Vec<String>, Vec<String>) = left.iter().cloned().partition(waits);
        join_all(now.iter().filter_map(|job| hub.find_slot(job)).map(|slot| attend_job(hub, slot, &room))).await;
        left = if now.is_empty() { Vec::new() } else { later };
    }
}

async fn attend_job(hub: &Rc<Hub>, slot: Rc<Slot>, room: &Semaphore) {
    let Ok(_permit) = room.acquire().await else { return };
    slot.request_poll();
    let mut runs = 0;
    // One run for what is due, and one for what a look or an interrupted run has made due meanwhile.
    while runs < 2 && !hub.is_stopping() {
        let next = hub.next(&slot, clock::now());
        if runs == 1 && !matches!(next, Next::Apply) {
            break;
        }
        match hub.attend_job(&slot).await {
            Attended::Nothing => break,
            Attended::Elsewhere => tokio::time::sleep(PAUSE).await,
            Attended::Looked => {}
            Attended::Ran => runs += 1,
        }
    }
}

/// Returns how jobs are, by their states.
pub fn judge_jobs(statuses: &[JobStatus]) -> JobsVerdict {
    let of = |status: &JobStatus| match status.state {
        JobState::Failed | JobState::Refused | JobState::Blocked => JobsVerdict::Failed,
        JobState::Waiting => JobsVerdict::Waiting,
        _ => JobsVerdict::Fine,
    };
    statuses.iter().map(of).max().unwrap_or(JobsVerdict::Fine)
}

/// Answers the requests that were posted while no daemon was there to answer them.
pub async fn answer_posted(hub: &Rc<Hub>) -> Result<(), super::engine::EngineError> {
    for posted in hub.engine.list_posted().await? {
        let answered = hub.answer_request(&posted.job, &posted.request).await?;
        hub.engine.answer_request(&posted.ticket, &answered).await?;
    }
    Ok(())
}
