//! `gitops run`: makes a job due now.

use clap::Args;

use super::Common;
use super::once;
use super::session::{Session, Worker};
use crate::exit::Exit;
use crate::gitops::decide::{Answered, JobRequest};
use crate::gitops::view::Reason;

/// Make a job due now.
#[derive(Debug, Args)]
pub(super) struct RunJobArgs {
    #[command(flatten)]
    common: Common,
    /// Name of the job.
    job: String,
    /// Wait until the run has ended; exit with the status of `once`.
    #[arg(long)]
    wait: bool,
}

pub(super) async fn run_job(args: &RunJobArgs) -> Result<Exit, Exit> {
    let session = Session::open_session(&args.common).await?;
    session.check_job(&args.job)?;
    let (session, worker) = session.take_jobs(&args.common, !args.wait).await?;
    let request = JobRequest::Run { reason: Reason::Manual };
    let answered = session.send_request(&worker, &args.job, &request).await?;
    let Answered::Done { .. } = &answered else { return Ok(session.report_answer(&answered, "")) };
    if !args.wait {
        let done = match worker {
            Worker::Here(_) => format!("job `{}` is due; the next `gitops once` or `gitops serve` runs it", args.job),
            Worker::Daemon => format!("job `{}` is due", args.job),
        };
        return Ok(session.report_answer(&answered, &done));
    }
    let jobs = [args.job.clone()];
    once::attend_jobs(&session, &worker, &jobs).await?;
    once::report_jobs(&session, &worker, &args.common, &jobs).await
}
