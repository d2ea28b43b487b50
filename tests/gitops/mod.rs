//! `ionplay gitops` from outside: real repositories, real signatures, the real binary, real kills.

mod approval;
mod broken;
mod clocks;
mod daemon;
mod database;
mod demo;
mod kills;
mod once;
mod pgp;
mod preview;
mod prune;
mod remotes;
mod shared;
mod sops;
mod stage;
mod takeover;
mod trust;
mod web_server;
