//! `ionplay gitops` from outside: real repositories, real signatures, the real binary, real kills.

mod approval;
mod broken;
mod daemon;
mod database;
mod demo;
mod kills;
mod once;
mod prune;
mod shared;
mod stage;
mod trust;
