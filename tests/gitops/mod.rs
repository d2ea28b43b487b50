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
mod prune;
mod shared;
mod sops;
mod stage;
mod takeover;
mod trust;
