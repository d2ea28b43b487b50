//! What no input, no service and no machine may do to the program: bring it down, keep it forever, or make it lie.
//!
//! `docs/reliability.md` has the figures of long runs of these tests, and the commands that repeat them.

mod bombs;
mod faults;
mod files;
mod outputs;
mod signals;
mod stage;
mod typos;
