//! That something shall end: the run, after Ctrl-C, or a task whose time is up.
//!
//! What has been begun is finished, but the run does not go on waiting: pauses, polls and repetitions ask here.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Notify;

/// The wish to stop, shared by all who would wait.
#[derive(Clone, Default)]
pub struct Interrupt(Rc<State>);

/// Why a run stops that the user has interrupted.
const BY_USER: &str = "interrupted";

/// Set by the handlers of signals, so that work which blocks the one thread of the run can see it, too.
static SIGNALLED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Has a signal noted for [`is_signalled`].
///
/// # Errors
/// As the system says.
pub fn note_signal(signal: i32) -> std::io::Result<()> {
    let flag = SIGNALLED.get_or_init(Arc::default);
    signal_hook::flag::register(signal, Arc::clone(flag)).map(drop)
}

/// Whether a signal has asked this process to end.
pub fn is_signalled() -> bool {
    SIGNALLED.get().is_some_and(|flag| flag.load(Ordering::Relaxed))
}

#[derive(Default)]
struct State {
    raised: Cell<Option<&'static str>>,
    writing: Cell<usize>,
    waiters: Notify,
}

/// Something is being changed, and must not be left half done.
pub struct WriteGuard(Rc<State>);

impl Drop for WriteGuard {
    fn drop(&mut self) {
        self.0.writing.set(self.0.writing.get() - 1);
    }
}

impl Interrupt {
    /// The user wants to stop.
    pub fn raise(&self) {
        self.raise_because(BY_USER);
    }

    /// Somebody wants to stop, for this reason.
    pub fn raise_because(&self, why: &'static str) {
        self.0.raised.set(Some(why));
        self.0.waiters.notify_waiters();
    }

    /// Whether the user wants to stop, rather than the system or the time limit of a task.
    pub fn is_raised_by_user(&self) -> bool {
        self.0.raised.get() == Some(BY_USER)
    }

    /// Whether somebody wants to stop.
    pub fn is_raised(&self) -> bool {
        self.0.raised.get().is_some()
    }

    /// Why somebody wants to stop.
    pub fn reason(&self) -> &'static str {
        self.0.raised.get().unwrap_or("interrupted")
    }

    /// Says that something is being changed, for as long as what is returned is kept.
    pub fn begin_writing(&self) -> WriteGuard {
        self.0.writing.set(self.0.writing.get() + 1);
        WriteGuard(Rc::clone(&self.0))
    }

    /// Whether something is being changed right now.
    pub fn is_writing(&self) -> bool {
        self.0.writing.get() > 0
    }

    /// Ends when somebody wants to stop.
    pub async fn wait_until_raised(&self) {
        let told = self.0.waiters.notified();
        if !self.is_raised() {
            told.await;
        }
    }

    /// A pause; false if the run is told to stop before its end.
    pub async fn pause_for(&self, time: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.wait_until_raised() => false,
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

    #[test]
    fn it_knows_whether_something_is_being_changed() {
        let interrupt = Interrupt::default();
        let (one, two) = (interrupt.begin_writing(), interrupt.clone().begin_writing());
        drop(one);
        assert!(interrupt.is_writing());
        drop(two);
        assert!(!interrupt.is_writing());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn nobody_waits_once_it_is_raised() {
        let interrupt = Interrupt::default();
        assert!(interrupt.pause_for(Duration::from_millis(1)).await);
        let other = interrupt.clone();
        let (waited, ()) = tokio::join!(interrupt.pause_for(Duration::from_secs(600)), async { other.raise() });
        assert!(!waited && interrupt.is_raised());
        assert!(!interrupt.pause_for(Duration::from_secs(600)).await);
    }
}
