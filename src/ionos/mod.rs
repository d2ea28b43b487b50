//! The container registry API: models, the trait, the HTTP client and the overlay of check mode.

/// Opens connections to the API; one that was opened before is used again.
pub trait Connector {}
