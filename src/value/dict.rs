//! Mappings: ordered, with any hashable key, looked up by text without allocating.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use indexmap::{Equivalent, IndexMap};

use super::Value;

/// An ordered mapping with Python's rules for keys (`1`, `1.0` and `true` are one key).
#[derive(Clone, Default)]
pub struct Dict(IndexMap<Value, Value, foldhash::fast::RandomState>);

/// A text key that is only borrowed.
struct Key<'a>(&'a str);

impl Hash for Key<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        super::compare::hash_text(self.0, state);
    }
}

impl Equivalent<Value> for Key<'_> {
    fn equivalent(&self, key: &Value) -> bool {
        key.as_str() == Some(self.0)
    }
}

impl Dict {
    /// An empty mapping.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty mapping with room for so many entries.
    pub fn with_capacity(entries: usize) -> Self {
        Self(IndexMap::with_capacity_and_hasher(entries, foldhash::fast::RandomState::default()))
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value under a text key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(&Key(key))
    }

    /// The value under a text key, to be changed in its place.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.0.get_mut(&Key(key))
    }

    /// The value under any key.
    pub fn get_value(&self, key: &Value) -> Option<&Value> {
        self.0.get(key)
    }

    /// Whether a text key is there.
    pub fn contains(&self, key: &str) -> bool {
        self.0.contains_key(&Key(key))
    }

    /// Sets a text key; keeps its place if it is there already.
    pub fn set(&mut self, key: impl Into<Arc<str>>, value: Value) {
        self.0.insert(Value::text(key), value);
    }

    /// Sets any key; keeps its place if it is there already. The key must be hashable (see [`Value::is_hashable`]).
    pub fn insert(&mut self, key: Value, value: Value) -> Option<Value> {
        self.0.insert(key, value)
    }

    /// Takes an entry out, keeping the order of the others.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.0.shift_remove(&Key(key))
    }

    /// Takes an entry with any key out, keeping the order of the others.
    pub fn remove_value(&mut self, key: &Value) -> Option<Value> {
        self.0.shift_remove(key)
    }

    /// The entries in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Value, &Value)> + DoubleEndedIterator {
        self.0.iter()
    }

    /// The keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Value> + DoubleEndedIterator {
        self.0.keys()
    }

    /// The values in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> + DoubleEndedIterator {
        self.0.values()
    }

    /// Takes over all entries of another mapping; keys that are there keep their place.
    pub fn extend(&mut self, other: &Self) {
        self.0.extend(other.0.iter().map(|(k, v)| (k.clone(), v.clone())));
    }

    /// Takes over all entries of another one; where both have a mapping, they are merged level by level.
    pub fn merge(&mut self, other: &Self) {
        for (key, value) in other.iter() {
            let value = match (self.get_value(key), value) {
                (Some(Value::Dict(old)), Value::Dict(new)) => {
                    let mut merged = (**old).clone();
                    merged.merge(new);
                    merged.into()
                }
                _ => value.clone(),
            };
            self.insert(key.clone(), value);
        }
    }

    /// Takes over all entries of another one, whose mappings are merged or replace those that are there.
    pub fn add(&mut self, other: &Self, merge: bool) {
        if merge { self.merge(other) } else { self.extend(other) }
    }

    /// Keeps the entries for which `keep` holds.
    pub fn retain(&mut self, mut keep: impl FnMut(&Value, &Value) -> bool) {
        self.0.retain(|k, v| keep(k, v));
    }
}

impl FromIterator<(Value, Value)> for Dict {
    fn from_iter<I: IntoIterator<Item = (Value, Value)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl IntoIterator for Dict {
    type Item = (Value, Value);
    type IntoIter = indexmap::map::IntoIter<Value, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl std::fmt::Debug for Dict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.0.iter()).finish()
    }
}

impl PartialEq for Dict {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
