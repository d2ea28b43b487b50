//! Standard output in blocks, for a pipe or a file: a long run would spend much of its time on writing single lines.
//!
//! What is pending is written before the program waits for anything, before an error is shown, and at the end. So a reader
//! misses nothing while nothing happens.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Pending text is written when it is this long, in bytes.
const BLOCK: usize = 64 << 10;

static PENDING: Mutex<Pending> = Mutex::new(Pending { text: Vec::new(), failure: None });

struct Pending {
    text: Vec<u8>,
    /// Why text could not be written when nobody could be told.
    failure: Option<io::Error>,
}

fn lock_pending() -> MutexGuard<'static, Pending> {
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pending {
    fn write_out(&mut self) {
        if self.text.is_empty() {
            return;
        }
        let mut out = io::stdout().lock();
        if let Err(error) = out.write_all(&self.text).and_then(|()| out.flush()) {
            self.failure.get_or_insert(error);
        }
        self.text.clear();
    }
}

/// Writes what is pending. A failure is reported by the next write or flush of a [`BlockOutput`].
pub fn write_pending() {
    lock_pending().write_out();
}

/// Standard output, written in blocks.
#[derive(Debug, Clone, Copy)]
pub struct BlockOutput;

impl Write for BlockOutput {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let mut pending = lock_pending();
        pending.text.extend_from_slice(text);
        if pending.text.len() >= BLOCK {
            pending.write_out();
        }
        pending.failure.take().map_or(Ok(text.len()), Err)
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut pending = lock_pending();
        pending.write_out();
        pending.failure.take().map_or(Ok(()), Err)
    }
}
