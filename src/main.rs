//! `ionplay`: parses the command line, runs, and exits with the status.

use std::process::ExitCode;

fn main() -> ExitCode {
    ionplay::cli::main().into()
}
