//! Reading within bounds: files, streams, and what programs print.
//!
//! A name can lead anywhere: to a device that never ends, to a pipe without a writer, to a file larger than the
//! memory. Files that are given by name are regular files, or the pipes that a shell names (`<(command)`, `/dev/stdin`);
//! everything else is refused with its kind, before a byte is read.

use std::fs::{File, FileType, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ChildStdout, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// The largest file or stream that is read into memory.
pub const LARGEST: u64 = 4 << 30;
/// The most that a program may print which is asked for data (an inventory script, a fact script, a password client).
pub const LARGEST_OUTPUT: u64 = 64 << 20;
/// The most entries that are looked at in a folder and everything below it.
pub const MOST_ENTRIES: usize = 100_000;

/// Where a shell puts pipes that it made itself.
const PIPES_OF_SHELLS: [&str; 4] = ["/dev/fd/", "/dev/stdin", "/proc/self/fd/", "/proc/thread-self/fd/"];

/// Names the kind of a file that is not a regular file, as messages do; nothing for a regular file.
pub fn special_kind(kind: FileType) -> Option<&'static str> {
    if kind.is_dir() {
        Some("a directory")
    } else if kind.is_fifo() {
        Some("a named pipe")
    } else if kind.is_socket() {
        Some("a socket")
    } else if kind.is_char_device() {
        Some("a character device")
    } else if kind.is_block_device() {
        Some("a block device")
    } else {
        None
    }
}

/// Reads a file.
///
/// # Errors
/// As the system says, or if it is not a regular file, or larger than [`LARGEST`].
pub fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let file = open_file(path)?;
    if file.metadata()?.len() > LARGEST {
        return Err(too_large(LARGEST));
    }
    read_all(file)
}

/// Refuses a path that leads to a device, a pipe or a socket; a folder, and nothing at all, pass.
///
/// # Errors
/// With the kind of what is there.
pub fn refuse_special_path(path: &Path) -> io::Result<()> {
    match path.metadata() {
        Ok(about) if !about.is_dir() && !may_be_read(path) => refuse_special(about.file_type()),
        _ => Ok(()),
    }
}

/// Whether something may be read although it is not a regular file: the pipes of a shell, and `/dev/null`, which ends at
/// once and has always been a way to say "an empty file".
fn may_be_read(path: &Path) -> bool {
    path == Path::new("/dev/null")
        || PIPES_OF_SHELLS.iter().any(|start| path.as_os_str().as_encoded_bytes().starts_with(start.as_bytes()))
}

/// Opens a file for reading.
///
/// # Errors
/// As the system says, or if it is not a regular file.
pub fn open_file(path: &Path) -> io::Result<File> {
    if may_be_read(path) {
        return File::open(path);
    }
    // Opening a pipe would wait for a writer, opening a device may do more than that.
    refuse_special(path.metadata()?.file_type())?;
    let file = OpenOptions::new().read(true).custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32).open(path)?;
    // It may be another one by now.
    refuse_special(file.metadata()?.file_type())?;
    Ok(file)
}

/// Reads a file as text.
///
/// # Errors
/// As [`read_file`], or if it is not UTF-8.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read_file(path)?)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "stream did not contain valid UTF-8"))
}

/// Returns the system's words for an error, without the number that the standard library puts behind them.
pub fn describe_io_error(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

/// Reads a stream to its end.
///
/// # Errors
/// As the system says, or if it has more than [`LARGEST`] bytes.
pub fn read_all(stream: impl Read) -> io::Result<Vec<u8>> {
    read_up_to(stream, LARGEST)
}

/// Reads a stream to its end.
///
/// # Errors
/// As the system says, or if it has more than so many bytes.
pub fn read_up_to(stream: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(too_large(most)) } else { Ok(bytes) }
}

/// Processes that end when a program prints too much, or when a signal asks this process to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// The program alone: it may talk to the user at the terminal, which only the group of this process may.
    Program,
    /// The program and everything it has started.
    Group,
}

