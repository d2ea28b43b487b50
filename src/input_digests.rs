//! The files that a run has read, by the digests of what was in them: a plan holds only as long as they stay the same.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// A file that was read, with the digest of its contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// SHA-256 of its content.
    pub digest: [u8; 32],
    /// So many bytes.
    pub length: usize,
}

/// All files that were read so far. What is written by the run itself is none of them.
#[derive(Debug, Default)]
pub struct Reads(RefCell<BTreeMap<PathBuf, Read>>);

impl Reads {
    /// Reads a file and notes it.
    ///
    /// # Errors
    /// As the system says.
    pub fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let bytes = crate::input::read_file(path)?;
        self.note(path, &bytes);
        Ok(bytes)
    }

    /// Notes what was read from a file. The first time counts: later the run may have changed it.
    pub fn note(&self, path: &Path, bytes: &[u8]) {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let read = || Read { digest: Sha256::digest(bytes).into(), length: bytes.len() };
        self.0.borrow_mut().entry(path).or_insert_with(read);
    }

    /// Everything that was noted, by its absolute path.
    pub fn all(&self) -> BTreeMap<PathBuf, Read> {
        self.0.borrow().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reading_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, "a").unwrap();
        let reads = Reads::default();
        assert_eq!(reads.read(&path).unwrap(), b"a");
        let first = reads.all();
        std::fs::write(&path, "bc").unwrap();
        assert_eq!(reads.read(&path).unwrap(), b"bc");
        assert_eq!(reads.all(), first);
        assert_eq!(first[&path].length, 1);
    }
}
