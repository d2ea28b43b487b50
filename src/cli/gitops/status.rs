//! `gitops status`: a line a job.

use std::rc::Rc;
use std::time::Duration;

use clap::Args;

use super::Common;
use super::print::{self, print_json};
use super::session::Session;
use crate::exit::Exit;
use crate::gitops::decide::{Answered, JobRequest};
use crate::gitops::holder::{Holder, HolderError};
use crate::gitops::hub::Hub;
use crate::gitops::run::Runner;
use crate::gitops::view::{GitopsStatus, JobState};

/// Show the status of jobs, from the daemon if one runs, else from the store.
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    common: Common,
    /// Name of the job; default: all.
    job: Option<String>,
}

/// Time limit for the daemon's answer; after it the store is read, which has nearly the same data.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) async fn show_status(args: &StatusArgs) -> Result<Exit, Exit> {
    let session = Session::open_session(&args.common).await?;
    if let Some(job) = &args.job {
        session.check_job(job)?;
    }
    let mut status = read_status(&session).await?;
    status.jobs.retain(|job| args.job.as_ref().is_none_or(|wanted| *wanted == job.job));
    if args.common.json {
        print_json(&status);
    } else {
        print::print_line(print::status_lines(&status.jobs, jiff::Timestamp::now()).trim_end());
    }
    let any = |states: &[JobState]| status.jobs.iter().any(|job| states.contains(&job.state));
    Ok(if any(&[JobState::Failed, JobState::Refused, JobState::Blocked]) {
        Exit::Failed
    } else if any(&[JobState::Waiting, JobState::Drift]) {
        Exit::Waiting
    } else {
        Exit::Success
    })
}

/// Reads the status from the daemon, or without one from the store.
pub(super) async fn read_status(session: &Session) -> Result<GitopsStatus, Exit> {
    if let Err(HolderError::Daemon(_)) = Holder::lock_for_command(&session.config.host_dir())
        && let Ok(ticket) = session.engine.post_request("", &JobRequest::Status).await
    {
        let began = std::time::Instant::now();
        while began.elapsed() < PATIENCE {
            if let Ok(Some(Answered::Status { status })) = session.engine.take_reply(&ticket).await {
                return Ok(status);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    let failed = |why: String| session.report_failure(&why, Exit::General);
    // Nothing is run: the program and its place do not matter.
    let config = crate::gitops::config::GitopsConfig::load_file(&session.config.file);
    let config = config.map_err(|_| Exit::Unparsable)?;
    let runner = Runner {
        program: Default::default(),
        state_dir: config.state_dir.clone(),
        seal_key_file: None,
        credentials: None,
        sandbox: None,
    };
    let hub = Hub::load_jobs(config, Rc::clone(&session.engine), runner, Box::new(|_| ())).await;
    Ok(hub.map_err(|error| failed(error.to_string()))?.read_status())
}
