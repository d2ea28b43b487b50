//! `gitops accept-baseline`: says where history begins.

use clap::Args;

use super::Common;
use super::session::Session;
use crate::exit::Exit;
use crate::gitops::decide::JobRequest;
use crate::gitops::repository::GitRepository;

/// Set the commit that counts as applied, after the state was lost or the branch was rewritten.
#[derive(Debug, Args)]
pub(super) struct BaselineArgs {
    #[command(flatten)]
    common: Common,
    /// Name of the job.
    job: String,
    /// Commit that counts as applied.
    commit: String,
}

pub(super) async fn accept_baseline(args: &BaselineArgs) -> Result<Exit, Exit> {
    let session = Session::open_session(&args.common).await?;
    session.check_job(&args.job)?;
    let Some(job) = session.config.find_job(&args.job) else { return Err(Exit::General) };
    let found = GitRepository::new(&job.git, &session.config.state_dir, job.timeout).fetch_revision(&args.commit).await;
    let commit = found.map_err(|error| session.report_failure(&error.to_string(), Exit::General))?;
    let done = format!("the history of job `{}` begins at {commit}", args.job);
    let (session, worker) = session.take_jobs(&args.common, true).await?;
    let answered = session.send_request(&worker, &args.job, &JobRequest::AcceptBaseline { commit }).await?;
    Ok(session.report_answer(&answered, &done))
}
