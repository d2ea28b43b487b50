//! The store in a file: whole or not at all, and for one server at a time.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::store::MockStore;

/// Why a store file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreFileError {
    /// The content is not ours or is damaged.
    #[error("`{}` is not a sandbox store: {why}; it was left as it is, move it away to start afresh", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Reason.
        why: String,
    },
    /// A later version wrote it.
    #[error("`{}` has store format {found}, but this version reads format {FORMAT}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Format number of the file.
        found: u32,
    },
    /// The system refused.
    #[error("cannot {verb} `{}`: {why}", path.display())]
    Io {
        /// Attempted operation.
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's words.
        why: io::Error,
    },
    /// Another server uses it.
    #[error("`{}` is in use by another sandbox", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
}

const FORMAT: u32 = 1;

#[derive(Deserialize)]
struct Read {
    format: u32,
    store: serde_json::Value,
}

#[derive(Serialize)]
struct Written<'a> {
    format: u32,
    store: &'a MockStore,
}

/// Keeps a store in a file; holds a lock beside it as long as it lives.
pub struct Keeper {
    path: PathBuf,
    _lock: File,
}

impl Keeper {
    /// Takes the file for this server. Gives what it holds, none for a new one.
    pub fn open_file(path: &Path) -> Result<(Self, Option<MockStore>), StoreFileError> {
        let io = |verb, path: &Path| {
            let path = path.to_owned();
            move |why| StoreFileError::Io { verb, path, why }
        };
        // Every save puts a new file in its place, and nothing may be put in the place of a device or a folder.
        if path.metadata().is_ok_and(|about| !about.is_file()) {
            return Err(StoreFileError::Corrupt { path: path.to_owned(), why: "it is not a regular file".to_owned() });
        }
        // The lock stands beside the file, because every save puts a new file in its place.
        let lock_path = sibling_path(path, ".lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&lock_path);
        let lock = lock.map_err(io("open", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreFileError::Locked { path: path.to_owned() }),
            Err(TryLockError::Error(why)) => return Err(io("lock", &lock_path)(why)),
        }
        let keeper = Self { path: path.to_owned(), _lock: lock };
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok((keeper, None)),
            Err(why) => return Err(io("read", path)(why)),
        };
        let corrupt = |why: serde_json::Error| StoreFileError::Corrupt { path: path.to_owned(), why: why.to_string() };
        let read: Read = serde_json::from_slice(&text).map_err(corrupt)?;
        if read.format != FORMAT {
            return Err(StoreFileError::Format { path: path.to_owned(), found: read.format });
        }
        let store = serde_json::from_value(read.store).map_err(corrupt)?;
        Ok((keeper, Some(store)))
    }

    /// Writes the store; when this returns it is on the disk, and if it fails the old one still is.
    pub fn save_store(&self, store: &MockStore) -> Result<(), StoreFileError> {
        let draft = sibling_path(&self.path, ".new");
        let io = |verb, path: &Path| {
            let path = path.to_owned();
            move |why| StoreFileError::Io { verb, path, why }
        };
        let text = serde_json::to_vec_pretty(&Written { format: FORMAT, store })
            .map_err(|why| io("write", &draft)(io::Error::other(why)))?;
        let write = || {
            let mut file = File::create(&draft)?;
            file.write_all(&text)?;
            file.sync_all()
        };
        write().map_err(io("write", &draft))?;
        fs::rename(&draft, &self.path).map_err(io("replace", &self.path))?;
        // The name is safe only when the folder is; not every system can do that, so a refusal is not a failure.
        let folder = self.path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if let Ok(folder) = File::open(folder) {
            let _ = folder.sync_all();
        }
        Ok(())
    }
}

fn sibling_path(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}
