//! The store of one-time passwords.
//!
//! The service tells the password of a token once, in the answer to its creation. The store has an entry from before the
//! request until the password has been delivered: a sink has confirmed it, a task that was given it has ended without
//! failure in writing it or handing it on, the user took it (`ionplay token show`, then `forget`), or the token is gone.
//!
//! The life of an entry: *intended* (before the request), then *unclear* (no answer says whether the token exists) or
//! *created* (with the password), then *delivered*. A password that no task has used stays; the next run that meets the
//! token has it, and `ionplay token` shows it.
//!
//! Each run has a log of its own, which it holds while it lives ([`Backend`]). A run that meets the entry of another run
//! that has ended takes it over.

mod backend;
pub mod catalog;
mod connector;
mod entry;
mod error;
mod folder;
mod given;
mod line;
pub mod login;
pub mod logins;
mod memory;
mod place;
mod recovery;
mod remote;
mod run_log;
pub mod sinks;
mod store;

use zeroize::Zeroizing;

pub use backend::{Backend, CredentialLog, Durability, StoredLog};
pub use catalog::{Catalog, Listed};
pub use connector::RecordingConnector;
pub use entry::{CredentialEntry, KeepReason};
pub use error::StoreError;
pub use folder::Folder;
pub use given::{PasswordMatcher, collect_texts};
pub use memory::Memory;
pub use place::{backend_of, socket_file};
pub use remote::{Remote, RemoteAnswer, RemoteLog, RemoteRequest};
pub use store::{CredentialStore, HeldPassword, RunEnd, UnusedPasswords};

/// Seals passwords.
pub type CredentialKey = Zeroizing<Vec<u8>>;

/// Identity of a token before it has an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The base URL of the service, for people.
    pub service: String,
    /// The id of its registry.
    pub registry: String,
    /// Name of the token.
    pub name: String,
}
