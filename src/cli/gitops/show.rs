//! `gitops show`: one run: why, what was planned, what was done, by which commands.

use std::path::Path;

use clap::{Args, ValueEnum};

use super::Common;
use super::print::{self, print_json, shorten_commit};
use super::session::Session;
use crate::exit::Exit;
use crate::gitops::config::{Environment, JobConfig};
use crate::gitops::engine::RunDocument;
use crate::gitops::run::{redactor_of, shell_line};
use crate::gitops::view::{JobRun, Outcome};
use crate::plan::show::{self as plan_show, Look};
use crate::plan::{Plan, save};
use crate::report::style::Paint;

/// Show a run: its reason, plan, changes and commands.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    common: Common,
    /// Id of the run.
    run: String,
    /// Print its events, one JSON object per line.
    #[arg(long)]
    events: bool,
    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text for a terminal.
    Text,
    /// JSON document.
    Json,
    /// Markdown for a comment.
    Markdown,
}

pub(super) async fn show_run(args: &ShowArgs) -> Result<Exit, Exit> {
    let session = Session::open_session(&args.common).await?;
    let run = session.find_run(&args.run).await?;
    let read = async |document| session.engine.read_document(&run.run, document, 0).await.ok().flatten();
    if args.events {
        let events = read(RunDocument::Events).await.unwrap_or_default();
        crate::cli::output::write_stdout(&String::from_utf8_lossy(&events));
        return Ok(Exit::Success);
    }
    let format = if args.common.json { Format::Json } else { args.format };
    if format == Format::Json {
        print_json(&run);
        return Ok(Exit::Success);
    }
    let plan = read_plan(&session.engine.run_folder(&run.run).join(RunDocument::Plan.file_name()));
    let text = match format {
        Format::Markdown => run_markdown(&run, plan.as_ref()),
        _ => {
            let output = read(RunDocument::Output).await.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            let job = session.config.find_job(&run.job);
            let state = session.config.state_dir.display().to_string();
            let text = run_text(&run, plan.as_ref(), output.as_deref(), job.map(|job| &**job), &state);
            match job {
                Some(job) => redactor_of(job).redact(&text).into_owned(),
                None => text,
            }
        }
    };
    crate::cli::output::write_stdout(&text);
    Ok(Exit::Success)
}

fn read_plan(path: &Path) -> Option<Plan> {
    save::read(path).ok()
}

fn run_text(run: &JobRun, plan: Option<&Plan>, output: Option<&str>, job: Option<&JobConfig>, state: &str) -> String {
    let mut text = String::new();
    let mut field = |name: &str, value: &str| text += &format!("{name:<9}: {value}\n");
    let reasons: Vec<&str> = run.reasons.iter().map(|reason| reason.as_str()).collect();
    field("run", &run.run);
    field("job", &run.job);
    field("commit", run.commit.as_deref().unwrap_or("-"));
    field("reasons", &reasons.join(", "));
    field("outcome", run.outcome.map_or("running", |outcome| outcome.as_str()));
    field("started", &run.started.to_string());
    if let Some(ended) = run.ended {
        field("ended", &format!("{ended} (after {} ms)", ended.duration_since(run.started).as_millis()));
    }
    field("host", &format!("{} (epoch {})", run.host, run.epoch));
    if let Some(decision) = &run.decision {
        let what = if decision.approved { "approved" } else { "rejected" };
        let why = decision.reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
        field("decision", &format!("{what} by {} at {}{why}", decision.by, decision.at));
    }
    if let Some(plan) = &run.plan {
        field("digest", &plan.digest);
    }
    if let Some(error) = &run.error {
        text += "\nError:\n";
        error.lines().for_each(|line| text += &format!("  {line}\n"));
    }
    if let Some(plan) = plan {
        text += "\nPlan:\n";
        text += &plan_show::render_text(plan, Look { paint: Paint(false), width: 120, wraps: false });
    }
    if !run.recap.is_empty() {
        text += "\nRecap:\n";
        for (host, recap) in &run.recap {
            text += &format!(
                "  {host}: ok={} changed={} failed={} unreachable={} skipped={} rescued={} ignored={}\n",
                recap.ok, recap.changed, recap.failed, recap.unreachable, recap.skipped, recap.rescued, recap.ignored
            );
        }
    }
    if !run.passwords_kept.is_empty() {
        text += "\nPasswords kept:\n";
        for name in &run.passwords_kept {
            text += &format!("  IONPLAY_STATE_DIR={state} ionplay token show {name}\n");
        }
    }
    if run.outcome == Some(Outcome::Waiting) {
        text += &format!(
            "\nTo decide:\n  ionplay gitops approve FILE {0}\n  ionplay gitops reject FILE {0} --reason TEXT\n",
            run.run
        );
    }
    if !run.commands.is_empty() {
        text += "\nTo repeat it by hand:\n";
        manual_commands(run, job, state).iter().for_each(|line| text += &format!("  {line}\n"));
    }
    if let Some(output) = output.filter(|_| run.error.is_some()) {
        text += "\nOutput:\n";
        output.lines().for_each(|line| text += &format!("  {line}\n"));
    }
    text
}

/// Returns the commands of a run, with their prerequisites.
fn manual_commands(run: &JobRun, job: Option<&JobConfig>, state: &str) -> Vec<String> {
    let mut lines = Vec::new();
    if let (Some(job), Some(commit)) = (job, &run.commit) {
        let folder = format!("{}-{}", run.job, shorten_commit(Some(commit)));
        lines.push(shell_line(&["git", "clone", "--quiet", &job.git.url, &folder].map(str::to_owned)));
        lines.push(shell_line(&["git", "-C", &folder, "checkout", "--quiet", "--detach", commit].map(str::to_owned)));
        let place = if job.git.path == "." { folder } else { format!("{folder}/{}", job.git.path) };
        lines.push(shell_line(&["cd".to_owned(), place]));
        for (name, value) in &job.environment {
            let value = match value {
                Environment::Plain(text) => shell_line(std::slice::from_ref(text)),
                Environment::Secret(source) => source.to_shell(),
            };
            lines.push(format!("export {name}={value}"));
        }
        lines.push(format!("export IONPLAY_STATE_DIR={}", shell_line(&[state.to_owned()])));
    }
    lines.extend(run.commands.iter().map(|command| shell_line(command)));
    lines
}

fn run_markdown(run: &JobRun, plan: Option<&Plan>) -> String {
    let outcome = run.outcome.map_or("running", |outcome| outcome.as_str());
    let mut text = format!(
        "### `{}`: {outcome}\n\nRun `{}` of commit `{}`\n\n",
        run.job,
        run.run,
        shorten_commit(run.commit.as_deref())
    );
    if let Some(error) = &run.error {
        text += &format!("```text\n{}\n```\n\n", error.replace("```", "` ` `"));
    }
    if let Some(plan) = plan {
        text += &plan_show::render_markdown(plan);
    }
    print::with_newline(text)
}
