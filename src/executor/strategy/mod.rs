//! Strategies: which host runs which task next, and where a failure leads.

pub mod cursor;
pub mod failures;
pub mod free;
pub mod host_order;
mod includes;
pub mod linear;
pub mod next_task;
pub mod step;
pub mod step_hosts;
