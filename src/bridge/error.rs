//! Why the bridge could not run a module.

use std::io;
use std::path::PathBuf;

/// Why the bridge could not run a module.
#[derive(Debug, thiserror::Error)]
pub enum BridgeError {
    /// The interpreter could not be started.
    #[error("cannot start `{}`: {error}", python.display())]
    Start {
        /// The interpreter.
        python: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// The interpreter cannot import `ansible`.
    #[error("`{}` cannot import `ansible`: {reason}", python.display())]
    NoAnsible {
        /// The interpreter.
        python: PathBuf,
        /// The reason, in the words of Python.
        reason: String,
    },
    /// The interpreter ended, or answered something that is not understood.
    #[error("the Python process of `{}` ended before the module did", python.display())]
    Ended {
        /// The interpreter.
        python: PathBuf,
    },
}
