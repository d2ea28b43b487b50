//! Continuous reconciliation of Git repositories: a push, a clock, a hook or a nearing expiry start the same safe run.
//!
//! The room stands on top of the house. It talks to runs through child processes of the same binary, and to the world
//! through small traits.

pub mod agenda;
pub mod announce;
pub mod child;
pub mod clock;
pub mod config;
pub mod credentials;
pub mod daemon;
pub mod decide;
pub mod delivery;
pub mod engine;
pub mod forge;
pub mod front;
pub mod holder;
pub mod hooks;
pub mod http;
pub mod hub;
pub mod metrics;
pub mod notify;
pub mod observer;
pub mod once;
pub mod outside;
pub mod preview;
pub mod record;
pub mod repository;
pub mod run;
pub mod view;
pub mod watcher;
