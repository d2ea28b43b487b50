//! The bridge to modules that are not part of this program: where they lie, what kind of file they are, what their
//! documentation says, and how they are run.

pub mod documentation;
mod error;
pub mod interpreter;
pub mod kind;
pub mod output;
pub mod program;
pub mod search;
mod worker;

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

pub use error::BridgeError;
pub use kind::{ArgumentStyle, ModuleKind};
pub use search::{FoundModule, ModuleSearch};
pub use worker::{PythonOutput, PythonRequest};

use worker::Worker;

/// Whether modules written in Python may be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum PythonUse {
    /// They may not: a task that uses one fails and names the option.
    #[default]
    Refused,
    /// They may (`--allow-python`).
    Allowed,
}

/// The bridge of one run: its Python processes, one for each interpreter, started when the first module needs it.
#[derive(Default)]
pub struct Bridge {
    python: PythonUse,
    workers: RefCell<HashMap<PathBuf, Rc<Worker>>>,
}

impl Bridge {
    /// A bridge that has started nothing yet.
    pub fn new(python: PythonUse) -> Self {
        Self { python, workers: RefCell::default() }
    }

    /// Whether modules written in Python may be run.
    pub fn python_use(&self) -> PythonUse {
        self.python
    }

    /// Runs a Python module in the worker of an interpreter. Dropping the future ends the module with everything it
    /// has started.
    ///
    /// # Errors
    /// If the interpreter cannot be started, has no `ansible`, or ends before the module does.
    pub async fn run_python(&self, python: &Path, request: &PythonRequest) -> Result<PythonOutput, BridgeError> {
        let known = self.workers.borrow().get(python).filter(|worker| worker.is_alive()).cloned();
        let worker = match known {
            Some(worker) => worker,
            None => {
                let started = Rc::new(Worker::start(python).await?);
                self.workers.borrow_mut().insert(python.to_path_buf(), Rc::clone(&started));
                started
            }
        };
        worker.run(request).await
    }
}
