//! `ionplay plan`: a dry run whose product is a plan.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use super::args::RunArgs;
use super::dry_run::Foretelling;
use super::output::{self, print};
use super::run::on_runtime;
use crate::exit::Exit;
use crate::plan::show::{self, Look};
use crate::plan::{Answers, Plan, Stamp, drift, save, seal};
use crate::report::style::Paint;

/// Foretell what playbooks would do; or show a plan.
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
    /// Report what has changed in the world since the playbook was last applied; propose nothing.
    #[arg(long, help_heading = "Mode")]
    refresh_only: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show a plan that was written to a file.
    Show {
        /// The file.
        file: PathBuf,
        /// How.
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
        /// No colours.
        #[arg(long)]
        no_color: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal.
    Text,
    /// The plan itself.
    Json,
    /// For a comment on a pull request.
    Markdown,
}

/// Runs `plan`.
pub fn main(args: &PlanArgs) -> Exit {
    match &args.what {
        Some(What::Show { file, format, no_color }) => shown(file, *format, *no_color),
        None => on_runtime(planned(args)),
    }
}

fn shown(file: &Path, format: Format, no_color: bool) -> Exit {
    let plan = match save::read(file) {
        Ok(plan) => plan,
        Err(error) => return refuse(&format!("{error:#}"), Exit::PlanUnusable),
    };
    let text = match format {
        Format::Text => show::text(&plan, look(no_color)),
        Format::Markdown => show::markdown(&plan),
        Format::Json => match save::text(&plan) {
            Ok(text) => text,
            Err(error) => return refuse(&format!("{error:#}"), Exit::Internal),
        },
    };
    print(&text);
    Exit::Success
}

async fn planned(args: &PlanArgs) -> Exit {
    if args.out.is_some() && args.run.playbooks.iter().any(|name| name == "-") {
        return refuse(
            "a playbook from standard input cannot be read again when its plan is applied; name a file",
            Exit::BadOptions,
        );
    }
    let key = args.run.seal_key_file.as_deref().map(seal::key).transpose();
    let key = match key {
        Ok(key) => key,
        Err(error) => return refuse(&format!("{error:#}"), Exit::General),
    };
    let (made, stamp, answers) = (now(), Stamp::new(), Rc::new(Answers::default()));
    let foretelling = Foretelling { args: &args.run, server: None, made: &made, stamp: &stamp, answers: &answers };
    let (exit, plan) = foretelling.plan().await;
    let Some(mut plan) = plan else { return exit };
    if args.refresh_only {
        return drifted(&plan, exit, args.run.detailed_exitcode);
    }
    print(&show::text(&plan, look(args.run.no_color)));
    if let Some(path) = &args.out {
        if let Some(key) = &key {
            let inline = args.run.extra_vars.iter().filter(|vars| !vars.trim_start().starts_with('@')).cloned();
            if let Err(error) = seal::seal(&mut plan, key, inline.collect(), answers.all()) {
                return refuse(&format!("{error:#}"), Exit::Internal);
            }
        }
        let written = save::text(&plan).and_then(|text| save::write(path, &text));
        if let Err(error) = written {
            return refuse(&format!("{error:#}"), Exit::General);
        }
        print(&format!("\nWritten to {0}; `ionplay apply {0}` does exactly this.\n", path.display()));
    }
    if args.run.detailed_exitcode { plan.counts().status(exit) } else { exit }
}

/// The time, to the second.
fn now() -> String {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
}

fn drifted(plan: &Plan, exit: Exit, detailed: bool) -> Exit {
    if exit != Exit::Success {
        for step in &plan.failed {
            let why = step.why.as_deref().unwrap_or("it would fail");
            refuse(&format!("task \"{}\" on {}: {why}", step.task, step.host), exit);
        }
        return exit;
    }
    let Some(snapshot) = drift::kept(&plan.run) else {
        return refuse(
            "this playbook was never applied from here with `ionplay apply`, so there is nothing to compare with",
            Exit::General,
        );
    };
    let found = drift::since(&snapshot, plan);
    for line in &found {
        print(&format!("  {line}\n"));
    }
    let space = if found.is_empty() { "" } else { "\n" };
    print(&format!(
        "{space}Drift since {}: {} objects changed outside of this playbook\n",
        snapshot.applied,
        found.len()
    ));
    if detailed && !found.is_empty() { Exit::Changes } else { Exit::Success }
}

/// How a plan is shown here: colours and lines as wide as the terminal, where there is one.
pub(super) fn look(no_color: bool) -> Look {
    Look { paint: Paint(output::colours(no_color)), width: crate::report::screen::width() }
}

/// Says why something is not done.
pub(super) fn refuse(why: &str, exit: Exit) -> Exit {
    output::complain(&format!("error: {}", output::without_numbers(why)));
    exit
}
