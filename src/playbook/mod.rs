//! The typed play, block, task, handler and role, and the keyword tables.
//!
//! Loading reads files, resolves everything static (imports, roles of a play) and complains about everything that can
//! be known before the run: unknown keywords, unknown modules, wrong structure. What depends on hosts and variables is
//! the executor's business.

pub mod action;
mod arguments;
pub mod block;
mod check;
mod collection;
pub mod frame;
pub mod freeform;
pub mod import;
pub mod keyword;
mod keyword_checks;
mod literal_values;
pub mod loader;
mod placeholder;
pub mod play;
pub mod play_checks;
mod read_block;
mod read_role;
mod read_task;
pub mod reserved;
pub mod role;
mod role_files;
mod role_meta;
pub mod task;
pub mod task_checks;
pub mod vars;

pub use action::{RawArgs, TaskAction};
pub use block::{BlockItem, TaskBlock};
pub use frame::Frame;
pub use keyword::{Keyword, Keywords};
pub use loader::Loader;
pub use placeholder::{Placeholder, parameter_names as placeholder_names};
pub use play::{Play, Playbook};
pub use role::Role;
pub use task::Task;

use std::path::{Component, Path, PathBuf};

use crate::diagnostic::{Diagnostic, Report};
use crate::exit::Exit;

/// A playbook that cannot be loaded. Its kind decides about the exit code.
#[derive(Debug, Clone)]
pub struct LoadError {
    /// Whether it is a parse error in the wider sense.
    pub kind: LoadErrorKind,
    /// Messages for the user.
    pub report: Report,
    /// The parameters that are empty placeholders, if nothing else is wrong: values for them mend it.
    pub placeholders: Vec<Placeholder>,
}

/// Which exit code a problem has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadErrorKind {
    /// YAML, unknown keyword, unknown module, wrong structure: 4.
    Parse,
    /// A file that is not there, a bad variable name, `loop` with `with_*`: 1.
    General,
    /// Words that a setting does not know, as Ansible counts some of them: 5.
    Options,
    /// A file or a role that includes itself without end: 2.
    Endless,
    /// Where Ansible breaks down (a question that gets no answer, a `serial` that is not a number): 250.
    Breakdown,
}

impl LoadErrorKind {
    /// The exit status of a run that a problem of this kind ends.
    pub fn exit_status(self) -> Exit {
        match self {
            Self::Parse => Exit::Unparsable,
            Self::General => Exit::General,
            Self::Options => Exit::BadOptions,
            Self::Endless => Exit::Failed,
            Self::Breakdown => Exit::Internal,
        }
    }
}

impl LoadError {
    /// Returns the error for text that cannot be parsed.
    pub fn from_parse(diagnostic: Diagnostic) -> Self {
        Self { kind: LoadErrorKind::Parse, report: vec![diagnostic], placeholders: Vec::new() }
    }

    /// A file or a role that includes itself when the playbook runs.
    pub fn from_endless(diagnostic: Diagnostic) -> Self {
        Self { kind: LoadErrorKind::Endless, report: vec![diagnostic], placeholders: Vec::new() }
    }

    /// The same problem as one of another kind.
    #[must_use]
    pub fn of_kind(self, kind: LoadErrorKind) -> Box<Self> {
        Box::new(Self { kind, ..self })
    }

    /// Returns the error for something missing or forbidden.
    pub fn from_general(diagnostic: Diagnostic) -> Self {
        Self { kind: LoadErrorKind::General, report: vec![diagnostic], placeholders: Vec::new() }
    }
}

impl From<Diagnostic> for LoadError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::from_parse(diagnostic)
    }
}

/// The result of loading something.
pub type LoadResult<T> = Result<T, Box<LoadError>>;

impl From<Diagnostic> for Box<LoadError> {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::new(LoadError::from_parse(diagnostic))
    }
}

/// A path without links and `..` in it, as variables like `playbook_dir` and `role_path` show it.
pub fn real_path(path: PathBuf) -> PathBuf {
    let spelled = || std::path::absolute(&path).map_or_else(|_| path.clone(), |path| without_dots(&path));
    path.canonicalize().unwrap_or_else(|_| spelled())
}

/// A path without `.` and `..` as far as its letters go: a folder that is left again need not be there.
pub fn without_dots(path: &Path) -> PathBuf {
    let mut whole = PathBuf::new();
    for part in path.components() {
        match (part, whole.components().next_back()) {
            (Component::CurDir, _) | (Component::ParentDir, Some(Component::RootDir)) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => _ = whole.pop(),
            (part, _) => whole.push(part),
        }
    }
    whole
}
