//! Filters of the collection `community.general` that need nothing but their input.

pub mod hashes;
pub mod keys;
pub mod lists;
pub mod mappings;
pub mod tables;
pub mod time_units;
pub mod types;
