//! `ionplay explain`: what a task would get, without running anything.

use std::path::PathBuf;
use std::rc::Rc;

use super::args::RunArgs;
use super::output::{self, general_problem};
use super::{config, inventory_templates, load};
use crate::exit::Exit;
use crate::explain::{self, NumberedTask, RunInputs};
use crate::inventory::Inventory;
use crate::playbook::{LoadError, LoadErrorKind, LoadResult};
use crate::report::Bus;
use crate::secrets::{self, Redactor};
use crate::settings::RunSettings;
use crate::template::LookupPolicy;
use crate::value::python;

/// Show what a task would get: variables, arguments, conditions, requests; nothing is run
///
/// Variables are shown with the layer that gives them, arguments after templating, and conditions with their verdict.
/// Values that only a run can give (results of earlier tasks, facts, lookups that run commands or send requests) are
/// unknown.
/// Secrets and vaulted values are hidden. Without `--task` the tasks are listed with their numbers.
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// Playbook, list of tasks or page
    #[arg(value_name = "PLAYBOOK")]
    pub playbook: String,
    /// Number or name of the task
    #[arg(long, value_name = "TASK")]
    pub task: Option<String>,
    /// Host that the task is explained for; the first of its play unless given
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// An inventory file, folder or list of hosts with commas (may be given again)
    #[arg(short, long, value_name = "INVENTORY")]
    pub inventory: Vec<String>,
    /// Variables: `name=value` pairs, JSON or YAML, or `@FILE` (may be given again)
    #[arg(short, long, value_name = "VARS")]
    pub extra_vars: Vec<String>,
    /// A vault identity: `[ID@]FILE`, `[ID@]prompt` (may be given again)
    #[arg(long, value_name = "ID")]
    pub vault_id: Vec<String>,
    /// A file or script with the vault password (may be given again)
    #[arg(long, value_name = "FILE")]
    pub vault_password_file: Vec<String>,
}

/// Explains a task, or lists the tasks.
pub fn explain_playbook(args: &ExplainArgs) -> Exit {
    let redactor = Rc::new(Redactor::new(false));
    match describe(args, &redactor) {
        Ok(text) => {
            output::write_stdout(&redactor.redact(&text));
            Exit::Success
        }
        Err(problem) => {
            output::print_redacted(&problem.report, &redactor, output::has_colours(false), problem.kind.exit_status())
        }
    }
}

fn describe(args: &ExplainArgs, redactor: &Rc<Redactor>) -> LoadResult<String> {
    let settings = RunSettings::load()
        .map_err(|message| Box::new(LoadError::from_general(message)).of_kind(LoadErrorKind::Options))?;
    let options = RunArgs {
        playbooks: vec![args.playbook.clone()],
        all_blocks: true,
        inventory: args.inventory.clone(),
        extra_vars: args.extra_vars.clone(),
        vault_id: args.vault_id.clone(),
        vault_password_file: args.vault_password_file.clone(),
        // What comes from a vault is never shown.
        mask_vault: true,
        ..RunArgs::default()
    };
    let options = config::apply_settings(&options, &settings);
    let vault = load::vault_secrets(&options, &settings, redactor)?;
    secrets::environment::add_known(redactor, |name| std::env::var(name).ok());
    let folder: PathBuf =
        std::env::current_dir().map_err(|error| general_problem(format!("cannot tell the current folder: {error}")))?;
    let bus = Rc::new(Bus::new(Vec::new(), Rc::clone(redactor)));
    let globals = load::build_globals(&folder, &vault, &settings, redactor);
    let globals = Rc::new(globals.with_lookups(LookupPolicy::WithoutEffects));
    let (loader, extra_vars) = load::build_loader(&options, &settings, &globals, &vault, &bus)?;
    let composer = inventory_templates::build_composer(&globals, &extra_vars);
    let inputs = config::InventoryInputs { secrets: &vault, loader: &loader, composer };
    let mut inventory = config::load_inventory(&options, &settings, &bus, inputs)?;
    let playbook = load::next(&options, &args.playbook, &loader, &bus)?;
    let tasks = explain::list_tasks(&playbook);
    let Some(wanted) = &args.task else { return Ok(list_names(&tasks)) };
    let numbered = explain::find_task(&tasks, wanted)?;
    inventory.set_playbook_dir(&numbered.play.folder);
    let host = choose_host(args.host.as_deref(), &numbered, &inventory)?;
    let inputs = RunInputs { extra_vars, inventory: &inventory, loader: &loader, host, tasks: &tasks };
    Ok(explain::render_task(&explain::explain_task(&numbered, &inputs, &globals)))
}

fn list_names(tasks: &[NumberedTask]) -> String {
    let mut text: String = tasks
        .iter()
        .map(|found| {
            let line = found.task.span.position().line;
            format!(
                "{:4}  {}  (line {line} of {})\n",
                found.number,
                explain::task_name(&found.task),
                found.task.span.source().name()
            )
        })
        .collect();
    text.push_str("\n`--task NUMBER` or `--task NAME` explains one of them.\n");
    text
}

/// The host that is asked for, or the first of the play's hosts that the inventory knows.
fn choose_host(wanted: Option<&str>, numbered: &NumberedTask, inventory: &Inventory) -> LoadResult<String> {
    let known = |name: &str| inventory.has_host(name) || matches!(name, "localhost" | "127.0.0.1");
    if let Some(name) = wanted {
        if known(name) {
            return Ok(name.to_owned());
        }
        let names: Vec<String> = inventory.all_hosts().iter().map(ToString::to_string).collect();
        let message = crate::diagnostic::Diagnostic::error(format!("the inventory has no host `{name}`"));
        return Err(Box::new(LoadError::from_general(message.suggest(name, &names))));
    }
    let pattern = python::str(&numbered.play.hosts);
    let selected = inventory.select_hosts(&pattern).ok().and_then(|hosts| hosts.first().map(ToString::to_string));
    Ok(selected.unwrap_or_else(|| "localhost".to_owned()))
}
