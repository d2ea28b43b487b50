//! The command line: clap definitions and wiring, one file per subcommand.

pub mod apply;
pub mod args;
pub mod async_job;
mod blocks;
mod callbacks;
pub mod completions;
pub mod config;
mod config_dump;
pub mod doc;
pub mod docker_credential;
mod dry_run;
pub mod embedded;
pub mod explain;
pub mod extra_vars;
pub mod gitops;
mod inventory_templates;
pub mod lint;
pub mod load;
pub mod lsp;
pub mod man;
pub mod new;
pub mod output;
pub mod plan;
pub mod reference;
mod registry_client;
pub mod run;
mod run_lock;
pub mod sandbox;
pub mod schema;
mod signals;
mod terminal;
pub mod token;
mod token_deliver;
mod token_status;
pub mod vault;
pub mod version;

use std::ffi::OsString;
use std::path::Path;

use clap::{Parser, Subcommand};

use crate::cli_interface::PARENT_VARIABLE;
use crate::exit::Exit;
use crate::vars::vault::VaultError;

/// Runs Ansible-style playbooks and documentation snippets, without Ansible and without Python.
#[derive(Debug, Parser)]
#[command(name = "ionplay", version = version::LINE, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
// If an option is given twice, the last one counts, as with Ansible.
#[command(args_override_self = true)]
// A unique prefix of a long option is enough, as with Ansible.
#[command(infer_long_args = true)]
#[command(after_help = "Exit status: 0 success, 1 general error, 2 failed task or unknown option, 4 parse error or \
unreachable host, 5 conflicting options, 10 to 17 plan not applied, 99 interrupted, 250 internal error.")]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: args::RunArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run playbooks; the same as `ionplay PLAYBOOK`.
    Run(args::RunArgs),
    /// Predict the changes of playbooks, and save them as a plan.
    Plan(plan::PlanArgs),
    /// Apply a saved plan, exactly.
    Apply(apply::ApplyArgs),
    Gitops(gitops::GitopsArgs),
    Sandbox(sandbox::SandboxArgs),
    /// Run a background task (used by `async` itself).
    #[command(hide = true)]
    AsyncJob(async_job::JobArgs),
    /// List, show, deliver and forget saved one-time passwords.
    Token(token::TokenArgs),
    DockerCredential(docker_credential::DockerCredentialArgs),
    /// Encrypt, decrypt and edit vaulted files and values.
    Vault(vault::VaultArgs),
    Lint(lint::LintArgs),
    Doc(doc::DocArgs),
    Explain(explain::ExplainArgs),
    Schema(schema::SchemaArgs),
    Lsp(lsp::LspArgs),
    New(new::NewArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

/// Text shown when the program is called without arguments.
const FIRST_STEPS: &str = "\
ionplay runs Ansible-style playbooks and documentation snippets.

Try first:
  ionplay --sandbox -           paste a snippet or a whole page, and see what
                                it does on the built-in mock registry
  ionplay --sandbox FILE        the same with a playbook or a page in a file
  ionplay doc registry_token    parameters and examples of a module

`ionplay --help` lists all options and commands.
";

/// Parses the command line, runs the command, and returns the exit status.
pub fn main() -> Exit {
    end_with_parent();
    if let Err(error) = crate::confinement::confine_process() {
        output::write_stderr(&format!("error: {error}"));
        return Exit::General;
    }
    if std::env::args_os().len() < 2 {
        eprint!("{FIRST_STEPS}");
        return Exit::Failed;
    }
    let words = normalize_words(std::env::args_os());
    if let Some(document) = version::find_document(&words) {
        output::write_stdout(&document);
        return output::settle_exit(Exit::Success);
    }
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(error) => {
            let wrong = error.use_stderr();
            match error.print() {
                Err(lost) if !wrong => output::record_failure(lost),
                _ => {}
            }
            return output::settle_exit(if wrong { Exit::Failed } else { Exit::Success });
        }
    };
    output::settle_exit(match cli.command {
        None => run::main(&cli.run),
        Some(Command::Run(args)) => run::main(&args),
        Some(Command::Plan(args)) => plan::main(&args),
        Some(Command::Apply(args)) => apply::main(&args),
        Some(Command::Gitops(args)) => gitops::main(&args),
        Some(Command::Sandbox(args)) => exit_with(sandbox::serve_until_signal(&args)),
        Some(Command::AsyncJob(args)) => async_job::run_job(&args),
        Some(Command::Vault(args)) => exit_with(vault::run_vault(&args)),
        Some(Command::Token(args)) => match args.status_args() {
            Some(status) => run::on_runtime(token_status::print_status(status)),
            None => exit_with(token::run_token(&args)),
        },
        Some(Command::DockerCredential(args)) => docker_credential::run_helper(&args),
        Some(Command::Lint(args)) => lint::run_lint(&args),
        Some(Command::Doc(args)) => doc::print_doc(&args),
        Some(Command::Explain(args)) => explain::explain_playbook(&args),
        Some(Command::Schema(args)) => exit_with(schema::print_schema(&args)),
        Some(Command::Lsp(args)) => lsp::serve_editor(&args),
        Some(Command::New(args)) => exit_with(new::write_beginning(&args)),
        Some(Command::Man(args)) => exit_with(man::print_manual(&args)),
        Some(Command::Completions(args)) => exit_with(completions::print_completions(&args)),
    })
}

/// Returns the words of the command line. Container clients call the program by the name of a credential helper.
fn normalize_words(given: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut words: Vec<OsString> = given.into_iter().collect();
    let name = words.first().and_then(|word| Path::new(word).file_name());
    if name.is_some_and(|name| name == docker_credential::HELPER_NAME) {
        words.insert(1, "docker-credential".into());
    }
    words
}

/// Returns the exit status of a subcommand, and prints its error.
fn exit_with(result: anyhow::Result<()>) -> Exit {
    match result {
        Ok(()) => Exit::Success,
        // A reader that stops early (`| head`) is not a failure.
        Err(error) if broken_pipe(&error) => Exit::Success,
        Err(error) => {
            output::write_stderr(&format!("error: {}", output::without_numbers(&format!("{error:#}"))));
            match error.downcast_ref() {
                Some(VaultError::Ambiguous(_)) => Exit::BadOptions,
                _ => Exit::General,
            }
        }
    }
}

/// Ends this run with the `ionplay` process that started it, as after Ctrl-C.
fn end_with_parent() {
    let Ok(parent) = std::env::var(PARENT_VARIABLE) else { return };
    let mine = rustix::process::getppid().map(|id| id.as_raw_nonzero().to_string());
    if mine.as_ref() == Some(&parent) {
        // Without this signal (other systems), the run continues to its end.
        let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::INT));
    }
    // The parent may have ended meanwhile. A process started by a task of the run has another parent.
    if rustix::process::getppid().is_none_or(|id| id.is_init()) && mine.as_deref() != Some("1") {
        std::process::exit(i32::from(Exit::Interrupted.code()));
    }
}

fn broken_pipe(error: &anyhow::Error) -> bool {
    let kinds = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>()).map(std::io::Error::kind);
    kinds.into_iter().any(|kind| kind == std::io::ErrorKind::BrokenPipe)
}
