//! `ionplay`: a declarative playbook runner.
#![forbid(unsafe_code)]

pub mod cli;
pub mod diagnostic;
pub mod executor;
pub mod exit;
pub mod host;
pub mod intake;
pub mod inventory;
pub mod ionos;
pub mod modules;
pub mod plan;
pub mod playbook;
pub mod reconcile;
pub mod report;
pub mod sandbox;
pub mod secrets;
pub mod source;
pub mod suggest;
pub mod template;
pub mod value;
pub mod vars;
pub mod yaml;
