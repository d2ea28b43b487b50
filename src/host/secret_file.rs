//! Files that hold a secret: written whole, for their owner only, under a lock, and never through a link.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// A lock on a folder; other runs that write secrets to the folder wait for it.
///
/// The folder itself is locked, so no lock file is left behind.
#[derive(Debug)]
pub struct FolderLock(Option<File>);

impl FolderLock {
    /// The lock of a dry run, which holds nothing.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// Waits for the lock. A folder that is missing is made, for its owner only.
    pub(super) fn acquire(folder: &Path) -> io::Result<Self> {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let handle = File::open(folder)?;
        match handle.lock() {
            // Some network file systems have no locks; the rename is atomic all the same.
            Err(error) if error.kind() == ErrorKind::Unsupported => {}
            other => other?,
        }
        Ok(Self(Some(handle)))
    }
}

/// Writes beside the file, then puts the new one in its place, each step on the disk before the next.
pub(super) fn write_secret(lock: &FolderLock, path: &Path, content: &[u8], bits: u32) -> io::Result<()> {
    let old = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_file() => Some(meta),
        Ok(meta) => return Err(refuse_file(&meta)),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let temporary = temporary_path(path)?;
    // A run that was killed may have left it; the lock says that no other run is using it.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(content)?;
        if let Some(old) = &old {
            // A user who does not own the file may still be allowed to replace it.
            let _ = std::os::unix::fs::fchown(&file, Some(old.uid()), Some(old.gid()));
        }
        file.set_permissions(Permissions::from_mode(bits))?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        lock.0.as_ref().map_or(Ok(()), File::sync_all)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn refuse_file(meta: &fs::Metadata) -> io::Error {
    let kind = match () {
        () if meta.is_symlink() => "a symbolic link",
        () if meta.is_dir() => "a folder",
        () => "not a regular file",
    };
    io::Error::new(ErrorKind::InvalidInput, format!("it is {kind}; a secret is written to regular files only"))
}

/// The name under which the new content is written first; always the same, so that a killed run leaves at most one.
fn temporary_path(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "it names no file"))?;
    Ok(path.with_file_name(format!(".{}.ionplay-new", name.to_string_lossy())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write_to(path: &Path, content: &[u8]) -> io::Result<()> {
        let lock = FolderLock::acquire(path.parent().unwrap())?;
        write_secret(&lock, path, content, 0o600)
    }

    #[test]
    fn secret_is_written_whole_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/secret");
        write_to(&path, b"one").unwrap();
        fs::write(path.with_file_name(".secret.ionplay-new"), "left by a killed run").unwrap();
        write_to(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn links_and_folders_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, "untouched").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(write_to(&link, b"x").unwrap_err().to_string().contains("a symbolic link"));
        assert_eq!(fs::read(&target).unwrap(), b"untouched");
        fs::create_dir(folder.path().join("d")).unwrap();
        assert!(write_to(&folder.path().join("d"), b"x").unwrap_err().to_string().contains("a folder"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}
