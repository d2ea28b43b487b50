//! The credential store itself, for passwords that are kept here on purpose.

use super::{DeliveryContext, Login, Presence, Receipt, Sink, SinkError};
use crate::ionos::LocalFuture;

/// The credential store; `docker-credential-ionplay` answers out of it.
#[derive(Debug, Clone, Copy)]
pub struct StoreSink;

impl Sink for StoreSink {
    fn name(&self) -> String {
        "store".to_owned()
    }

    fn describe(&self) -> String {
        "keep the login in the credential store".to_owned()
    }

    fn needs_server(&self) -> bool {
        true
    }

    fn is_store(&self) -> bool {
        true
    }

    /// The store has the password from the moment the service gave it.
    fn deliver_login<'a>(
        &'a self,
        _: DeliveryContext<'a>,
        _: &'a Login,
    ) -> LocalFuture<'a, Result<Receipt, SinkError>> {
        Box::pin(std::future::ready(Ok(Receipt::new_unreadable())))
    }

    fn verify_delivery<'a>(
        &'a self,
        _: DeliveryContext<'a>,
        _: Option<&'a str>,
        _: Option<&'a Receipt>,
    ) -> LocalFuture<'a, Result<Presence, SinkError>> {
        Box::pin(std::future::ready(Ok(Presence::Unverifiable)))
    }
}
