//! The variables of a task: variable layers, magic variables, `hostvars`, facts, prompts and variable files.

pub mod fact_cache;
pub mod host_lists;
pub mod hostvars;
pub mod magic;
pub mod role_layers;
pub mod scope;
pub mod vars_files;
pub mod vars_prompt;
