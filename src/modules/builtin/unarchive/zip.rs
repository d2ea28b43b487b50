//! Zip archives: compared here, unpacked by `unzip`.

use std::path::Path;

use super::error::ArchiveError;
use super::zip_list::{ZipEntry, read_entries};
use super::{Job, Opened};
use crate::host::{ALL_BITS, Meta, PathKind, umask};
use crate::modules::builtin::files::mode::{self, BadMode, Current};
use crate::modules::builtin::files::{display_path, glob};
use crate::vars::users;

/// The sort among the permissions of Unix.
const SORT: u32 = 0o170_000;
const LINK: u32 = 0o120_000;

/// Opens the archive; or tells why that cannot be done.
pub(super) async fn open_zip(job: &Job<'_>) -> Result<Opened, ArchiveError> {
    let host = job.context.host;
    let listed = host.read(&job.archive).ok().and_then(|content| read_entries(&content));
    let Some(program) = job.context.find_program("unzip").map(|path| display_path(&path)) else {
        return Err(ArchiveError::NoUnzip);
    };
    let listed = listed.ok_or_else(|| ArchiveError::NotZip { program: program.clone() })?;
    let asked = |entry: &&ZipEntry| match (&job.include[..], &job.exclude[..]) {
        ([], []) => true,
        ([], exclude) => !glob::any_fits(exclude, &entry.name),
        (include, _) => glob::any_fits(include, &entry.name),
    };
    let mut exclude = job.exclude.clone();
    let mut differences = String::new();
    for entry in listed.iter().filter(asked) {
        match job.compare_entry(entry)? {
            Found::Same => {}
            Found::Newer => exclude.push(entry.name.clone()),
            Found::Different(line) => differences.push_str(&format!("{line} {}\n", entry.name)),
        }
    }
    let mut unpack = vec![program, "-o".to_owned()];
    unpack.extend(job.options.iter().cloned());
    unpack.push(display_path(&job.archive));
    if !exclude.is_empty() {
        unpack.push("-x".to_owned());
        unpack.extend(exclude);
    }
    unpack.extend(job.include.iter().cloned());
    unpack.extend(["-d".to_owned(), display_path(&job.dest)]);
    Ok(Opened {
        handler: "ZipArchive",
        names: listed.iter().filter(asked).map(|entry| entry.name.clone()).collect(),
        is_there: differences.is_empty(),
        differences: Some(differences),
        unpack,
    })
}

/// Comparison of a path with its archive entry.
enum Found {
    /// Equal to the archive entry.
    Same,
    /// A newer file, which is to be kept.
    Newer,
    /// Something else: what differs, in the notation of rsync.
    Different(String),
}

impl Job<'_> {
    fn compare_entry(&self, entry: &ZipEntry) -> Result<Found, BadMode> {
        let host = self.context.host;
        let path = self.dest.join(&entry.name);
        let (letter, kind) = match entry.unix.map(|bits| bits & SORT) {
            _ if entry.name.ends_with('/') => ('d', PathKind::Directory),
            Some(LINK) => ('L', PathKind::Link),
            _ => ('f', PathKind::File),
        };
        let Some(meta) = host.lstat(&path) else { return Ok(Found::Different(format!(">{letter}++++++.??"))) };
        if meta.kind != kind {
            return Ok(Found::Different(format!("c{letter}++++++.??")));
        }
        let mut marks = ['.', letter, '.', '.', '.', '.', '.', '.', '.', '?', '?'];
        if meta.is_file() {
            #[allow(clippy::cast_precision_loss)]
            let written = entry.written as f64;
            if self.keep_newer && written < meta.mtime {
                return Ok(Found::Newer);
            }
            #[allow(clippy::float_cmp)]
            if written != meta.mtime {
                marks[4] = 't';
            }
            if entry.size != meta.size {
                marks[3] = 's';
            }
            if self.file_checksum(&path) != Some(entry.crc) {
                marks[2] = 'c';
            }
        }
        if !meta.is_link() && self.expected_bits(entry, &meta)? != meta.bits {
            marks[5] = 'p';
        }
        let user = rustix::process::getuid().as_raw();
        let group = rustix::process::getgid().as_raw();
        let owner = self.attributes.owner.as_deref().map_or(user, |name| users::user_id(name).unwrap_or(user));
        let group = self.attributes.group.as_deref().map_or(group, |name| users::group_id(name).unwrap_or(group));
        if owner != meta.uid {
            marks[6] = 'o';
        }
        if group != meta.gid {
            marks[6] = 'g';
        }
        let differs = marks[2..9].iter().any(|mark| *mark != '.');
        Ok(if differs { Found::Different(marks.iter().collect()) } else { Found::Same })
    }

    fn file_checksum(&self, path: &Path) -> Option<u32> {
        let mut sum = flate2::Crc::new();
        sum.update(&self.context.host.read(path).ok()?);
        Some(sum.sum())
    }

    /// The permissions that an entry is to have.
    fn expected_bits(&self, entry: &ZipEntry, now: &Meta) -> Result<u32, BadMode> {
        if let Some(wanted) = &self.attributes.mode {
            let current = Current { bits: now.bits, is_dir: now.is_dir(), umask: umask() };
            return mode::resolve_mode(wanted, current);
        }
        Ok(match entry.unix {
            // Bits other than permissions are not unpacked.
            Some(bits) => bits & ALL_BITS & 0o777,
            None if entry.name.ends_with('/') => 0o777 & !umask(),
            None => 0o666 & !umask(),
        })
    }
}
