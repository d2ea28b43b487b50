//! Plays over hosts: strategies, the life of a task, blocks, handlers, includes.
//!
//! Everything runs on one thread. What waits (commands, HTTP, pauses) is a future; hosts run side by side because their
//! futures do. Nothing here prints: results leave as events.

mod access;
pub mod background;
mod call;
mod conditional;
mod cursor;
mod doubt;
mod effects;
mod facts;
mod failed;
mod failures;
mod foreground;
mod foresee;
mod free;
mod handlers;
mod hostvars;
mod include;
mod keywords;
mod life;
pub mod limit;
mod linear;
mod listing;
mod lockstep;
mod loops;
mod magic;
mod meta;
mod module;
mod named;
mod naming;
mod order;
mod pass;
mod passes;
mod play;
mod prepare;
mod prompts;
mod ready;
mod result;
mod run;
mod scope;
mod state;
mod stats;
mod step;
mod tags;
mod task;
mod tries;
mod varsfiles;
mod witness;

pub use facts::FactCache;
pub use listing::{Listing, list};
pub use meta::META_ACTIONS;
pub use run::{Ended, run};
pub use state::{HostState, Options, Parts, Run};
pub use tags::Selection;
