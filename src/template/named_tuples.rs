//! Tuples whose parts have names, as `groupby` gives them: Python prints these in another way.

use std::collections::HashMap;
use std::sync::Arc;

use crate::value::Value;

/// The named tuples of an evaluation, by identity: each is kept alive so that its identity is not given away.
#[derive(Debug, Default)]
pub struct NamedTuples(HashMap<*const Vec<Value>, Arc<Vec<Value>>>);

impl NamedTuples {
    /// Adds the tuples that are members of a list.
    pub fn add_members(&mut self, list: &Value) {
        for member in list.as_slice().unwrap_or_default() {
            if let Value::Tuple(parts) = member {
                self.0.insert(Arc::as_ptr(parts), Arc::clone(parts));
            }
        }
    }

    /// Adds the copy of a tuple that is known.
    pub fn add_copy(&mut self, original: &Arc<Vec<Value>>, copy: &Arc<Vec<Value>>) {
        if self.has_names(original) {
            self.0.insert(Arc::as_ptr(copy), Arc::clone(copy));
        }
    }

    /// Whether the parts of a tuple have names.
    pub fn has_names(&self, tuple: &Arc<Vec<Value>>) -> bool {
        self.0.contains_key(&Arc::as_ptr(tuple))
    }
}
