//! Archives that GNU `tar` reads.

use super::error::ArchiveError;
use super::{Job, Opened};
use crate::host::HostCommand;
use crate::modules::builtin::files::{display_path, glob};

/// The ways in which an archive may be packed, in the order in which they are tried.
const PACKED: &[(&str, Option<&str>)] = &[
    ("TgzArchive", Some("-z")),
    ("TarArchive", None),
    ("TarBzipArchive", Some("-j")),
    ("TarXzArchive", Some("-J")),
    ("TarZstdArchive", Some("--use-compress-program=zstd")),
];

/// Phrases by which `tar --diff` reports a file that differs from the archive.
const DIFFERENT: &[&str] = &[
    ": Mod time differs",
    ": Warning: Cannot stat: No such file or directory",
    ": Invalid owner",
    ": Invalid group",
    ": Symlink differs",
    ": Contents differ",
    ": Size differs",
];

/// A command in the folder, with messages that can be read.
pub(super) fn tar_command(job: &Job<'_>, words: Vec<String>) -> HostCommand {
    let mut command = HostCommand::new(words);
    command.folder = Some(job.dest.clone());
    command.environment = job.context.environment.to_vec();
    for name in ["LANG", "LC_ALL", "LC_MESSAGES", "LANGUAGE"] {
        command.environment.push((name.to_owned(), "C.UTF-8".to_owned()));
    }
    command
}

/// Opens the archive, however it is packed; or tells why that cannot be done.
pub(super) async fn open_tar(job: &Job<'_>) -> Result<Opened, ArchiveError> {
    let context = job.context;
    let Some(program) =
        context.find_program("gtar").or_else(|| context.find_program("tar")).map(|path| display_path(&path))
    else {
        return Err(ArchiveError::NoTar);
    };
    let mut reasons = Vec::new();
    for (handler, flag) in PACKED {
        let tar = Tar { job, program: &program, flag: *flag };
        match tar.list_names().await {
            Ok(names) if names.is_empty() => reasons.push(ArchiveError::Empty { program: program.clone() }),
            Ok(names) => {
                let is_there = tar.is_there().await?;
                let unpack = tar.command_words("--extract", true);
                return Ok(Opened { handler, names, is_there, differences: None, unpack });
            }
            Err(why) => reasons.push(ArchiveError::NotHandled { program: program.clone(), why: Box::new(why) }),
        }
    }
    Err(ArchiveError::NoWay(reasons))
}

struct Tar<'a> {
    job: &'a Job<'a>,
    program: &'a str,
    flag: Option<&'static str>,
}

impl Tar<'_> {
    fn command_words(&self, verb: &str, owned: bool) -> Vec<String> {
        let job = self.job;
        let mut words = vec![self.program.to_owned(), verb.to_owned(), "-C".to_owned(), display_path(&job.dest)];
        words.extend(self.flag.map(str::to_owned));
        if !job.options.is_empty() {
            words.push("--show-transformed-names".to_owned());
            words.extend(job.options.iter().cloned());
        }
        if owned {
            words.extend(job.attributes.owner.iter().map(|owner| format!("--owner={owner}")));
            words.extend(job.attributes.group.iter().map(|group| format!("--group={group}")));
            words.extend(job.keep_newer.then(|| "--keep-newer-files".to_owned()));
        }
        words.extend(job.exclude.iter().map(|name| format!("--exclude={}", name.trim_end_matches('/'))));
        words.extend(["-f".to_owned(), display_path(&job.archive)]);
        words.extend(job.include.iter().cloned());
        words
    }

    /// The names in the archive.
    async fn list_names(&self) -> Result<Vec<String>, ArchiveError> {
        let command = tar_command(self.job, self.command_words("--list", false));
        let said = self.job.context.host.run_query(&command).await?;
        if said.rc != 0 {
            return Err(ArchiveError::Listing { stderr: said.stderr_text() });
        }
        let excludes: Vec<String> = self.job.exclude.iter().map(|name| name.trim_end_matches('/').to_owned()).collect();
        let text = said.stdout_text();
        let names = text.lines().map(|line| {
            let name = unescape_name(line);
            name.strip_prefix('/').map(str::to_owned).unwrap_or(name)
        });
        Ok(names.filter(|name| !glob::any_fits(&excludes, name)).collect())
    }

    /// Whether the folder has everything as it is in the archive, but for what the task sets itself.
    async fn is_there(&self) -> Result<bool, ArchiveError> {
        let command = tar_command(self.job, self.command_words("--diff", true));
        let said = self.job.context.host.run_query(&command).await?;
        let root = rustix::process::getuid().is_root();
        let attributes = &self.job.attributes;
        let (stdout, stderr) = (said.stdout_text(), said.stderr_text());
        Ok(!stdout.lines().chain(stderr.lines()).filter(|line| !line.contains(": : Warning: Cannot stat")).any(
            |line| {
                (root && attributes.owner.is_none() && line.ends_with(": Uid differs"))
                    || (root && attributes.group.is_none() && line.ends_with(": Gid differs"))
                    || (attributes.mode.is_none() && line.ends_with(": Mode differs"))
                    || DIFFERENT.iter().any(|said| line.contains(said))
            },
        ))
    }
}

/// A name as `tar` lists it, with its escapes resolved.
fn unescape_name(line: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = line.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let octal = rest.iter().take(3).take_while(|digit| (b'0'..b'8').contains(digit)).count();
        if octal == 3 {
            let value = rest[..3].iter().fold(0_u32, |value, digit| value * 8 + u32::from(digit - b'0'));
            bytes.push((value & 0xff) as u8);
            rest = &rest[3..];
            continue;
        }
        let Some((&letter, after)) = rest.split_first() else {
            bytes.push(b'\\');
            break;
        };
        rest = after;
        bytes.push(match letter {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'v' => 11,
            other => other,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unescaped() {
        assert_eq!(unescape_name("plain/n\u{e4}me"), "plain/n\u{e4}me");
        assert_eq!(unescape_name(r"a\303\244\nb\\c"), "a\u{e4}\nb\\c");
        assert_eq!(unescape_name("end\\"), "end\\");
    }
}
