//! The backend of one machine: a folder with a file for each run, which the run keeps locked.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use super::backend::{Backend, CredentialLog, Durability, StoredLog};
use super::error::StoreError;

/// Room for the lines that follow an intention: the answer, sealed at most, and how it ended.
const RESERVED: u64 = 16 * 1024;

/// Others may write.
const WRITABLE: u32 = 0o022;

/// The name of log files ends so.
const SUFFIX: &str = ".jsonl";

/// A log that is being begun or rewritten ends so; it holds nothing that counts.
const UNFINISHED: &str = ".new";

/// A folder of logs that only its user may read.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Returns the folder of passwords below a state directory.
    pub fn in_state_dir(state_dir: &Path) -> Self {
        Self { path: state_dir.join("passwords") }
    }

    /// Creates the folder if it is not there, and checks that it is safe to keep passwords in.
    fn prepare_folder(&self) -> Result<(), StoreError> {
        let failed = StoreError::from_io("write to", &self.path);
        DirBuilder::new().recursive(true).mode(0o700).create(&self.path).map_err(failed)?;
        self.check_permissions()
    }

    /// Checks that other users cannot plant or remove entries.
    fn check_permissions(&self) -> Result<(), StoreError> {
        let meta = std::fs::metadata(&self.path).map_err(StoreError::from_io("read", &self.path))?;
        let user = rustix::process::geteuid();
        if meta.uid() != user.as_raw() && !user.is_root() {
            return Err(StoreError::Foreign(self.path.clone()));
        }
        if meta.mode() & WRITABLE != 0 {
            return Err(StoreError::Unsafe(self.path.clone()));
        }
        Ok(())
    }

    /// Removes temporary files of runs that were killed while they created or rewrote a log. The log itself is complete.
    fn clear_leftovers(&self) {
        for entry in std::fs::read_dir(&self.path).into_iter().flatten().flatten() {
            let path = entry.path();
            let is_leftover = entry.file_name().to_string_lossy().ends_with(UNFINISHED);
            if is_leftover
                && let Ok(Some(file)) = open_regular(&path, OpenOptions::new().read(true).append(true))
                && file.try_lock().is_ok()
            {
                let _ = std::fs::remove_file(&path);
            }
        }
    }

    fn read_log(&self, name: &str) -> Option<StoredLog> {
        let path = self.path.join(name);
        let read = || -> Result<Option<(Zeroizing<String>, bool)>, StoreError> {
            let Some(mut file) = open_regular(&path, OpenOptions::new().read(true))? else { return Ok(None) };
            let is_held = matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
            let _ = file.unlock();
            Ok(Some((read_text(&mut file, &path)?, is_held)))
        };
        match read() {
            Ok(None) => None,
            Ok(Some((text, is_held))) => Some(StoredLog { name: name.to_owned(), text: Ok(text), is_held }),
            Err(error) => Some(StoredLog { name: name.to_owned(), text: Err(error), is_held: false }),
        }
    }

    /// Creates a file that is locked before it gets the name by which others find it.
    fn create_locked(&self, path: &Path, text: &[u8]) -> Result<File, StoreError> {
        let unfinished = PathBuf::from(format!("{}{UNFINISHED}", path.display()));
        let failed = || StoreError::from_io("write to", &self.path);
        loop {
            let _ = std::fs::remove_file(&unfinished);
            let mut options = OpenOptions::new();
            options.read(true).append(true).create_new(true).mode(0o600);
            let mut file = match options.open(&unfinished) {
                Ok(file) => file,
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(failed()(error)),
            };
            file.lock().map_err(StoreError::from_io("lock", &unfinished))?;
            file.write_all(text).map_err(failed())?;
            if !text.is_empty() {
                file.sync_data().map_err(failed())?;
            }
            match std::fs::rename(&unfinished, path) {
                Ok(()) => return Ok(file),
                // Another process has cleared it away as a leftover.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed()(error)),
            }
        }
    }
}

