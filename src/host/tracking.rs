//! The host of a dry run that makes a plan: it notes which paths would be changed, and whether somebody looks at one that an
//! earlier task would have changed.

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};
use std::{fs, mem};

use super::web::{Sending, WebRequest};
use super::{DryRunHost, FolderLock, HostApi, HostCommand, Meta, Running, WriteOptions};
use crate::host::pending_changes::PendingChanges;

/// The host for one call of a module.
#[derive(Debug)]
pub struct TrackingHost<'a> {
    pending: &'a PendingChanges,
    /// Paths that this call would change; it may read them itself.
    changed: RefCell<Vec<PathBuf>>,
    doubt: RefCell<Option<String>>,
    /// It has looked into a folder that would be made.
    fresh: RefCell<Option<String>>,
}

/// Why a call cannot be predicted.
#[derive(Debug, Default)]
pub struct Uncertainty {
    /// It has looked at something that would be different.
    pub changed: Option<String>,
    /// It has looked into a folder that would be there, and empty; what it writes there is new in any case.
    pub fresh: Option<String>,
}

impl<'a> TrackingHost<'a> {
    /// Tracks over the changes predicted so far.
    pub fn new(pending: &'a PendingChanges) -> Self {
        Self { pending, changed: RefCell::default(), doubt: RefCell::default(), fresh: RefCell::default() }
    }

    /// The call has ended: what it would change counts for the tasks after it. Gives why it cannot be predicted, if it has
    /// looked at what is not known.
    pub fn end_call(&self, task: &str) -> Uncertainty {
        for path in mem::take(&mut *self.changed.borrow_mut()) {
            self.pending.add_change(&path, task, false);
        }
        Uncertainty { changed: self.doubt.take(), fresh: self.fresh.take() }
    }

    fn record_read(&self, path: &Path, doubt: Option<String>) {
        if let Some(doubt) = doubt {
            let slot = if self.pending.is_fresh(path) { &self.fresh } else { &self.doubt };
            slot.borrow_mut().get_or_insert(doubt);
        }
    }

    fn record_change(&self, path: &Path) {
        self.changed.borrow_mut().push(path.to_path_buf());
    }

    /// Notes that a file would be made.
    fn record_creation(&self, path: &Path) -> io::Result<()> {
        if self.lacks_folder(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.record_change(path);
        Ok(())
    }
}

impl HostApi for TrackingHost<'_> {
    fn is_dry_run(&self) -> bool {
        true
    }

    fn lacks_folder(&self, path: &Path) -> bool {
        let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return false };
        let is_made = self.changed.borrow().iter().any(|made| folder.starts_with(made) || made.starts_with(folder));
        !is_made
            && self.pending.uncertainty_reason(folder).is_none()
            && !fs::metadata(folder).is_ok_and(|meta| meta.is_dir())
    }

    fn metadata(&self, path: &Path, follow: bool) -> io::Result<Meta> {
        self.record_read(path, self.pending.uncertainty_reason(path));
        if follow { fs::metadata(path) } else { fs::symlink_metadata(path) }.map(Meta::from)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.record_read(path, self.pending.uncertainty_reason(path));
        crate::input::read_file(path)
    }

    fn list_folder(&self, path: &Path) -> io::Result<Vec<String>> {
        self.record_read(path, self.pending.listing_uncertainty(path));
        DryRunHost.list_folder(path)
    }

    fn write(&self, path: &Path, content: &[u8], writing: WriteOptions) -> io::Result<()> {
        DryRunHost.write(path, content, writing)?;
        self.record_creation(path)
    }

    fn create_file(&self, path: &Path) -> io::Result<()> {
        self.record_creation(path)?;
        DryRunHost.create_file(path)
    }

    fn create_new(&self, path: &Path, bits: u32) -> io::Result<()> {
        self.record_creation(path)?;
        DryRunHost.create_new(path, bits)
    }

    fn copy_backup(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.record_change(to);
        DryRunHost.copy_backup(from, to)
    }

    fn make_dir(&self, path: &Path, bits: u32) -> io::Result<()> {
        self.record_creation(path)?;
        DryRunHost.make_dir(path, bits)
    }

    fn make_dirs(&self, path: &Path) -> io::Result<()> {
        self.record_change(path);
        DryRunHost.make_dirs(path)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.record_change(path);
        DryRunHost.remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.record_change(path);
        DryRunHost.remove_dir(path)
    }

    fn remove_tree(&self, path: &Path) -> io::Result<()> {
        self.record_change(path);
        DryRunHost.remove_tree(path)
    }

    fn replace_symlink(&self, target: &Path, path: &Path) -> io::Result<()> {
        self.record_change(path);
        DryRunHost.replace_symlink(target, path)
    }

    fn hard_link(&self, original: &Path, path: &Path) -> io::Result<()> {
        self.record_change(path);
        DryRunHost.hard_link(original, path)
    }

    fn set_bits(&self, path: &Path, bits: u32) -> io::Result<()> {
        self.record_change(path);
        DryRunHost.set_bits(path, bits)
    }

    fn set_owner(&self, path: &Path, uid: Option<u32>, gid: Option<u32>) -> io::Result<()> {
        self.record_change(path);
        DryRunHost.set_owner(path, uid, gid)
    }

    fn set_times(&self, path: &Path, atime: f64, mtime: f64) -> io::Result<()> {
        self.record_change(path);
        DryRunHost.set_times(path, atime, mtime)
    }

    fn set_flags(&self, path: &Path, flags: &str) -> io::Result<()> {
        self.record_change(path);
        DryRunHost.set_flags(path, flags)
    }

    fn run_command<'a>(&'a self, command: &'a HostCommand) -> Running<'a> {
        DryRunHost.run_command(command)
    }

    fn lock_folder(&self, folder: &Path) -> io::Result<FolderLock> {
        DryRunHost.lock_folder(folder)
    }

    fn write_secret(&self, lock: &FolderLock, path: &Path, content: &[u8], bits: u32) -> io::Result<()> {
        self.record_change(path);
        DryRunHost.write_secret(lock, path, content, bits)
    }

    fn send_request<'a>(&'a self, request: &'a WebRequest) -> Sending<'a> {
        DryRunHost.send_request(request)
    }
}
