//! `ionplay`: a declarative playbook runner.
#![forbid(unsafe_code)]

pub mod diagnostic;
pub mod host;
pub mod ionos;
pub mod modules;
pub mod reconcile;
pub mod source;
pub mod suggest;
pub mod template;
pub mod value;
pub mod yaml;
