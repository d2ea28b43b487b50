//! `ionplay gitops`: one file a command.

mod answer;
mod baseline;
mod check;
mod history;
mod once;
mod preview;
mod print;
mod rollback;
mod run;
mod serve;
mod session;
mod show;
mod status;
mod suspend;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::run::on_runtime;
use crate::exit::Exit;
use crate::gitops::daemon::run_local;

/// Apply playbooks from Git repositories, unattended, after a push, on schedule, on a hook or before an expiry.
#[derive(Debug, Args)]
pub struct GitopsArgs {
    #[command(subcommand)]
    command: GitopsCommand,
}

/// Arguments of all commands.
#[derive(Debug, Clone, Args)]
struct Common {
    /// File with the jobs (`gitops.yml`).
    file: PathBuf,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
    /// Run against a mock registry that ends with this process; no account needed.
    #[arg(long)]
    sandbox: bool,
}

#[derive(Debug, Subcommand)]
enum GitopsCommand {
    Check(check::CheckArgs),
    Once(once::OnceArgs),
    Serve(serve::ServeArgs),
    Status(status::StatusArgs),
    History(history::HistoryArgs),
    Show(show::ShowArgs),
    Run(run::RunJobArgs),
    Approve(answer::ApproveArgs),
    Reject(answer::RejectArgs),
    Suspend(suspend::SuspendArgs),
    Resume(suspend::ResumeArgs),
    Rollback(rollback::RollbackArgs),
    AcceptBaseline(baseline::BaselineArgs),
    Preview(preview::PreviewArgs),
}

/// Runs `gitops`.
pub fn main(args: &GitopsArgs) -> Exit {
    on_runtime(run_local(async {
        let done = match &args.command {
            GitopsCommand::Check(args) => check::check_config(args).await,
            GitopsCommand::Once(args) => once::run_once(args).await,
            GitopsCommand::Serve(args) => serve::serve_jobs(args).await,
            GitopsCommand::Status(args) => status::show_status(args).await,
            GitopsCommand::History(args) => history::show_history(args).await,
            GitopsCommand::Show(args) => show::show_run(args).await,
            GitopsCommand::Run(args) => run::run_job(args).await,
            GitopsCommand::Approve(args) => answer::approve_run(args).await,
            GitopsCommand::Reject(args) => answer::reject_run(args).await,
            GitopsCommand::Suspend(args) => suspend::suspend_job(args).await,
            GitopsCommand::Resume(args) => suspend::resume_job(args).await,
            GitopsCommand::Rollback(args) => rollback::roll_back(args).await,
            GitopsCommand::AcceptBaseline(args) => baseline::accept_baseline(args).await,
            GitopsCommand::Preview(args) => preview::preview_job(args).await,
        };
        done.unwrap_or_else(|exit| exit)
    }))
}
