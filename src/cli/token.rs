//! `ionplay token`: the passwords in the credential store.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context, bail};
use clap::Subcommand;

use super::output::general_problem;
use super::{token_deliver, token_status};
use crate::credentials::{Backend, Catalog, CredentialStore, KeepReason, Listed, Memory, backend_of, catalog};
use crate::diagnostic::Diagnostic;
use crate::plan::seal;
use crate::playbook::LoadResult;
use crate::report::{Bus, ReportEvent};
use crate::state_dir;
use crate::suggest;

/// List, show, deliver and forget saved one-time passwords.
#[derive(Debug, clap::Args)]
pub struct TokenArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the tokens in the store with age and reason, without passwords.
    List,
    /// Print only the password of a token.
    Show {
        /// Name or id of the token.
        token: String,
        /// Key file that decrypts the password.
        #[arg(long, env = "IONPLAY_SEAL_KEY_FILE", value_name = "FILE")]
        seal_key_file: Option<PathBuf>,
    },
    /// Deliver the password of a token to a sink; remove it from the store when the sink has confirmed it.
    Deliver(token_deliver::TokenDeliverArgs),
    Status(token_status::TokenStatusArgs),
    /// Remove a token from the credential store; the token itself does not change.
    Forget {
        /// Name or id of the token.
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        token: Option<String>,
        /// All tokens in the store.
        #[arg(long)]
        all: bool,
    },
}

impl TokenArgs {
    /// Returns the options of `token status`, if that is asked for.
    pub(super) fn status_args(&self) -> Option<&token_status::TokenStatusArgs> {
        match &self.what {
            What::Status(args) => Some(args),
            _ => None,
        }
    }
}

/// Runs the subcommand.
///
/// # Errors
/// If there is no such token, if several have the name, or if the store cannot be used.
pub fn run_token(args: &TokenArgs) -> anyhow::Result<()> {
    let state = state_dir::state_folder().context(crate::credentials::StoreError::NoFolder)?;
    let backend = backend_of(&state);
    let folder = &*backend;
    let catalog = Catalog::read(folder)?;
    for problem in &catalog.problems {
        eprintln!("warning: {problem}");
    }
    let mut out = std::io::stdout().lock();
    match &args.what {
        What::List => out.write_all(list_entries(&catalog.entries, folder).as_bytes())?,
        What::Show { token, seal_key_file } => {
            let key = seal_key_file.as_deref().map(seal::read_key).transpose()?;
            let password = find_one(&catalog, token)?.entry.unseal_password(key.as_ref());
            writeln!(out, "{}", password.with_context(|| format!("token `{token}`"))?.as_str())?;
        }
        What::Deliver(args) => {
            let key = args.seal_key_file.as_deref().map(seal::read_key).transpose()?;
            let listed = find_one(&catalog, &args.token)?;
            out.write_all(token_deliver::deliver_entry(args, folder, listed, key.as_ref())?.as_bytes())?;
        }
        // It reads the service, not the store.
        What::Status(_) => {}
        What::Forget { token: Some(token), .. } => catalog::forget_entry(folder, find_one(&catalog, token)?)?,
        What::Forget { .. } => {
            let free = catalog.entries.iter().filter(|listed| !listed.is_held);
            free.into_iter().try_for_each(|listed| catalog::forget_entry(folder, listed))?;
        }
    }
    Ok(())
}

/// Returns the folder of the credential store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeping {
    /// In the state directory.
    InFolder,
    /// Nowhere beyond the run: its registry ends with it, or the user wants it so.
    InRun,
}

/// Returns the credential store of a run.
pub(super) fn open_store(bus: &Rc<Bus>, keeping: Keeping, seal_key_file: Option<&Path>) -> LoadResult<CredentialStore> {
    let bus = Rc::clone(bus);
    let warn = Box::new(move |message| bus.emit(&ReportEvent::Notice(Diagnostic::warning(message))));
    store_with(keeping, seal_key_file, warn).map_err(|error| general_problem(format!("{error:#}")))
}

