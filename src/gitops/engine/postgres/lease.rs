//! Leases: a claim lasts as long as it is renewed, and its number is compared before each write.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::time::Duration;

use super::super::{EngineError, Lease};
use super::link::Link;
use crate::lease::{boot_time, write_lease};

/// The database and this machine measure the same span by different clocks.
const MARGIN: Duration = Duration::from_secs(2);

/// Gives leases back.
pub(super) const RELEASE: &str = "update ionplay_gitops.job as job set owner = null, lease_until = null
    from unnest($1::text[], $2::bigint[]) as mine(name, fence) where job.name = mine.name and job.fence = mine.fence";

const RENEW: &str = "update ionplay_gitops.job as job set lease_until = clock_timestamp() + make_interval(secs => $1)
    from unnest($2::text[], $3::bigint[]) as mine(name, fence)
    where job.name = mine.name and job.fence = mine.fence and job.owner = $4 returning job.name";

/// A lease that was given out.
struct Held {
    name: String,
    fence: i64,
    lease: Weak<Lease>,
}

/// The leases of this process.
pub(super) struct Leases {
    held: RefCell<Vec<Held>>,
    /// How long a lease lasts.
    pub period: Duration,
}

impl Leases {
    pub fn new(period: Duration) -> Self {
        Self { held: RefCell::default(), period }
    }

    /// Returns a deadline for children: earlier than that of the database for a lease that was asked for at `asked`.
    fn deadline(&self, asked: Duration) -> Duration {
        (asked + self.period).saturating_sub(MARGIN.min(self.period / 4))
    }

    /// Keeps a lease that was asked for at this time.
    pub fn add(&self, lease: Lease, asked: Duration) -> Result<Rc<Lease>, EngineError> {
        let file = lease.file.display().to_string();
        write_lease(&lease.file, lease.fence, self.deadline(asked))
            .map_err(|error| EngineError::Store { what: format!("write `{file}`"), why: error.to_string() })?;
        let (name, fence) = (lease.name.clone(), i64::try_from(lease.fence).unwrap_or(i64::MAX));
        let lease = Rc::new(lease);
        self.forget(&name);
        self.held.borrow_mut().push(Held { name, fence, lease: Rc::downgrade(&lease) });
        Ok(lease)
    }

    /// Returns whether somebody in this process uses the lease of a job.
    pub fn has(&self, name: &str) -> bool {
        self.held.borrow().iter().any(|held| held.name == name && held.lease.strong_count() > 0)
    }

    /// Forgets a lease.
    pub fn forget(&self, name: &str) {
        self.held.borrow_mut().retain(|held| held.name != name);
    }

    /// Renews all leases, and gives back unused ones. One that another host has taken ends for its run, too.
    pub async fn renew(&self, link: &Link, owner: &str) -> Result<(), EngineError> {
        let asked = boot_time();
        let (mut unused, mut held) = (Vec::new(), Vec::new());
        self.held.borrow_mut().retain(|one| match one.lease.upgrade() {
            Some(lease) => {
                held.push((lease, one.fence));
                true
            }
            None => {
                unused.push((one.name.clone(), one.fence));
                false
            }
        });
        if !unused.is_empty() {
            let (names, fences): (Vec<String>, Vec<i64>) = unused.into_iter().unzip();
            link.query("release jobs", RELEASE, &[&names, &fences]).await?;
        }
        if held.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = held.iter().map(|(lease, _)| lease.name.as_str()).collect();
        let fences: Vec<i64> = held.iter().map(|(_, fence)| *fence).collect();
        let rows = link.query("renew leases", RENEW, &[&self.period.as_secs_f64(), &names, &fences, &owner]).await?;
        let renewed: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
        for (lease, _) in &held {
            if renewed.contains(&lease.name.as_str()) {
                let _ = write_lease(&lease.file, lease.fence, self.deadline(asked));
            } else {
                let _ = std::fs::remove_file(&lease.file);
            }
        }
        Ok(())
    }
}
