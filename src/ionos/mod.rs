//! The container registry API: models, the trait, the HTTP client and the overlay of check mode.
//!
//! A module says what it wants through [`RegistryApi`] and never learns which of its kinds it talks to: [`http`] is the
//! service itself, [`overlay`] the world of check mode, in which reads pass through and writes stay in memory. Which
//! one a task gets is decided by the [`Connector`] of the run.

pub mod api;
pub mod connection;
pub mod content;
pub mod create;
pub mod date;
mod decode;
mod decorator;
pub mod deferred;
pub mod error;
#[cfg(test)]
pub mod fake;
pub mod http;
pub mod list_cache;
mod list_caches;
pub mod model;
mod origin_doubt;
pub mod overlay;
mod ownership;
mod pace;
mod paging;
mod path;
mod proxy;
mod tls;
pub mod transport;

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

pub use api::{EarlierRecord, LeftPassword, LostCreation, RegistryApi, RegistryReads};
pub use connection::{ApiConnection, Credentials, Endpoint, Tuning, WaitPolicy};
pub use date::Date;
pub use decorator::ApiDecorator;
pub use deferred::Deferred;
pub use error::ApiError;
pub use http::HttpConnector;
pub use list_cache::ListCache;
pub use list_caches::ListCaches;
pub use origin_doubt::OriginDoubt;
pub use overlay::OverlayConnector;
pub use ownership::check_same_token;

/// A future that stays on its thread.
pub type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Opens connections to the API; one that was opened before is used again.
pub trait Connector {
    /// The API behind a connection. Nothing is sent yet, and nothing costly is built.
    ///
    /// # Errors
    /// When the connection cannot be described as given (a base URL that is none, a fingerprint of the wrong length).
    fn connect(&self, connection: &ApiConnection) -> Result<Rc<dyn RegistryApi>, ApiError>;

    /// Whether a task may use the API in a process of its own, where this connector does not see what it sends.
    fn may_be_left(&self) -> bool {
        false
    }

    /// Whether several requests may be under way at once. Not where their order matters: in a dry run that notes them, or
    /// under a plan after whose first deviation nothing more may be sent.
    fn may_run_in_parallel(&self) -> bool {
        false
    }

    /// A task has the password of a token that a process of its own has made.
    fn hand_on(&self, _token: &str) {}

    /// A dry run could not tell whether a task would write. From here on it cannot tell what is there, either.
    fn mark_uncertain(&self, _task: &str) {}
}
