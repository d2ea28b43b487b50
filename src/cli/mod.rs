//! The command line: clap definitions and wiring, one file a subcommand.

pub mod sandbox;
pub mod vault;
