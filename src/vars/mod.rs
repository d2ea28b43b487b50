//! Variables: layers in order of precedence, magic variables, facts, vaulted text.

pub mod facts;
pub mod sops;
pub mod users;
pub mod vault;
