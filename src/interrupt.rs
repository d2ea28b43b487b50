//! That the user wants the run to end: Ctrl-C, pressed once.
//!
//! What has been begun is finished, but nobody goes on waiting: pauses, polls and repetitions ask here.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Notify;

/// The wish to stop, shared by all who would wait.
#[derive(Clone, Default)]
pub struct Interrupt(Rc<State>);

#[derive(Default)]
struct State {
    raised: Cell<bool>,
    waiters: Notify,
}

impl Interrupt {
    /// The user wants to stop.
    pub fn raise(&self) {
        self.0.raised.set(true);
        self.0.waiters.notify_waiters();
    }

    /// Whether the user wants to stop.
    pub fn is_raised(&self) -> bool {
        self.0.raised.get()
    }

    /// Ends when the user wants to stop.
    pub async fn raised(&self) {
        let told = self.0.waiters.notified();
        if !self.is_raised() {
            told.await;
        }
    }

    /// A pause; false if the user does not want to wait for its end.
    pub async fn pause(&self, time: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.raised() => false,
            () = tokio::time::sleep(time) => true,
        }
    }
}

impl std::fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Interrupt").field(&self.is_raised()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn nobody_waits_once_it_is_raised() {
        let interrupt = Interrupt::default();
        assert!(interrupt.pause(Duration::from_millis(1)).await);
        let other = interrupt.clone();
        let (waited, ()) = tokio::join!(interrupt.pause(Duration::from_secs(600)), async { other.raise() });
        assert!(!waited && interrupt.is_raised());
        assert!(!interrupt.pause(Duration::from_secs(600)).await);
    }
}
