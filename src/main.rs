//! `ionplay`: parses the command line, runs, and exits with the status.

fn main() {}
