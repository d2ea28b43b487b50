//! `gitops accept-baseline`: says where history begins.

use clap::Args;

use super::Common;
use super::session::Session;
use crate::exit::Exit;
use crate::gitops::decide::Request;
use crate::gitops::repository::Repository;

/// Say where history begins, after the state was lost or the branch was rewritten.
#[derive(Debug, Args)]
pub(super) struct BaselineArgs {
    #[command(flatten)]
    common: Common,
    /// The job.
    job: String,
    /// The commit that counts as applied.
    commit: String,
}

pub(super) async fn accept_baseline(args: &BaselineArgs) -> Result<Exit, Exit> {
    let session = Session::open(&args.common).await?;
    session.check_job(&args.job)?;
    let Some(job) = session.config.job(&args.job) else { return Err(Exit::General) };
    let found = Repository::new(&job.git, &session.config.state_dir, job.timeout).fetch_revision(&args.commit).await;
    let commit = found.map_err(|error| session.fail(&error.to_string(), Exit::General))?;
    let done = format!("the history of job `{}` begins at {commit}", args.job);
    let (session, worker) = session.take(&args.common, true).await?;
    let answered = session.request(&worker, &args.job, &Request::AcceptBaseline { commit }).await?;
    Ok(session.report(&answered, &done))
}
