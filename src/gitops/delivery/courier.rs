//! Sends what is queued: destinations side by side, the messages of one in order.

use std::cell::RefCell;
use std::collections::HashSet;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;
use rand::RngExt;

use super::outbox::{Outbox, QueuedMessage};

/// Pauses between the attempts to send a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pauses {
    /// Pause after the first failure; it doubles with each further one.
    pub first: Duration,
    /// Longest pause.
    pub longest: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), longest: Duration::from_secs(300) }
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The destination has it.
    Sent,
    /// It has to be tried again, not before this pause where the destination names one.
    Retry {
        /// Pause that the destination asks for.
        after: Option<Duration>,
        /// Why.
        why: String,
    },
    /// It will never be accepted.
    Dropped {
        /// Why.
        why: String,
    },
}

/// Sends one message to its destination.
#[allow(async_fn_in_trait, reason = "everything runs on one thread and needs no `Send`")]
pub trait Messenger {
    /// Sends a message. It has a time limit of its own.
    async fn send_message(&self, destination: &str, message: &QueuedMessage) -> Delivery;

    /// Is called after each attempt, for metrics and messages.
    fn record_attempt(&self, destination: &str, delivery: &Delivery, queued: usize);
}

/// Takes messages from the queues to their destinations.
pub struct MessageCourier<M> {
    outbox: Rc<Outbox>,
    messenger: Rc<M>,
    pauses: Pauses,
    /// Destinations that are being served.
    served: Rc<RefCell<HashSet<String>>>,
}

impl<M> Clone for MessageCourier<M> {
    fn clone(&self) -> Self {
        Self {
            outbox: Rc::clone(&self.outbox),
            messenger: Rc::clone(&self.messenger),
            pauses: self.pauses,
            served: Rc::clone(&self.served),
        }
    }
}

impl<M: Messenger + 'static> MessageCourier<M> {
    /// Makes a courier for these queues.
    pub fn new(outbox: Rc<Outbox>, messenger: Rc<M>, pauses: Pauses) -> Self {
        Self { outbox, messenger, pauses, served: Rc::default() }
    }

    /// Sends what comes until `shutdown` is ready. It has to run inside a [`tokio::task::LocalSet`].
    pub async fn send_until(&self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        loop {
            for destination in self.outbox.list_destinations() {
                if self.served.borrow_mut().insert(destination.clone()) {
                    let courier = self.clone();
                    tokio::task::spawn_local(async move { courier.serve_destination(&destination).await });
                }
            }
            tokio::select! {
                () = &mut shutdown => return,
                () = self.outbox.wake.notified() => {}
            }
        }
    }

    /// Sends what is queued, as far as it goes without waiting, for at most so long. Another process that is at it is
    /// left alone.
    pub async fn flush(&self, limit: Duration) {
        let Some(_lock) = self.outbox.lock_sending() else { return };
        let all = self.outbox.list_destinations().into_iter().map(|destination| async move {
            if self.served.borrow().contains(&destination) {
                return;
            }
            while let Some(Delivery::Sent | Delivery::Dropped { .. }) = self.send_first(&destination).await {}
        });
        let _ = tokio::time::timeout(limit, join_all(all)).await;
    }

    /// Serves one destination until its queue is empty.
    async fn serve_destination(&self, destination: &str) {
        let Pauses { first, longest } = self.pauses;
        let mut pause = first;
        while let Some(delivery) = self.send_first(destination).await {
            if let Delivery::Retry { after, .. } = delivery {
                tokio::time::sleep(after.unwrap_or(Duration::ZERO).clamp(jitter_pause(pause), longest)).await;
                pause = (pause * 2).min(longest);
            } else {
                pause = first;
            }
        }
        // Between the empty queue and this line nothing else has run.
        self.served.borrow_mut().remove(destination);
    }

    async fn send_first(&self, destination: &str) -> Option<Delivery> {
        let (number, message) = self.outbox.oldest_message(destination)?;
        let delivery = self.messenger.send_message(destination, &message).await;
        if !matches!(delivery, Delivery::Retry { .. }) {
            self.outbox.remove_message(destination, number);
        }
        self.messenger.record_attempt(destination, &delivery, self.outbox.count_queued());
        Some(delivery)
    }
}

/// Returns a pause that is up to a fifth shorter, so that many destinations do not call at once.
fn jitter_pause(pause: Duration) -> Duration {
    pause.mul_f64(rand::rng().random_range(0.8..=1.0))
}
