//! Mappings: ordered, with any hashable key, looked up by text without allocating.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::Value;
use super::compare::TextKey;

/// Mappings with more entries than this have an index; in smaller ones, looking at each key is as fast.
const MOST_WITHOUT_INDEX: usize = 8;

/// An ordered mapping with Python's rules for keys (`1`, `1.0` and `true` are one key).
///
/// A run has very many small ones (each result of a loop item is one), so a small one is nothing but its entries.
#[derive(Clone, Default)]
pub struct Dict {
    entries: Vec<(Value, Value)>,
    index: Option<Box<Index>>,
}

/// The places of the entries by the hashes of their keys.
#[derive(Clone)]
struct Index {
    places: HashTable<u32>,
    hasher: RandomState,
}

impl Index {
    fn new(entries: &[(Value, Value)]) -> Self {
        let mut index = Self { places: HashTable::with_capacity(entries.len() * 2), hasher: RandomState::default() };
        (0..entries.len()).for_each(|place| index.add(entries, place));
        index
    }

    fn add(&mut self, entries: &[(Value, Value)], place: usize) {
        let hasher = &self.hasher;
        let hash_at = |place: usize| hasher.hash_one(&entries[place].0);
        let number = u32::try_from(place).expect("a mapping has fewer than 2^32 entries");
        self.places.insert_unique(hash_at(place), number, |other| hash_at(*other as usize));
    }

    fn find(&self, hash: u64, is_meant: impl Fn(usize) -> bool) -> Option<usize> {
        self.places.find(hash, |place| is_meant(*place as usize)).map(|place| *place as usize)
    }

    /// Forgets an entry; those behind it move up.
    fn remove(&mut self, hash: u64, removed: usize) {
        if let Ok(entry) = self.places.find_entry(hash, |place| *place as usize == removed) {
            entry.remove();
        }
        self.places.iter_mut().filter(|place| **place as usize > removed).for_each(|place| *place -= 1);
    }
}

impl Dict {
    /// An empty mapping.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty mapping with room for so many entries.
    pub fn with_capacity(count: usize) -> Self {
        Self { entries: Vec::with_capacity(count), index: None }
    }

    /// Gives back memory that the entries do not need.
    pub fn shrink_to_fit(&mut self) {
        self.entries.shrink_to_fit();
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn find_text(&self, key: &str) -> Option<usize> {
        let is_meant = |place: usize| self.entries[place].0.as_str() == Some(key);
        match &self.index {
            Some(index) => index.find(index.hasher.hash_one(TextKey(key)), is_meant),
            None => (0..self.entries.len()).find(|place| is_meant(*place)),
        }
    }

    fn find(&self, key: &Value) -> Option<usize> {
        let is_meant = |place: usize| self.entries[place].0 == *key;
        match &self.index {
            Some(index) => index.find(index.hasher.hash_one(key), is_meant),
            None => (0..self.entries.len()).find(|place| is_meant(*place)),
        }
    }

    /// The value under a text key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.find_text(key).map(|place| &self.entries[place].1)
    }

