//! `ionplay` runs Ansible-style playbooks and documentation snippets, without Ansible and without Python. Its heart is
//! the tokens of IONOS Cloud container registries, with a dry run that foretells what the real run then does.
//!
//! # The pipeline
//!
//! Text becomes plays, plays become tasks, a task becomes desired state, desired state meets observed state and becomes
//! an action, an action becomes an outcome, and an outcome becomes a variable, an event and a line on the screen. Each
//! arrow goes one way:
//!
//! ```text
//! source ─► yaml ─► intake ─► playbook ─► executor ─┬─► template (over vars, value)
//!  text     nodes   document    tasks               ├─► modules: arguments ─► desired state
//!                                                   │      └─► reconcile: desired × observed ─► action
//!                                                   │      └─► ionos / host: action ─► requests, files
//!                                                   └─► report: outcomes and events ─► screen, stream, document
//! ```
//!
//! # The rooms
//!
//! A module of this crate is a room, and no room uses one above it; a test holds the order. From the bottom:
//!
//! - [`source`] has texts and places in them, [`input`] reads files and streams within bounds, [`input_digests`] knows which files were read, [`value`] the one run-time value, [`diagnostic`] messages for people,
//!   [`suggest`] the nearest name, [`hex`] hexadecimal digits, [`block_output`] writes standard output, [`exit`] the exit codes, [`confinement`] the limits of a run of untrusted content.
//! - [`yaml`] reads text into nodes, and [`intake`] says what kind of document they are.
//! - [`secrets`] redacts; [`vars`] has facts and the vault; [`inventory`] hosts and their variables.
//! - [`template`] evaluates expressions with Ansible's rules: native results, laziness, undefined and unknown values.
//! - [`ionos`] is the API of the service, [`reconcile`] decides what has to be done, [`host`] has files and commands.
//! - [`modules`] has the modules, and [`playbook`] the typed play, block, task and role.
//! - [`lint`] finds what is wrong with a playbook without running it.
//! - [`report`] has the events and their writers; [`plan`] keeps predictions.
//! - [`executor`] runs plays over hosts.
//! - [`sandbox`] is an API to try things on, built from the description of the real one and not from our client.
//! - [`gitops`] reconciles Git repositories unattended.
//! - [`explain`] says what a task would get, without running it.
//! - [`mod@reference`] has the reference text of modules and of the language; [`lsp`] is the server that editors talk to.
//! - [`cli`] puts it all together.
//!
//! # Where to begin
//!
//! A task's life is in [`executor`], from its conditions to its result. What a module is, is [`modules::TaskModule`] with
//! its [`modules::Spec`]; `modules/ionoscloud/registry_token.rs` is the one that all the others exist for, and
//! [`modules::resource`] is what it shares with its siblings. Why the same code serves dry runs and real ones is in
//! [`ionos::overlay`]. The decisions behind all this are in `docs/architecture.md`.
#![forbid(unsafe_code)]

pub mod address;
pub mod block_output;
pub mod bridge;
pub mod cli;
pub mod cli_interface;
pub mod confinement;
pub mod credentials;
pub mod diagnostic;
pub mod executor;
pub mod exit;
pub mod explain;
pub mod gitops;
pub mod hex;
pub mod host;
pub mod input;
pub mod input_digests;
pub mod intake;
pub mod interrupt;
pub mod inventory;
pub mod ionos;
pub mod lease;
pub mod lint;
pub mod lsp;
pub mod modules;
pub mod plan;
pub mod playbook;
pub mod progress;
pub mod reconcile;
pub mod reference;
pub mod report;
pub mod sandbox;
pub mod secrets;
pub mod settings;
pub mod source;
pub mod state_dir;
pub mod suggest;
pub mod template;
pub mod unified_diff;

pub mod value;
pub mod vars;
pub mod yaml;
