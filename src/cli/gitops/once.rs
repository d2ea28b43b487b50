//! `gitops once`: looks at every job, runs what is due, ends.

use std::path::PathBuf;

use clap::Args;
use futures_util::future::join_all;

use super::Common;
use super::print::{self, once_exit, print_json};
use super::session::{Session, Worker, stop_on_signals};
use super::status::read_status;
use crate::exit::Exit;
use crate::gitops::decide::JobRequest;
use crate::gitops::once::{answer_posted, attend_once};

/// Check all or the named jobs, and run those that are due; for cron, timers and pipelines.
#[derive(Debug, Args)]
pub(super) struct OnceArgs {
    #[command(flatten)]
    common: Common,
    /// Names of jobs; default: all.
    jobs: Vec<String>,
    /// Write metrics to this file, for the textfile collector of node_exporter.
    #[arg(long, value_name = "FILE")]
    metrics_file: Option<PathBuf>,
}

pub(super) async fn run_once(args: &OnceArgs) -> Result<Exit, Exit> {
    let session = Session::open_session(&args.common).await?;
    args.jobs.iter().try_for_each(|job| session.check_job(job))?;
    let jobs: Vec<String> =
        if args.jobs.is_empty() { session.config.jobs.keys().cloned().collect() } else { args.jobs.clone() };
    let (session, worker) = session.take_jobs(&args.common, false).await?;
    attend_jobs(&session, &worker, &jobs).await?;
    if let (Some(path), Worker::Here(here)) = (&args.metrics_file, &worker) {
        let failed = |error: std::io::Error| {
            session.report_failure(&format!("cannot write `{}`: {error}", path.display()), Exit::General)
        };
        here.outside.write_metrics(path).map_err(failed)?;
    }
    report_jobs(&session, &worker, &args.common, &jobs).await
}

/// Runs due jobs, through the daemon if there is one.
pub(super) async fn attend_jobs(session: &Session, worker: &Worker, jobs: &[String]) -> Result<(), Exit> {
    match worker {
        Worker::Here(here) => {
            stop_on_signals(&here.hub);
            answer_posted(&here.hub)
                .await
                .map_err(|error| session.report_failure(&error.to_string(), Exit::General))?;
            attend_once(&here.hub, jobs).await;
            here.outside.flush().await;
            if here.hub.is_stopping() {
                return Err(Exit::Interrupted);
            }
        }
        Worker::Daemon => {
            let looks = jobs.iter().map(|job| session.ask_daemon(job, &JobRequest::Look, None));
            join_all(looks).await.into_iter().collect::<Result<Vec<_>, Exit>>()?;
        }
    }
    Ok(())
}

/// Prints the status of jobs, and returns the exit status of `once`.
pub(super) async fn report_jobs(
    session: &Session,
    worker: &Worker,
    common: &Common,
    jobs: &[String],
) -> Result<Exit, Exit> {
    let mut status = match worker {
        Worker::Here(here) => here.hub.read_status(),
        Worker::Daemon => read_status(session).await?,
    };
    status.jobs.retain(|job| jobs.contains(&job.job));
    if common.json {
        print_json(&status);
    } else {
        print::print_line(print::status_lines(&status.jobs, jiff::Timestamp::now()).trim_end());
    }
    Ok(once_exit(&status.jobs))
}
