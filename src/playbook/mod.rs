//! The typed play, block, task, handler and role, and the keyword tables.
pub mod freeform;
