//! The file system as the file modules see it: one door for everything that reads or changes files.
//!
//! In a dry run nothing behind this door is changed; modules do not ask.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::mode::ALL_BITS;
use crate::modules::TaskContext;

/// The files of the host that a task acts on.
#[derive(Debug, Clone, Copy)]
pub struct Disk {
    dry: bool,
}

/// What sort of thing a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Directory,
    /// A symbolic link.
    Link,
    /// A pipe with a name.
    Fifo,
    /// A socket.
    Socket,
    /// A device that is read in blocks.
    Block,
    /// A device that is read byte by byte.
    Character,
}

/// What is known of a path without reading it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Meta {
    /// The sort.
    pub kind: Kind,
    /// The permission bits.
    pub bits: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The size in bytes.
    pub size: u64,
    /// How many names it has.
    pub nlink: u64,
    /// Its number within the device.
    pub inode: u64,
    /// The device it is on.
    pub dev: u64,
    /// The device it is, for devices.
    pub rdev: u64,
    /// Blocks of 512 bytes.
    pub blocks: u64,
    /// The best size for reading.
    pub block_size: u64,
    /// Last read, seconds since 1970.
    pub atime: f64,
    /// Last written.
    pub mtime: f64,
    /// Last changed in any way.
    pub ctime: f64,
}

impl From<fs::Metadata> for Meta {
    fn from(found: fs::Metadata) -> Self {
        #[allow(clippy::cast_precision_loss)]
        let seconds = |whole: i64, nanos: i64| whole as f64 + nanos as f64 * 1e-9;
        let sort = found.file_type();
        let kind = match () {
            () if sort.is_symlink() => Kind::Link,
            () if sort.is_dir() => Kind::Directory,
            () if sort.is_fifo() => Kind::Fifo,
            () if sort.is_socket() => Kind::Socket,
            () if sort.is_block_device() => Kind::Block,
            () if sort.is_char_device() => Kind::Character,
            () => Kind::File,
        };
        Self {
            kind,
            bits: found.mode() & ALL_BITS,
            uid: found.uid(),
            gid: found.gid(),
            size: found.size(),
            nlink: found.nlink(),
            inode: found.ino(),
            dev: found.dev(),
            rdev: found.rdev(),
            blocks: found.blocks(),
            block_size: found.blksize(),
            atime: seconds(found.atime(), found.atime_nsec()),
            mtime: seconds(found.mtime(), found.mtime_nsec()),
            ctime: seconds(found.ctime(), found.ctime_nsec()),
        }
    }
}

impl Meta {
    /// The state as the `file` module calls it.
    pub fn state(&self) -> &'static str {
        match self.kind {
            Kind::Link => "link",
            Kind::Directory => "directory",
            _ if self.nlink > 1 => "hard",
            _ => "file",
        }
    }

    /// Whether it is a folder.
    pub fn is_dir(&self) -> bool {
        self.kind == Kind::Directory
    }

    /// Whether it is a regular file.
    pub fn is_file(&self) -> bool {
        self.kind == Kind::File
    }

    /// Whether it is a symbolic link.
    pub fn is_link(&self) -> bool {
        self.kind == Kind::Link
    }
}

/// What a written file gets.
#[derive(Debug, Clone, Copy, Default)]
pub struct Writing {
    /// Permission bits; the bits of the file that is replaced, or those that the umask leaves, otherwise.
    pub bits: Option<u32>,
    /// Writes into the file itself where it cannot be replaced.
    pub unsafe_writes: bool,
}

/// What a command said.
#[derive(Debug, Clone)]
pub struct Said {
    /// The exit status; 2 if the program is not there.
    pub rc: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

fn there(found: io::Result<fs::Metadata>) -> Option<Meta> {
    found.ok().map(Meta::from)
}

impl Disk {
    /// The files of the task's host.
    pub fn of(context: &TaskContext<'_>) -> Self {
        Self { dry: context.check }
    }

    /// The real file system.
    pub fn real() -> Self {
        Self { dry: false }
    }

    /// The file system of a dry run.
    pub fn foretelling() -> Self {
        Self { dry: true }
    }

