//! Which of the workers that are alive attends to a job. It is a matter of economy only: a claim decides.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use super::super::EngineError;
use super::link::Link;

const LIST: &str = "select worker, host from ionplay_gitops.worker
    where seen > clock_timestamp() - make_interval(secs => $1) order by worker";

/// The workers.
pub(super) struct Members {
    own: String,
    host: String,
    /// One that was not seen for so long counts as dead.
    patience: Duration,
    is_member: Cell<bool>,
    /// Worker and host of those that were alive a moment ago.
    alive: RefCell<Vec<(String, String)>>,
}

impl Members {
    pub fn new(own: String, host: String, lease: Duration) -> Self {
        // Its leases outlive it a little: the host that takes its jobs finds them free soon after.
        Self { own, host, patience: lease * 2 / 3, is_member: Cell::new(false), alive: RefCell::default() }
    }

    /// Makes this process a worker.
    pub async fn join(&self, link: &Link) -> Result<(), EngineError> {
        self.is_member.set(true);
        self.refresh(link).await.map(drop)
    }

    /// Ends that, so that others take its jobs at once.
    pub async fn leave(&self, link: &Link) -> Result<(), EngineError> {
        self.is_member.set(false);
        let sql = "delete from ionplay_gitops.worker where worker = $1";
        link.query("leave the workers", sql, &[&self.own]).await.map(drop)
    }

    /// Says that this worker lives, and looks who else does. Returns whether there are others than before.
    pub async fn refresh(&self, link: &Link) -> Result<bool, EngineError> {
        if !self.is_member.get() {
            return Ok(false);
        }
        let sql = "with old as (delete from ionplay_gitops.worker where seen < clock_timestamp() - interval '1 hour')
            insert into ionplay_gitops.worker (worker, host, seen) values ($1, $2, clock_timestamp())
            on conflict (worker) do update set seen = clock_timestamp()";
        link.query("join the workers", sql, &[&self.own, &self.host]).await?;
        let rows = link.query("read the workers", LIST, &[&self.patience.as_secs_f64()]).await?;
        let alive: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let before = self.alive.replace(alive);
        Ok(before != *self.alive.borrow())
    }

    /// Returns whether any worker is alive.
    pub async fn is_any_alive(&self, link: &Link) -> Result<bool, EngineError> {
        let rows = link.query("read the workers", LIST, &[&self.patience.as_secs_f64()]).await?;
        Ok(!rows.is_empty())
    }

    /// Returns whether this process is the one that attends to a job: of all workers whose host may, the one with the
    /// highest number for this job. When one dies, only its jobs move.
    pub fn is_chosen(&self, job: &str, may: impl Fn(&str) -> bool) -> bool {
        if !self.is_member.get() {
            return true;
        }
        let alive = self.alive.borrow();
        let candidates = alive.iter().filter(|(_, host)| may(host));
        let chosen = candidates.max_by_key(|(worker, _)| weigh(worker, job));
        chosen.is_some_and(|(worker, _)| *worker == self.own)
    }
}

/// A number that is the same for a worker and a job wherever it is computed.
fn weigh(worker: &str, job: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in worker.bytes().chain(*b"/").chain(job.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_spread_and_only_those_of_a_dead_worker_move() {
        let workers = ["a/1", "b/2", "c/3", "d/4"];
        let chosen = |job: &str, workers: &[&str]| {
            workers.iter().copied().max_by_key(|worker| weigh(worker, job)).unwrap().to_owned()
        };
        let jobs: Vec<String> = (0..4000).map(|number| format!("job-{number}")).collect();
        for worker in workers {
            let count = jobs.iter().filter(|job| chosen(job, &workers) == worker).count();
            assert!((800..1200).contains(&count), "{worker} has {count} of 4000");
        }
        for job in &jobs {
            let before = chosen(job, &workers);
            assert!(before == "d/4" || before == chosen(job, &workers[..3]), "{job} moved");
        }
    }
}
