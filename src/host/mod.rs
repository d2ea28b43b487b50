//! Files and commands behind one door: real, or predicting in check mode.

mod command;
mod dry_run;
mod file_flags;
mod meta;
pub mod pending_changes;
pub mod prompt;
mod real;
mod run;
mod secret_file;
mod tracking;
pub mod web;

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use command::{CommandOutput, HostCommand, RunError, Running};
pub use dry_run::DryRunHost;
pub use file_flags::FileFlags;
pub use meta::{ALL_BITS, Meta, PathKind};
pub use real::RealHost;
pub use secret_file::FolderLock;
pub use tracking::{TrackingHost, Uncertainty};

/// Attributes of a file to write.
#[derive(Debug, Clone, Copy, Default)]
pub struct WriteOptions {
    /// Permission bits; the bits of the file that is replaced, or those that the umask leaves, otherwise.
    pub bits: Option<u32>,
    /// Writes into the file itself where it cannot be replaced.
    pub unsafe_writes: bool,
}

/// Files and commands of the host that tasks act on.
///
/// Reads always see the real host, as in the reference: in a dry run nothing is written, and so nothing that would have
/// been written is seen. Errors are those of the system.
#[allow(clippy::missing_errors_doc)]
pub trait HostApi {
    /// Whether changes are only predicted. For what a result says; not for deciding what to write.
    fn is_dry_run(&self) -> bool {
        false
    }

    /// Whether it is certain that the folder of a path is missing, so that a file cannot be made there. Only a dry run that
    /// makes a plan says so: plain check mode promises the change, as Ansible does.
    fn lacks_folder(&self, _: &Path) -> bool {
        false
    }

    /// Returns metadata of a path, or why it cannot be read.
    fn metadata(&self, path: &Path, follow: bool) -> io::Result<Meta> {
        if follow { fs::metadata(path) } else { fs::symlink_metadata(path) }.map(Meta::from)
    }

    /// Returns metadata without following links; `None` if the path is missing or unreadable.
    fn lstat(&self, path: &Path) -> Option<Meta> {
        self.metadata(path, false).ok()
    }

    /// Returns metadata, following links.
    fn stat(&self, path: &Path) -> Option<Meta> {
        self.metadata(path, true).ok()
    }

    /// Whether a path is there, links followed.
    fn exists(&self, path: &Path) -> bool {
        self.stat(path).is_some()
    }

    /// Whether a path is a folder, links followed.
    fn is_dir(&self, path: &Path) -> bool {
        self.stat(path).is_some_and(|meta| meta.is_dir())
    }

    /// Whether a path is a regular file, links followed.
    fn is_file(&self, path: &Path) -> bool {
        self.stat(path).is_some_and(|meta| meta.is_file())
    }

    /// Whether a path is a symbolic link.
    fn is_link(&self, path: &Path) -> bool {
        self.lstat(path).is_some_and(|meta| meta.is_link())
    }

