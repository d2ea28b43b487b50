//! Which jobs the loop has to look at: those that changed, those whose clock has come, and those that wait for room.
//!
//! So the work of the loop grows with what happens, not with the number of jobs.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use jiff::Timestamp;

/// Jobs that have changed since the loop last looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Touched {
    /// Any of them may have.
    All,
    /// These.
    Jobs(BTreeSet<String>),
}

impl Default for Touched {
    fn default() -> Self {
        Self::Jobs(BTreeSet::new())
    }
}

impl Touched {
    /// Adds a job.
    pub fn add(&mut self, job: &str) {
        if let Self::Jobs(jobs) = self {
            jobs.insert(job.to_owned());
        }
    }
}

/// When each job has to be looked at.
#[derive(Debug, Default)]
pub struct Agenda {
    times: BTreeSet<(Timestamp, String)>,
    of_job: HashMap<String, Timestamp>,
    /// Jobs that wait for room, the longest first; those that are not in `still_waiting` do no more.
    waiting: VecDeque<String>,
    still_waiting: HashSet<String>,
}

impl Agenda {
    /// Notes when a job has to be looked at next, unless something happens before.
    pub fn set_time(&mut self, job: &str, at: Option<Timestamp>) {
        self.still_waiting.remove(job);
        if let Some(old) = self.of_job.remove(job) {
            self.times.remove(&(old, job.to_owned()));
        }
        if let Some(at) = at {
            self.times.insert((at, job.to_owned()));
            self.of_job.insert(job.to_owned(), at);
        }
    }

    /// Notes that a job is due and waits for room.
    pub fn add_waiting(&mut self, job: &str) {
        if let Some(old) = self.of_job.remove(job) {
            self.times.remove(&(old, job.to_owned()));
        }
        if self.still_waiting.insert(job.to_owned()) {
            self.waiting.push_back(job.to_owned());
        }
    }

    /// Takes the jobs whose time has come, and as many of those that wait as there is room for.
    pub fn take_due(&mut self, now: Timestamp, room: usize) -> BTreeSet<String> {
        let mut due = BTreeSet::new();
        while due.len() < room
            && let Some(job) = self.waiting.pop_front()
        {
            if self.still_waiting.remove(&job) {
                due.insert(job);
            }
        }
        while let Some((at, job)) = self.times.pop_first() {
            if at > now {
                self.times.insert((at, job));
                break;
            }
            self.of_job.remove(&job);
            due.insert(job);
        }
        due
    }

    /// Returns the next time at which a job has to be looked at.
    pub fn first_time(&self) -> Option<Timestamp> {
        self.times.first().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(number: i64) -> Timestamp {
        Timestamp::from_second(number).unwrap()
    }

    fn names(jobs: &BTreeSet<String>) -> Vec<&str> {
        jobs.iter().map(String::as_str).collect()
    }

    #[test]
    fn job_is_due_once_at_its_last_time() {
        let mut agenda = Agenda::default();
        agenda.set_time("a", Some(second(10)));
        agenda.set_time("b", Some(second(20)));
        agenda.set_time("a", Some(second(30)));
        assert_eq!(agenda.first_time(), Some(second(20)));
        assert_eq!(names(&agenda.take_due(second(20), 4)), ["b"]);
        assert_eq!(names(&agenda.take_due(second(29), 4)), [""; 0]);
        assert_eq!(names(&agenda.take_due(second(30), 4)), ["a"]);
        assert_eq!(agenda.first_time(), None);
    }

    #[test]
    fn jobs_that_wait_for_room_are_taken_in_their_order() {
        let mut agenda = Agenda::default();
        agenda.set_time("b", Some(second(10)));
        ["b", "a", "b"].iter().for_each(|job| agenda.add_waiting(job));
        assert_eq!(names(&agenda.take_due(second(0), 0)), [""; 0]);
        assert_eq!(names(&agenda.take_due(second(0), 1)), ["b"]);
        // A job that was found not to be due any more does not wait.
        agenda.set_time("a", Some(second(10)));
        assert_eq!(names(&agenda.take_due(second(0), 4)), [""; 0]);
    }

    #[test]
    fn everything_stays_everything() {
        let mut touched = Touched::All;
        touched.add("a");
        assert_eq!(touched, Touched::All);
        let mut touched = Touched::default();
        touched.add("a");
        assert_eq!(touched, Touched::Jobs(BTreeSet::from(["a".to_owned()])));
    }
}
