//! The options of a run: those of ansible-playbook, and a few of our own.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

use crate::report::files::ReportTarget;

/// Run playbooks, task lists or documentation snippets.
#[derive(Debug, Clone, Default, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct RunArgs {
    /// Playbooks, task lists, bare tasks or Markdown pages; `-` reads standard input.
    #[arg(required_unless_present = "config_dump", value_name = "PLAYBOOK")]
    pub playbooks: Vec<String>,

    /// Inventory: a file, a folder, a script, or host names with a comma (may be given again).
    #[arg(short, long, visible_alias = "inventory-file", value_name = "SOURCE", help_heading = "Hosts")]
    pub inventory: Vec<String>,
    /// Run only on hosts of the play that match this pattern.
    #[arg(short, long, value_name = "PATTERN", help_heading = "Hosts")]
    pub limit: Option<String>,
    /// Number of hosts that run concurrently.
    #[arg(short, long, value_name = "N", help_heading = "Hosts")]
    #[arg(value_parser = parse_forks)]
    pub forks: Option<usize>,
    /// Loop items of a registry module that run at once; 1 runs them one after the other.
    #[arg(long, value_name = "N", help_heading = "Hosts")]
    #[arg(value_parser = parse_parallel)]
    pub parallel: Option<usize>,
    /// The connection type; only `local` is supported.
    #[arg(short, long, value_name = "TYPE", help_heading = "Hosts")]
    pub connection: Option<String>,

    /// Variables: `name=value` pairs, JSON or YAML, or `@FILE` (may be given again).
    #[arg(short, long, value_name = "VARS", help_heading = "Variables")]
    pub extra_vars: Vec<String>,
    /// Fill the empty placeholders of a parameter, for example `registry=NAME` (may be given again).
    #[arg(long, value_name = "PARAMETER=VALUE", help_heading = "Variables")]
    pub fill: Vec<String>,
    /// A vault identity: `[ID@]FILE`, `[ID@]prompt` (may be given again).
    #[arg(long, value_name = "ID", help_heading = "Variables")]
    pub vault_id: Vec<String>,
    /// A file or script with the vault password (may be given again).
    #[arg(long, visible_alias = "vault-pass-file", value_name = "FILE", help_heading = "Variables")]
    pub vault_password_file: Vec<String>,
    /// Ask for the vault password.
    #[arg(short = 'J', long, visible_alias = "ask-vault-password", help_heading = "Variables")]
    #[arg(conflicts_with = "vault_password_file")]
    pub ask_vault_pass: bool,

    /// Predict what would change; send no writing request.
    #[arg(short = 'C', long, help_heading = "Mode")]
    pub check: bool,
    /// Show changes, field by field and line by line.
    #[arg(short = 'D', long, help_heading = "Mode")]
    pub diff: bool,
    /// Exit with 0 without changes, 2 with changes, 3 if a dry run has only undetermined tasks, 1 on an error.
    #[arg(long, help_heading = "Mode")]
    pub detailed_exitcode: bool,
    /// Encrypt saved one-time passwords (and, with `plan`, values of `-e` and answers to prompts) with the key in this file.
    #[arg(long, env = "IONPLAY_SEAL_KEY_FILE", value_name = "FILE", help_heading = "Mode")]
    pub seal_key_file: Option<PathBuf>,
    /// Run without the credential store: if the run ends early, one-time passwords are lost.
    #[arg(long, help_heading = "Mode")]
    pub no_journal: bool,
    /// Run against the built-in mock registry, which has the registry `demo`; no account needed.
    #[arg(long, help_heading = "Mode")]
    pub sandbox: bool,
    /// Lock this file for the run; wait while another run has the lock.
    #[arg(long, value_name = "FILE", help_heading = "Mode")]
    pub lock: Option<PathBuf>,
    /// Stop after waiting this many seconds for the lock; with 0, do not wait.
    #[arg(long, value_name = "SECONDS", help_heading = "Mode", requires = "lock")]
    pub lock_timeout: Option<u64>,
    /// Run handlers also on failed hosts.
    #[arg(long, help_heading = "Mode")]
    pub force_handlers: bool,
    /// Read lists from the service for every task and loop item, even if they were just read.
    #[arg(long, help_heading = "Mode")]
    pub fresh: bool,
    /// Remove the cached facts of earlier runs.
    #[arg(long, help_heading = "Mode")]
    pub flush_cache: bool,
    /// Ask before each task.
    #[arg(long, help_heading = "Mode")]
    pub step: bool,
    /// Check the structure of the playbook, then stop.
    #[arg(long, help_heading = "Mode")]
    pub syntax_check: bool,

    /// Run only tasks with these tags.
    #[arg(short, long, value_name = "TAGS", help_heading = "Tasks")]
    pub tags: Vec<String>,
    /// Skip tasks with these tags.
    #[arg(long, value_name = "TAGS", help_heading = "Tasks")]
    pub skip_tags: Vec<String>,
    /// Start at this task.
    #[arg(long, value_name = "NAME", help_heading = "Tasks")]
    pub start_at_task: Option<String>,
    /// Run this block of a page (the first is 1; may be given again).
    #[arg(long, value_name = "N", help_heading = "Tasks", value_parser = parse_number)]
    #[arg(action = ArgAction::Append, value_delimiter = ',')]
    pub block: Vec<usize>,
    /// Run all blocks of a page, in order.
    #[arg(long, help_heading = "Tasks", conflicts_with = "block")]
    pub all_blocks: bool,
    /// List the blocks of a page.
    #[arg(long, help_heading = "Tasks")]
    pub list_blocks: bool,
    /// List the tasks.
    #[arg(long, help_heading = "Tasks")]
    pub list_tasks: bool,
    /// List the tags.
    #[arg(long, help_heading = "Tasks")]
    pub list_tags: bool,
    /// List the hosts.
    #[arg(long, help_heading = "Tasks")]
    pub list_hosts: bool,

    /// Show more details; repeat up to four times.
    #[arg(short, long, action = ArgAction::Count, help_heading = "Output")]
    pub verbose: u8,
    /// Print only changes and failures.
    #[arg(short, long, help_heading = "Output", conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print every setting of `ansible.cfg` and the environment, with its value and source, then stop.
    #[arg(long, help_heading = "Output")]
    pub config_dump: bool,
    /// Print only settings that are set.
    #[arg(long, help_heading = "Output", requires = "config_dump")]
    pub only_changed: bool,
    /// Print one document with all results instead of the usual output.
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Output")]
    pub output: Option<OutputFormat>,
    /// Write the event stream to this file, one JSON object per line.
    #[arg(long, env = "PLAYBOOK_EVENTS_FILE", value_name = "FILE", help_heading = "Output")]
    pub events: Option<PathBuf>,
    /// Write a report when the run ends: `KIND=FILE`, where KIND is github, gitlab, html, junit, markdown, sarif or
    /// trace (may be given again); `-` is standard output.
    #[arg(long, value_name = "KIND=FILE", help_heading = "Output")]
    pub report: Vec<ReportTarget>,
    /// Print without colours.
    #[arg(long, help_heading = "Output")]
    pub no_color: bool,
    /// Show passwords and tokens instead of `********`.
    #[arg(long, help_heading = "Output")]
    pub show_secrets: bool,
    /// Treat values from vaults as secrets; Ansible shows them.
    #[arg(long, help_heading = "Output")]
    pub mask_vault: bool,
    /// Run modules written in Python that are not part of ionplay, with the Python of this machine.
    #[arg(long, help_heading = "Mode")]
    pub allow_python: bool,

    /// Become another user; supported only if the user does not change.
    #[arg(short, long, hide = true)]
    pub r#become: bool,
    /// The user to become.
    #[arg(long, value_name = "USER", hide = true)]
    pub become_user: Option<String>,
    /// Accepted; connections are local.
    #[arg(long, value_name = "METHOD", hide = true)]
    pub become_method: Option<String>,
    /// Accepted; connections are local.
    #[arg(long, alias = "key-file", value_name = "FILE", hide = true)]
    pub private_key: Option<String>,
    /// Accepted; connections are local.
    #[arg(long, value_name = "ARGS", hide = true)]
    pub ssh_common_args: Option<String>,
    /// Accepted; connections are local.
    #[arg(long, value_name = "ARGS", hide = true)]
    pub sftp_extra_args: Option<String>,
    /// Accepted; connections are local.
    #[arg(long, value_name = "ARGS", hide = true)]
    pub scp_extra_args: Option<String>,
    /// Accepted; connections are local.
    #[arg(long, value_name = "ARGS", hide = true)]
    pub ssh_extra_args: Option<String>,
    /// Accepted; local connections have no login.
    #[arg(short, long, value_name = "USER", hide = true)]
    pub user: Option<String>,
    /// Accepted; local connections have no time limit of their own.
    #[arg(short = 'T', long, value_name = "SECONDS", hide = true)]
    pub timeout: Option<u64>,
    /// Accepted; modules are built in.
    #[arg(short = 'M', long, value_name = "FOLDER", hide = true)]
    pub module_path: Option<String>,
}

/// A value that an option does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// A block of a page is given by its number.
    #[error("a whole number is wanted; `--list-blocks` lists the blocks")]
    BlockNumber,
    /// The value is not a whole number.
    #[error("a whole number is wanted")]
    WholeNumber,
    /// No host could run.
    #[error("at least one host must run at a time")]
    NoForks,
    /// The value is not a duration.
    #[error("`{0}` is not a duration such as `20ms` or `2s`")]
    Duration(String),
    /// The second duration of a range is shorter than the first.
    #[error("`{0}` ends before it begins")]
    ReversedRange(String),
}

fn parse_number(text: &str) -> Result<usize, OptionError> {
    text.trim().parse().map_err(|_| OptionError::BlockNumber)
}

fn parse_forks(text: &str) -> Result<usize, OptionError> {
    match text.trim().parse() {
        Ok(0) => Err(OptionError::NoForks),
        Ok(forks) => Ok(forks),
        Err(_) => Err(OptionError::WholeNumber),
    }
}

fn parse_parallel(text: &str) -> Result<usize, String> {
    match text.trim().parse() {
        Ok(number @ 1..=64) => Ok(number),
        _ => Err("expected a whole number from 1 to 64".to_owned()),
    }
}

/// Formats of `--output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}