    /// Whether changes are only foretold.
    pub fn is_dry(self) -> bool {
        self.dry
    }

    /// What a path is, links not followed; `None` if it is not there or cannot be looked at.
    pub fn lstat(self, path: &Path) -> Option<Meta> {
        there(fs::symlink_metadata(path))
    }

    /// What a path is, links followed.
    pub fn stat(self, path: &Path) -> Option<Meta> {
        there(fs::metadata(path))
    }

    /// What a path is, or why that cannot be said.
    ///
    /// # Errors
    /// As the system says.
    pub fn look(self, path: &Path, follow: bool) -> io::Result<Meta> {
        if follow { fs::metadata(path) } else { fs::symlink_metadata(path) }.map(Meta::from)
    }

    /// Whether a path is there, links followed.
    pub fn exists(self, path: &Path) -> bool {
        self.stat(path).is_some()
    }

    /// Whether a path is a folder, links followed.
    pub fn is_dir(self, path: &Path) -> bool {
        self.stat(path).is_some_and(|meta| meta.is_dir())
    }

    /// Whether a path is a regular file, links followed.
    pub fn is_file(self, path: &Path) -> bool {
        self.stat(path).is_some_and(|meta| meta.is_file())
    }

    /// Whether a path is a symbolic link.
    pub fn is_link(self, path: &Path) -> bool {
        self.lstat(path).is_some_and(|meta| meta.is_link())
    }

