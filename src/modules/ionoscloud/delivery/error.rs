//! Errors of deliveries and rotations.

use crate::credentials::login::LoginError;
use crate::credentials::sinks::SinkError;
use crate::ionos::ApiError;

/// A step of a delivery or of a rotation that failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum DeliveryError {
    /// The service refused a request, or did not answer.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// A sink cannot take the password, or cannot be read.
    #[error("{sink}: {source}")]
    Sink {
        /// The name of the sink.
        sink: String,
        /// The error of the sink.
        source: SinkError,
    },
    /// A sink has something else, or nothing.
    #[error("{sink} does not have what was delivered")]
    NotDelivered {
        /// The name of the sink.
        sink: String,
    },
    /// The registry does not accept the password.
    #[error(transparent)]
    Login(#[from] LoginError),
}
