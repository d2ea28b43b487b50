//! What `append`, `update` and the like change while a template runs.
//!
//! Values are shared and never change; a list that a template appends to is therefore replaced in this book, by its
//! identity, and every reader looks there first. The book is only kept for templates that call such a
//! method, and is thrown away with the run: a variable is never changed for good.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
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
        // Whether `count` finds anything depends on where a list comes from.
        is_changing(&rest[..end]) || &rest[..end] == "count"
    })
}

/// The book of changes.
#[derive(Default)]
pub struct ValueChanges {
    open: Cell<bool>,
    /// By identity: the original, kept alive so that its identity is not given away, and what it is now.
    entries: RefCell<HashMap<usize, (Value, Value)>>,
    /// Values of variables so far, so that each is the same object throughout a template.
    variables: RefCell<HashMap<Box<str>, Value>>,
    /// By identity: the lists and mappings that the template itself has made.
    own: RefCell<HashMap<usize, Value>>,
    /// By identity: which members of other lists the template has looked at.
    looked_at: RefCell<HashMap<usize, (Value, BTreeSet<usize>)>>,
}

impl ValueChanges {
    /// Begins to keep book.
    pub fn start_tracking(&self) {
        self.open.set(true);
    }

    /// Whether anything may have changed.
    pub fn is_open(&self) -> bool {
        self.open.get()
    }

    /// Takes everything out of the book, which is closed then.
    pub fn set_aside(&self) -> Option<Self> {
        self.open.take().then(|| Self {
            open: Cell::new(true),
            entries: RefCell::new(self.entries.take()),
            variables: RefCell::new(self.variables.take()),
            own: RefCell::new(self.own.take()),
            looked_at: RefCell::new(self.looked_at.take()),
        })
    }

    /// Puts back what was set aside, in the place of all that has come since.
    pub fn put_back(&self, aside: Option<Self>) {
        self.stop_tracking();
        if let Some(aside) = aside {
            self.open.set(true);
            self.entries.swap(&aside.entries);
            self.variables.swap(&aside.variables);
            self.own.swap(&aside.own);
            self.looked_at.swap(&aside.looked_at);
        }
    }

    /// Forgets everything.
    pub fn stop_tracking(&self) {
        if self.open.replace(false) {
            self.entries.borrow_mut().clear();
            self.variables.borrow_mut().clear();
            self.own.borrow_mut().clear();
            self.looked_at.borrow_mut().clear();
        }
    }

    /// A value as it is now; its members may have changed in turn.
    pub fn current_value(&self, value: Value) -> Value {
        if !self.is_open() {
            return value;
        }
        let now = value_identity(&value).and_then(|id| self.entries.borrow().get(&id).map(|(_, now)| now.clone()));
        now.unwrap_or(value)
    }

    /// Notes what a value is from now on.
    pub fn set_current(&self, of: &Value, now: Value) {
        if self.is_open()
            && let Some(id) = value_identity(of)
        {
            self.entries.borrow_mut().insert(id, (of.clone(), now));
        }
    }

    /// Notes that the template has made a list or a mapping by itself, in brackets or by an operator.
    pub fn add_own(&self, value: &Value) {
        if self.is_open()
            && let Some(id) = value_identity(value)
        {
            self.own.borrow_mut().insert(id, value.clone());
        }
    }

    /// Whether the template has made it by itself.
    pub fn is_own(&self, value: &Value) -> bool {
        value_identity(value).is_some_and(|id| self.own.borrow().contains_key(&id))
    }

    /// Notes that members of a list have been looked at.
    pub fn look_at(&self, list: &Value, members: Range<usize>) {
        if self.is_open()
            && let (Value::List(_), Some(id)) = (list, value_identity(list))
        {
            let mut looked_at = self.looked_at.borrow_mut();
            looked_at.entry(id).or_insert_with(|| (list.clone(), BTreeSet::new())).1.extend(members);
        }
    }

    /// Whether `count` finds a member: one of a list that is not the template's own it finds only after it was looked at.
    pub fn is_found(&self, list: &Value, member: usize) -> bool {
        !matches!(list, Value::List(_))
            || self.is_own(list)
            || value_identity(list).is_some_and(|id| {
                self.looked_at.borrow().get(&id).is_some_and(|(_, members)| members.contains(&member))
            })
    }

    /// Returns the earlier value of a variable.
    pub fn earlier_variable(&self, name: &str) -> Option<Value> {
        self.variables.borrow().get(name).cloned()
    }

    /// Remembers what a variable gives.
    pub fn remember_variable(&self, name: &str, value: &Value) {
        if self.is_open() {
            self.variables.borrow_mut().insert(name.into(), value.clone());
        }
    }
}

fn value_identity(value: &Value) -> Option<usize> {
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
    fn changes_are_tracked_by_identity() {
        let book = ValueChanges::default();
        let (a, b) = (Value::list([]), Value::list([]));
        book.set_current(&a, Value::list([Value::Int(1)]));
        assert_eq!(book.current_value(a.clone()), Value::list([]), "closed");
        book.start_tracking();
        book.set_current(&a, Value::list([Value::Int(1)]));
        assert_eq!(book.current_value(a.clone()), Value::list([Value::Int(1)]));
        assert_eq!(book.current_value(b), Value::list([]));
        book.stop_tracking();
        assert_eq!(book.current_value(a), Value::list([]));
    }

    #[test]
    fn mutating_templates_are_recognized_by_their_text() {
        assert!(may_change("{% set _ = x.append(1) %}") && may_change("{{ a.b.update (c) }}"));
        assert!(!may_change("{{ a.popular }}") && !may_change("append"));
    }
}
