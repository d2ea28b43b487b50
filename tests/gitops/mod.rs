//! `ionplay gitops` from outside: real repositories, real signatures, the real binary, real kills.

mod approval;
mod broken;
mod daemon;
mod demo;
mod kills;
mod once;
mod prune;
mod stage;
mod trust;
