//! `gitops suspend` and `gitops resume`.

use clap::Args;
use jiff::Timestamp;

use super::Common;
use super::session::Session;
use crate::exit::Exit;
use crate::gitops::config::parse_time;
use crate::gitops::decide::JobRequest;

/// Suspend a job: start no more runs.
#[derive(Debug, Args)]
pub(super) struct SuspendArgs {
    #[command(flatten)]
    common: Common,
    /// Name of the job.
    job: String,
    /// Reason.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// End of the suspension: a time with zone, or a duration from now.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

/// Resume a suspended job.
#[derive(Debug, Args)]
pub(super) struct ResumeArgs {
    #[command(flatten)]
    common: Common,
    /// Name of the job.
    job: String,
}

pub(super) async fn suspend_job(args: &SuspendArgs) -> Result<Exit, Exit> {
    let session = Session::open_session(&args.common).await?;
    let now = Timestamp::now();
    let until = args.until.as_deref().map(|text| parse_time(text, now)).transpose();
    let until = until.map_err(|why| session.report_failure(&format!("`--until`: {why}"), Exit::General))?;
    if until.is_some_and(|until| until <= now) {
        return Err(session.report_failure("`--until` is in the past", Exit::General));
    }
    let request = JobRequest::Suspend { reason: Some(args.reason.clone()), until };
    let done = match until {
        Some(until) => format!("job `{}` is suspended until {until}", args.job),
        None => format!("job `{}` is suspended", args.job),
    };
    send_request(session, &args.common, &args.job, &request, &done).await
}

pub(super) async fn resume_job(args: &ResumeArgs) -> Result<Exit, Exit> {
    let session = Session::open_session(&args.common).await?;
    send_request(session, &args.common, &args.job, &JobRequest::Resume, &format!("job `{}` is resumed", args.job)).await
}

async fn send_request(
    session: Session,
    common: &Common,
    job: &str,
    request: &JobRequest,
    done: &str,
) -> Result<Exit, Exit> {
    session.check_job(job)?;
    let (session, worker) = session.take_jobs(common, true).await?;
    let answered = session.send_request(&worker, job, request).await?;
    Ok(session.report_answer(&answered, done))
}