    /// The content of a file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        crate::input::read_file(path)
    }

    /// Returns the target of a link.
    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        fs::read_link(path)
    }

    /// The path with all links resolved, as far as it exists; the rest is kept.
    fn real_path(&self, path: &Path) -> PathBuf {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let mut resolved = PathBuf::from("/");
        let mut left: Vec<_> = absolute.components().rev().map(|part| part.as_os_str().to_owned()).collect();
        let mut links = 0;
        while let Some(part) = left.pop() {
            if part == ".." {
                resolved.pop();
                continue;
            }
            if part == "/" {
                resolved = PathBuf::from("/");
                continue;
            }
            let next = resolved.join(&part);
            match self.read_link(&next) {
                Ok(target) if links < 40 => {
                    links += 1;
                    left.extend(target.components().rev().map(|part| part.as_os_str().to_owned()));
                    if target.is_absolute() {
                        resolved = PathBuf::from("/");
                    }
                    left.retain(|part| part != ".");
                }
                _ => resolved = next,
            }
        }
        resolved
    }

    /// The names in a folder, sorted.
    fn list_folder(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut names = fs::read_dir(path)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort();
        Ok(names)
    }

    /// Whether the user of this process may read a path.
    fn is_readable(&self, path: &Path) -> bool {
        rustix::fs::access(path, rustix::fs::Access::READ_OK).is_ok()
    }

    /// Whether the user of this process may write a path.
    fn is_writable(&self, path: &Path) -> bool {
        rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok()
    }

    /// Whether the user of this process may execute a path.
    fn is_executable(&self, path: &Path) -> bool {
        rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
    }

    /// The flags of a path; `None` where there is no `lsattr`, or the file system has none.
    fn file_flags(&self, path: &Path) -> Option<FileFlags> {
        file_flags::read_flags(&self.find_program("lsattr")?, path)
    }

    /// Where a program is; `None` if it is not installed.
    fn find_program(&self, name: &str) -> Option<PathBuf> {
        self.program_in(&std::env::var_os("PATH").unwrap_or_default(), name)
    }

    /// Where a program is, looked for in these folders and those that administrators have.
    fn program_in(&self, path: &OsStr, name: &str) -> Option<PathBuf> {
        let usual = ["/sbin", "/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
        std::env::split_paths(path)
            .chain(usual)
            .map(|folder| folder.join(name))
            .find(|candidate| self.is_file(candidate) && self.is_executable(candidate))
    }

    /// Runs a command that changes nothing of what the task is about (a validation, a look at a repository), in a dry
    /// run too. Dropping the future ends the command with everything it has started.
    fn run_query<'a>(&'a self, command: &'a HostCommand) -> Running<'a> {
        Box::pin(run::run_command(command))
    }

    /// Replaces a file, or creates it, in one step: readers see the old content or the new. Mode and ownership of a
    /// file that is replaced are kept.
    fn write(&self, path: &Path, content: &[u8], writing: WriteOptions) -> io::Result<()>;

    /// Creates an empty file unless there is one.
    fn create_file(&self, path: &Path) -> io::Result<()>;

    /// Creates an empty file with these permissions, less the umask; an error if something is there.
    fn create_new(&self, path: &Path, bits: u32) -> io::Result<()>;

    /// Copies a file with its mode and times, as a backup.
    fn copy_backup(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Creates one folder with these permissions, less the umask.
    fn make_dir(&self, path: &Path, bits: u32) -> io::Result<()>;

    /// Creates a folder and those it is in.
    fn make_dirs(&self, path: &Path) -> io::Result<()>;

    /// Removes a file or a link.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes an empty folder.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;

    /// Removes a folder with everything in it.
    fn remove_tree(&self, path: &Path) -> io::Result<()>;

    /// Creates a symbolic link in one step, in place of whatever file or link is there.
    fn replace_symlink(&self, target: &Path, path: &Path) -> io::Result<()>;

    /// Creates another name for a file in one step, in place of whatever file or link is there.
    fn hard_link(&self, original: &Path, path: &Path) -> io::Result<()>;

    /// Sets the permission bits of a file or folder, links followed.
    fn set_bits(&self, path: &Path, bits: u32) -> io::Result<()>;

    /// Sets owner, group or both, links not followed.
    fn set_owner(&self, path: &Path, uid: Option<u32>, gid: Option<u32>) -> io::Result<()>;

    /// Sets the times of last reading and writing, links followed.
    fn set_times(&self, path: &Path, atime: f64, mtime: f64) -> io::Result<()>;

    /// Sets flags of a path as `chattr` takes them; nothing happens where there is no such program.
    fn set_flags(&self, path: &Path, flags: &str) -> io::Result<()>;

    /// Runs a command to its end. Dropping the future ends the command with everything it has started.
    fn run_command<'a>(&'a self, command: &'a HostCommand) -> Running<'a>;

    /// Locks a folder against other runs that write secrets to it, and makes the folder (mode 0700) if it is missing.
    fn lock_folder(&self, folder: &Path) -> io::Result<FolderLock>;

    /// Replaces a file that holds a secret, or creates it, in one step that survives a power failure. Links are not
    /// followed: a link, a folder or a device at the path is an error.
    fn write_secret(&self, lock: &FolderLock, path: &Path, content: &[u8], bits: u32) -> io::Result<()>;

    /// Sends a request that changes nothing, in a dry run too.
    fn send_query<'a>(&'a self, request: &'a web::WebRequest) -> web::Sending<'a> {
        Box::pin(web::send_web_request(request))
    }

    /// Sends a request that changes something.
    fn send_request<'a>(&'a self, request: &'a web::WebRequest) -> web::Sending<'a>;
}

/// The bits that new files do not get.
pub fn umask() -> u32 {
    fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            let line = status.lines().find_map(|line| line.strip_prefix("Umask:"))?;
            u32::from_str_radix(line.trim(), 8).ok()
        })
        .unwrap_or(0o022)
}

/// Seconds since 1970 now.
pub fn seconds_now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs_f64()
}
/// Refuses to write to a path where something stands that is not a file, a folder or a link: a file put in the place of a
/// device would replace it for everybody.
///
/// # Errors
/// With the kind of what stands there.
pub fn refuse_special(path: &Path) -> io::Result<()> {
    let Ok(there) = fs::symlink_metadata(path) else { return Ok(()) };
    match crate::input::special_kind(there.file_type()) {
        None | Some("a directory") => Ok(()),
        Some(kind) => {
            let message = format!("{} is {kind}, not a file, and is not replaced", path.display());
            Err(io::Error::new(io::ErrorKind::InvalidInput, message))
        }
    }
}
