//! The backend that ends with the process: for the mock registry, and for runs that keep nothing (`--no-journal`).

use std::cell::RefCell;

use zeroize::Zeroizing;

use super::StoreError;
use super::backend::{Backend, CredentialLog, Durability, StoredLog};

/// A backend that keeps nothing beyond the process.
#[derive(Debug, Default)]
pub struct Memory;

/// Lines in memory.
#[derive(Default)]
struct Lines(RefCell<Zeroizing<String>>);

impl Backend for Memory {
    fn begin_log(&self) -> Result<Box<dyn CredentialLog>, StoreError> {
        Ok(Box::new(Lines::default()))
    }

    fn read_all(&self) -> Result<Vec<StoredLog>, StoreError> {
        Ok(Vec::new())
    }

    fn hold_log(&self, _name: &str) -> Result<Option<Box<dyn CredentialLog>>, StoreError> {
        Ok(None)
    }

    fn describe_place(&self) -> String {
        "memory".to_owned()
    }

    fn is_lasting(&self) -> bool {
        false
    }
}

impl CredentialLog for Lines {
    fn append_line(&mut self, line: &str, _durability: Durability) -> Result<(), StoreError> {
        let mut text = self.0.borrow_mut();
        text.push_str(line);
        text.push('\n');
        Ok(())
    }

    fn read(&self) -> Result<Zeroizing<String>, StoreError> {
        Ok(self.0.borrow().clone())
    }

    fn replace_lines(&mut self, text: &str) -> Result<(), StoreError> {
        *self.0.borrow_mut() = Zeroizing::new(text.to_owned());
        Ok(())
    }

    fn remove_log(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}
