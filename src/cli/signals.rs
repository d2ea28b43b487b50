//! The signals that ask a run to end.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Exit;
use crate::interrupt::{is_signalled, note_signal};

/// Who asked the run to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The user pressed Ctrl-C (SIGINT).
    Interrupted,
    /// The system or a supervisor (SIGTERM).
    Terminated,
    /// The terminal has gone (SIGHUP).
    HungUp,
}

impl Ending {
    /// The exit status of the run.
    pub(super) fn exit_status(self) -> Exit {
        match self {
            Self::Interrupted => Exit::Interrupted,
            Self::Terminated => Exit::Terminated,
            Self::HungUp => Exit::HungUp,
        }
    }

    /// The last message of the run.
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Interrupted => "User interrupted execution",
            Self::Terminated => "the run was ended by SIGTERM",
            Self::HungUp => "the run was ended by SIGHUP",
        }
    }

    /// Returns how to stop at once, if even that takes too long.
    pub(super) fn how_to_stop_at_once(self) -> &'static str {
        match self {
            Self::Interrupted => "press Ctrl-C again to stop immediately",
            Self::Terminated | Self::HungUp => "a second signal stops immediately",
        }
    }
}

/// The signals that ask a run to end, from when this is made.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// None if the run was started with the signal ignored (`nohup`): then it is to go on.
    hang_up: Option<Signal>,
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// As the system says.
    pub(super) fn start_listening() -> io::Result<Self> {
        let hang_up = SignalKind::hangup();
        let hang_up = if is_ignored(hang_up) { None } else { Some(listen_for(hang_up)?) };
        Ok(Self {
            interrupt: listen_for(SignalKind::interrupt())?,
            terminate: listen_for(SignalKind::terminate())?,
            hang_up,
        })
    }

    /// The next of them.
    pub(super) async fn next(&mut self) -> Ending {
        let hang_up = async {
            match &mut self.hang_up {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => Ending::Interrupted,
            _ = self.terminate.recv() => Ending::Terminated,
            _ = hang_up => Ending::HungUp,
        }
    }
}

impl Signals {
    /// A signal that came while nothing could listen.
    pub(super) async fn next_pending(&mut self) -> Option<Ending> {
        /// The handler has run; only its message is under way.
        const LONGEST: Duration = Duration::from_secs(1);
        if !is_signalled() {
            return None;
        }
        tokio::time::timeout(LONGEST, self.next()).await.ok()
    }
}

fn listen_for(kind: SignalKind) -> io::Result<Signal> {
    let signal = signal(kind)?;
    note_signal(kind.as_raw_value())?;
    Ok(signal)
}

/// Whether this process was started with a signal ignored, where the system says so.
fn is_ignored(kind: SignalKind) -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return false };
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (kind.as_raw_value() - 1) & 1 == 1
}
