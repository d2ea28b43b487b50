//! Where entries are kept: the interface of a folder of files, of memory, and of any other backend.
//!
//! A backend keeps one *log* for each run: lines of text, each added durably and whole. A run holds its log while it
//! lives. When it ends or is killed, the log is free: another run may hold it, take its entries over, and remove it.

use zeroize::Zeroizing;

use super::StoreError;

/// How much a line has to survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// The end of the process.
    Process,
    /// A power failure, too.
    Power,
}

/// Where the logs of all runs are.
pub trait Backend {
    /// Begins the log of a run. It is held before another run can see it.
    ///
    /// # Errors
    /// If nothing can be kept there.
    fn begin_log(&self) -> Result<Box<dyn CredentialLog>, StoreError>;

    /// Reads the logs of all runs, oldest first.
    ///
    /// # Errors
    /// If they cannot be listed. A log that cannot be read is in the list, with the reason.
    fn read_all(&self) -> Result<Vec<StoredLog>, StoreError>;

    /// Holds the log of a run that has ended; `None` if another run holds it, or it is gone.
    ///
    /// # Errors
    /// If it cannot be read.
    fn hold_log(&self, name: &str) -> Result<Option<Box<dyn CredentialLog>>, StoreError>;

    /// Returns the place for messages: a folder, a server.
    fn describe_place(&self) -> String;

    /// Returns whether entries outlive the process.
    fn is_lasting(&self) -> bool {
        true
    }

    /// Returns whether runs of other hosts go on with what is kept here, and take what is not kept for lost.
    fn is_shared(&self) -> bool {
        false
    }
}

/// The log of a run, held while this value lives.
pub trait CredentialLog {
    /// Adds a line, without its line end.
    ///
    /// # Errors
    /// If it cannot be written.
    fn append_line(&mut self, line: &str, durability: Durability) -> Result<(), StoreError>;

    /// Makes all lines so far survive a power failure, where adding them has not done that.
    ///
    /// # Errors
    /// If they cannot be written.
    fn sync_lines(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Makes room for so many answers, so that they can be kept when the disk has become full meanwhile.
    ///
    /// # Errors
    /// If there is no room.
    fn reserve_space(&mut self, _answers: u64) -> Result<(), StoreError> {
        Ok(())
    }

    /// Reads all lines.
    ///
    /// # Errors
    /// If they cannot be read.
    fn read(&self) -> Result<Zeroizing<String>, StoreError>;

    /// Puts these lines in place of all others, durably; nothing is lost if the process is killed meanwhile.
    ///
    /// # Errors
    /// If they cannot be written.
    fn replace_lines(&mut self, text: &str) -> Result<(), StoreError>;

    /// Removes the log.
    ///
    /// # Errors
    /// If it cannot be removed.
    fn remove_log(self: Box<Self>) -> Result<(), StoreError>;
}

/// The log of a run as it was read.
pub struct StoredLog {
    /// Name of the log, as the backend knows it.
    pub name: String,
    /// Lines of the log, or why they cannot be read.
    pub text: Result<Zeroizing<String>, StoreError>,
    /// A run holds it.
    pub is_held: bool,
}
