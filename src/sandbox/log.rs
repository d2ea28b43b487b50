//! The request log: what was asked, what was answered.

use std::collections::VecDeque;
use std::fmt;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many requests are remembered; older ones only stand in the log file.
const REMEMBERED: usize = 100_000;

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecord {
    /// The method.
    pub method: String,
    /// The path after the base path, as sent (still percent-encoded), without the query.
    pub path: String,
    /// The query as sent; empty for none.
    pub query: String,
    /// The status that was sent; none when the connection was dropped instead.
    pub status: Option<u16>,
    /// The fault that was played.
    pub fault: Option<&'static str>,
    /// The body as sent.
    pub body: String,
    /// The headers as sent, names in lower case. They hold credentials: nothing prints them.
    pub headers: Vec<(String, String)>,
    /// The number of the connection it came on.
    pub connection: u64,
}

impl RequestRecord {
    /// Whether the request could change something.
    pub fn is_write(&self) -> bool {
        !matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS")
    }

    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim())
    }
}

impl fmt::Display for RequestRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        if !self.query.is_empty() {
            write!(f, "?{}", self.query)?;
        }
        match self.status {
            Some(status) => write!(f, " {status}")?,
            None => f.write_str(" none")?,
        }
        self.fault.map_or(Ok(()), |fault| write!(f, " ({fault})"))
    }
}

/// All requests of a server, oldest first.
#[derive(Default)]
pub struct RequestLog {
    entries: Mutex<VecDeque<RequestRecord>>,
    sink: Mutex<Option<Box<dyn Write + Send + Sync>>>,
}

impl RequestLog {
    /// A log that also writes each line to `sink`.
    pub fn new(sink: Option<Box<dyn Write + Send + Sync>>) -> Self {
        Self { entries: Mutex::default(), sink: Mutex::new(sink) }
    }

    /// Adds a request.
    pub fn add(&self, entry: RequestRecord) {
        if let Some(sink) = &mut *lock_mutex(&self.sink) {
            // A full disk must not stop the server; the log in memory is still whole.
            let _ = writeln!(sink, "{entry}").and_then(|()| sink.flush());
        }
        let mut entries = lock_mutex(&self.entries);
        if entries.len() == REMEMBERED {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    /// A copy of all requests so far.
    pub fn entries(&self) -> Vec<RequestRecord> {
        lock_mutex(&self.entries).iter().cloned().collect()
    }

    /// Forgets all requests.
    pub fn clear(&self) {
        lock_mutex(&self.entries).clear();
    }
}

/// Locks, whatever happened to the thread that held the lock before.
pub fn lock_mutex<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
