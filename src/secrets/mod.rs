//! What must not be shown, and the door through which output leaves.

pub mod redact;

pub use redact::Redactor;
