//! Who uses a state folder: one daemon, or any number of single commands.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The right to use a state folder. It ends with the process.
#[derive(Debug)]
pub struct Holder {
    _file: File,
}

/// Why there is no such right.
#[derive(Debug, Error)]
pub enum HolderError {
    /// A daemon has it.
    #[error("`gitops serve` uses this state already: {0}")]
    Daemon(String),
    /// The folder cannot be used.
    #[error("cannot use the state folder `{path}`: {why}; name another one with `state_dir`")]
    Folder {
        /// The folder.
        path: String,
        /// Why.
        why: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Name {
    host: String,
    process: u32,
    since: jiff::Timestamp,
}

fn folder_error(path: &Path, error: &std::io::Error) -> HolderError {
    HolderError::Folder { path: path.display().to_string(), why: crate::playbook::loader::plain_error(error) }
}

fn open_lock_file(state: &Path) -> Result<(File, PathBuf), HolderError> {
    std::fs::create_dir_all(state).map_err(|error| folder_error(state, &error))?;
    let path = state.join("gitops.lock");
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
    Ok((file.map_err(|error| folder_error(state, &error))?, path))
}

fn describe_holder(file: &mut File) -> String {
    let mut text = String::new();
    let _ = file.rewind().and_then(|()| file.read_to_string(&mut text));
    match serde_json::from_str::<Name>(&text) {
        Ok(name) => format!("host `{}`, process {}, since {}", name.host, name.process, name.since),
        Err(_) => "another process".to_owned(),
    }
}

impl Holder {
    /// Takes the folder for a daemon. Single commands under way are waited for.
    ///
    /// # Errors
    /// If another daemon has it; the message names it.
    pub async fn lock_for_daemon(state: &Path, host: &str) -> Result<Self, HolderError> {
        let (mut file, path) = open_lock_file(state)?;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(folder_error(state, &error)),
                Err(TryLockError::WouldBlock) => {}
            }
            // Commands share the lock, a daemon does not.
            let (other, _) = open_lock_file(state)?;
            if let Err(TryLockError::WouldBlock) = other.try_lock_shared() {
                return Err(HolderError::Daemon(describe_holder(&mut file)));
            }
            drop(other);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let name = Name { host: host.to_owned(), process: std::process::id(), since: super::clock::now() };
        let text = serde_json::to_string(&name).unwrap_or_default();
        let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(text.as_bytes()));
        written.map_err(|error| folder_error(&path, &error))?;
        Ok(Self { _file: file })
    }

    /// Takes a share of the folder for a command.
    ///
    /// # Errors
    /// If a daemon has the folder: then it is asked to do what the command wants.
    pub fn lock_for_command(state: &Path) -> Result<Self, HolderError> {
        let (mut file, _) = open_lock_file(state)?;
        match file.try_lock_shared() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(HolderError::Daemon(describe_holder(&mut file))),
            Err(TryLockError::Error(error)) => Err(folder_error(state, &error)),
        }
    }
}
