//! `--lock FILE`: one run at a time.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use super::output::write_stderr;
use crate::diagnostic::Diagnostic;

/// How often a waiting run looks again.
const PAUSE: Duration = Duration::from_millis(200);

/// The right to run; it ends with the process, however that ends.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

/// Why there is no right to run.
#[derive(Debug)]
pub enum LockDenied {
    /// Another run has it, and the time to wait is over.
    Held(Diagnostic),
    /// The file cannot be used.
    Unusable(Diagnostic),
}

impl RunLock {
    /// Takes the lock; waits until it is free, or for as long as is given. The file stays when it is free again.
    ///
    /// # Errors
    /// If another run keeps it for longer, or the file cannot be opened.
    pub fn acquire(path: &Path, patience: Option<Duration>) -> Result<Self, LockDenied> {
        let unusable = |error: &std::io::Error| {
            let why = crate::playbook::loader::plain_error(error);
            LockDenied::Unusable(Diagnostic::error(format!("cannot lock `{}`: {why}", path.display())))
        };
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|error| unusable(&error))?;
        let begun = Instant::now();
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(unusable(&error)),
                Err(TryLockError::WouldBlock) => {}
            }
            let holder = describe_holder(&mut file);
            if patience.is_some_and(|patience| begun.elapsed() >= patience) {
                let message = Diagnostic::error(format!("another run{holder} has locked `{}`", path.display()));
                return Err(LockDenied::Held(message.hint("`--lock-timeout SECONDS` sets the time to wait")));
            }
            if !std::mem::replace(&mut told, true) {
                write_stderr(&format!("waiting for `{}`, which another run{holder} has locked", path.display()));
            }
            std::thread::sleep(PAUSE);
        }
        // For those who wonder who has it; nothing depends on it.
        let _ = file.set_len(0).and_then(|()| file.rewind());
        let _ = writeln!(file, "{}", std::process::id());
        Ok(Self { _file: file })
    }
}

/// ` (process 123)`, if the file says so.
fn describe_holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(20).read_to_string(&mut text));
    match (read, text.trim().parse::<u32>()) {
        (Ok(_), Ok(process)) => format!(" (process {process})"),
        _ => String::new(),
    }
}
