//! `gitops history`: the last runs of a job.

use clap::Args;

use super::Common;
use super::print::{self, print_json};
use super::session::Session;
use crate::exit::Exit;
use crate::gitops::engine::list_runs;

/// Show the last runs of a job, newest first.
#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    #[command(flatten)]
    common: Common,
    /// Name of the job.
    job: String,
    /// Maximum number of runs.
    #[arg(long, default_value = "50", value_name = "N")]
    limit: usize,
}

pub(super) async fn show_history(args: &HistoryArgs) -> Result<Exit, Exit> {
    let session = Session::open_session(&args.common).await?;
    session.check_job(&args.job)?;
    let runs = list_runs(&*session.engine, &args.job, args.limit).await;
    let runs = runs.map_err(|error| session.report_failure(&error.to_string(), Exit::General))?;
    if args.common.json {
        print_json(&runs);
    } else if runs.is_empty() {
        print::print_line(&format!("job `{}` has no runs", args.job));
    } else {
        runs.iter().for_each(|run| print::print_line(&print::run_line(run)));
    }
    Ok(Exit::Success)
}
