//! What has to reach others and may not delay a run: a durable queue for each destination, sent in order and once.

mod courier;
mod outbox;
mod request;
#[cfg(test)]
mod tests;

pub use courier::{Delivery, MessageCourier, Messenger, Pauses};
pub use outbox::{Outbox, QueuedMessage, read_json, write_json};
pub use request::{OutgoingRequest, RequestError, new_client, send_request};
