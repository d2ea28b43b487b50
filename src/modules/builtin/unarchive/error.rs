//! Archives that cannot be opened.

use crate::host::RunError;
use crate::modules::builtin::files::mode::BadMode;

/// Why an archive cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum ArchiveError {
    /// `tar` is not installed.
    #[error("Unable to find required 'gtar' or 'tar' binary in the path")]
    NoTar,
    /// `unzip` is not installed.
    #[error("Unable to find required 'unzip' binary in the path.")]
    NoUnzip,
    /// The program did not run to its end.
    #[error(transparent)]
    Run(#[from] RunError),
    /// `tar` does not understand the archive.
    #[error("Unable to list files in the archive: {stderr}")]
    Listing {
        /// Standard error of `tar`.
        stderr: String,
    },
    /// The archive has no files.
    #[error("Command \"{program}\" found no files in archive. Empty archive files are not supported.")]
    Empty {
        /// The path of `tar`.
        program: String,
    },
    /// One way to open the archive failed.
    #[error("Command \"{program}\" could not handle archive: {why}")]
    NotHandled {
        /// The path of `tar`.
        program: String,
        /// The reason.
        why: Box<Self>,
    },
    /// The file does not have the structure of a zip archive.
    #[error("Command \"{program}\" could not handle archive: no zip archive")]
    NotZip {
        /// The path of `unzip`.
        program: String,
    },
    /// No way to open the archive worked.
    #[error("{}", list_reasons(.0))]
    NoWay(Vec<Self>),
    /// The permissions that the task asks for cannot be read.
    #[error(transparent)]
    Mode(#[from] BadMode),
}

/// One line for each reason; equal neighbours are one.
fn list_reasons(reasons: &[ArchiveError]) -> String {
    let mut lines: Vec<String> = reasons.iter().map(ToString::to_string).collect();
    lines.dedup();
    lines.join("\n")
}
