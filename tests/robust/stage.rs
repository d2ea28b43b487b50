//! A folder with a playbook, and the program that runs it with a time limit.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The longest that any answer may take, on a busy machine too.
const LIMIT: Duration = Duration::from_secs(120);

/// A temporary folder in which the program runs.
pub struct Stage {
    folder: tempfile::TempDir,
}

/// What the program answered.
#[derive(Debug)]
pub struct Answer {
    /// Its exit status.
    pub status: ExitStatus,
    /// What it wrote to standard output and standard error.
    pub text: String,
}

impl Answer {
    /// The exit code; none if a signal ended it.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }
}

impl Stage {
    /// An empty folder.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A folder with a playbook in `playbook.yml`.
    pub fn with_playbook(text: &str) -> Self {
        let stage = Self::new();
        stage.write("playbook.yml", text);
        stage
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// The program, ready to run in the folder, with nothing of the environment but what is said here.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ionplay"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .env("PATH", std::env::var("PATH").unwrap_or_default())
            .stdin(Stdio::null());
        command
    }

    /// Runs the program to its end, or fails the test if it does not come to one.
    pub fn run(&self, arguments: &[&str]) -> Answer {
        self.run_command(self.command(arguments))
    }

    /// The same for a command that was changed, with its output in a file so that no pipe can hold it up.
    pub fn run_command(&self, mut command: Command) -> Answer {
        let path = self.path(".output");
        let file = fs::File::create(&path).unwrap();
        let mut child = command.stdout(file.try_clone().unwrap()).stderr(file).spawn().unwrap();
        let began = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if began.elapsed() > LIMIT {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("{command:?} did not end: {}", text_of(&path));
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        Answer { status, text: text_of(&path) }
    }
}

/// The text of a file, whatever is in it.
pub fn text_of(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// Creates a named pipe.
pub fn make_pipe(path: &Path) {
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
}

/// Creates a node of the device that is always full, in a folder of the test; false, and a note, where only root may.
pub fn make_full_device(path: &Path) -> bool {
    let device = rustix::fs::makedev(1, 7);
    let made = rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::CharacterDevice, 0o666.into(), device);
    let usable = made.is_ok()
        && fs::OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|mut file| file.write_all(b"x"))
            .is_err_and(|error| error.kind() == std::io::ErrorKind::StorageFull);
    if !usable {
        println!("SKIPPED: device nodes cannot be made here (not root, or a file system without devices)");
    }
    usable
}
