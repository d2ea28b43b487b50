//! `ionplay plan`: a dry run whose product is a plan.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use super::args::RunArgs;
use super::dry_run::DryRun;
use super::output::{self, write_stdout};
use super::run::on_runtime;
use crate::exit::Exit;
use crate::plan::show::{self, Look};
use crate::plan::{Answers, Plan, PlanDigester, drift, save, seal};
use crate::report::style::Paint;

/// Predict the changes of playbooks, or show a saved plan.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct PlanArgs {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    run: RunArgs,
    /// Write the plan to this file, for `ionplay apply`.
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    out: Option<PathBuf>,
    /// Report what has changed in the account since the last apply of the playbook; plan nothing.
    #[arg(long, help_heading = "Mode")]
    refresh_only: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show a saved plan.
    Show {
        /// File with the plan.
        file: PathBuf,
        /// Output format.
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
        /// Print without colours.
        #[arg(long)]
        no_color: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text for a terminal.
    Text,
    /// The plan as JSON.
    Json,
    /// Markdown for a comment on a pull request.
    Markdown,
    /// HTML page.
    Html,
}

/// Runs `plan`.
pub fn main(args: &PlanArgs) -> Exit {
    match &args.what {
        Some(What::Show { file, format, no_color }) => show_plan(file, *format, *no_color),
        None => on_runtime(make_plan(args)),
    }
}

fn show_plan(file: &Path, format: Format, no_color: bool) -> Exit {
    let plan = match save::read(file) {
        Ok(plan) => plan,
        Err(error) => return refuse_plan(&format!("{error:#}"), Exit::PlanUnusable),
    };
    let text = match format {
        Format::Text => show::render_text(&plan, choose_look(no_color)),
        Format::Markdown => show::render_markdown(&plan),
        Format::Html => show::render_html(&plan),
        Format::Json => match save::serialize_plan(&plan) {
            Ok(text) => text,
            Err(error) => return refuse_plan(&format!("{error:#}"), Exit::Internal),
        },
    };
    write_stdout(&text);
    Exit::Success
}

async fn make_plan(args: &PlanArgs) -> Exit {
    if args.out.is_some() && args.run.playbooks.iter().any(|name| name == "-") {
        return refuse_plan(
            "a playbook from standard input cannot be read again when its plan is applied; name a file",
            Exit::BadOptions,
        );
    }
    let key = args.run.seal_key_file.as_deref().map(seal::read_key).transpose();
    let key = match key {
        Ok(key) => key,
        Err(error) => return refuse_plan(&format!("{error:#}"), Exit::General),
    };
    let (made, stamp, answers) = (current_time(), PlanDigester::new(), Rc::new(Answers::default()));
    let dry_run = DryRun { args: &args.run, server: None, made: &made, stamp: &stamp, answers: &answers };
    let (exit, plan) = dry_run.make_plan().await;
    let Some(mut plan) = plan else { return exit };
    if args.refresh_only {
        return drift_exit(&plan, exit, args.run.detailed_exitcode);
    }
    write_stdout(&show::render_text(&plan, choose_look(args.run.no_color)));
    if let Some(path) = &args.out {
        if let Some(key) = &key {
            let inline = args.run.extra_vars.iter().filter(|vars| !vars.trim_start().starts_with('@')).cloned();
            if let Err(error) = seal::seal_plan(&mut plan, key, inline.collect(), answers.to_map()) {
                return refuse_plan(&format!("{error:#}"), Exit::Internal);
            }
        }
        let written = save::serialize_plan(&plan).and_then(|text| save::write(path, &text));
        if let Err(error) = written {
            return refuse_plan(&format!("{error:#}"), Exit::General);
        }
        let next = match plan.count_actions().failed {
            0 => format!("`ionplay apply {}` does exactly this", path.display()),
            1 => "it cannot be applied, because a task would fail".to_owned(),
            failed => format!("it cannot be applied, because {failed} tasks would fail"),
        };
        write_stdout(&format!("\nWritten to {}; {next}.\n", path.display()));
    }
    if args.run.detailed_exitcode { plan.count_actions().exit_status(exit) } else { exit }
}

/// The time, to the second.
fn current_time() -> String {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
}

fn drift_exit(plan: &Plan, exit: Exit, detailed: bool) -> Exit {
    if exit != Exit::Success {
        for step in &plan.failed {
            let why = step.why.as_deref().unwrap_or("it would fail");
            refuse_plan(&format!("task \"{}\" on {}: {why}", step.task, step.host), exit);
        }
        return exit;
    }
    let Some(snapshot) = drift::load_snapshot(&plan.run) else {
        return refuse_plan(
            "this playbook was never applied from here with `ionplay apply`, so there is nothing to compare with",
            Exit::General,
        );
    };
    let found = drift::describe_drift(&snapshot, plan);
    for line in &found {
        write_stdout(&format!("  {line}\n"));
    }
    let space = if found.is_empty() { "" } else { "\n" };
    write_stdout(&format!(
        "{space}Drift since {}: {} objects changed outside of this playbook\n",
        snapshot.applied,
        found.len()
    ));
    if detailed && !found.is_empty() { Exit::Changes } else { Exit::Success }
}

/// Returns colours and line width for the terminal, if there is one.
pub(super) fn choose_look(no_color: bool) -> Look {
    Look {
        paint: Paint(output::has_colours(no_color)),
        width: crate::report::screen::output_width(),
        wraps: std::io::stdout().is_terminal(),
    }
}

/// Prints the reason for a refusal.
pub(super) fn refuse_plan(why: &str, exit: Exit) -> Exit {
    output::write_stderr(&format!("error: {}", output::without_numbers(why)));
    exit
}