impl Backend for Folder {
    fn begin_log(&self) -> Result<Box<dyn CredentialLog>, StoreError> {
        self.prepare_folder()?;
        self.clear_leftovers();
        let now = jiff::Timestamp::now().as_nanosecond();
        let path = self.path.join(format!("{now}-{}{SUFFIX}", std::process::id()));
        let file = self.create_locked(&path, b"")?;
        Ok(Box::new(LogFile { folder: self.clone(), file, path, is_name_lasting: false }))
    }

    fn read_all(&self) -> Result<Vec<StoredLog>, StoreError> {
        let entries = match std::fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(StoreError::from_io("read", &self.path)(error)),
        };
        self.check_permissions()?;
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> = names.filter(|name| name.ends_with(SUFFIX)).collect();
        names.sort();
        Ok(names.iter().filter_map(|name| self.read_log(name)).collect())
    }

    fn hold_log(&self, name: &str) -> Result<Option<Box<dyn CredentialLog>>, StoreError> {
        let path = self.path.join(name);
        for _ in 0..5 {
            let Some(file) = open_regular(&path, OpenOptions::new().read(true).append(true))? else { return Ok(None) };
            match file.try_lock() {
                // The file may have been rewritten or removed between the opening and the lock.
                Ok(()) if is_same_file(&file, &path) => {
                    return Ok(Some(Box::new(LogFile { folder: self.clone(), file, path, is_name_lasting: true })));
                }
                Ok(()) => {}
                // A reader holds a lock for a moment only.
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(5)),
                Err(TryLockError::Error(error)) => return Err(StoreError::from_io("lock", &path)(error)),
            }
        }
        Ok(None)
    }

    fn describe_place(&self) -> String {
        self.path.display().to_string()
    }
}

/// The file of a run.
struct LogFile {
    folder: Folder,
    file: File,
    path: PathBuf,
    /// The name of the file survives a power failure.
    is_name_lasting: bool,
}

impl LogFile {
    fn write_error(&self) -> impl FnOnce(std::io::Error) -> StoreError + use<> {
        StoreError::from_io("write", &self.path)
    }

    fn sync_folder(&mut self) -> Result<(), StoreError> {
        if !self.is_name_lasting {
            let folder = &self.folder.path;
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(StoreError::from_io("write to", folder))?;
            self.is_name_lasting = true;
        }
        Ok(())
    }
}

impl CredentialLog for LogFile {
    fn append_line(&mut self, line: &str, durability: Durability) -> Result<(), StoreError> {
        let text = Zeroizing::new(format!("{line}\n"));
        self.file.write_all(text.as_bytes()).map_err(self.write_error())?;
        match durability {
            Durability::Process => Ok(()),
            Durability::Power => self.sync_lines(),
        }
    }

    fn sync_lines(&mut self) -> Result<(), StoreError> {
        // The name has to last as long as what is in the file.
        self.sync_folder()?;
        self.file.sync_data().map_err(self.write_error())
    }

    #[cfg(target_os = "linux")]
    fn reserve_space(&mut self, answers: u64) -> Result<(), StoreError> {
        use rustix::fs::{FallocateFlags, fallocate};
        let end = self.file.metadata().map_err(self.write_error())?.len();
        match fallocate(&self.file, FallocateFlags::KEEP_SIZE, end, RESERVED * answers) {
            // A file system that cannot promise room says nothing about whether there is some.
            Ok(()) | Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => Ok(()),
            Err(error) => Err(self.write_error()(error.into())),
        }
    }

    fn read(&self) -> Result<Zeroizing<String>, StoreError> {
        read_text(&mut &self.file, &self.path)
    }

    fn replace_lines(&mut self, text: &str) -> Result<(), StoreError> {
        // The new file is locked before it takes the place of the old one, so that the log is held at any moment.
        self.file = self.folder.create_locked(&self.path, text.as_bytes())?;
        self.is_name_lasting = false;
        self.sync_folder()
    }

