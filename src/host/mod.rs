//! Files and commands behind one door: real, or foretelling in check mode.

mod predict;
mod real;

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

pub use predict::Predict;
pub use real::Real;

/// What is run.
#[derive(Debug, Clone, Default)]
pub struct Command {
    /// The program and its arguments.
    pub words: Vec<String>,
    /// The folder it runs in.
    pub folder: Option<PathBuf>,
    /// Variables on top of those of this process.
    pub environment: Vec<(String, String)>,
    /// What it reads from standard input; nothing if absent.
    pub stdin: Option<Vec<u8>>,
    /// It is ended after this time.
    pub timeout: Option<Duration>,
}

impl Command {
    /// A program with its arguments.
    pub fn new(words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { words: words.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// A line for a shell.
    pub fn shell(shell: &str, line: &str) -> Self {
        Self::new([shell, "-c", line])
    }
}

/// What a command said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// The exit status; the negative number of the signal that ended it.
    pub rc: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

/// Why a command gave no answer.
#[derive(Debug)]
pub enum RunError {
    /// It could not be started.
    Start(io::Error),
    /// It took too long, and was ended with everything it had started.
    Timeout,
    /// It said more than can be kept.
    TooMuch,
    /// Nothing is run in a dry run.
    Foretold,
}

/// The future of [`HostApi::run`].
pub type Running<'a> = Pin<Box<dyn Future<Output = Result<Output, RunError>> + 'a>>;

/// Files and commands of the host that tasks act on.
///
/// Reads always see the real host, as in the reference: in a dry run nothing is written, and so nothing that would have
/// been written is seen.
pub trait HostApi {
    /// The content of a file.
    ///
    /// # Errors
    /// As the system says.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    /// Whether something is there, links followed.
    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    /// Replaces a file, or creates it, in one step; the mode of a file that is replaced is kept unless one is given.
    ///
    /// # Errors
    /// As the system says.
    fn write(&self, path: &Path, content: &[u8], mode: Option<u32>) -> io::Result<()>;

    /// Creates a folder and those it is in.
    ///
    /// # Errors
    /// As the system says.
    fn make_dirs(&self, path: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// As the system says.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Runs a command to its end. Dropping the future ends the command with everything it has started.
    fn run<'a>(&'a self, command: &'a Command) -> Running<'a>;
}
