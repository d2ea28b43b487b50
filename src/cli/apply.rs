//! `ionplay apply`: does exactly what a plan says, or nothing.

use std::io::{IsTerminal, Write as _};
use std::path::PathBuf;
use std::rc::Rc;

use clap::Args;

use super::assemble::{self, Making};
use super::embedded;
use super::plan::{EMBEDDED, foretell, print, refuse};
use super::run::{RunArgs, on_runtime};
use crate::exit::Exit;
use crate::ionos::OverlayConnector;
use crate::plan::{Guard, Plan, Refusal, drift, save, show, verify};

/// Do exactly what a plan says.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// The plan.
    file: PathBuf,
    /// Do not ask.
    #[arg(long)]
    auto_approve: bool,
    /// The variables that the plan was made with; plans do not keep what may be secret (may be given again).
    #[arg(short, long, value_name = "VARS")]
    extra_vars: Vec<String>,
    /// Ask for the vault password.
    #[arg(short = 'J', long, visible_alias = "ask-vault-password")]
    ask_vault_pass: bool,
    /// Say more; up to four times.
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Write the event stream to this file, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// No colours.
    #[arg(long)]
    no_color: bool,
}

/// Runs `apply`.
pub fn main(args: &ApplyArgs) -> Exit {
    on_runtime(async { applied(args).await.unwrap_or_else(|exit| exit) })
}

async fn applied(args: &ApplyArgs) -> Result<Exit, Exit> {
    let (plan, digest) = save::read(&args.file).map_err(|error| refuse(&format!("{error:#}"), Exit::PlanUnusable))?;
    verify::usable(&plan).map_err(refused)?;
    if let Some(begun) = save::applied(&args.file, &digest) {
        return Err(refused(Refusal::Applied(format!("its run began {begun}; make a new plan"))));
    }
    let run = arguments(&plan, args);
    let server = match plan.run.sandbox.then(embedded::start).transpose() {
        Ok(server) => server.map(Rc::new),
        Err(error) => return Err(refuse(&error.to_string(), Exit::General)),
    };
    let (_, now) = foretell(&run, server.clone(), &plan.made).await;
    let now = now.ok_or(Exit::General)?;
    verify::verify(&plan, &now).map_err(refused)?;
    print(&show::text(&plan));
    approved(args)?;
    save::begin(&args.file, &digest).map_err(|error| refuse(&format!("{error:#}"), Exit::General))?;

    let guard = Guard::new(&plan, plan.run.sandbox.then(|| EMBEDDED.to_owned()));
    let gate = Rc::clone(&guard);
    let making = Making {
        connectors: Some(Box::new(move |http| (gate.over(Rc::clone(&http)), Rc::new(OverlayConnector::new(http))))),
        environment: vec![("IONPLAY_NOW".to_owned(), plan.made.clone())],
        server: server.clone(),
        ..Making::default()
    };
    let done = assemble::run_with(&run, making).await;
    if let Some(what) = guard.refused() {
        return Err(refuse(&format!("the run was stopped: {what}"), Exit::PlanDeviation));
    }
    if done.exit != Exit::Success {
        return Ok(done.exit);
    }
    match guard.left() {
        0 => {}
        left => return Err(refuse(&format!("{left} requests of the plan were not sent"), Exit::PlanDeviation)),
    }
    // What the world is like now is what later drift is measured against.
    if let (Exit::Success, Some(after)) = foretell(&run, server, &plan.made).await
        && let Err(error) = drift::keep(&plan.run, &after)
    {
        eprintln!("warning: the state for `plan --refresh-only` cannot be kept: {error:#}");
    }
    print("Applied.\n");
    Ok(Exit::Success)
}

/// A yes on the terminal.
fn approved(args: &ApplyArgs) -> Result<(), Exit> {
    if args.auto_approve {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(refuse(
            "nobody can be asked: standard input is no terminal; say `--auto-approve`",
            Exit::NotApproved,
        ));
    }
    print("\nDo this? Only `yes` means yes: ");
    let _ = std::io::stdout().flush();
    let mut answer = String::new();
    match std::io::stdin().read_line(&mut answer) {
        Ok(_) if answer.trim() == "yes" => Ok(()),
        _ => Err(refuse("not applied", Exit::NotApproved)),
    }
}

/// The arguments of the run that was planned.
fn arguments(plan: &Plan, args: &ApplyArgs) -> RunArgs {
    let run = plan.run.clone();
    RunArgs {
        playbooks: run.playbooks,
        inventory: run.inventory,
        limit: run.limit,
        connection: run.connection,
        extra_vars: run.variable_files.into_iter().chain(args.extra_vars.iter().cloned()).collect(),
        fill: run.fill,
        vault_id: run.vault_id,
        vault_password_file: run.vault_password_file,
        ask_vault_pass: args.ask_vault_pass,
        tags: run.tags,
        skip_tags: run.skip_tags,
        start_at_task: run.start_at_task,
        block: run.block,
        force_handlers: run.force_handlers,
        sandbox: run.sandbox,
        verbose: args.verbose,
        events: args.events.clone(),
        no_color: args.no_color,
        ..RunArgs::default()
    }
}

fn refused(refusal: Refusal) -> Exit {
    let exit = match &refusal {
        Refusal::Version(_) | Refusal::Fails(_) => Exit::PlanUnusable,
        Refusal::Playbook(_) => Exit::PlanPlaybook,
        Refusal::World(_) => Exit::PlanWorld,
        Refusal::Applied(_) => Exit::PlanApplied,
    };
    refuse(&refusal.to_string(), exit)
}
