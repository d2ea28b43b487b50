//! A field that may be known only after something has been created.

use std::sync::Arc;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Error as _, Serialize, Serializer};

use crate::value::{Unknown, Value};

/// A field: known, or in a dry run something that only the server can say.
///
/// Two unknown facts are equal if they are the same unknown: a planned object's id goes out as [`Value::Unknown`],
/// travels through templates, comes back as an argument, and still means that object.
#[derive(Debug, Clone)]
pub enum Deferred<T> {
    /// It is this.
    Known(T),
    /// It will be known later.
    Unknown(Arc<Unknown>),
}

/// An id: known, or that of an object which a dry run has planned.
pub type Id = Deferred<String>;

impl<T> Deferred<T> {
    /// A fact of an object that is created by `awaits`.
    pub fn known_after(awaits: impl Into<String>) -> Self {
        Self::Unknown(Arc::new(Unknown::new_created(awaits)))
    }

    /// Returns the value, if it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }

    /// Makes sure that it can be told whether something that is there is called so: it is known, or it belongs to an object
    /// that is to be created.
    ///
    /// # Errors
    /// If it may come to be anything: what follows is undetermined.
    pub fn check_comparable(&self) -> Result<(), super::ApiError> {
        match self {
            Self::Unknown(unknown) if !unknown.is_new => Err(super::ApiError::undetermined(unknown.describe_missing())),
            _ => Ok(()),
        }
    }

    /// Whether it is not known yet.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    /// The fact about something made of this one.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Deferred<U> {
        match self {
            Self::Known(value) => Deferred::Known(make(value)),
            Self::Unknown(unknown) => Deferred::Unknown(unknown),
        }
    }

    /// The run-time value, with `show` for what is known.
    pub fn to_value(&self, show: impl FnOnce(&T) -> Value) -> Value {
        match self {
            Self::Known(value) => show(value),
            Self::Unknown(unknown) => Value::Unknown(Arc::clone(unknown)),
        }
    }
}

impl Deferred<String> {
    /// The text, or what is printed in its place.
    pub fn display_text(&self) -> &str {
        match self {
            Self::Known(text) => text,
            Self::Unknown(unknown) => &unknown.shown,
        }
    }
}

impl<T: Default> Default for Deferred<T> {
    fn default() -> Self {
        Self::Known(T::default())
    }
}

impl<T: PartialEq> PartialEq for Deferred<T> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Known(a), Self::Known(b)) => a == b,
            (Self::Unknown(a), Self::Unknown(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

/// Values from the server are known; null means the empty value.
impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Deferred<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::Known(Option::<T>::deserialize(deserializer)?.unwrap_or_default()))
    }
}

/// Only what is known can be sent.
impl<T: Serialize> Serialize for Deferred<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(value) => value.serialize(serializer),
            Self::Unknown(unknown) => {
                Err(S::Error::custom(format!("a value is not known yet: it awaits {}", unknown.awaits)))
            }
        }
    }
}
