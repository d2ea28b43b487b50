//! What a zip archive holds, read from the directory at its end.

use jiff::civil::DateTime;

/// An entry of a zip archive.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ZipEntry {
    /// The name; with a slash at the end for a folder.
    pub name: String,
    /// Permissions as Unix knows them with the bits of the sort; nothing if another system packed it.
    pub unix: Option<u32>,
    /// The bits that other systems know.
    pub dos: u32,
    /// The size of the content.
    pub size: u64,
    /// The checksum of the content.
    pub crc: u32,
    /// When it was last written, seconds since 1970.
    pub written: i64,
}

/// The end of the directory: its mark, and its size without the remark that may follow.
const END: (&[u8], usize) = (b"PK\x05\x06", 22);
/// An entry of the directory: its mark, and its size without the name.
const ENTRY: (&[u8], usize) = (b"PK\x01\x02", 46);
/// The further field with times as Unix knows them.
const TIMES: u16 = 0x5455;
/// Code of Unix as the packing system.
const UNIX: u8 = 3;

/// The entries of an archive; nothing if the content is none.
pub(super) fn read_entries(archive: &[u8]) -> Option<Vec<ZipEntry>> {
    let end = archive.windows(4).rposition(|mark| mark == END.0).map(|at| &archive[at..])?;
    if end.len() < END.1 {
        return None;
    }
    let (count, size, start) = (u16_at(end, 10)?, u32_at(end, 12)? as usize, u32_at(end, 16)? as usize);
    let mut rest = archive.get(start..start.checked_add(size)?)?;
    let mut entries = Vec::new();
    for _ in 0..count {
        let (entry, after) = read_entry(rest)?;
        entries.push(entry);
        rest = after;
    }
    Some(entries)
}

fn read_entry(from: &[u8]) -> Option<(ZipEntry, &[u8])> {
    if !from.starts_with(ENTRY.0) {
        return None;
    }
    let (name, extra, remark) = (u16_at(from, 28)?, u16_at(from, 30)?, u16_at(from, 32)?);
    let name_end = ENTRY.1 + usize::from(name);
    let extra_end = name_end + usize::from(extra);
    let attributes = u32_at(from, 38)?;
    let dos_time = dos_timestamp(u16_at(from, 14)?, u16_at(from, 12)?);
    let entry = ZipEntry {
        name: String::from_utf8_lossy(from.get(ENTRY.1..name_end)?).into_owned(),
        unix: (*from.get(5)? == UNIX).then_some(attributes >> 16),
        dos: attributes & 0xff,
        size: u32_at(from, 24)?.into(),
        crc: u32_at(from, 16)?,
        written: unix_time(from.get(name_end..extra_end)?).unwrap_or(dos_time),
    };
    Some((entry, from.get(extra_end + usize::from(remark)..)?))
}

/// Date and time as DOS packs them, in the time zone of this machine.
fn dos_timestamp(date: u16, time: u16) -> i64 {
    let part = |value: u16, from: u16, bits: u16| i8::try_from((value >> from) & ((1 << bits) - 1)).unwrap_or_default();
    let first = DateTime::constant(1980, 1, 1, 0, 0, 0, 0);
    let year = 1980 + i16::try_from(date >> 9).unwrap_or_default();
    let (month, day) = (part(date, 5, 4), part(date, 0, 5));
    let (hour, minute, second) = (part(time, 11, 5), part(time, 5, 6), part(time, 0, 5) * 2);
    let moment = DateTime::new(year, month, day, hour, minute, second, 0).unwrap_or(first);
    jiff::tz::TimeZone::system().to_timestamp(moment).map_or(0, jiff::Timestamp::as_second)
}

/// The time among the further fields.
fn unix_time(mut extra: &[u8]) -> Option<i64> {
    while extra.len() >= 4 {
        let (kind, size) = (u16_at(extra, 0)?, usize::from(u16_at(extra, 2)?));
        let field = extra.get(4..4 + size)?;
        if kind == TIMES && field.first().is_some_and(|flags| flags & 1 == 1) {
            // Times before 1970 are negative.
            return u32_at(field, 1).map(|seconds| i64::from(seconds.cast_signed()));
        }
        extra = &extra[4 + size..];
    }
    None
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An archive of one file, `a` with `hi`, packed by Python's `zipfile`.
    const ONE: &[u8] = b"PK\x03\x04\x14\0\0\0\0\0\0\0!P\xacE\x85\xd8\x02\0\0\0\x02\0\0\0\x01\0\0\0ahi\
        PK\x01\x02\x14\x03\x14\0\0\0\0\0\0\0!P\xacE\x85\xd8\x02\0\0\0\x02\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\xa4\x81\0\0\0\0a\
        PK\x05\x06\0\0\0\0\x01\0\x01\0/\0\0\0!\0\0\0\0\0";

    #[test]
    fn the_directory_is_read() {
        let found = read_entries(ONE).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].name.as_str(), found[0].unix, found[0].size), ("a", Some(0o100_644), 2));
    }

    #[test]
    fn what_is_no_archive_is_none() {
        assert_eq!(read_entries(b"plain"), None);
        for end in 0..ONE.len() {
            let _ = read_entries(&ONE[..end]);
        }
        let mut spoilt = ONE.to_vec();
        for at in 0..spoilt.len() {
            spoilt[at] ^= 0xff;
            let _ = read_entries(&spoilt);
            spoilt[at] ^= 0xff;
        }
    }
}
