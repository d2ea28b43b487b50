//! Templates with Ansible's rules: native results, lazy variables, trust, undefined and unknown values.

pub mod call;
pub mod fault;
pub mod filters;
pub mod lookups;
pub mod python;
pub mod tests;

pub use call::{Args, Call, Context, Filter, Lookup, Test};
pub use fault::{Fault, FaultKind};