    /// The content of a file.
    ///
    /// # Errors
    /// As the system says.
    pub fn read(self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    /// What a link points to.
    ///
    /// # Errors
    /// As the system says.
    pub fn read_link(self, path: &Path) -> io::Result<PathBuf> {
        fs::read_link(path)
    }

    /// The path with all links resolved, as far as it exists; the rest is kept.
    pub fn real_path(self, path: &Path) -> PathBuf {
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
    ///
    /// # Errors
    /// As the system says.
    pub fn list(self, path: &Path) -> io::Result<Vec<String>> {
        let mut names = fs::read_dir(path)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort();
        Ok(names)
    }

    /// Whether the user of this process may read a path.
    pub fn is_readable(self, path: &Path) -> bool {
        rustix::fs::access(path, rustix::fs::Access::READ_OK).is_ok()
    }

    /// Whether the user of this process may write a path.
    pub fn is_writable(self, path: &Path) -> bool {
        rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok()
    }

    /// Whether the user of this process may execute a path.
    pub fn is_executable(self, path: &Path) -> bool {
        rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
    }

    /// Replaces a file, or creates it, in one step: readers see the old content or the new. Mode and ownership of a file
    /// that is replaced are kept.
    ///
    /// # Errors
    /// As the system says.
    pub fn write(self, path: &Path, content: &[u8], writing: Writing) -> io::Result<()> {
        if self.dry {
            return Ok(());
        }
        let old = there(fs::metadata(path));
        let temporary = beside(path);
        let replaced = (|| {
            let mut options = fs::OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(0o600).open(&temporary)?;
            file.write_all(content)?;
            let bits = writing.bits.or(old.map(|old| old.bits)).unwrap_or(0o666 & !self.umask());
            if let Some(old) = old {
                // A user who does not own the file may still be allowed to replace it.
                let _ = std::os::unix::fs::fchown(&file, Some(old.uid), Some(old.gid));
            }
            file.set_permissions(fs::Permissions::from_mode(bits))?;
            file.sync_all()?;
            fs::rename(&temporary, path)
        })();
        if replaced.is_err() {
            let _ = fs::remove_file(&temporary);
            if writing.unsafe_writes {
                return fs::write(path, content);
            }
        }
        replaced
    }

    /// Creates one folder.
    ///
    /// # Errors
    /// As the system says.
    pub fn make_dir(self, path: &Path) -> io::Result<()> {
        if self.dry { Ok(()) } else { fs::DirBuilder::new().mode(0o777).create(path) }
    }

    /// Creates a folder and those it is in.
    ///
    /// # Errors
    /// As the system says.
    pub fn make_dirs(self, path: &Path) -> io::Result<()> {
        if self.dry { Ok(()) } else { fs::create_dir_all(path) }
    }

    /// Removes a file or a link.
    ///
    /// # Errors
    /// As the system says.
    pub fn remove(self, path: &Path) -> io::Result<()> {
        if self.dry { Ok(()) } else { fs::remove_file(path) }
    }

    /// Removes an empty folder.
    ///
    /// # Errors
    /// As the system says.
    pub fn remove_dir(self, path: &Path) -> io::Result<()> {
        if self.dry { Ok(()) } else { fs::remove_dir(path) }
    }

    /// Removes a folder with everything in it.
    ///
    /// # Errors
    /// As the system says.
    pub fn remove_tree(self, path: &Path) -> io::Result<()> {
        if self.dry { Ok(()) } else { fs::remove_dir_all(path) }
    }

    /// Creates a symbolic link in one step, in place of whatever file or link is there.
    ///
    /// # Errors
    /// As the system says.
    pub fn symlink(self, target: &Path, path: &Path) -> io::Result<()> {
        self.replace_with(path, |new| std::os::unix::fs::symlink(target, new))
    }

    /// Creates another name for a file in one step, in place of whatever file or link is there.
    ///
    /// # Errors
    /// As the system says.
    pub fn hard_link(self, original: &Path, path: &Path) -> io::Result<()> {
        self.replace_with(path, |new| fs::hard_link(original, new))
    }

    fn replace_with(self, path: &Path, create: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
        if self.dry {
            return Ok(());
        }
        if fs::symlink_metadata(path).is_err() {
            return create(path);
        }
        let temporary = beside(path);
        create(&temporary).and_then(|()| fs::rename(&temporary, path)).inspect_err(|_| {
            let _ = fs::remove_file(&temporary);
        })
    }

    /// Sets the permission bits of a file or folder, links followed.
    ///
    /// # Errors
    /// As the system says.
    pub fn set_bits(self, path: &Path, bits: u32) -> io::Result<()> {
        if self.dry { Ok(()) } else { fs::set_permissions(path, fs::Permissions::from_mode(bits)) }
    }

    /// Sets owner, group or both, links not followed.
    ///
    /// # Errors
    /// As the system says.
    pub fn set_owner(self, path: &Path, uid: Option<u32>, gid: Option<u32>) -> io::Result<()> {
        if self.dry { Ok(()) } else { std::os::unix::fs::lchown(path, uid, gid) }
    }

    /// Sets the times of last reading and writing, links followed.
    ///
    /// # Errors
    /// As the system says.
    pub fn set_times(self, path: &Path, atime: f64, mtime: f64) -> io::Result<()> {
        if self.dry {
            return Ok(());
        }
        let times = rustix::fs::Timestamps { last_access: spec(atime), last_modification: spec(mtime) };
        Ok(rustix::fs::utimensat(rustix::fs::CWD, path, &times, rustix::fs::AtFlags::empty())?)
    }

    /// Creates an empty file unless there is one.
    ///
    /// # Errors
    /// As the system says.
    pub fn create(self, path: &Path) -> io::Result<()> {
        if self.dry {
            return Ok(());
        }
        fs::OpenOptions::new().append(true).create(true).mode(0o666).open(path).map(drop)
    }

    /// Copies a file with its mode and times, as a backup.
    ///
    /// # Errors
    /// As the system says.
    pub fn preserve(self, from: &Path, to: &Path) -> io::Result<()> {
        if self.dry {
            return Ok(());
        }
        fs::copy(from, to)?;
        let meta = self.look(from, true)?;
        let _ = std::os::unix::fs::chown(to, Some(meta.uid), Some(meta.gid));
        self.set_times(to, meta.atime, meta.mtime)
    }

    /// The bits that new files do not get.
    pub fn umask(self) -> u32 {
        fs::read_to_string("/proc/self/status")
            .ok()
            .and_then(|status| {
                let line = status.lines().find_map(|line| line.strip_prefix("Umask:"))?;
                u32::from_str_radix(line.trim(), 8).ok()
            })
            .unwrap_or(0o022)
    }

    /// Runs a program that changes nothing of what the task is about (a validation, a look at an archive).
    ///
    /// # Errors
    /// If the program cannot be started.
    pub async fn ask(self, words: &[String]) -> io::Result<Said> {
        let (program, rest) =
            words.split_first().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no command given"))?;
        let output = tokio::process::Command::new(program)
            .args(rest)
            .stdin(std::process::Stdio::null())
            .kill_on_drop(true)
            .output()
            .await?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Said { rc: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) })
    }

