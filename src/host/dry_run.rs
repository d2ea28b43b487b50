//! The host of a dry run.

use std::io;
use std::path::Path;

use super::web::{Sending, WebError, WebRequest};
use super::{FolderLock, HostApi, HostCommand, RunError, Running, WriteOptions};

/// Reads are real, writes and commands do not happen.
#[derive(Debug, Clone, Copy, Default)]
pub struct DryRunHost;

impl HostApi for DryRunHost {
    fn is_dry_run(&self) -> bool {
        true
    }

    fn write(&self, path: &Path, _: &[u8], _: WriteOptions) -> io::Result<()> {
        super::refuse_special(path)
    }

    fn create_file(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn create_new(&self, _: &Path, _: u32) -> io::Result<()> {
        Ok(())
    }

    fn copy_backup(&self, _: &Path, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn make_dir(&self, _: &Path, _: u32) -> io::Result<()> {
        Ok(())
    }

    fn make_dirs(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn remove_file(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn remove_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn remove_tree(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn replace_symlink(&self, _: &Path, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn hard_link(&self, _: &Path, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn set_bits(&self, _: &Path, _: u32) -> io::Result<()> {
        Ok(())
    }

    fn set_owner(&self, _: &Path, _: Option<u32>, _: Option<u32>) -> io::Result<()> {
        Ok(())
    }

    fn set_times(&self, _: &Path, _: f64, _: f64) -> io::Result<()> {
        Ok(())
    }

    fn set_flags(&self, _: &Path, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn run_command<'a>(&'a self, _: &'a HostCommand) -> Running<'a> {
        Box::pin(std::future::ready(Err(RunError::Foretold)))
    }

    fn lock_folder(&self, _: &Path) -> io::Result<FolderLock> {
        Ok(FolderLock::none())
    }

    fn write_secret(&self, _: &FolderLock, _: &Path, _: &[u8], _: u32) -> io::Result<()> {
        Ok(())
    }

    fn send_request<'a>(&'a self, _: &'a WebRequest) -> Sending<'a> {
        Box::pin(std::future::ready(Err(WebError::Predicted)))
    }
}