    /// The value under a text key, to be changed in its place.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.find_text(key).map(|place| &mut self.entries[place].1)
    }

    /// The value under any key.
    pub fn get_value(&self, key: &Value) -> Option<&Value> {
        self.find(key).map(|place| &self.entries[place].1)
    }

    /// Whether a text key is there.
    pub fn contains(&self, key: &str) -> bool {
        self.find_text(key).is_some()
    }

    /// Sets a text key; keeps its place if it is there already.
    pub fn set(&mut self, key: impl AsRef<str>, value: Value) {
        let key = key.as_ref();
        match self.find_text(key) {
            Some(place) => self.entries[place].1 = value,
            None => self.push_entry(Value::name(key), value),
        }
    }

    /// Sets any key; keeps its place if it is there already. The key must be hashable (see [`Value::is_hashable`]).
    pub fn insert(&mut self, key: Value, value: Value) -> Option<Value> {
        if let Some(place) = self.find(&key) {
            return Some(std::mem::replace(&mut self.entries[place].1, value));
        }
        self.push_entry(key, value);
        None
    }

    /// Adds an entry whose key is not there.
    fn push_entry(&mut self, key: Value, value: Value) {
        self.entries.push((key, value));
        match &mut self.index {
            Some(index) => index.add(&self.entries, self.entries.len() - 1),
            None if self.entries.len() > MOST_WITHOUT_INDEX => self.index = Some(Box::new(Index::new(&self.entries))),
            None => {}
        }
    }

    fn remove_at(&mut self, place: usize) -> Value {
        let (key, value) = self.entries.remove(place);
        if let Some(index) = &mut self.index {
            index.remove(index.hasher.hash_one(&key), place);
        }
        value
    }

    /// Takes an entry out, keeping the order of the others.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.find_text(key).map(|place| self.remove_at(place))
    }

    /// Takes an entry with any key out, keeping the order of the others.
    pub fn remove_value(&mut self, key: &Value) -> Option<Value> {
        self.find(key).map(|place| self.remove_at(place))
    }

    /// The entries in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Value, &Value)> + DoubleEndedIterator {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// The keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Value> + DoubleEndedIterator {
        self.entries.iter().map(|(key, _)| key)
    }

    /// The values in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> + DoubleEndedIterator {
        self.entries.iter().map(|(_, value)| value)
    }

    /// Takes over all entries of another mapping; keys that are there keep their place.
    pub fn extend(&mut self, other: &Self) {
        if self.is_empty() && self.entries.capacity() < other.len() {
            return self.clone_from(other);
        }
        self.entries.reserve(other.len());
        other.iter().for_each(|(key, value)| _ = self.insert(key.clone(), value.clone()));
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
        self.entries.retain(|(key, value)| keep(key, value));
        self.index = (self.len() > MOST_WITHOUT_INDEX).then(|| Box::new(Index::new(&self.entries)));
    }
}

impl FromIterator<(Value, Value)> for Dict {
    fn from_iter<I: IntoIterator<Item = (Value, Value)>>(entries: I) -> Self {
        let entries = entries.into_iter();
        let mut dict = Self::with_capacity(entries.size_hint().0);
        entries.for_each(|(key, value)| _ = dict.insert(key, value));
        dict
    }
}

impl IntoIterator for Dict {
    type Item = (Value, Value);
    type IntoIter = std::vec::IntoIter<(Value, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl std::fmt::Debug for Dict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl PartialEq for Dict {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(key, value)| other.get_value(key) == Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mapping from `0..count` as text to the same numbers.
    fn numbered(count: i64) -> Dict {
        (0..count).map(|number| (Value::text(number.to_string()), Value::Int(number))).collect()
    }

    #[test]
    fn entries_are_found_with_and_without_an_index() {
        for count in [0, 1, 8, 9, 200] {
            let mut dict = numbered(count);
            assert!((0..count).all(|number| dict.get(&number.to_string()) == Some(&Value::Int(number))));
            assert!(!dict.contains("x") && dict == numbered(count));
            dict.extend(&Dict::from_iter([(Value::text("x"), Value::Null), (Value::text("0"), Value::Null)]));
            assert_eq!((dict.get("0"), dict.get("x")), (Some(&Value::Null), Some(&Value::Null)));
        }
    }

    #[test]
    fn removed_entries_leave_the_others_in_order() {
        let mut dict = numbered(12);
        assert_eq!(dict.remove("3"), Some(Value::Int(3)));
        assert_eq!(
            (dict.remove("3"), dict.get("11"), dict.get("0")),
            (None, Some(&Value::Int(11)), Some(&Value::Int(0)))
        );
        dict.retain(|_, value| value.as_int() > Some(8));
        assert_eq!(dict.keys().filter_map(Value::as_str).collect::<Vec<_>>(), ["9", "10", "11"]);
        dict.extend(&numbered(12));
        assert_eq!((dict.len(), dict.get("10"), dict.get("5")), (12, Some(&Value::Int(10)), Some(&Value::Int(5))));
    }
}
