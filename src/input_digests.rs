//! The files that a run has read, by the digests of what was in them: a plan holds only as long as they stay the same.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// A file that was read, with the digest of its contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputDigest {
    /// SHA-256 of its content.
    pub digest: [u8; 32],
    /// So many bytes.
    pub length: usize,
}

/// All files that were read so far. What is written by the run itself is none of them.
#[derive(Debug, Default)]
pub struct InputDigests(RefCell<BTreeMap<PathBuf, InputDigest>>);

impl InputDigests {
    /// Reads a file and notes it.
    ///
    /// # Errors
    /// As the system says.
    pub fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let bytes = crate::input::read_file(path)?;
        self.record_digest(path, &bytes);
        Ok(bytes)
    }

    /// Notes what was read from a file. The first time counts: later the run may have changed it.
    pub fn record_digest(&self, path: &Path, bytes: &[u8]) {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let read = || InputDigest { digest: Sha256::digest(bytes).into(), length: bytes.len() };
        self.0.borrow_mut().entry(path).or_insert_with(read);
    }

    /// Everything that was noted, by its absolute path.
    pub fn all_digests(&self) -> BTreeMap<PathBuf, InputDigest> {
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
        let reads = InputDigests::default();
        assert_eq!(reads.read(&path).unwrap(), b"a");
        let first = reads.all_digests();
        std::fs::write(&path, "bc").unwrap();
        assert_eq!(reads.read(&path).unwrap(), b"bc");
        assert_eq!(reads.all_digests(), first);
        assert_eq!(first[&path].length, 1);
    }
}
