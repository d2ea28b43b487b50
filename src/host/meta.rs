//! What is known of a path without reading it.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

/// The permission bits with set-uid, set-gid and the sticky bit.
pub const ALL_BITS: u32 = 0o7777;

/// Type of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathKind {
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

/// Metadata of a path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Meta {
    /// The sort.
    pub kind: PathKind,
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
    /// Inode number within the device.
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
            () if sort.is_symlink() => PathKind::Link,
            () if sort.is_dir() => PathKind::Directory,
            () if sort.is_fifo() => PathKind::Fifo,
            () if sort.is_socket() => PathKind::Socket,
            () if sort.is_block_device() => PathKind::Block,
            () if sort.is_char_device() => PathKind::Character,
            () => PathKind::File,
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
    pub fn state_name(&self) -> &'static str {
        match self.kind {
            PathKind::Link => "link",
            PathKind::Directory => "directory",
            _ if self.nlink > 1 => "hard",
            _ => "file",
        }
    }

    /// Whether it is a folder.
    pub fn is_dir(&self) -> bool {
        self.kind == PathKind::Directory
    }

    /// Whether it is a regular file.
    pub fn is_file(&self) -> bool {
        self.kind == PathKind::File
    }

    /// Whether it is a symbolic link.
    pub fn is_link(&self) -> bool {
        self.kind == PathKind::Link
    }
}
