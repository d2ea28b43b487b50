//! `ionplay apply`: does exactly what a plan says, or nothing.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write as _};
use std::path::PathBuf;
use std::rc::Rc;

use clap::Args;

use super::args::RunArgs;
use super::dry_run::{DryRun, EMBEDDED};
use super::embedded::{self, MockRegistry};
use super::output::{write_stderr, write_stdout};
use super::plan::{choose_look, refuse_plan};
use super::run::{self, RunSetup, on_runtime};
use crate::exit::Exit;
use crate::ionos::OverlayConnector;
use crate::plan::lock::{Lock, LockError};
use crate::plan::{Answers, Guard, Plan, PlanDigester, PlanRefusal, drift, save, seal, show, verify};

/// Apply a saved plan, exactly.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// File with the plan.
    file: PathBuf,
    /// Apply without asking for approval.
    #[arg(long)]
    auto_approve: bool,
    /// Variables of the plan again; plans do not contain values that may be secret (may be given again).
    #[arg(short, long, value_name = "VARS")]
    extra_vars: Vec<String>,
    /// Key file that decrypts the plan.
    #[arg(long, env = "IONPLAY_SEAL_KEY_FILE", value_name = "FILE")]
    seal_key_file: Option<PathBuf>,
    /// Run without the credential store: if the run ends early, one-time passwords are lost.
    #[arg(long)]
    no_journal: bool,
    /// Ask for the vault password.
    #[arg(short = 'J', long, visible_alias = "ask-vault-password")]
    ask_vault_pass: bool,
    /// Show more details; repeat up to four times.
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Write the event stream to this file, one JSON object per line.
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Predict again after the apply, and write the remaining changes as a plan to this file.
    #[arg(long, value_name = "FILE")]
    after: Option<PathBuf>,
    /// Only check whether the plan still applies; apply nothing.
    #[arg(long, conflicts_with_all = ["events", "after"])]
    check: bool,
    /// Print without colours.
    #[arg(long)]
    no_color: bool,
}

/// Runs `apply`.
pub fn main(args: &ApplyArgs) -> Exit {
    on_runtime(async { apply_file(args).await.unwrap_or_else(|exit| exit) })
}

async fn apply_file(args: &ApplyArgs) -> Result<Exit, Exit> {
    let plan = save::read(&args.file).map_err(|error| refuse_plan(&format!("{error:#}"), Exit::PlanUnusable))?;
    verify::check_usable(&plan).map_err(refusal_exit)?;
    let mut lock = Lock::acquire_lock(&args.file, &plan.digest).map_err(|denied| match denied {
        LockError::Refused(refusal) => refusal_exit(refusal),
        LockError::Broken(error) => refuse_plan(&format!("{error:#}"), Exit::General),
    })?;
    let (run, answers) = planned_arguments(&plan, args)?;
    let server = match plan.run.sandbox.then(embedded::start_mock).transpose() {
        Ok(server) => server.map(Rc::new),
        Err(error) => return Err(refuse_plan(&error.to_string(), Exit::General)),
    };
    let stamp = PlanDigester::with_salt(&plan.salt);
    // The events are those of the apply, not of the looks before and after it.
    let look_args = RunArgs { events: None, report: Vec::new(), ..run.clone() };
    let dry_run =
        || DryRun { args: &look_args, server: server.clone(), made: &plan.made, stamp: &stamp, answers: &answers };
    let (_, now) = dry_run().make_plan().await;
    let now = now.ok_or(Exit::General)?;
    verify::verify_plan(&plan, &now).map_err(refusal_exit)?;
    if args.check {
        write_stdout("The plan can be applied.\n");
        return Ok(Exit::Success);
    }
    write_stdout(&show::render_text(&plan, choose_look(args.no_color)));
    ask_approval(args)?;
    apply_actions(&plan, &run, server.clone(), &answers, &mut lock).await?;
    // Later drift is measured against the state observed now.
    let (_, after) = dry_run().make_plan().await;
    if let Some(after) = after.filter(|after| after.failed.is_empty()) {
        keep_state_after(args, &plan, &after)?;
    }
    write_stdout("Applied.\n");
    Ok(Exit::Success)
}

/// Runs the plan; stops at the first request that is not in it.
async fn apply_actions(
    plan: &Plan,
    run: &RunArgs,
    server: Option<Rc<MockRegistry>>,
    answers: &Rc<Answers>,
    lock: &mut Lock,
) -> Result<(), Exit> {
    lock.record_begin().map_err(|error| refuse_plan(&format!("{error:#}"), Exit::General))?;
    let guard = Guard::new(plan, plan.run.sandbox.then(|| EMBEDDED.to_owned()));
    let gate = Rc::clone(&guard);
    let making = RunSetup {
        connectors: Some(Box::new(move |http| {
            (gate.wrap_connector(Rc::clone(&http)), Rc::new(OverlayConnector::new(http)))
        })),
        environment: vec![("IONPLAY_NOW".to_owned(), plan.made.clone())],
        server,
        effects: Some(Rc::clone(&guard) as _),
        answers: Rc::clone(answers),
        ..RunSetup::default()
    };
    let done = run::run_with(run, making).await;
    lock.record_end().map_err(|error| refuse_plan(&format!("{error:#}"), Exit::General))?;
    if let Some(what) = guard.refused_request() {
        let what = done.run.as_ref().map_or(what.clone(), |run| run.bus.redactor().redact(&what).into_owned());
        return Err(refuse_plan(&format!("the run was stopped: {what}"), Exit::PlanDeviation));
    }
    if done.exit != Exit::Success {
        return Err(done.exit);
    }
    match guard.count_unsent() {
        0 => Ok(()),
        left => Err(refuse_plan(&format!("{left} requests of the plan were not sent"), Exit::PlanDeviation)),
    }
}

