//! Builtin modules, one file each.

pub mod assemble;
pub mod blockinfile;
pub mod copy;
pub mod edit;
pub mod fetch;
pub mod file;
pub mod files;
pub mod find;
pub mod lineinfile;
pub mod replace;
pub mod slurp;
pub mod stat;
pub mod tempfile;
pub mod template;