/// Returns the credential store of a process without a bus.
///
/// # Errors
/// If the key cannot be read.
pub(super) fn store_with(
    keeping: Keeping,
    seal_key_file: Option<&Path>,
    warn: Box<dyn Fn(String)>,
) -> anyhow::Result<CredentialStore> {
    // An empty variable of the environment names no file.
    let key = seal_key_file.filter(|path| !path.as_os_str().is_empty()).map(seal::read_key).transpose()?;
    let backend: Rc<dyn Backend> = match (keeping, state_dir::state_folder()) {
        (Keeping::InRun, _) => Rc::new(Memory),
        (Keeping::InFolder, Some(state)) => backend_of(&state),
        (Keeping::InFolder, None) => Rc::new(NoFolderBackend),
    };
    Ok(CredentialStore::new(backend, key, warn))
}

/// The store of a user without a home folder: creations fail, everything else works.
struct NoFolderBackend;

impl Backend for NoFolderBackend {
    fn begin_log(&self) -> Result<Box<dyn crate::credentials::CredentialLog>, crate::credentials::StoreError> {
        Err(crate::credentials::StoreError::NoFolder)
    }

    fn read_all(&self) -> Result<Vec<crate::credentials::StoredLog>, crate::credentials::StoreError> {
        Ok(Vec::new())
    }

    fn hold_log(
        &self,
        _: &str,
    ) -> Result<Option<Box<dyn crate::credentials::CredentialLog>>, crate::credentials::StoreError> {
        Ok(None)
    }

    fn describe_place(&self) -> String {
        "no folder".to_owned()
    }
}

fn list_entries(all: &[Listed], folder: &dyn Backend) -> String {
    if all.is_empty() {
        return format!("No saved passwords in {}\n", folder.describe_place());
    }
    let mut text = String::new();
    for listed in all {
        let entry = &listed.entry;
        text += &format!("{}: {}\n", entry.subject.name, describe_reason(listed));
        let age = entry
            .requested
            .parse::<jiff::Timestamp>()
            .ok()
            .map(|at| format_age(jiff::Timestamp::now().duration_since(at)));
        let requested = match age {
            Some(age) => format!("{} ({age} ago)", entry.requested),
            None => entry.requested.clone(),
        };
        let replaces = entry.replaces.as_ref().map(|old| format!("{} ({})", old.name, old.id));
        for (what, value) in [
            ("id", Some(entry.id().unwrap_or("unknown").to_owned())),
            ("registry", Some(entry.subject.registry.clone())),
            ("service", Some(entry.subject.service.clone())),
            ("requested", Some(requested)),
            ("task", entry.task.clone()),
            ("replaces", replaces),
        ] {
            if let Some(value) = value {
                text += &format!("  {what:<9} : {value}\n");
            }
        }
    }
    text + "\n`ionplay token show NAME` prints a password, `ionplay token forget NAME` removes it from here.\n"
}

/// Returns the reason why an entry is in the store.
fn describe_reason(listed: &Listed) -> String {
    let entry = &listed.entry;
    if listed.is_held {
        return "its run is still under way".to_owned();
    }
    if entry.is_unclear() {
        return match entry.failure() {
            Some(why) => format!("it may exist, and its password is unknown: the request failed: {why}"),
            None => "it may exist, and its password is unknown: its run was killed before the answer came".to_owned(),
        };
    }
    match entry.reason {
        KeepReason::Pending => "its password is kept, because its run failed; the next run for this token has it",
        KeepReason::Kept => "its password is kept, because no task used it",
        KeepReason::Stored => "its password is kept for a `store` sink",
        KeepReason::Delivered => "its password has been delivered",
    }
    .to_owned()
}

/// Returns an age in its largest unit.
fn format_age(duration: jiff::SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=172_799 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Returns the entry that a user means.
///
/// # Errors
/// If there is no such entry, or several.
pub(super) fn find_one<'a>(catalog: &'a Catalog, token: &str) -> anyhow::Result<&'a Listed> {
    let found = catalog.find_token(token);
    match found.as_slice() {
        [one] => Ok(one),
        [] => {
            let names: Vec<&str> = catalog.entries.iter().map(|listed| listed.entry.subject.name.as_str()).collect();
            let near = suggest::find_nearest(token, &names).map(|name| format!("; did you mean `{name}`?"));
            bail!("no saved password for token `{token}`{}", near.as_deref().unwrap_or("; see `ionplay token list`"))
        }
        several => {
            let ids: Vec<String> =
                several.iter().map(|listed| format!("`{}`", listed.entry.id().unwrap_or("unknown"))).collect();
            bail!("there are {} tokens named `{token}`; give the id: {}", several.len(), ids.join(", "))
        }
    }
}
