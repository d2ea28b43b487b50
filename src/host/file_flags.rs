//! Flags of files as `lsattr` and `chattr` know them.

use std::io;
use std::path::Path;
use std::process::Command;

/// Attributes of a path as `lsattr` reports them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileFlags {
    /// The version of the inode.
    pub version: String,
    /// The letters without the dashes.
    pub letters: String,
}

/// The flags of a path; `None` if the file system has none.
pub fn read_flags(lsattr: &Path, path: &Path) -> Option<FileFlags> {
    let said = Command::new(lsattr).arg("-vd").arg(path).output().ok()?;
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    let mut words = text.split_whitespace();
    let (version, letters) = (words.next()?, words.next()?);
    said.status.success().then(|| FileFlags { version: version.to_owned(), letters: letters.replace('-', "") })
}

/// Sets flags, given as `chattr` takes them.
pub fn set_flags(chattr: &Path, path: &Path, flags: &str) -> io::Result<()> {
    let said = Command::new(chattr).arg(flags).arg(path).output()?;
    if said.status.success() && said.stderr.is_empty() {
        return Ok(());
    }
    Err(io::Error::other(String::from_utf8_lossy(&said.stderr).into_owned()))
}
