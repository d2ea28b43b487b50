//! `gitops check`: reads the file, and with `--fetch` reaches every repository.

use clap::Args;
use serde_json::json;

use super::Common;
use super::print::{self, print_json, shorten_commit};
use super::session::{as_json, load_config};
use crate::exit::Exit;
use crate::gitops::repository::GitRepository;

/// Check the file; with `--fetch` also fetch every repository.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    common: Common,
    /// Also fetch every repository.
    #[arg(long)]
    fetch: bool,
}

pub(super) async fn check_config(args: &CheckArgs) -> Result<Exit, Exit> {
    let config = load_config(&args.common)?;
    if !args.common.json {
        crate::cli::output::print_messages(&config.warnings, true, Exit::Success);
    }
    let mut exit = Exit::Success;
    let mut jobs = Vec::new();
    let missing = config.missing_variables();
    for (name, job) in &config.jobs {
        let mut error = missing
            .iter()
            .find(|(of, _)| of == name)
            .map(|(_, variable)| format!("the environment variable `{variable}`, which holds a secret, is not set"));
        let mut head = None;
        if args.fetch {
            match GitRepository::new(&job.git, &config.state_dir, job.timeout).resolve_head().await {
                Ok(commit) => head = Some(commit),
                Err(why) => error = Some(why.to_string()),
            }
        }
        if error.is_some() {
            exit = Exit::General;
        }
        if !args.common.json {
            match (&error, &head) {
                (Some(why), _) => print::print_line(&format!("{name}: {why}")),
                (None, Some(head)) => {
                    print::print_line(&format!("{name}: ok, the repository is at {}", shorten_commit(Some(head))))
                }
                (None, None) => print::print_line(&format!("{name}: ok")),
            }
        }
        jobs.push(json!({"job": name, "ok": error.is_none(), "head": head, "error": error}));
    }
    if args.common.json {
        let ok = exit == Exit::Success;
        print_json(&json!({"version": 1, "ok": ok, "jobs": jobs, "warnings": as_json(&config.warnings), "errors": []}));
    }
    Ok(exit)
}
