//! The saved plan: what a dry run would do and what it was decided from; and the run that does exactly that.
//!
//! A plan is made by a dry run that takes notes: [`tape`] writes down every object that was observed and every request
//! that would be sent. To apply it, the dry run is done again and must come to the same ([`verify`]); then the real run
//! goes through a [`guard`] that lets no other request pass than those of the plan.

mod answers;
pub mod deeds;
mod digest;
pub mod drift;
pub mod gather;
pub mod guard;
pub mod lock;
pub mod model;
mod noting;
pub mod requests;
pub mod save;
pub mod seal;
pub mod show;
pub mod stamp;
pub mod tape;
pub mod verify;
mod watched;
mod written;

pub use answers::Answers;
pub use gather::{Gather, Gathered};
pub use guard::Guard;
pub use model::{Invocation, Plan};
pub use noting::noting;
pub use stamp::Stamp;
pub use tape::Tape;
pub use verify::Refusal;
