//! `ionplay token`: what is left of tokens whose runs did not end well.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context, bail};
use clap::Subcommand;

use super::output::general;
use crate::credentials::{Journal, Left, Shelf};
use crate::diagnostic::Diagnostic;
use crate::plan::seal;
use crate::playbook::Loaded;
use crate::report::{Bus, Event};
use crate::state_dir;
use crate::suggest;

/// Show and forget passwords of new tokens that a run has left because it did not end well.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the tokens; shows no passwords.
    List,
    /// Print the password of a token, and nothing else.
    Show {
        /// Name or id of the token.
        token: String,
        /// The key that the password is sealed with.
        #[arg(long, env = "IONPLAY_SEAL_KEY_FILE", value_name = "FILE")]
        seal_key_file: Option<PathBuf>,
    },
    /// Forget what is left of a token; the token itself stays as it is.
    Forget {
        /// Name or id of the token.
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        token: Option<String>,
        /// Everything that is left.
        #[arg(long)]
        all: bool,
    },
}

/// Runs it.
///
/// # Errors
/// If there is no such token, several of one name, or the files cannot be used.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let folder = state_dir::folder().context("there is no home folder; name one with `IONPLAY_STATE_DIR`")?;
    let shelf = Shelf::new(folder);
    let left = shelf.left();
    let mut out = std::io::stdout().lock();
    match &args.what {
        What::List => out.write_all(listed(&left, &shelf).as_bytes())?,
        What::Show { token, seal_key_file } => {
            let key = seal_key_file.as_deref().map(seal::key).transpose()?;
            let password = one(&left, token)?.entry.password(key.as_ref());
            writeln!(out, "{}", password.with_context(|| format!("token `{token}`"))?.as_str())?;
        }
        What::Forget { token: Some(token), .. } => shelf.forget(one(&left, token)?)?,
        What::Forget { .. } => left.iter().filter(|left| !left.alive).try_for_each(|left| shelf.forget(left))?,
    }
    Ok(())
}

/// The journal of a run, sealed if there is a key.
pub(super) fn journal(bus: &Rc<Bus>) -> Loaded<Journal> {
    let bus = Rc::clone(bus);
    let warn = Box::new(move |said| bus.emit(&Event::Notice(Diagnostic::warning(said))));
    journal_with(warn).map_err(|error| general(format!("{error:#}")))
}

/// The same for whoever has no bus to say on what cannot be kept.
///
/// # Errors
/// If the key cannot be read.
pub(super) fn journal_with(warn: Box<dyn Fn(String)>) -> anyhow::Result<Journal> {
    let key = std::env::var_os("IONPLAY_SEAL_KEY_FILE").filter(|name| !name.is_empty());
    let key = key.map(|path| seal::key(Path::new(&path))).transpose()?;
    Ok(Journal::new(state_dir::folder(), key, warn))
}

fn listed(all: &[Left], shelf: &Shelf) -> String {
    if all.is_empty() {
        return format!("Nothing is left: there are no passwords in {}\n", shelf.folder().display());
    }
    let mut text = String::new();
    for left in all {
        let entry = &left.entry;
        let state = match (left.alive, entry.id()) {
            (true, _) => "its run is still under way",
            (false, Some(_)) => "its password is kept",
            (false, None) => "asked for, and no answer came: it may exist without its password",
        };
        text += &format!("{}: {state}\n", entry.subject.name);
        for (what, value) in [
            ("id", entry.id().unwrap_or("unknown")),
            ("registry", &entry.subject.registry),
            ("service", &entry.subject.service),
            ("asked", &entry.asked),
        ] {
            text += &format!("  {what:<8} : {value}\n");
        }
    }
    text + "\n`ionplay token show NAME` prints a password, `ionplay token forget NAME` removes it from here.\n"
}

/// The one that is meant.
fn one<'a>(all: &'a [Left], token: &str) -> anyhow::Result<&'a Left> {
    let meant = |left: &&Left| left.entry.subject.name == token || left.entry.id() == Some(token);
    let found: Vec<&Left> = all.iter().filter(meant).collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => {
            let names: Vec<&str> = all.iter().map(|left| left.entry.subject.name.as_str()).collect();
            let near = suggest::nearest(token, &names).map(|name| format!("; did you mean `{name}`?"));
            bail!("nothing is left of a token `{token}`{}", near.as_deref().unwrap_or("; see `ionplay token list`"))
        }
        several => {
            let ids: Vec<String> =
                several.iter().map(|left| format!("`{}`", left.entry.id().unwrap_or("unknown"))).collect();
            bail!("there are {} tokens called `{token}`; say which by its id: {}", several.len(), ids.join(", "))
        }
    }
}
