//! `ionplay plan`: a dry run whose product is a plan.

use std::io::Write as _;
use std::path::PathBuf;
use std::rc::Rc;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use super::assemble::{self, Done, Making};
use super::run::{RunArgs, on_runtime};
use crate::exit::Exit;
use crate::plan::{Gather, Gathered, Invocation, Plan, Tape, drift, model, save, show};
use crate::sandbox::Handle;
use crate::value::json::{self, Style};

/// What the embedded service is called in plans: it has another port each time.
pub(super) const EMBEDDED: &str = "sandbox";

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
        Some(What::Show { file, format }) => shown(file, *format),
        None => on_runtime(planned(args)),
    }
}

fn shown(file: &std::path::Path, format: Format) -> Exit {
    let plan = match save::read(file) {
        Ok((plan, _)) => plan,
        Err(error) => return refuse(&format!("{error:#}"), Exit::PlanUnusable),
    };
    let text = match format {
        Format::Text => show::text(&plan),
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
    let made = Timestamp::now();
    let (exit, plan) = foretell(&args.run, None, &made.to_string()).await;
    let Some(plan) = plan else { return exit };
    if args.refresh_only {
        return drifted(&plan, exit, args.run.detailed_exitcode);
    }
    print(&show::text(&plan));
    if let Some(path) = &args.out {
        let written = save::text(&plan).and_then(|text| save::write(path, &text));
        if let Err(error) = written {
            return refuse(&format!("{error:#}"), Exit::General);
        }
        print(&format!("\nWritten to {0}; `ionplay apply {0}` does exactly this.\n", path.display()));
    }
    if !args.run.detailed_exitcode {
        return exit;
    }
    let counts = plan.counts();
    assemble::detailed(exit, counts.changes(), counts.undetermined > 0)
}

fn drifted(plan: &Plan, exit: Exit, detailed: bool) -> Exit {
    if exit != Exit::Success {
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

/// Does the dry run and makes its plan; none if it did not come so far.
pub(super) async fn foretell(args: &RunArgs, server: Option<Rc<Handle>>, made: &str) -> (Exit, Option<Plan>) {
    let mut args = args.clone();
    args.check = true;
    let tape = Tape::new(args.sandbox.then(|| EMBEDDED.to_owned()));
    let (gather, gathered) = Gather::new();
    let notes = Rc::clone(&tape);
    let making = Making {
        writer: Some(Box::new(gather)),
        quiet: true,
        connectors: Some(Box::new(move |http| (Rc::clone(&http), notes.over(http)))),
        environment: vec![("IONPLAY_NOW".to_owned(), made.to_owned())],
        server,
    };
    let done = assemble::run_with(&args, making).await;
    let plan = plan_of(&args, &done, &tape, &gathered.borrow(), made);
    (done.exit, plan)
}

fn plan_of(args: &RunArgs, done: &Done, tape: &Tape, gathered: &Gathered, made: &str) -> Option<Plan> {
    let run = done.run.as_ref()?;
    let hex = |digest: &[u8; 32]| digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let folder = std::env::current_dir().unwrap_or_default();
    let mut files: std::collections::BTreeMap<String, String> = run
        .loader
        .digests()
        .iter()
        .map(|(path, digest)| (path.strip_prefix(&folder).unwrap_or(path).display().to_string(), hex(digest)))
        .collect();
    for source in &args.inventory {
        if let Ok(bytes) = std::fs::read(source) {
            files.insert(source.clone(), save::digest(&bytes));
        }
    }
    let variables = json::to_string(&(*run.extra_vars).clone().into(), Style { sort_keys: true, ..Style::EVENT });
    let plan = Plan {
        format: model::FORMAT,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        made: made.to_owned(),
        run: invocation(args),
        files,
        variables: save::digest(variables.as_bytes()),
        actions: gathered.records.iter().map(model::Action::from).collect(),
        others: gathered.others.clone(),
        undetermined: gathered.undetermined.clone(),
        failed: gathered.failed.clone(),
        observed: tape.observed(),
        writes: tape.writes(),
    };
    // Whatever a secret has got into, it does not leave here.
    let text = serde_json::to_string(&plan).ok()?;
    serde_json::from_str(&run.bus.redactor().redact(&text)).ok()
}

/// What of the command line decides what happens.
fn invocation(args: &RunArgs) -> Invocation {
    let (files, further): (Vec<&String>, Vec<&String>) = args.extra_vars.iter().partition(|vars| vars.starts_with('@'));
    Invocation {
        playbooks: args.playbooks.clone(),
        inventory: args.inventory.clone(),
        limit: args.limit.clone(),
        connection: args.connection.clone(),
        variable_files: files.into_iter().cloned().collect(),
        further_variables: further.len(),
        fill: args.fill.clone(),
        vault_id: args.vault_id.clone(),
        vault_password_file: args.vault_password_file.clone(),
        tags: args.tags.clone(),
        skip_tags: args.skip_tags.clone(),
        start_at_task: args.start_at_task.clone(),
        block: args.block,
        force_handlers: args.force_handlers,
        sandbox: args.sandbox,
    }
}

/// Says why something is not done.
pub(super) fn refuse(why: &str, exit: Exit) -> Exit {
    eprintln!("error: {why}");
    exit
}

/// Writes to standard output; a reader that has gone is no error.
pub(super) fn print(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}
