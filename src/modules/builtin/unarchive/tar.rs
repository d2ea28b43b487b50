//! Archives that `tar` reads, plain or compressed.

use super::{Look, Order};
use crate::modules::Failure;
use crate::modules::builtin::files::{Disk, shown};

/// The kind by its first bytes: its name in results, and what `tar` has to be told.
fn kind(begin: &[u8]) -> (&'static str, Option<&'static str>) {
    match begin {
        [0x1f, 0x8b, ..] => ("TgzArchive", Some("-z")),
        [b'B', b'Z', b'h', ..] => ("TarBzipArchive", Some("-j")),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => ("TarXzArchive", Some("-J")),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => ("TarZstdArchive", Some("--zstd")),
        _ => ("TarArchive", None),
    }
}

/// Lists an archive and compares it with what is there.
pub async fn look(order: &Order, disk: Disk, begin: &[u8]) -> Result<Look, Failure> {
    let (handler, _) = kind(begin);
    let listed = order.ask(disk, &words(order, disk, begin, "--list", false)?).await?;
    if listed.rc != 0 {
        let why = format!("Unable to list files in the archive: {}", listed.stderr);
        return Err(order.no_archive(&why));
    }
    let files = listed.stdout.lines().map(|line| unescape(line.trim_start_matches('/'))).collect();
    let compared = order.ask(disk, &words(order, disk, begin, "--diff", true)?).await?;
    let differs = |line: &str| is_difference(line, order, rustix::process::getuid().is_root());
    let unpacked = !compared.stdout.lines().chain(compared.stderr.lines()).any(differs);
    Ok(Look { handler, files, unpacked, diff: String::new() })
}

/// The command that unpacks.
pub fn command(order: &Order, disk: Disk, begin: &[u8]) -> Result<Vec<String>, Failure> {
    words(order, disk, begin, "--extract", true)
}

fn words(order: &Order, disk: Disk, begin: &[u8], action: &str, owned: bool) -> Result<Vec<String>, Failure> {
    let mut words = vec![order.program(disk, &["gtar", "tar"])?, action.into(), "-C".into(), order.dest.clone()];
    words.extend(kind(begin).1.map(str::to_owned));
    if !order.extra.is_empty() {
        words.push("--show-transformed-names".into());
        words.extend(order.extra.iter().cloned());
    }
    if owned {
        words.extend(order.attributes.owner.iter().map(|owner| format!("--owner={owner}")));
        words.extend(order.attributes.group.iter().map(|group| format!("--group={group}")));
        if order.keep_newer {
            words.push("--keep-newer-files".into());
        }
    }
    words.extend(order.exclude.iter().map(|name| format!("--exclude={}", name.trim_end_matches('/'))));
    words.extend(["-f".into(), shown(&order.archive)]);
    words.extend(order.include.iter().cloned());
    Ok(words)
}

/// Whether a line of `tar --diff` tells of something that unpacking would mend and the task does not set itself.
fn is_difference(line: &str, order: &Order, root: bool) -> bool {
    let ends = |end: &str| line.ends_with(end);
    // With an empty name tar complains about the folder itself.
    if line.starts_with("tar: : Warning: Cannot ") || ends(": : Warning: Cannot stat: No such file or directory") {
        return false;
    }
    ends(": Uid differs") && root && order.attributes.owner.is_none()
        || ends(": Gid differs") && root && order.attributes.group.is_none()
        || ends(": Mode differs") && order.attributes.mode.is_none()
        || ends(": Mod time differs")
        || ends(": Warning: Cannot stat: No such file or directory")
        || ends(": Symlink differs")
        || ends(": Contents differ")
        || ends(": Size differs")
        || ends(": Invalid owner")
        || ends(": Invalid group")
}

/// Names as `tar` lists them: bytes beyond ASCII may stand as three octal digits.
fn unescape(name: &str) -> String {
    let mut out = Vec::new();
    let mut rest = name.as_bytes();
    while let [first, tail @ ..] = rest {
        let octal = tail.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        match (first, tail.first(), octal.and_then(|digits| u8::from_str_radix(digits, 8).ok())) {
            (b'\\', _, Some(byte)) => {
                out.push(byte);
                rest = &tail[3..];
            }
            (b'\\', Some(b'\\'), None) => {
                out.push(b'\\');
                rest = &tail[1..];
            }
            _ => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unescaped() {
        assert_eq!(unescape(r"a\303\244\\b"), r"aä\b");
        assert_eq!(unescape("plain"), "plain");
    }

    #[test]
    fn kinds_are_told_by_their_first_bytes() {
        assert_eq!(kind(&[0x1f, 0x8b, 8]).0, "TgzArchive");
        assert_eq!(kind(b"BZh9").0, "TarBzipArchive");
        assert_eq!(kind(b"anything").0, "TarArchive");
    }
}
