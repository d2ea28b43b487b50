//! The folder in which the journals of all runs lie.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::entry::{self, Entry, Line};

/// The folder.
#[derive(Debug, Clone)]
pub struct Shelf {
    folder: PathBuf,
}

/// What a run has left.
#[derive(Clone)]
pub struct Left {
    /// About which token.
    pub entry: Entry,
    /// In which file.
    pub file: PathBuf,
    /// The run is still under way.
    pub alive: bool,
}

impl Shelf {
    /// That in the folder of states.
    pub fn new(state: PathBuf) -> Self {
        Self { folder: state.join("passwords") }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A new file, for its user only.
    pub(super) fn add(&self) -> std::io::Result<(File, PathBuf)> {
        let told = |error: std::io::Error| {
            std::io::Error::new(error.kind(), format!("cannot write to `{}`: {error}", self.folder.display()))
        };
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).map_err(told)?;
        let now = jiff::Timestamp::now().as_millisecond();
        let path = self.folder.join(format!("{now}-{}.jsonl", std::process::id()));
        let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&path).map_err(told)?;
        Ok((file, path))
    }

    /// What there is, oldest first. A file that cannot be read is passed over: it is another user's.
    pub fn left(&self) -> Vec<Left> {
        let Ok(folder) = std::fs::read_dir(&self.folder) else { return Vec::new() };
        let mut files: Vec<PathBuf> = folder.flatten().map(|file| file.path()).collect();
        files.retain(|path| path.extension().is_some_and(|kind| kind == "jsonl"));
        files.sort();
        files.iter().flat_map(|path| in_file(path).unwrap_or_default()).collect()
    }

    /// Forgets one entry, and the file if it was the last.
    ///
    /// # Errors
    /// If the file cannot be written, or its run is still under way.
    pub fn forget(&self, left: &Left) -> anyhow::Result<()> {
        let failed = || format!("cannot write `{}`", left.file.display());
        let mut file = match OpenOptions::new().read(true).append(true).open(&left.file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            other => other.with_context(failed)?,
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                anyhow::bail!("the run that made token `{}` is still under way", left.entry.subject.name)
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(failed),
        }
        let mut line = serde_json::to_vec(&Line::Closed { number: left.entry.number })?;
        // The line before may have been cut off.
        line.insert(0, b'\n');
        line.push(b'\n');
        file.write_all(&line).with_context(failed)?;
        let mut text = zeroize::Zeroizing::new(String::new());
        std::io::Seek::rewind(&mut file).with_context(failed)?;
        file.read_to_string(&mut text).with_context(failed)?;
        if entry::read(&text).is_empty() {
            std::fs::remove_file(&left.file).with_context(failed)?;
        }
        Ok(())
    }
}

fn in_file(path: &Path) -> std::io::Result<Vec<Left>> {
    let mut file = File::open(path)?;
    let alive = matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
    let mut text = zeroize::Zeroizing::new(String::new());
    file.read_to_string(&mut text)?;
    let entries = entry::read(&text);
    if entries.is_empty() && !alive {
        // Its run was killed between the last step and the end: there is nothing to tell.
        let _ = std::fs::remove_file(path);
    }
    Ok(entries.into_iter().map(|entry| Left { entry, file: path.to_path_buf(), alive }).collect())
}