/// Runs a program to its end, or until it has printed more than `most` bytes. Where its standard error is piped, the
/// first part of it is kept.
///
/// # Errors
/// If it cannot be run, or has printed more.
pub fn output_of(command: &mut Command, most: u64, ends: Ends) -> io::Result<Output> {
    /// How much of what a program complains of is kept.
    const COMPLAINTS: u64 = 64 << 10;
    if ends == Ends::Group {
        command.process_group(0);
    }
    crate::block_output::write_pending();
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let complaints = child.stderr.take().map(|mut pipe| {
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            // The rest is read so that the program is not held up, and dropped.
            let _ = pipe.by_ref().take(COMPLAINTS).read_to_end(&mut kept);
            let _ = io::copy(&mut pipe, &mut io::sink());
            kept
        })
    });
    let printed = match child.stdout.take() {
        Some(pipe) => wait_for_end(pipe, most),
        None => Ok(Vec::new()),
    };
    if printed.is_err() {
        match rustix::process::Pid::from_raw(child.id().cast_signed()) {
            Some(group) if ends == Ends::Group => {
                rustix::process::kill_process_group(group, rustix::process::Signal::KILL)?;
            }
            _ => child.kill()?,
        }
    }
    let status = child.wait()?;
    let stdout = printed?;
    let stderr = complaints.and_then(|thread| thread.join().ok()).unwrap_or_default();
    Ok(Output { status, stdout, stderr })
}

/// Reads what a program prints, for as long as no signal asks this process to end.
fn wait_for_end(pipe: ChildStdout, most: u64) -> io::Result<Vec<u8>> {
    /// How often it is looked for signals.
    const LOOK_EVERY: Duration = Duration::from_millis(50);
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(read_up_to(pipe, most)));
    loop {
        match receiver.recv_timeout(LOOK_EVERY) {
            Ok(printed) => return printed,
            Err(_) if crate::interrupt::is_signalled() => return Err(io::Error::other("interrupted")),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => return Err(io::Error::other("its output was lost")),
        }
    }
}

fn refuse_special(kind: FileType) -> io::Result<()> {
    match special_kind(kind) {
        None => Ok(()),
        Some("a directory") => Err(io::Error::from_raw_os_error(rustix::io::Errno::ISDIR.raw_os_error())),
        Some(kind) => Err(io::Error::new(io::ErrorKind::InvalidInput, format!("is {kind}, not a file"))),
    }
}

fn too_large(most: u64) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {} MiB", most >> 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_files_are_refused_with_their_kind() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
        for (path, kind) in [
            (pipe.as_path(), "is a named pipe, not a file"),
            (&folder.path().join("socket"), "is a socket, not a file"),
            (Path::new("/dev/zero"), "is a character device, not a file"),
            (folder.path(), "Is a directory (os error 21)"),
        ] {
            assert_eq!(read_file(path).unwrap_err().to_string(), kind);
        }
        assert_eq!(read_file(Path::new("/dev/null")).unwrap(), b"");
    }

    #[test]
    fn file_that_is_too_large_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sparse");
        File::create(&path).unwrap().set_len(LARGEST + 1).unwrap();
        assert_eq!(read_file(&path).unwrap_err().to_string(), "it has more than 4096 MiB");
    }

    #[test]
    fn program_that_prints_without_end_is_ended() {
        let mut endless = Command::new("yes");
        assert!(output_of(&mut endless, 1 << 20, Ends::Group).is_err());
        let mut short = Command::new("sh");
        let output =
            output_of(short.args(["-c", "echo a; echo b >&2; exit 3"]).stderr(Stdio::piped()), 100, Ends::Program)
                .unwrap();
        assert_eq!((output.stdout, output.stderr, output.status.code()), (b"a\n".to_vec(), b"b\n".to_vec(), Some(3)));
    }
}
