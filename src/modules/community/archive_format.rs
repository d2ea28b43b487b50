//! Formats of archives: packing into memory, and the checksums that say whether two archives hold the same.

use std::collections::BTreeSet;
use std::io::{self, Cursor, Read, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;

use crate::host::{HostApi, Meta};
use crate::vars::users;

/// A format of archives, or of packed single files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Bz2,
    Gz,
    Tar,
    Xz,
    Zip,
}

impl Format {
    /// The format of a name; gzip is the usual one.
    pub fn from_name(name: &str) -> Self {
        match name {
            "bz2" => Self::Bz2,
            "tar" => Self::Tar,
            "xz" => Self::Xz,
            "zip" => Self::Zip,
            _ => Self::Gz,
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bz2 => "bz2",
            Self::Gz => "gz",
            Self::Tar => "tar",
            Self::Xz => "xz",
            Self::Zip => "zip",
        }
    }

    /// Packs bytes as a single file.
    ///
    /// # Errors
    /// Those of the packer.
    pub fn pack_bytes(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Tar | Self::Zip => Ok(bytes.to_vec()),
            Self::Gz => {
                let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
                packer.write_all(bytes)?;
                packer.finish()
            }
            Self::Bz2 => {
                let mut packer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
                packer.write_all(bytes)?;
                packer.finish()
            }
            Self::Xz => {
                let mut packer = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(6))?;
                packer.write_all(bytes)?;
                packer.finish()
            }
        }
    }

    fn unpack_bytes(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        match self {
            Self::Tar | Self::Zip => out.extend_from_slice(bytes),
            Self::Gz => _ = flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut out)?,
            Self::Bz2 => _ = bzip2::read::MultiBzDecoder::new(bytes).read_to_end(&mut out)?,
            Self::Xz => _ = lzma_rust2::XzReader::new(bytes, true).read_to_end(&mut out)?,
        }
        Ok(out)
    }

    /// Names and checksums of the members; of a packed single file, its checksum; nothing of what is neither.
    pub fn read_checksums(self, bytes: &[u8]) -> BTreeSet<(Vec<u8>, u32)> {
        if self == Self::Zip {
            return zip_checksums(bytes).unwrap_or_default();
        }
        let Ok(unpacked) = self.unpack_bytes(bytes) else { return BTreeSet::new() };
        tar_checksums(&unpacked).ok().filter(|sums| !sums.is_empty()).unwrap_or_else(|| {
            let mut sum = flate2::Crc::new();
            sum.update(&unpacked);
            BTreeSet::from([(Vec::new(), sum.sum())])
        })
    }
}

fn zip_checksums(bytes: &[u8]) -> zip::result::ZipResult<BTreeSet<(Vec<u8>, u32)>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes))?;
    let mut sums = BTreeSet::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index)?;
        sums.insert((entry.name_raw().to_vec(), entry.crc32()));
    }
    Ok(sums)
}

fn tar_checksums(bytes: &[u8]) -> io::Result<BTreeSet<(Vec<u8>, u32)>> {
    let mut sums = BTreeSet::new();
    for entry in tar::Archive::new(bytes).entries()? {
        let entry = entry?;
        sums.insert((entry.path_bytes().into_owned(), entry.header().cksum()?));
    }
    Ok(sums)
}

/// An archive that is made in memory.
pub enum Packer {
    /// A tar archive, still to be compressed.
    Tar(Format, tar::Builder<Vec<u8>>),
    /// A zip archive.
    Zip(Box<zip::ZipWriter<Cursor<Vec<u8>>>>),
}

impl Packer {
    /// An empty archive.
    pub fn new(format: Format) -> Self {
        match format {
            Format::Zip => Self::Zip(Box::new(zip::ZipWriter::new(Cursor::new(Vec::new())))),
            format => Self::Tar(format, tar::Builder::new(Vec::new())),
        }
    }

    /// Adds a path under a name: a file, a folder without what is in it, or a link.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn add_path(&mut self, host: &dyn HostApi, path: &Path, name: &str) -> io::Result<()> {
        match self {
            Self::Tar(_, builder) => add_to_tar(builder, host, path, name),
            Self::Zip(writer) => add_to_zip(writer, host, path, name),
        }
    }

    /// The bytes of the archive.
    ///
    /// # Errors
    /// Those of the packer.
    pub fn into_bytes(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Tar(format, builder) => format.pack_bytes(&builder.into_inner()?),
            Self::Zip(writer) => Ok(writer.finish().map_err(io::Error::other)?.into_inner()),
        }
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole_seconds(time: f64) -> u64 {
    time.max(0.0) as u64
}

fn add_to_tar(builder: &mut tar::Builder<Vec<u8>>, host: &dyn HostApi, path: &Path, name: &str) -> io::Result<()> {
    let meta = host.metadata(path, false)?;
    let mut header = tar::Header::new_gnu();
    header.set_mode(meta.bits);
    header.set_uid(meta.uid.into());
    header.set_gid(meta.gid.into());
    header.set_mtime(whole_seconds(meta.mtime));
    header.set_size(0);
    if let Some(owner) = users::user_name(meta.uid) {
        header.set_username(&owner)?;
    }
    if let Some(group) = users::group_name(meta.gid) {
        header.set_groupname(&group)?;
    }
    // Archives hold no absolute names.
    let name = name.trim_start_matches('/');
    if meta.is_link() {
        header.set_entry_type(tar::EntryType::Symlink);
        builder.append_link(&mut header, name, host.read_link(path)?)
    } else if host.is_dir(path) {
        header.set_entry_type(tar::EntryType::Directory);
        builder.append_data(&mut header, format!("{name}/"), io::empty())
    } else {
        let content = host.read(path)?;
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, name, &content[..])
    }
}

/// The time of a zip entry: local, from 1980 on.
fn zip_time(meta: &Meta) -> zip::DateTime {
    let made = || {
        let seconds = i64::try_from(whole_seconds(meta.mtime)).ok()?;
        let time = jiff::Timestamp::from_second(seconds).ok()?.to_zoned_datetime(jiff::tz::TimeZone::system());
        let small = |number: i8| u8::try_from(number).ok();
        zip::DateTime::from_date_and_time(
            u16::try_from(time.year()).ok()?,
            small(time.month())?,
            small(time.day())?,
            small(time.hour())?,
            small(time.minute())?,
            small(time.second())?,
        )
        .ok()
    };
    made().unwrap_or_default()
}

fn add_to_zip(
    writer: &mut zip::ZipWriter<Cursor<Vec<u8>>>,
    host: &dyn HostApi,
    path: &Path,
    name: &str,
) -> io::Result<()> {
    let meta = host.metadata(path, true)?;
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .last_modified_time(zip_time(&meta))
        .unix_permissions(meta.bits);
    let name = name.trim_start_matches('/');
    if host.is_dir(path) {
        return writer.add_directory(format!("{name}/"), options).map_err(io::Error::other);
    }
    let content = host.read(path)?;
    writer.start_file(name, options).map_err(io::Error::other)?;
    writer.write_all(&content)
}
