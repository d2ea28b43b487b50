//! Failures of the credential store.

use std::path::{Path, PathBuf};

/// A failure of the credential store: what happened, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The user has no home folder, and no folder is named.
    #[error("there is no home folder; name a folder with `IONPLAY_STATE_DIR`")]
    NoFolder,
    /// Other users may write to the folder.
    #[error("other users may write to `{}`; run `chmod 700 {}`", .0.display(), .0.display())]
    Unsafe(PathBuf),
    /// The folder belongs to another user.
    #[error("`{}` belongs to another user; name a folder of your own with `IONPLAY_STATE_DIR`", .0.display())]
    Foreign(PathBuf),
    /// Something cannot be read or written.
    #[error("cannot {doing} `{}`: {error}", place.display())]
    Io {
        /// `read`, `write`, `lock`, `remove`.
        doing: &'static str,
        /// The file or folder.
        place: PathBuf,
        /// Error of the system.
        error: std::io::Error,
    },
    /// A line cannot be written as JSON.
    #[error("cannot write an entry: {0}")]
    Encode(#[from] serde_json::Error),
    /// An earlier write to the disk failed, and this line was part of it.
    #[error("the disk did not take what was written just before")]
    Doubtful,
    /// The run that holds an entry is under way.
    #[error("the run that made token `{0}` is still under way")]
    Held(String),
    /// An entry no longer exists.
    #[error("the entry of token `{0}` no longer exists")]
    Gone(String),
    /// The backend of another process failed.
    #[error("{0}")]
    Backend(String),
}

impl StoreError {
    /// Wraps an I/O error with its path.
    pub fn from_io(doing: &'static str, place: &Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let place = place.to_path_buf();
        move |error| Self::Io { doing, place, error }
    }
}
