//! Reference text of modules and of the language, from the tables that the program itself works by.
//!
//! `ionplay doc`, the pages below `docs/` and the language server read it.

pub mod module;
pub mod plugin;
mod returned;
pub mod topic;
