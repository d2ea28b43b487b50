//! What `append`, `update` and the like change while a template runs.
//!
//! Values are shared and never change; a list that a template appends to is therefore replaced in this book, by its
//! identity, and whoever looks into it reads the book first. The book is only kept for templates that call such a
//! method, and is thrown away with the run: a variable is never changed for good.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use crate::value::Value;

/// The methods that change what they are called on.
const METHODS: [&str; 10] =
    ["append", "clear", "extend", "insert", "pop", "popitem", "remove", "reverse", "setdefault", "sort"];

/// Whether a method changes what it is called on.
pub fn is_changing(method: &str) -> bool {
    method == "update" || METHODS.contains(&method)
}

/// Whether a template may change a list or a mapping.
pub fn may_change(template: &str) -> bool {
    template.split('.').skip(1).any(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        is_changing(&rest[..end])
    })
}

/// The book of changes.
#[derive(Default)]
pub struct Changes {
    open: Cell<bool>,
    /// By identity: the original, kept alive so that its identity is not given away, and what it is now.
    entries: RefCell<HashMap<usize, (Value, Value)>>,
    /// What variables have given, so that each is the same thing throughout a template.
    variables: RefCell<HashMap<Box<str>, Value>>,
}

impl Changes {
    /// Begins to keep book.
    pub fn open(&self) {
        self.open.set(true);
    }

    /// Whether anything may have changed.
    pub fn is_open(&self) -> bool {
        self.open.get()
    }

    /// Forgets everything.
    pub fn close(&self) {
        if self.open.replace(false) {
            self.entries.borrow_mut().clear();
            self.variables.borrow_mut().clear();
        }
    }

    /// A value as it is now; its members may have changed in turn.
    pub fn current(&self, value: Value) -> Value {
        if !self.is_open() {
            return value;
        }
        let now = identity(&value).and_then(|id| self.entries.borrow().get(&id).map(|(_, now)| now.clone()));
        now.unwrap_or(value)
    }

    /// Notes what a value is from now on.
    pub fn set(&self, of: &Value, now: Value) {
        if self.is_open()
            && let Some(id) = identity(of)
        {
            self.entries.borrow_mut().insert(id, (of.clone(), now));
        }
    }

    /// What a variable gave before.
    pub fn variable(&self, name: &str) -> Option<Value> {
        self.variables.borrow().get(name).cloned()
    }

    /// Remembers what a variable gives.
    pub fn remember(&self, name: &str, value: &Value) {
        if self.is_open() {
            self.variables.borrow_mut().insert(name.into(), value.clone());
        }
    }
}

fn identity(value: &Value) -> Option<usize> {
    match value {
        Value::List(items) | Value::Set(items) => Some(Arc::as_ptr(items) as usize),
        Value::Dict(dict) => Some(Arc::as_ptr(dict) as usize),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_book_is_kept_by_identity() {
        let book = Changes::default();
        let (a, b) = (Value::list([]), Value::list([]));
        book.set(&a, Value::list([Value::Int(1)]));
        assert_eq!(book.current(a.clone()), Value::list([]), "closed");
        book.open();
        book.set(&a, Value::list([Value::Int(1)]));
        assert_eq!(book.current(a.clone()), Value::list([Value::Int(1)]));
        assert_eq!(book.current(b), Value::list([]));
        book.close();
        assert_eq!(book.current(a), Value::list([]));
    }

    #[test]
    fn templates_that_change_something_are_told_by_their_text() {
        assert!(may_change("{% set _ = x.append(1) %}") && may_change("{{ a.b.update (c) }}"));
        assert!(!may_change("{{ a.popular }}") && !may_change("append"));
    }
}
