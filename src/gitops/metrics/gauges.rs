//! Gauges that are read from the status of the jobs at each scrape.

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::super::view::{GitopsStatus, JobState};
use super::labels::{CommitLabel, JobLabel, StateLabel, VersionLabel};
use super::{PREFIX, to_gauge};

/// Returns a registry with what the status says now.
pub(super) fn read_gauges(status: &GitopsStatus) -> Registry {
    let mut registry = Registry::with_prefix(PREFIX);
    let info = Family::<CommitLabel, Gauge>::default();
    let states = Family::<StateLabel, Gauge>::default();
    let [last_run, next_due, suspended, drift] = [(); 4].map(|()| Family::<JobLabel, Gauge>::default());
    for job in &status.jobs {
        let label = JobLabel::new(&job.job);
        let commit = job.applied.clone().unwrap_or_default();
        info.get_or_create(&CommitLabel { job: job.job.clone(), commit }).set(1);
        for state in JobState::ALL {
            let label = StateLabel { job: job.job.clone(), status: state.as_str() };
            states.get_or_create(&label).set(i64::from(*state == job.state));
        }
        if let Some(run) = &job.last_run {
            last_run.get_or_create(&label).set(run.ended.as_second());
        }
        if let Some(due) = &job.next_due {
            next_due.get_or_create(&label).set(due.at.as_second());
        }
        suspended.get_or_create(&label).set(i64::from(job.suspended.is_some()));
        drift.get_or_create(&label).set(i64::try_from(job.drift).unwrap_or(i64::MAX));
    }
    let jobs = Gauge::<i64>::default();
    jobs.set(to_gauge(status.jobs.len()));
    registry.register(
        "build",
        "Version of the program",
        Info::new(VersionLabel { version: env!("CARGO_PKG_VERSION") }),
    );
    registry.register("jobs", "Jobs of the file", jobs);
    registry.register("job_info", "Commit that is applied", info);
    registry.register("job_status", "State of the job: 1 for the state it is in, 0 for the others", states);
    registry.register("job_last_run_timestamp_seconds", "When a run of the job last ended", last_run);
    registry.register("job_next_due_timestamp_seconds", "When the job is due next", next_due);
    registry.register("job_suspended", "Whether the job is suspended", suspended);
    registry.register("drift_objects", "Objects that differ from what was applied", drift);
    registry
}
