//! `gitops rollback`: plans an earlier commit, by the same rules.

use clap::Args;

use super::Common;
use super::once;
use super::session::Session;
use crate::exit::Exit;
use crate::gitops::decide::{Answered, JobRequest};

/// Apply an earlier commit; ignore the branch until it has a newer commit.
#[derive(Debug, Args)]
pub(super) struct RollbackArgs {
    #[command(flatten)]
    common: Common,
    /// Name of the job.
    job: String,
    /// Run or commit to return to; default: the commit applied before the last one.
    #[arg(long, value_name = "RUN|COMMIT")]
    to: Option<String>,
}

pub(super) async fn roll_back(args: &RollbackArgs) -> Result<Exit, Exit> {
    let session = Session::open_session(&args.common).await?;
    session.check_job(&args.job)?;
    let failed = |why: String| session.report_failure(&why, Exit::General);
    let record = session.engine.load_record(&args.job).await.map_err(|error| failed(error.to_string()))?;
    let to = match &args.to {
        Some(to) => match session.engine.load_run(to).await.map_err(|error| failed(error.to_string()))? {
            Some(run) if run.job != args.job => {
                return Err(failed(format!("run `{to}` is of job `{}`, not of `{}`", run.job, args.job)));
            }
            Some(run) => run.commit.ok_or_else(|| failed(format!("run `{to}` has no commit")))?,
            None => to.clone(),
        },
        None => {
            let earlier = record
                .applied_before
                .iter()
                .map(|one| &one.commit)
                .find(|commit| Some(*commit) != record.applied.as_ref());
            let why = format!("job `{}` has no commit that was applied before; name one with `--to`", args.job);
            earlier.cloned().ok_or_else(|| failed(why))?
        }
    };
    let (session, worker) = session.take_jobs(&args.common, false).await?;
    let answered = session.send_request(&worker, &args.job, &JobRequest::Rollback { to }).await?;
    let Answered::Done { .. } = &answered else { return Ok(session.report_answer(&answered, "")) };
    let jobs = [args.job.clone()];
    once::attend_jobs(&session, &worker, &jobs).await?;
    once::report_jobs(&session, &worker, &args.common, &jobs).await
}
