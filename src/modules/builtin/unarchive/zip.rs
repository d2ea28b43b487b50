//! Archives that `unzip` reads.

use std::collections::HashMap;
use std::path::Path;

use super::{Look, Order};
use crate::modules::Failure;
use crate::modules::builtin::files::disk::Kind;
use crate::modules::builtin::files::mode::{self, Current};
use crate::modules::builtin::files::{Disk, shown};

/// A member of an archive.
#[derive(Debug, PartialEq)]
struct Member {
    name: String,
    kind: Kind,
    bits: Option<u32>,
    size: u64,
    /// Local time, `yyyymmdd.hhmmss`.
    written: String,
}

/// Lists an archive and compares it with what is there.
pub async fn look(order: &Order, disk: Disk) -> Result<Look, Failure> {
    let archive = shown(&order.archive);
    let unzip = order.program(disk, &["unzip"])?;
    let listed = order.ask(disk, &[unzip.clone(), "-Z".into(), "-T".into(), "-s".into(), archive.clone()]).await?;
    if listed.rc != 0 {
        return Err(order.no_archive(&format!("Command \"{unzip}\" could not handle archive: {}", listed.stderr)));
    }
    let sums = order.ask(disk, &[unzip, "-v".into(), archive]).await?;
    let sums: HashMap<&str, u32> = sums.stdout.lines().filter_map(sum).collect();
    let mut look = Look { handler: "ZipArchive", files: Vec::new(), unpacked: true, diff: String::new() };
    for member in listed.stdout.lines().filter_map(member) {
        let wanted = order.include.is_empty() || order.include.contains(&member.name);
        if !wanted || order.exclude.contains(&member.name) {
            continue;
        }
        if let Some(line) = difference(order, disk, &member, sums.get(member.name.as_str()).copied()) {
            look.diff.push_str(&line);
            look.unpacked = false;
        }
        look.files.push(member.name);
    }
    Ok(look)
}

/// The command that unpacks.
pub fn command(order: &Order, disk: Disk) -> Result<Vec<String>, Failure> {
    let mut words = vec![order.program(disk, &["unzip"])?, "-o".into()];
    words.extend(order.extra.iter().cloned());
    words.push(shown(&order.archive));
    words.extend(order.include.iter().cloned());
    if !order.exclude.is_empty() {
        words.push("-x".into());
        words.extend(order.exclude.iter().cloned());
    }
    words.extend(["-d".into(), order.dest.clone()]);
    Ok(words)
}

/// `-rw-r--r--  3.0 unx  4 tx stor 20260102.030405 name`
fn member(line: &str) -> Option<Member> {
    let mut rest = line.trim_start();
    let mut fields = Vec::new();
    for _ in 0..7 {
        let (field, tail) = rest.split_once(char::is_whitespace)?;
        fields.push(field);
        rest = tail.trim_start();
    }
    let (permissions, written) = (fields[0], fields[6]);
    if !matches!(permissions.len(), 7 | 8 | 10) || written.len() != 15 || rest.is_empty() {
        return None;
    }
    let kind = match permissions.chars().next()? {
        _ if rest.ends_with('/') => Kind::Directory,
        'd' => Kind::Directory,
        'l' => Kind::Link,
        '-' | '?' => Kind::File,
        _ => return None,
    };
    let bits = (permissions.len() == 10).then(|| bits(&permissions[1..]));
    Some(Member { name: rest.to_owned(), kind, bits, size: fields[3].parse().ok()?, written: written.to_owned() })
}

/// `rwxr-sr-t` as bits.
fn bits(letters: &str) -> u32 {
    letters.chars().enumerate().fold(0, |bits, (index, letter)| {
        let place = 1 << (8 - index);
        let special = 0o4000 >> (index / 3);
        bits | match letter {
            'r' | 'w' | 'x' => place,
            's' | 't' => place | special,
            'S' | 'T' => special,
            _ => 0,
        }
    })
}

/// `  4  Stored  4  0% 2026-01-02 03:04 1a2b3c4d  name`
fn sum(line: &str) -> Option<(&str, u32)> {
    let (before, name) = line.split_once("  ").and_then(|_| line.rsplit_once("  "))?;
    let crc = before.split_whitespace().last().filter(|word| word.len() == 8)?;
    Some((name, u32::from_str_radix(crc, 16).ok()?))
}

/// What unpacking would do to a path, as `rsync` would itemize it; nothing if it is as in the archive.
fn difference(order: &Order, disk: Disk, member: &Member, crc: Option<u32>) -> Option<String> {
    let letter = match member.kind {
        Kind::Directory => 'd',
        Kind::Link => 'L',
        _ => 'f',
    };
    let path = Path::new(&order.dest).join(member.name.trim_end_matches('/'));
    let Some(meta) = disk.lstat(&path) else { return Some(format!(">{letter}++++++.?? {}\n", member.name)) };
    if meta.kind != member.kind {
        return Some(format!("c{letter}++++++.?? {}\n", member.name));
    }
    let mut item = ['.', letter, '.', '.', '.', '.', '.', '.', '.', '?', '?'];
    let mut changed = false;
    let mut mark = |index: usize, sign: char| {
        item[index] = sign;
        changed = true;
    };
    if member.kind == Kind::File {
        #[allow(clippy::cast_possible_truncation)]
        let there = meta.mtime.floor() as i64;
        if let Some(archived) = seconds(&member.written) {
            if order.keep_newer && archived < there {
                return None;
            }
            if archived != there {
                mark(4, 't');
            }
        }
        if member.size != meta.size {
            mark(3, 's');
        }
        let content = disk.read(&path).unwrap_or_default();
        if crc.is_some_and(|crc| crc != crc32(&content)) {
            mark(2, 'c');
        }
    }
    if member.kind != Kind::Link {
        let current = Current { bits: meta.bits, is_dir: meta.is_dir(), umask: disk.umask() };
        let asked = order.attributes.mode.as_ref().and_then(|mode| mode::resolve(mode, current).ok());
        if asked.or(member.bits).is_some_and(|bits| bits != meta.bits) {
            mark(5, 'p');
        }
    }
    changed.then(|| format!("{} {}\n", item.iter().collect::<String>(), member.name))
}

fn seconds(stamp: &str) -> Option<i64> {
    let time = jiff::civil::DateTime::strptime("%Y%m%d.%H%M%S", stamp).ok()?;
    Some(time.to_zoned_datetime(jiff::tz::TimeZone::system()).ok()?.timestamp().as_second())
}

/// The checksum of zip archives.
fn crc32(content: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    };
    !content.iter().fold(!0, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listings_are_read() {
        let found = member("-rwxr-x---  3.0 unx     4 tx stor 20260102.030405 a dir/na me").unwrap();
        assert_eq!((found.name.as_str(), found.kind, found.bits), ("a dir/na me", Kind::File, Some(0o750)));
        assert_eq!((found.size, found.written.as_str()), (4, "20260102.030405"));
        assert_eq!(member("drwxr-xr-x  3.0 unx 0 bx stor 20260102.030405 d/").unwrap().kind, Kind::Directory);
        assert_eq!(member("3 files, 7 bytes uncompressed"), None);
        let line = "       4  Stored        4   0% 2026-01-02 03:04 1a2b3c4d  a b";
        assert_eq!(sum(line), Some(("a b", 0x1a2b_3c4d)));
    }

    #[test]
    fn checksums_are_those_of_zip() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(bits("rwsr-xr-t"), 0o5755);
    }
}
