//! The server: page, API, hooks, metrics and health, over TCP or a Unix socket.
//!
//! It knows the core only as a [`GitopsControl`]. Everything runs on the thread that calls [`serve_requests`], inside a
//! [`tokio::task::LocalSet`].

mod auth;
mod body;
#[cfg(test)]
mod browser;
mod control;
mod events;
#[cfg(test)]
mod fake;
mod hook;
mod listener;
pub mod page;
mod post;
mod reply;
mod route;
mod server;
#[cfg(test)]
mod tests;

pub use control::{Access, ApiToken, ApprovalAnswer, ControlError, EventChunk, GitopsControl, NotReady, Queued};
pub use listener::{ListenError, Listener, Trust};
pub use server::serve_requests;
