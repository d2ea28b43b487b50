//! Plays over hosts: strategies, the life of a task, blocks, handlers, includes.
//!
//! Everything runs on one thread. Waiting operations (commands, HTTP, pauses) are futures, so that hosts run concurrently.
//! Nothing here prints: results leave as events.

mod handler_index;
mod handlers;
mod host_task;
mod include;
mod known_secrets;
mod listing;
mod meta;
mod play;
mod run;
mod shared_lists;
mod state;
mod stats;
mod strategy;
mod tags;
pub mod task;
mod variables;

pub use listing::{PlayListing, list_plays};
pub use meta::META_ACTIONS;
pub use run::{RunResult, run_playbooks};
pub use shared_lists::ListSharing;
pub use state::{HostState, Parts, RunOptions, RunState};
pub use tags::Selection;
pub use variables::fact_cache::FactCache;
pub use variables::magic::MAGIC as MAGIC_VARIABLES;
