//! The loop of `serve`: attends to every job when it is due, and answers requests.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::task::LocalSet;

use super::agenda::{Agenda, Touched};
use super::clock;
use super::decide::{Answered, JobRequest, Next};
use super::engine::Posted;
use super::hub::{Attended, Hub, Slot};

/// So many runs, or looks at repositories, go on side by side.
const SIDE_BY_SIDE: usize = 4;
/// The loop looks at everything at least this often: clocks may be set, and machines sleep.
const LONGEST: Duration = Duration::from_secs(10);
/// A job that another process has is tried again after this time.
const ELSEWHERE: Duration = Duration::from_millis(100);

/// The loop.
pub struct Daemon {
    hub: Rc<Hub>,
    room: Arc<Semaphore>,
    agenda: RefCell<Agenda>,
    last: Cell<Option<std::time::Instant>>,
    /// When all jobs were looked at.
    swept: Cell<Option<std::time::Instant>>,
    working: Rc<Cell<usize>>,
}

impl Daemon {
    /// A loop over the jobs of a hub.
    pub fn new(hub: Rc<Hub>) -> Rc<Self> {
        let room = Arc::new(Semaphore::new(SIDE_BY_SIDE));
        Rc::new(Self {
            hub,
            room,
            agenda: RefCell::default(),
            last: Cell::new(None),
            swept: Cell::new(None),
            working: Rc::default(),
        })
    }

    /// Returns how long ago the loop last came round.
    pub fn loop_age(&self) -> Option<Duration> {
        self.last.get().map(|last| last.elapsed())
    }

    /// Runs until the hub is asked to stop and what is under way has ended. Must run within a [`LocalSet`].
    pub async fn run_loop(self: &Rc<Self>) {
        if let Err(error) = self.hub.engine.join_workers().await {
            self.hub.log_line(&error.to_string());
        }
        let posts = tokio::task::spawn_local(Rc::clone(self).answer_posts());
        let changes = tokio::task::spawn_local(follow_changes(Rc::clone(&self.hub)));
        while !self.hub.is_stopping() {
            self.last.set(Some(std::time::Instant::now()));
            let pause = self.start_due_jobs();
            tokio::select! {
                () = self.hub.changed.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        while self.working.get() > 0 {
            self.hub.wait_for_change().await;
        }
        posts.abort();
        changes.abort();
        if let Err(error) = self.hub.engine.leave_workers().await {
            self.hub.log_line(&error.to_string());
        }
    }

    /// Starts what is due, and returns how long nothing is.
    fn start_due_jobs(self: &Rc<Self>) -> Duration {
        let now = clock::now();
        for (name, slot) in self.jobs_to_look_at(now) {
            // The end of what is under way makes the loop look again.
            if slot.is_busy() {
                continue;
            }
            match self.hub.next(&slot, now) {
                // A clock that has come and starts nothing waits for another job, whose change wakes this one.
                Next::Sleep(at) => self.agenda.borrow_mut().set_time(&name, at.filter(|at| *at > now)),
                _ => self.start_job(&name, slot),
            }
        }
        let Some(first) = self.agenda.borrow().first_time() else { return LONGEST };
        let until = Duration::try_from(first.duration_since(now)).unwrap_or_default();
        until.clamp(Duration::from_millis(1), LONGEST)
    }

    /// Returns the jobs that have changed or whose clock has come; now and then all.
    fn jobs_to_look_at(&self, now: Timestamp) -> Vec<(String, Rc<Slot>)> {
        let mut due = self.agenda.borrow_mut().take_due(now, self.room.available_permits());
        let is_time = self.swept.get().is_none_or(|last| last.elapsed() >= LONGEST);
        match self.hub.take_touched() {
            Touched::Jobs(jobs) if !is_time => due.extend(jobs),
            _ => {
                self.swept.set(Some(std::time::Instant::now()));
                return self.hub.slots();
            }
        }
        due.into_iter().filter_map(|name| self.hub.find_slot(&name).map(|slot| (name, slot))).collect()
    }

    /// Attends to a job, if there is room; else when other work has ended, which wakes the loop.
    fn start_job(self: &Rc<Self>, name: &str, slot: Rc<Slot>) {
        let Ok(permit) = Arc::clone(&self.room).try_acquire_owned() else {
            self.agenda.borrow_mut().add_waiting(name);
            return;
        };
        let (hub, working, name) = (Rc::clone(&self.hub), Rc::clone(&self.working), name.to_owned());
        working.set(working.get() + 1);
        tokio::task::spawn_local(async move {
            if hub.attend_job(&slot).await == Attended::Elsewhere {
                tokio::time::sleep(ELSEWHERE).await;
            }
            drop(permit);
            working.set(working.get() - 1);
            hub.touch_job(&name);
        });
    }

    /// Answers requests from other processes, as long as there are any.
    async fn answer_posts(self: Rc<Self>) {
        let mut seen: Vec<String> = Vec::new();
        loop {
            let posted = self.hub.engine.list_posted().await.unwrap_or_default();
            seen.retain(|ticket| posted.iter().any(|post| post.ticket == *ticket));
            // Requests to jobs of other workers are theirs.
            let own =
                posted.into_iter().filter(|post| post.job.is_empty() || self.hub.engine.is_responsible(&post.job));
            for post in own {
                if !seen.contains(&post.ticket) {
                    seen.push(post.ticket.clone());
                    tokio::task::spawn_local(Rc::clone(&self).answer_post(post));
                }
            }
            if self.hub.engine.wait_for_posts().await.is_err() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }

    async fn answer_post(self: Rc<Self>, post: Posted) {
        let answered = match &post.request {
            JobRequest::Status => Answered::Status { status: self.hub.read_status() },
            request => match self.hub.answer_request(&post.job, request).await {
                Ok(answered) => answered,
                Err(error) => Answered::Refused { why: error.to_string() },
            },
        };
        if post.request == JobRequest::Look {
            self.wait_until_settled(&post.job).await;
        }
        if let Err(error) = self.hub.engine.answer_request(&post.ticket, &answered).await {
            self.hub.log_line(&error.to_string());
        }
    }

    /// Waits until a job was looked at and nothing is due for it.
    async fn wait_until_settled(&self, job: &str) {
        while let Some(slot) = self.hub.find_slot(job) {
            let idle = !slot.is_busy() && matches!(self.hub.next(&slot, clock::now()), Next::Sleep(_));
            if idle || self.hub.is_stopping() {
                return;
            }
            self.hub.wait_for_change().await;
        }
    }
}

/// Reads records again that other processes have changed.
async fn follow_changes(hub: Rc<Hub>) {
    while let Ok(jobs) = hub.engine.wait_for_changes().await {
        if let Err(error) = hub.refresh_records(jobs).await {
            hub.log_line(&error.to_string());
        }
    }
}

/// Runs a loop with everything that it starts on one thread.
pub async fn run_local<T>(work: impl Future<Output = T>) -> T {
    LocalSet::new().run_until(work).await
}
