//! Everything said is an event; the writers make a screen, a stream or a document of it.

pub mod bus;
pub mod diff;
pub mod document;
pub mod event;
pub mod files;
pub mod history;
pub mod jsonl;
pub mod place;
pub mod profile;
pub mod screen;
pub mod style;
pub mod timeline;

pub use bus::{Bus, RunClose, Unwritten, Writer};
pub use event::{OutcomeStatus, ReportEvent, ReportedOutcome, Stats, TaskLabel};
