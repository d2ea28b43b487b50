//! What must not be shown, and the door through which output leaves.

pub mod environment;
mod matcher;
pub mod redact;
mod spelling;

pub use matcher::SHORTEST;
pub use redact::Redactor;
