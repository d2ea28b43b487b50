//! The server: page, API, hooks, metrics and health, over TCP or a Unix socket.

mod control;

pub use control::{Access, Answer, ApiToken, Control, ControlError, EventChunk, Queued};
