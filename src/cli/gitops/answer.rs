//! `gitops approve` and `gitops reject`: the answer to a plan that waits, bound to its digest.

use clap::Args;

use super::Common;
use super::session::{Session, Worker};
use crate::exit::Exit;
use crate::gitops::decide::{Answered, JobRequest};

/// Approve the plan of a waiting run. An outdated plan is not approved.
#[derive(Debug, Args)]
pub(super) struct ApproveArgs {
    #[command(flatten)]
    common: Common,
    /// Id of the run.
    run: String,
    /// Approve only the plan with this digest (printed by `gitops show`).
    #[arg(long)]
    digest: Option<String>,
    /// Reason.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Reject the plan of a waiting run.
#[derive(Debug, Args)]
pub(super) struct RejectArgs {
    #[command(flatten)]
    common: Common,
    /// Id of the run.
    run: String,
    /// Reason.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub(super) async fn approve_run(args: &ApproveArgs) -> Result<Exit, Exit> {
    let by = "cli".to_owned();
    let (digest, reason) = (args.digest.clone(), args.reason.clone());
    let request = JobRequest::Approve { run: args.run.clone(), digest, by, reason };
    let later = "the next `gitops once` or `gitops serve` applies its plan";
    answer_run(&args.common, &args.run, &request, "approved", later).await
}

pub(super) async fn reject_run(args: &RejectArgs) -> Result<Exit, Exit> {
    let request = JobRequest::Reject { run: args.run.clone(), reason: Some(args.reason.clone()), by: "cli".to_owned() };
    answer_run(&args.common, &args.run, &request, "rejected", "its commit is ignored until a newer one comes").await
}

async fn answer_run(common: &Common, id: &str, request: &JobRequest, done: &str, then: &str) -> Result<Exit, Exit> {
    let session = Session::open_session(common).await?;
    let run = session.find_run(id).await?;
    session.check_job(&run.job)?;
    let (session, worker) = session.take_jobs(common, true).await?;
    let answered: Answered = session.send_request(&worker, &run.job, request).await?;
    let line = match worker {
        Worker::Daemon if done == "approved" => format!("run `{id}` is {done}"),
        _ => format!("run `{id}` is {done}; {then}"),
    };
    Ok(session.report_answer(&answered, &line))
}
