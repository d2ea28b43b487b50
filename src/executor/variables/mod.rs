//! What a task sees: the layers of variables, magic variables, `hostvars`, facts, prompts and files of variables.

pub mod fact_cache;
pub mod host_lists;
pub mod hostvars;
pub mod magic;
pub mod scope;
pub mod vars_files;
pub mod vars_prompt;
