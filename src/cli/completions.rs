//! `ionplay completions`: a script for the shell.

use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;

/// Print a completion script for a shell
///
/// For bash: `ionplay completions bash > ~/.local/share/bash-completion/completions/ionplay`.
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: Shell,
}

/// Prints the script.
pub fn print_completions(args: &CompletionsArgs) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "ionplay", &mut script);
    super::output::write_stdout(&String::from_utf8_lossy(&script));
    Ok(())
}
