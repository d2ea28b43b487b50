//! `gitops preview`: plans a commit that is not on the branch; never applies.

use clap::Args;
use serde_json::json;

use super::Common;
use super::print::print_json;
use super::session::Session;
use crate::cli::embedded;
use crate::exit::Exit;
use crate::gitops::delivery::{RequestError, new_client};
use crate::gitops::forge::{CommitState, CommitStatus, ForgeClient, ForgePost, PullRequestComment, build_comment};
use crate::gitops::notify::describe_counts;
use crate::gitops::preview::{Author, Preview, PreviewError, preview_commit as make_preview};
use crate::gitops::run::Runner;
use crate::sandbox::Handle;

/// Plan a commit that is not on the branch, for example of a pull request; apply nothing.
#[derive(Debug, Args)]
pub(super) struct PreviewArgs {
    #[command(flatten)]
    common: Common,
    /// Name of the job.
    job: String,
    /// A commit, a branch, or a reference such as `refs/pull/7/head`.
    #[arg(long, value_name = "REF")]
    commit: String,
    /// Also post commit status and comment.
    #[arg(long)]
    comment: bool,
    /// Let the plan start programs and read files of this machine; only for commits of people you trust. It gets no secret
    /// of the job in any case.
    #[arg(long)]
    trusted: bool,
}

pub(super) async fn preview_job(args: &PreviewArgs) -> Result<Exit, Exit> {
    let session = Session::open_session(&args.common).await?;
    session.check_job(&args.job)?;
    let Some(job) = session.config.find_job(&args.job) else { return Err(Exit::General) };
    let sandbox = args.common.sandbox.then(embedded::start_empty_mock).transpose();
    let sandbox = sandbox.map_err(|error| session.report_failure(&error.to_string(), Exit::General))?;
    let program = std::env::current_exe().map_err(|error| session.report_failure(&error.to_string(), Exit::General))?;
    let runner = Runner {
        credentials: None,
        program,
        state_dir: session.config.state_dir.clone(),
        seal_key_file: None,
        sandbox: sandbox.as_ref().map(Handle::url),
    };
    let author = if args.trusted { Author::Trusted } else { Author::Unknown };
    let made = make_preview(&session.config, job, &runner, &args.commit, author).await;
    if args.comment
        && let Err(error) = post_preview(args, &session, &made).await
    {
        // The plan is shown here, at least.
        if let (Ok(made), false) = (&made, args.common.json) {
            crate::cli::output::write_stdout(&made.text);
        }
        return Err(session.report_failure(&format!("cannot post status and comment: {error}"), Exit::General));
    }
    let made = made.map_err(|error| session.report_failure(&error.to_string(), Exit::General))?;
    Ok(report_preview(args, &made))
}

/// Posts status and comment on the forge of the job. A failure is posted, too, if the commit is known.
async fn post_preview(
    args: &PreviewArgs,
    session: &Session,
    made: &Result<Preview, PreviewError>,
) -> Result<(), RequestError> {
    let forge = session.config.find_job(&args.job).and_then(|job| job.forge.as_ref());
    let forge = forge.ok_or_else(|| RequestError::Address(format!("job `{}` has no `forge`", args.job)))?;
    let (commit, state, summary, markdown) = match made {
        Ok(made) => (&made.commit, CommitState::Success, describe_counts(&made.counts), made.markdown.clone()),
        Err(error @ PreviewError::Plan { commit, why, .. }) => {
            // A fence in the text would end the block.
            let text = error.to_string().replace("```", "` ` `");
            let summary = format!("the plan failed: {}", why.lines().next().unwrap_or_default());
            (commit, CommitState::Failure, summary, format!("**The plan failed.**\n\n```text\n{text}\n```\n"))
        }
        Err(_) => return Ok(()),
    };
    let client = ForgeClient::new(new_client()?);
    let context = format!("{}/preview", args.job);
    let status = CommitStatus::new(&context, commit, state, &summary, None);
    client.send_post(forge, &ForgePost::Status(status)).await?;
    let rest = format!("`ionplay gitops preview FILE {} --commit {commit}` shows all of it.", args.job);
    let title = format!("Plan of `{}` for {}", args.job, commit.get(..12).unwrap_or(commit));
    let body = build_comment(&title, &markdown, &rest);
    let comment = PullRequestComment { job: args.job.clone(), commit: commit.clone(), body };
    client.send_post(forge, &ForgePost::Comment(comment)).await
}

fn report_preview(args: &PreviewArgs, made: &Preview) -> Exit {
    if args.common.json {
        print_json(
            &json!({"version": 1, "job": args.job, "commit": made.commit, "plan": made.counts, "changes": made.changes}),
        );
    } else {
        crate::cli::output::write_stdout(&made.text);
    }
    if made.changes { Exit::Changes } else { Exit::Success }
}
