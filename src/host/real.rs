//! The host itself.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::ALL_BITS;
use super::HostApi;
use super::HostCommand;
use super::Running;
use super::WriteOptions;
use super::file_flags;
use super::secret_file::{self, FolderLock};
use super::umask;
use super::web::{Sending, WebRequest};

/// The machine that this process runs on.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealHost;

impl HostApi for RealHost {
    fn write(&self, path: &Path, content: &[u8], writing: WriteOptions) -> io::Result<()> {
        super::refuse_special(path)?;
        let replaced = replace_file(path, content, writing.bits);
        if replaced.is_err() && writing.unsafe_writes {
            return fs::write(path, content);
        }
        replaced
    }

    fn create_file(&self, path: &Path) -> io::Result<()> {
        fs::OpenOptions::new().append(true).create(true).mode(0o666).open(path).map(drop)
    }

    fn create_new(&self, path: &Path, bits: u32) -> io::Result<()> {
        fs::OpenOptions::new().write(true).create_new(true).mode(bits).open(path).map(drop)
    }

    fn copy_backup(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::copy(from, to)?;
        let meta = self.metadata(from, true)?;
        // A user who does not own the file may still be allowed to copy it.
        let _ = std::os::unix::fs::chown(to, Some(meta.uid), Some(meta.gid));
        self.set_times(to, meta.atime, meta.mtime)
    }

    fn make_dir(&self, path: &Path, bits: u32) -> io::Result<()> {
        fs::DirBuilder::new().mode(bits).create(path)
    }

