//! The host of a dry run.

use std::io;
use std::path::Path;

use super::{Command, HostApi, RunError, Running};

/// Reads are real, writes and commands do not happen.
#[derive(Debug, Clone, Copy, Default)]
pub struct Predict;

impl HostApi for Predict {
    fn write(&self, _: &Path, _: &[u8], _: Option<u32>) -> io::Result<()> {
        Ok(())
    }

    fn make_dirs(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn remove(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn run<'a>(&'a self, _: &'a Command) -> Running<'a> {
        Box::pin(std::future::ready(Err(RunError::Foretold)))
    }
}
