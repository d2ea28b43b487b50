//! Webhooks: who sent a request, and whether its signature is right. The body is never read: a hook means "look now".

mod rate;
mod sender;
#[cfg(test)]
mod tests;
mod verify;

pub use rate::{PER_MINUTE, RateLimit};
pub use sender::Sender;
pub use verify::{HookError, HookVerifier};

/// Largest body of a hook, in bytes.
pub const MAX_BODY: usize = 5 * 1024 * 1024;
