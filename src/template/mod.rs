//! Templates with Ansible's rules: native results, lazy variables, trust, undefined and unknown values.

mod api;
pub mod call;
mod changes;
mod comparison;
mod context;
pub mod engine;
#[cfg(test)]
mod engine_tests;
mod eval;
pub mod fault;
pub mod filters;
pub mod functions;
mod header;
mod index;
mod lint;
mod literal;
mod locals;
pub mod lookups;
mod member;
mod methods;
mod names;
pub mod objects;
mod ops;
mod parse;
mod place;
pub mod python;
mod range;
pub mod registry;
mod render;
mod row;
mod secrecy;
pub mod tests;
mod tree;

pub use api::{Verdict, is_whole_template, mapping};
pub use call::{Args, Call, Context, Filter, Lookup, Test};
pub use engine::{Engine, Globals, Layer, Scope};
pub use fault::{Fault, FaultKind};
pub use header::{FILE_OPTIONS, FileOptions};
