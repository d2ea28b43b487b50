//! The names that a template binds for itself: loop variables, `set`, macros.

use std::sync::{Arc, Mutex, PoisonError};

use crate::value::Value;

/// One level of names with the levels around it.
#[derive(Debug, Default)]
pub struct Locals {
    around: Option<Arc<Locals>>,
    /// The template was taken in without its surroundings, so the play's variables are not seen either.
    secluded: bool,
    names: Mutex<Vec<(Arc<str>, Value)>>,
}

impl Locals {
    /// The outermost level.
    pub fn new_root() -> Arc<Self> {
        Arc::default()
    }

    /// The outermost level of a template that is taken in `without context`.
    pub fn new_secluded() -> Arc<Self> {
        Arc::new(Self { secluded: true, ..Self::default() })
    }

    /// Whether the play's variables are out of sight.
    pub fn is_secluded(&self) -> bool {
        self.secluded
    }

    /// A level inside this one.
    pub fn new_inside(self: &Arc<Self>) -> Arc<Self> {
        Arc::new(Self { around: Some(Arc::clone(self)), secluded: self.secluded, names: Mutex::default() })
    }

    /// The value of a name, nearest level first.
    pub fn get(&self, name: &str) -> Option<Value> {
        let mut level = Some(self);
        while let Some(here) = level {
            if let Some(value) = here.get_own(name) {
                return Some(value);
            }
            level = here.around.as_deref();
        }
        None
    }

    /// The value of a name of this level.
    pub fn get_own(&self, name: &str) -> Option<Value> {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.iter().find(|(known, _)| **known == *name).map(|(_, value)| value.clone())
    }

    /// Binds a name on this level.
    pub fn set(&self, name: impl Into<Arc<str>>, value: Value) {
        let name = name.into();
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        match names.iter_mut().find(|(known, _)| *known == name) {
            Some(slot) => slot.1 = value,
            None => names.push((name, value)),
        }
    }

    /// The names of all levels.
    pub fn all_names(&self) -> Vec<String> {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<String> = names.iter().map(|(name, _)| name.to_string()).collect();
        drop(names);
        if let Some(around) = &self.around {
            all.extend(around.all_names());
        }
        all
    }

    /// Forgets everything; macros refer to the level that they are bound on, so this is what frees both.
    pub fn clear(&self) {
        let taken = std::mem::take(&mut *self.names.lock().unwrap_or_else(PoisonError::into_inner));
        drop(taken);
    }
}
