//! `ionplay man`: the pages for `man`, from the same definitions as `--help`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::CommandFactory;

use super::Cli;

/// Print the manual page, or write all manual pages to a folder
///
/// `ionplay man | man -l -` shows the page. Packages run `ionplay man /usr/share/man/man1`.
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// Folder for the pages
    #[arg(value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
}

/// Prints the page, or writes all pages.
pub fn print_manual(args: &ManArgs) -> anyhow::Result<()> {
    let Some(folder) = &args.folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(definitions()).render(&mut page)?;
        super::output::write_stdout(&String::from_utf8_lossy(&page));
        return Ok(());
    };
    let place = || format!("cannot write manual pages into `{}`", folder.display());
    std::fs::create_dir_all(folder).with_context(place)?;
    clap_mangen::generate_to(definitions(), folder).with_context(place)
}

/// The header of a page has only room for the version number.
fn definitions() -> clap::Command {
    Cli::command().version(env!("CARGO_PKG_VERSION"))
}
