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
    /// Run on these of the play's hosts only.
    #[arg(short, long, value_name = "PATTERN", help_heading = "Hosts")]
    pub limit: Option<String>,
    /// Hosts that run side by side.
    #[arg(short, long, value_name = "N", help_heading = "Hosts")]
    #[arg(value_parser = parse_forks)]
    pub forks: Option<usize>,
    /// Items of a loop over a registry module that are at work at once; 1 is one after the other.
    #[arg(long, value_name = "N", help_heading = "Hosts")]
    #[arg(value_parser = parse_parallel)]
    pub parallel: Option<usize>,
    /// The connection; only `local` is.
    #[arg(short, long, value_name = "TYPE", help_heading = "Hosts")]
    pub connection: Option<String>,

    /// Variables: `name=value` pairs, JSON or YAML, or `@FILE` (may be given again).
    #[arg(short, long, value_name = "VARS", help_heading = "Variables")]
    pub extra_vars: Vec<String>,
    /// A value for every empty placeholder of a parameter: `registry=NAME` (may be given again).
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

    /// Foretell what would change; send no writing request.
    #[arg(short = 'C', long, help_heading = "Mode")]
    pub check: bool,
    /// Show what is changed, field by field and line by line.
    #[arg(short = 'D', long, help_heading = "Mode")]
    pub diff: bool,
    /// Exit with 0 if nothing is changed, 2 if something is, 3 if a dry run cannot say, 1 on an error.
    #[arg(long, help_heading = "Mode")]
    pub detailed_exitcode: bool,
    /// Seal what is kept (one-time passwords; with `plan`, values of `-e` and answers to prompts) with the key in this file.
    #[arg(long, env = "IONPLAY_SEAL_KEY_FILE", value_name = "FILE", help_heading = "Mode")]
    pub seal_key_file: Option<PathBuf>,
    /// Go on without the credential store: if the run ends early, one-time passwords are lost.
    #[arg(long, help_heading = "Mode")]
    pub no_journal: bool,
    /// Run against an embedded registry API, with the registry `demo` in it; no account needed.
    #[arg(long, help_heading = "Mode")]
    pub sandbox: bool,
    /// Run only while no other run has locked this file; wait until it is free.
    #[arg(long, value_name = "FILE", help_heading = "Mode")]
    pub lock: Option<PathBuf>,
    /// Wait for the lock so many seconds only; with 0 the run is refused at once.
    #[arg(long, value_name = "SECONDS", help_heading = "Mode", requires = "lock")]
    pub lock_timeout: Option<u64>,
    /// Run handlers of hosts that failed, too.
    #[arg(long, help_heading = "Mode")]
    pub force_handlers: bool,
    /// Read from the service for every task and item, even where the same list was read just before.
    #[arg(long, help_heading = "Mode")]
    pub fresh: bool,
    /// Forget the facts that were kept of earlier runs.
    #[arg(long, help_heading = "Mode")]
    pub flush_cache: bool,
    /// Ask before each task.
    #[arg(long, help_heading = "Mode")]
    pub step: bool,
    /// Check the playbook's structure and stop.
    #[arg(long, help_heading = "Mode")]
    pub syntax_check: bool,

    /// Only tasks with these tags.
    #[arg(short, long, value_name = "TAGS", help_heading = "Tasks")]
    pub tags: Vec<String>,
    /// No tasks with these tags.
    #[arg(long, value_name = "TAGS", help_heading = "Tasks")]
    pub skip_tags: Vec<String>,
    /// Begin at this task.
    #[arg(long, value_name = "NAME", help_heading = "Tasks")]
    pub start_at_task: Option<String>,
    /// Of a page with several blocks, run this one (from 1; may be given again).
    #[arg(long, value_name = "N", help_heading = "Tasks", value_parser = parse_number)]
    #[arg(action = ArgAction::Append, value_delimiter = ',')]
    pub block: Vec<usize>,
    /// Of a page with several blocks, run all of them, in order.
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

    /// Say more; up to four times.
    #[arg(short, long, action = ArgAction::Count, help_heading = "Output")]
    pub verbose: u8,
    /// Print changes and failures only.
    #[arg(short, long, help_heading = "Output", conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print every setting of `ansible.cfg` and its variables, with its value and where it comes from, and stop.
    #[arg(long, help_heading = "Output")]
    pub config_dump: bool,
    /// Of the settings, print those that are set.
    #[arg(long, help_heading = "Output", requires = "config_dump")]
    pub only_changed: bool,
    /// Print one document with all results instead of the screen.
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Output")]
    pub output: Option<OutputFormat>,
    /// Write the event stream to this file, one JSON object a line.
    #[arg(long, env = "PLAYBOOK_EVENTS_FILE", value_name = "FILE", help_heading = "Output")]
    pub events: Option<PathBuf>,
    /// Write a report when the run has ended: `KIND=FILE`, where KIND is github, gitlab, html, junit, markdown, sarif or
    /// trace (may be given again); `-` is standard output.
    #[arg(long, value_name = "KIND=FILE", help_heading = "Output")]
    pub report: Vec<ReportTarget>,
    /// No colours.
    #[arg(long, help_heading = "Output")]
    pub no_color: bool,
    /// Show passwords and tokens.
    #[arg(long, help_heading = "Output")]
    pub show_secrets: bool,
    /// Treat values from vaults as secrets; Ansible shows them.
    #[arg(long, help_heading = "Output")]
    pub mask_vault: bool,

    /// Become another user; possible only where nothing has to be changed for it.
    #[arg(short, long, hide = true)]
    pub r#become: bool,
    /// The user to become.
    #[arg(long, value_name = "USER", hide = true)]
    pub become_user: Option<String>,
    /// Accepted like the options after it, which say how remote hosts are reached.
    #[arg(long, value_name = "METHOD", hide = true)]
    pub become_method: Option<String>,
    /// A file with a key for logins.
    #[arg(long, alias = "key-file", value_name = "FILE", hide = true)]
    pub private_key: Option<String>,
    /// More arguments for a program of remote connections.
    #[arg(long, value_name = "ARGS", hide = true)]
    pub ssh_common_args: Option<String>,
    /// As above.
    #[arg(long, value_name = "ARGS", hide = true)]
    pub sftp_extra_args: Option<String>,
    /// As above.
    #[arg(long, value_name = "ARGS", hide = true)]
    pub scp_extra_args: Option<String>,
    /// As above.
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

fn parse_number(text: &str) -> Result<usize, String> {
    text.trim().parse().map_err(|_| "a whole number is wanted; `--list-blocks` lists the blocks".to_owned())
}

fn parse_forks(text: &str) -> Result<usize, String> {
    match text.trim().parse() {
        Ok(0) => Err("at least one host must run at a time".to_owned()),
        Ok(forks) => Ok(forks),
        Err(_) => Err("a whole number is wanted".to_owned()),
    }
}

fn parse_parallel(text: &str) -> Result<usize, String> {
    match text.trim().parse() {
        Ok(number @ 1..=64) => Ok(number),
        _ => Err("a whole number from 1 to 64 is wanted".to_owned()),
    }
}

/// The forms of `--output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}
