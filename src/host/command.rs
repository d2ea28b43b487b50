//! Commands and what they say.

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

/// A command to run.
#[derive(Debug, Clone, Default)]
pub struct HostCommand {
    /// The program and its arguments.
    pub words: Vec<String>,
    /// The folder it runs in.
    pub folder: Option<PathBuf>,
    /// Variables on top of those of this process.
    pub environment: Vec<(String, String)>,
    /// Contents of standard input; closed if absent.
    pub stdin: Option<Vec<u8>>,
    /// It is ended after this time.
    pub timeout: Option<Duration>,
}

impl HostCommand {
    /// A program with its arguments.
    pub fn new(words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { words: words.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// A line for a shell.
    pub fn for_shell(shell: &str, line: &str) -> Self {
        Self::new([shell, "-c", line])
    }
}

/// Output of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandOutput {
    /// The exit status; the negative number of the signal that ended it.
    pub rc: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

impl CommandOutput {
    /// Standard output as text.
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text.
    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

/// Why a command gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It could not be started.
    #[error("{0}")]
    Start(io::Error),
    /// It took too long, and was ended with everything it had started.
    #[error("it took too long and was stopped")]
    Timeout,
    /// It said more than can be kept.
    #[error("its output exceeds the limit")]
    TooMuch,
    /// Nothing is run in a dry run.
    #[error("nothing is run in a dry run")]
    Foretold,
}

/// The future of a command.
pub type Running<'a> = Pin<Box<dyn Future<Output = Result<CommandOutput, RunError>> + 'a>>;