    fn remove_log(self: Box<Self>) -> Result<(), StoreError> {
        std::fs::remove_file(&self.path).map_err(StoreError::from_io("remove", &self.path))
    }
}

/// Opens a regular file; `None` if there is none, or something else has its name.
fn open_regular(path: &Path, options: &mut OpenOptions) -> Result<Option<File>, StoreError> {
    // Neither links nor pipes: a name that ends like a log must not make the program wait or read elsewhere.
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = match options.custom_flags(flags.bits().cast_signed()).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(_) if std::fs::symlink_metadata(path).is_ok_and(|meta| !meta.is_file()) => return Ok(None),
        Err(error) => return Err(StoreError::from_io("read", path)(error)),
    };
    let meta = file.metadata().map_err(StoreError::from_io("read", path))?;
    Ok(meta.is_file().then_some(file))
}

fn read_text(file: &mut (impl std::io::Read + std::io::Seek), path: &Path) -> Result<Zeroizing<String>, StoreError> {
    let mut bytes = Zeroizing::new(Vec::new());
    file.rewind().and_then(|()| file.read_to_end(&mut bytes)).map_err(StoreError::from_io("read", path))?;
    Ok(Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()))
}

fn is_same_file(file: &File, path: &Path) -> bool {
    let (Ok(held), Ok(named)) = (file.metadata(), std::fs::symlink_metadata(path)) else { return false };
    (held.dev(), held.ino()) == (named.dev(), named.ino())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn folder() -> (tempfile::TempDir, Folder) {
        let state = tempfile::tempdir().unwrap();
        let folder = Folder::in_state_dir(state.path());
        (state, folder)
    }

    #[test]
    fn log_is_held_until_its_run_ends() {
        let (_state, folder) = folder();
        let mut log = folder.begin_log().unwrap();
        log.append_line("one", Durability::Power).unwrap();
        let stored = folder.read_all().unwrap();
        assert!(stored[0].is_held && folder.hold_log(&stored[0].name).unwrap().is_none());
        drop(log);
        let stored = folder.read_all().unwrap();
        assert!(!stored[0].is_held);
        let mut log = folder.hold_log(&stored[0].name).unwrap().unwrap();
        log.replace_lines("two\n").unwrap();
        assert!(folder.read_all().unwrap()[0].is_held && folder.hold_log(&stored[0].name).unwrap().is_none());
        assert_eq!(log.read().unwrap().as_str(), "two\n");
        log.append_line("three", Durability::Process).unwrap();
        assert_eq!(log.read().unwrap().as_str(), "two\nthree\n");
        log.remove_log().unwrap();
        assert!(folder.read_all().unwrap().is_empty() && folder.hold_log(&stored[0].name).unwrap().is_none());
    }

    #[test]
    fn folder_that_others_may_write_to_is_refused() {
        let (_state, folder) = folder();
        drop(folder.begin_log().unwrap());
        std::fs::set_permissions(&folder.path, std::fs::Permissions::from_mode(0o770)).unwrap();
        assert!(matches!(folder.begin_log(), Err(StoreError::Unsafe(_))));
        assert!(matches!(folder.read_all(), Err(StoreError::Unsafe(_))));
    }

    #[test]
    fn links_folders_and_pipes_are_passed_over() {
        let (state, folder) = folder();
        drop(folder.begin_log().unwrap());
        std::fs::write(state.path().join("elsewhere"), "{}").unwrap();
        std::os::unix::fs::symlink(state.path().join("elsewhere"), folder.path.join("a.jsonl")).unwrap();
        std::fs::create_dir(folder.path.join("b.jsonl")).unwrap();
        let pipe = folder.path.join("c.jsonl");
        assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
        assert_eq!(folder.read_all().unwrap().len(), 1);
    }
}