    fn make_dirs(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    fn remove_tree(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }

    fn replace_symlink(&self, target: &Path, path: &Path) -> io::Result<()> {
        replace_with(path, |new| std::os::unix::fs::symlink(target, new))
    }

    fn hard_link(&self, original: &Path, path: &Path) -> io::Result<()> {
        replace_with(path, |new| fs::hard_link(original, new))
    }

    fn set_bits(&self, path: &Path, bits: u32) -> io::Result<()> {
        fs::set_permissions(path, fs::Permissions::from_mode(bits))
    }

    fn set_owner(&self, path: &Path, uid: Option<u32>, gid: Option<u32>) -> io::Result<()> {
        std::os::unix::fs::lchown(path, uid, gid)
    }

    fn set_times(&self, path: &Path, atime: f64, mtime: f64) -> io::Result<()> {
        let times = rustix::fs::Timestamps { last_access: to_timespec(atime), last_modification: to_timespec(mtime) };
        Ok(rustix::fs::utimensat(rustix::fs::CWD, path, &times, rustix::fs::AtFlags::empty())?)
    }

    fn set_flags(&self, path: &Path, wanted: &str) -> io::Result<()> {
        self.find_program("chattr").map_or(Ok(()), |program| file_flags::set_flags(&program, path, wanted))
    }

    fn run_command<'a>(&'a self, command: &'a HostCommand) -> Running<'a> {
        self.run_query(command)
    }

    fn lock_folder(&self, folder: &Path) -> io::Result<FolderLock> {
        FolderLock::acquire(folder)
    }

    fn write_secret(&self, lock: &FolderLock, path: &Path, content: &[u8], bits: u32) -> io::Result<()> {
        secret_file::write_secret(lock, path, content, bits)
    }

    fn send_request<'a>(&'a self, request: &'a WebRequest) -> Sending<'a> {
        self.send_query(request)
    }
}

/// Writes beside the file, then puts the new one in its place: readers see the old content or the new, never a part.
fn replace_file(path: &Path, content: &[u8], bits: Option<u32>) -> io::Result<()> {
    let old = fs::metadata(path).ok();
    // Mode 0600 from the start: other users cannot read the file before it gets its final permissions.
    let mut options = fs::OpenOptions::new();
    let temporary = sibling_name(path);
    let written = (|| {
        let mut file = options.write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(content)?;
        if let Some(old) = &old {
            // A user who does not own the file may still be allowed to replace it.
            let _ = std::os::unix::fs::fchown(&file, Some(old.uid()), Some(old.gid()));
        }
        let bits = bits.or(old.map(|old| old.mode() & ALL_BITS)).unwrap_or_else(|| 0o666 & !umask());
        file.set_permissions(fs::Permissions::from_mode(bits))?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Creates something at a path in one step, in place of whatever file or link is there.
fn replace_with(path: &Path, create: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
    if fs::symlink_metadata(path).is_err() {
        return create(path);
    }
    let temporary = sibling_name(path);
    create(&temporary).and_then(|()| fs::rename(&temporary, path)).inspect_err(|_| {
        let _ = fs::remove_file(&temporary);
    })
}

/// An unused name in the same folder.
fn sibling_name(path: &Path) -> PathBuf {
    path.with_file_name(format!(".ionplay_{:016x}", rand::random::<u64>()))
}

fn to_timespec(seconds: f64) -> rustix::fs::Timespec {
    #[allow(clippy::cast_possible_truncation)]
    let (whole, rest) = (seconds.floor() as i64, ((seconds - seconds.floor()) * 1e9) as i64);
    rustix::fs::Timespec { tv_sec: whole, tv_nsec: rest.clamp(0, 999_999_999) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::DryRunHost;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f");
        fs::write(&file, "old").unwrap();
        (folder, file)
    }

    #[test]
    fn writing_keeps_mode_and_leaves_nothing_behind() {
        let (folder, file) = folder();
        RealHost.set_bits(&file, 0o640).unwrap();
        RealHost.write(&file, b"new", WriteOptions::default()).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(RealHost.lstat(&file).unwrap().bits, 0o640);
        RealHost.write(&file, b"new", WriteOptions { bits: Some(0o600), unsafe_writes: false }).unwrap();
        assert_eq!(RealHost.lstat(&file).unwrap().bits, 0o600);
        assert_eq!(RealHost.list_folder(folder.path()).unwrap(), ["f"]);
    }

    #[test]
    fn what_cannot_be_replaced_is_kept() {
        let (folder, _) = folder();
        let inner = folder.path().join("d");
        fs::create_dir_all(inner.join("e")).unwrap();
        assert!(RealHost.write(&inner, b"x", WriteOptions::default()).is_err());
        assert_eq!(RealHost.list_folder(folder.path()).unwrap(), ["d", "f"]);
        assert_eq!(RealHost.list_folder(&inner).unwrap(), ["e"]);
    }

    #[test]
    fn links_replace_files() {
        let (folder, file) = folder();
        let link = folder.path().join("l");
        fs::write(&link, "y").unwrap();
        RealHost.replace_symlink(Path::new("f"), &link).unwrap();
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("f"));
        RealHost.hard_link(&file, &link).unwrap();
        assert_eq!(RealHost.lstat(&link).unwrap().state_name(), "hard");
        assert_eq!(RealHost.list_folder(folder.path()).unwrap(), ["f", "l"]);
    }

    #[test]
    fn real_paths_follow_links_and_keep_what_is_not_there() {
        let (folder, _) = folder();
        let root = fs::canonicalize(folder.path()).unwrap();
        fs::create_dir(root.join("d")).unwrap();
        std::os::unix::fs::symlink("d", root.join("l")).unwrap();
        std::os::unix::fs::symlink("loop", root.join("loop")).unwrap();
        assert_eq!(RealHost.real_path(&root.join("l/new/file")), root.join("d/new/file"));
        assert_eq!(RealHost.real_path(&root.join("l/../d")), root.join("d"));
        assert_eq!(RealHost.real_path(&root.join("loop")), root.join("loop"));
    }

    #[test]
    fn a_dry_run_changes_and_runs_nothing() {
        let (folder, file) = folder();
        let before = fs::metadata(&file).unwrap();
        let new = |name: &str| folder.path().join(name);
        DryRunHost.write(&file, b"new", WriteOptions::default()).unwrap();
        DryRunHost.set_bits(&file, 0).unwrap();
        DryRunHost.set_times(&file, 0.0, 0.0).unwrap();
        DryRunHost.set_owner(&file, Some(1), Some(1)).unwrap();
        DryRunHost.make_dir(&new("d"), 0o700).unwrap();
        DryRunHost.make_dirs(&new("a/b")).unwrap();
        DryRunHost.replace_symlink(Path::new("f"), &new("l")).unwrap();
        DryRunHost.hard_link(&file, &new("h")).unwrap();
        DryRunHost.create_file(&new("c")).unwrap();
        DryRunHost.create_new(&new("n"), 0o600).unwrap();
        DryRunHost.copy_backup(&file, &new("p")).unwrap();
        DryRunHost.remove_file(&file).unwrap();
        DryRunHost.remove_tree(folder.path()).unwrap();
        assert_eq!(DryRunHost.list_folder(folder.path()).unwrap(), ["f"]);
        let after = fs::metadata(&file).unwrap();
        assert_eq!((after.mode(), after.mtime(), after.uid()), (before.mode(), before.mtime(), before.uid()));
        assert_eq!(fs::read(&file).unwrap(), b"old");
        let command = HostCommand::new(["true"]);
        let run = DryRunHost.run_command(&command);
        let told = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run);
        assert!(matches!(told, Err(crate::host::RunError::Foretold)));
    }
}
