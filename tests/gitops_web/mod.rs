//! What `ionplay gitops` shows to the outside: page, hooks, packaging.

mod daemon;
mod keyboard;
pub mod tools;
mod web_deploy;
mod web_end_to_end;
mod webdriver;
