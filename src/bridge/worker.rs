//! The Python process of an interpreter: started once for a run, it forks a child for each module.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, oneshot};

use super::BridgeError;

/// The program that the interpreter runs.
const PROGRAM: &str = include_str!("worker.py");

/// A Python module to run.
#[derive(Debug, Serialize)]
pub struct PythonRequest {
    /// The name as modules are told it.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// The name by which Python imports it; a file of no package has none.
    pub import_name: Option<String>,
    /// The arguments, with the internal ones.
    pub arguments: serde_json::Value,
    /// Variables on top of those of this process.
    pub environment: HashMap<String, String>,
    /// Folders that `ansible.module_utils` is looked for in, too.
    pub module_utils: Vec<PathBuf>,
    /// Folders that have `ansible_collections` in them.
    pub collections: Vec<PathBuf>,
}

/// Output of a Python module.
#[derive(Debug, Deserialize)]
pub struct PythonOutput {
    /// The exit status; the negative number of the signal that ended it.
    pub rc: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// Values of parameters that the module must not log.
    pub secrets: Vec<String>,
    /// Packages that a module imports and that are not installed; told if it has ended with an error of its own.
    pub missing: Vec<String>,
}

#[derive(Serialize)]
struct NumberedRequest<'a> {
    id: u64,
    #[serde(flatten)]
    request: &'a PythonRequest,
}

#[derive(Deserialize)]
struct NumberedOutput {
    id: u64,
    #[serde(flatten)]
    output: PythonOutput,
}

/// First line of the process.
#[derive(Deserialize)]
struct Greeting {
    /// Why it cannot run modules.
    error: Option<String>,
}

/// Modules that run, by their numbers; nothing once the process has ended.
type Waiting = Arc<Mutex<Option<HashMap<u64, oneshot::Sender<PythonOutput>>>>>;

/// A running Python process.
pub struct Worker {
    python: PathBuf,
    requests: mpsc::UnboundedSender<Vec<u8>>,
    waiting: Waiting,
    last_id: AtomicU64,
    /// Not ended by force: at the end of its input the process ends itself, after the modules that it runs.
    _child: Child,
}

impl Worker {
    /// Starts the process, and waits until it can run modules.
    ///
    /// # Errors
    /// If it cannot be started, or cannot import `ansible`.
    pub async fn start(python: &Path) -> Result<Self, BridgeError> {
        let start_error = |error| BridgeError::Start { python: python.to_path_buf(), error };
        let ended = || BridgeError::Ended { python: python.to_path_buf() };
        let mut child = Command::new(python)
            .args(["-c", PROGRAM])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(start_error)?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else { return Err(ended()) };
        let mut lines = BufReader::new(stdout).lines();
        let first = lines.next_line().await.map_err(start_error)?.ok_or_else(ended)?;
        let greeting: Greeting = serde_json::from_str(&first).map_err(|_| ended())?;
        if let Some(reason) = greeting.error {
            return Err(BridgeError::NoAnsible { python: python.to_path_buf(), reason });
        }
        let waiting: Waiting = Arc::new(Mutex::new(Some(HashMap::new())));
        let (requests, queue) = mpsc::unbounded_channel();
        tokio::spawn(write_requests(stdin, queue));
        tokio::spawn(read_outputs(lines, Arc::clone(&waiting)));
        let python = python.to_path_buf();
        Ok(Self { python, requests, waiting, last_id: AtomicU64::new(0), _child: child })
    }

    /// Whether it still takes requests.
    pub fn is_alive(&self) -> bool {
        lock(&self.waiting).is_some()
    }

    /// Runs a module. Dropping the future ends it with everything it has started.
    ///
    /// # Errors
    /// If the process ends before the module does.
    pub async fn run(&self, request: &PythonRequest) -> Result<PythonOutput, BridgeError> {
        let ended = || BridgeError::Ended { python: self.python.clone() };
        let id = self.last_id.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        lock(&self.waiting).as_mut().ok_or_else(ended)?.insert(id, sender);
        let mut cancel = CancelOnDrop { worker: self, id, is_running: true };
        let line = serde_json::to_vec(&NumberedRequest { id, request }).map_err(|_| ended())?;
        self.send_line(line);
        let output = receiver.await.map_err(|_| ended());
        cancel.is_running = false;
        output
    }

    fn send_line(&self, mut line: Vec<u8>) {
        line.push(b'\n');
        // An ended process is noticed by its output.
        let _ = self.requests.send(line);
    }
}

/// Ends a module whose result is not wanted any more.
struct CancelOnDrop<'a> {
    worker: &'a Worker,
    id: u64,
    is_running: bool,
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        if self.is_running {
            lock(&self.worker.waiting).as_mut().and_then(|waiting| waiting.remove(&self.id));
            self.worker.send_line(format!("{{\"cancel\": {}}}", self.id).into_bytes());
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn write_requests(mut stdin: ChildStdin, mut queue: mpsc::UnboundedReceiver<Vec<u8>>) {
    while let Some(line) = queue.recv().await {
        if stdin.write_all(&line).await.is_err() {
            return;
        }
    }
}

async fn read_outputs(mut lines: Lines<BufReader<ChildStdout>>, waiting: Waiting) {
    while let Ok(Some(line)) = lines.next_line().await {
        let Ok(NumberedOutput { id, output }) = serde_json::from_str(&line) else { break };
        let sender = lock(&waiting).as_mut().and_then(|waiting| waiting.remove(&id));
        if let Some(sender) = sender {
            // The task may have ended meanwhile.
            let _ = sender.send(output);
        }
    }
    // Modules that still run end with their channels.
    lock(&waiting).take();
}