    /// Where a program is; `None` if it is not installed.
    pub fn program(self, name: &str) -> Option<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let usual = ["/sbin", "/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
        std::env::split_paths(&path)
            .chain(usual)
            .map(|folder| folder.join(name))
            .find(|candidate| self.is_file(candidate) && self.is_executable(candidate))
    }
}

/// Seconds since 1970 now.
pub fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs_f64()
}

fn spec(seconds: f64) -> rustix::fs::Timespec {
    #[allow(clippy::cast_possible_truncation)]
    let (whole, rest) = (seconds.floor() as i64, ((seconds - seconds.floor()) * 1e9) as i64);
    rustix::fs::Timespec { tv_sec: whole, tv_nsec: rest.clamp(0, 999_999_999) }
}

/// A name in the same folder that nobody uses.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".ionplay_{:08x}_{name}", rand::random::<u32>()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::builtin::files::testing::Folder;

    fn disk(dry: bool) -> Disk {
        if dry { Disk::foretelling() } else { Disk::real() }
    }

    #[test]
    fn writing_keeps_mode_and_leaves_nothing_behind() {
        let folder = Folder::new();
        let file = folder.write("f", "old");
        disk(false).set_bits(&file, 0o640).unwrap();
        disk(false).write(&file, b"new", Writing::default()).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(disk(false).lstat(&file).unwrap().bits, 0o640);
        assert_eq!(disk(false).list(folder.path()).unwrap(), ["f"]);
    }

    #[test]
    fn a_dry_disk_changes_nothing() {
        let folder = Folder::new();
        let file = folder.write("f", "old");
        let dry = disk(true);
        dry.write(&file, b"new", Writing::default()).unwrap();
        dry.set_bits(&file, 0).unwrap();
        dry.make_dirs(&folder.path().join("a/b")).unwrap();
        dry.symlink(Path::new("f"), &folder.path().join("l")).unwrap();
        dry.hard_link(&file, &folder.path().join("h")).unwrap();
        dry.create(&folder.path().join("c")).unwrap();
        dry.set_times(&file, 0.0, 0.0).unwrap();
        let before = fs::metadata(&file).unwrap();
        dry.remove(&file).unwrap();
        dry.remove_tree(folder.path()).unwrap();
        assert_eq!(dry.list(folder.path()).unwrap(), ["f"]);
        assert_eq!(fs::read(&file).unwrap(), b"old");
        assert_ne!(before.mode() & 0o777, 0);
        assert!(before.mtime() > 0);
    }

    #[test]
    fn real_paths_follow_links_and_keep_what_is_not_there() {
        let folder = Folder::new();
        let root = fs::canonicalize(folder.path()).unwrap();
        fs::create_dir(root.join("d")).unwrap();
        std::os::unix::fs::symlink("d", root.join("l")).unwrap();
        std::os::unix::fs::symlink("loop", root.join("loop")).unwrap();
        assert_eq!(disk(false).real_path(&root.join("l/new/file")), root.join("d/new/file"));
        assert_eq!(disk(false).real_path(&root.join("l/../d")), root.join("d"));
        assert_eq!(disk(false).real_path(&root.join("loop")), root.join("loop"));
    }

    #[test]
    fn links_replace_files() {
        let folder = Folder::new();
        let file = folder.write("f", "x");
        let link = folder.write("l", "y");
        disk(false).symlink(Path::new("f"), &link).unwrap();
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("f"));
        disk(false).hard_link(&file, &link).unwrap();
        assert_eq!(disk(false).lstat(&link).unwrap().state(), "hard");
    }
}