/// Keeps the state observed after the apply, where drift is measured from and where `--after` wants it.
fn keep_state_after(args: &ApplyArgs, plan: &Plan, after: &Plan) -> Result<(), Exit> {
    if let Err(error) = drift::save_snapshot(&plan.run, after) {
        write_stderr(&format!("warning: the state for `plan --refresh-only` cannot be kept: {error:#}"));
    }
    if let Some(path) = &args.after {
        let written = save::serialize_plan(after).and_then(|text| save::write(path, &text));
        written.map_err(|error| refuse_plan(&format!("{error:#}"), Exit::General))?;
    }
    Ok(())
}

/// Asks for approval on the terminal.
fn ask_approval(args: &ApplyArgs) -> Result<(), Exit> {
    if args.auto_approve {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(refuse_plan(
            "cannot ask for approval: standard input is not a terminal; use `--auto-approve`",
            Exit::NotApproved,
        ));
    }
    write_stdout("\nDo this? Only `yes` means yes: ");
    let _ = std::io::stdout().flush();
    let mut answer = String::new();
    match std::io::stdin().read_line(&mut answer) {
        Ok(_) if answer.trim() == "yes" => Ok(()),
        _ => Err(refuse_plan("not applied", Exit::NotApproved)),
    }
}

/// Returns the arguments of the planned run, and the answers to its prompts. Values that the plan does not contain in clear
/// text are in its sealed part, or are given again.
fn planned_arguments(plan: &Plan, args: &ApplyArgs) -> Result<(RunArgs, Rc<Answers>), Exit> {
    let unusable = |why: String| refuse_plan(&why, Exit::PlanUnusable);
    let key = args.seal_key_file.as_deref().map(seal::read_key).transpose();
    let key = key.map_err(|error| unusable(format!("{error:#}")))?;
    let (given, answers) = match (&plan.sealed, key) {
        (Some(envelope), Some(key)) => {
            let contents = seal::open_seal(plan, envelope, &key).map_err(|error| unusable(format!("{error:#}")))?;
            (if args.extra_vars.is_empty() { contents.variables } else { args.extra_vars.clone() }, contents.answers)
        }
        (sealed, _) if plan.run.further_variables > 0 && args.extra_vars.is_empty() => {
            let remedy = if sealed.is_some() {
                "give the key with `--seal-key-file`, or them again with `-e`"
            } else {
                "give them again with `-e`"
            };
            let said = format!(
                "the plan was made with {} `-e` whose values it does not contain; {remedy}",
                plan.run.further_variables
            );
            return Err(refuse_plan(&said, Exit::PlanPlaybook));
        }
        _ => (args.extra_vars.clone(), BTreeMap::new()),
    };
    Ok((run_of(plan, args, given), Rc::new(Answers::from_known(answers))))
}

fn run_of(plan: &Plan, args: &ApplyArgs, given: Vec<String>) -> RunArgs {
    let run = plan.run.clone();
    RunArgs {
        playbooks: run.playbooks,
        inventory: run.inventory,
        limit: run.limit,
        connection: run.connection,
        extra_vars: run.variable_files.into_iter().chain(given).collect(),
        fill: run.fill,
        vault_id: run.vault_id,
        vault_password_file: run.vault_password_file,
        ask_vault_pass: args.ask_vault_pass,
        tags: run.tags,
        skip_tags: run.skip_tags,
        start_at_task: run.start_at_task,
        block: run.block,
        all_blocks: run.all_blocks,
        allow_python: run.allow_python,
        force_handlers: run.force_handlers,
        sandbox: run.sandbox,
        verbose: args.verbose,
        events: args.events.clone(),
        no_color: args.no_color,
        seal_key_file: args.seal_key_file.clone(),
        no_journal: args.no_journal,
        ..RunArgs::default()
    }
}

fn refusal_exit(refusal: PlanRefusal) -> Exit {
    let exit = match &refusal {
        PlanRefusal::Version(_) | PlanRefusal::Fails(_) => Exit::PlanUnusable,
        PlanRefusal::Playbook(_) => Exit::PlanPlaybook,
        PlanRefusal::World(_) => Exit::PlanWorld,
        PlanRefusal::Account(_) => Exit::PlanAccount,
        PlanRefusal::Busy => Exit::PlanBusy,
        PlanRefusal::Applied(_) => Exit::PlanApplied,
    };
    refuse_plan(&refusal.to_string(), exit)
}
