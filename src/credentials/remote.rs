//! The backend of another process, over a socket: `ionplay gitops` keeps the entries of its runs in a database.
//!
//! Requests and answers are lines of JSON. The locks of this process are released when the connection ends.

use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::backend::{Backend, CredentialLog, Durability, StoredLog};
use super::error::StoreError;

/// The other process waits for its database at most so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request to the process that keeps the entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum RemoteRequest {
    /// Begin a log; the answer is its name.
    Begin,
    /// List all logs.
    List,
    /// Hold a log of a run that has ended; the answer says whether that was possible.
    Hold {
        /// Name of the log.
        log: String,
    },
    /// Add text to a log that is held.
    Append {
        /// Name of the log.
        log: String,
        /// The text.
        text: String,
    },
    /// Read a log; the answer is its text.
    Read {
        /// Name of the log.
        log: String,
    },
    /// Replace the content of a held log with this text.
    Replace {
        /// Name of the log.
        log: String,
        /// The text.
        text: String,
    },
    /// Remove a log that is held.
    Remove {
        /// Name of the log.
        log: String,
    },
    /// Hold a log no longer.
    Release {
        /// Name of the log.
        log: String,
    },
}

/// An answer of the process that keeps the entries.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteAnswer {
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The name or the text that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Whether the log is held.
    #[serde(default)]
    pub held: bool,
    /// All logs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<RemoteLog>,
}

/// A log, as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteLog {
    /// Name of the log.
    pub log: String,
    /// Lines of the log.
    pub text: String,
    /// A run holds it.
    pub held: bool,
}

/// The entries that another process keeps.
#[derive(Clone)]
pub struct Remote {
    socket: PathBuf,
    connection: Rc<RefCell<Option<BufReader<UnixStream>>>>,
}

impl Remote {
    /// The backend behind a socket. It is connected to when it is first needed.
    pub fn at_socket(socket: &Path) -> Self {
        Self { socket: socket.to_path_buf(), connection: Rc::default() }
    }

    fn ask(&self, request: &RemoteRequest) -> Result<RemoteAnswer, StoreError> {
        let failed = |error: std::io::Error| {
            StoreError::Backend(format!(
                "the credential store is in a database, and `ionplay gitops` does not answer at `{}`: {error}",
                self.socket.display()
            ))
        };
        let mut connection = self.connection.borrow_mut();
        // Another connection would not hold what this one holds: it is made once.
        let stream = match &mut *connection {
            Some(stream) => stream,
            empty => {
                let stream = UnixStream::connect(&self.socket).map_err(failed)?;
                stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
                empty.insert(BufReader::new(stream))
            }
        };
        let text = Zeroizing::new(serde_json::to_string(request)? + "\n");
        stream.get_mut().write_all(text.as_bytes()).map_err(failed)?;
        let mut line = Zeroizing::new(String::new());
        if stream.read_line(&mut line).map_err(failed)? == 0 {
            return Err(failed(std::io::ErrorKind::UnexpectedEof.into()));
        }
        let answer: RemoteAnswer = serde_json::from_str(&line)?;
        match answer.error {
            Some(why) => Err(StoreError::Backend(why)),
            None => Ok(answer),
        }
    }

    fn log(&self, name: String) -> Box<dyn CredentialLog> {
        Box::new(RemoteHandle { remote: self.clone(), name })
    }
}

impl Backend for Remote {
    fn begin_log(&self) -> Result<Box<dyn CredentialLog>, StoreError> {
        let answer = self.ask(&RemoteRequest::Begin)?;
        Ok(self.log(answer.text.unwrap_or_default()))
    }

    fn read_all(&self) -> Result<Vec<StoredLog>, StoreError> {
        let logs = self.ask(&RemoteRequest::List)?.logs;
        let stored =
            |log: RemoteLog| StoredLog { name: log.log, text: Ok(Zeroizing::new(log.text)), is_held: log.held };
        Ok(logs.into_iter().map(stored).collect())
    }

    fn hold_log(&self, name: &str) -> Result<Option<Box<dyn CredentialLog>>, StoreError> {
        let answer = self.ask(&RemoteRequest::Hold { log: name.to_owned() })?;
        Ok(answer.held.then(|| self.log(name.to_owned())))
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn describe_place(&self) -> String {
        format!("the database of `ionplay gitops`, by `{}`", self.socket.display())
    }
}

/// A log that this process holds.
struct RemoteHandle {
    remote: Remote,
    name: String,
}

impl CredentialLog for RemoteHandle {
    fn append_line(&mut self, line: &str, _: Durability) -> Result<(), StoreError> {
        let request = RemoteRequest::Append { log: self.name.clone(), text: format!("{line}\n") };
        self.remote.ask(&request).map(drop)
    }

    fn read(&self) -> Result<Zeroizing<String>, StoreError> {
        let answer = self.remote.ask(&RemoteRequest::Read { log: self.name.clone() })?;
        Ok(Zeroizing::new(answer.text.unwrap_or_default()))
    }

    fn replace_lines(&mut self, text: &str) -> Result<(), StoreError> {
        let request = RemoteRequest::Replace { log: self.name.clone(), text: text.to_owned() };
        self.remote.ask(&request).map(drop)
    }

    fn remove_log(self: Box<Self>) -> Result<(), StoreError> {
        self.remote.ask(&RemoteRequest::Remove { log: self.name.clone() }).map(drop)
    }
}

impl Drop for RemoteHandle {
    fn drop(&mut self) {
        // Where it cannot be said, the end of the process says it.
        let _ = self.remote.ask(&RemoteRequest::Release { log: self.name.clone() });
    }
}
