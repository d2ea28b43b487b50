//! A folder for tests that is gone afterwards.

use std::path::{Path, PathBuf};

use crate::host::{DryRunHost, HostApi, RealHost};

/// A folder of its own for one test.
pub struct Folder(PathBuf);

#[allow(clippy::new_without_default)]
impl Folder {
    /// A new empty folder.
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("ionplay-test-{:016x}", rand::random::<u64>()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file in it.
    pub fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Reads a file in it.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap()
    }

    /// The real file system.
    pub fn host(&self) -> &'static dyn HostApi {
        &RealHost
    }

    /// The file system of a dry run.
    pub fn dry(&self) -> &'static dyn HostApi {
        &DryRunHost
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
