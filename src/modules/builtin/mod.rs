//! Builtin modules, one file each.

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
pub mod lineinfile;
pub mod ping;
pub mod replace;
pub mod set_fact;
pub mod slurp;
pub mod stat;
pub mod tempfile;
pub mod template;
