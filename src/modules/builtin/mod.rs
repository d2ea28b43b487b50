//! Builtin modules, one file each.

pub mod add_host;
pub mod assemble;
pub mod assert;
pub mod blockinfile;
pub mod command;
pub mod copy;
pub mod debug;
pub mod edit;
pub mod fail;
pub mod fetch;
pub mod file;
pub mod files;
pub mod find;
pub mod get_url;
pub mod group_by;
pub mod include_vars;
pub mod lineinfile;
pub mod pause;
pub mod ping;
pub mod replace;
pub mod set_fact;
pub mod set_stats;
pub mod slurp;
pub mod stat;
pub mod tempfile;
pub mod template;
#[cfg(test)]
pub mod testing;
pub mod uri;
pub mod wait_for;
pub mod web;
