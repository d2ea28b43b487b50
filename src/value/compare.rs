//! Equality, hashing and order, as Python has them.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::{FromPrimitive, ToPrimitive};

use super::{Time, Value};

/// Two values that have no order, as in `'10' < 9`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unorderable;

impl Value {
    /// Whether the value may be a key of a mapping or a member of a set.
    pub fn is_hashable(&self) -> bool {
        match self {
            Self::List(_) | Self::Dict(_) | Self::Set(_) | Self::Undefined(_) => false,
            Self::Tuple(items) => items.iter().all(Self::is_hashable),
            _ => true,
        }
    }

    /// Python's `<` and friends.
    ///
    /// # Errors
    /// When the two types have no order.
    pub fn compare_order(&self, other: &Self) -> Result<Ordering, Unorderable> {
        match (self, other) {
            (Self::Str(a), Self::Str(b)) => Ok(a.as_str().cmp(b.as_str())),
            (Self::Bytes(a), Self::Bytes(b)) => Ok(a.cmp(b)),
            (Self::List(a), Self::List(b)) | (Self::Tuple(a), Self::Tuple(b)) => order_items(a, b),
            (Self::Time(a), Self::Time(b)) => a.compare_order(*b).ok_or(Unorderable),
            (Self::Tainted(_), _) | (_, Self::Tainted(_)) => self.below_taint().compare_order(other.below_taint()),
            _ => order_numbers(self, other).ok_or(Unorderable),
        }
    }
}

fn order_items(a: &[Value], b: &[Value]) -> Result<Ordering, Unorderable> {
    for (x, y) in a.iter().zip(b) {
        if x != y {
            return x.compare_order(y);
        }
    }
    Ok(a.len().cmp(&b.len()))
}

/// The order of two numbers (booleans count as numbers); a NaN compares as greater so that sorting stays total.
fn order_numbers(a: &Value, b: &Value) -> Option<Ordering> {
    if let (Some(a), Some(b)) = (to_small(a), to_small(b)) {
        return Some(a.cmp(&b));
    }
    match (a, b) {
        (Value::Float(x), _) => compare_float(*x, b),
        (_, Value::Float(y)) => compare_float(*y, a).map(Ordering::reverse),
        _ => Some(to_big(a)?.cmp(&to_big(b)?)),
    }
}

fn compare_float(x: f64, other: &Value) -> Option<Ordering> {
    if let Value::Float(y) = other {
        return Some(x.partial_cmp(y).unwrap_or_else(|| x.is_nan().cmp(&y.is_nan())));
    }
    let y = to_big(other)?;
    // An integer beyond 2^53 has no exact float, so the float becomes an integer instead.
    match BigInt::from_f64(x.trunc()) {
        Some(whole) => Some(whole.cmp(&y).then(x.fract().partial_cmp(&0.0).unwrap_or(Ordering::Equal))),
        None if x.is_nan() => Some(Ordering::Greater),
        None => Some(if x > 0.0 { Ordering::Greater } else { Ordering::Less }),
    }
}

fn to_small(value: &Value) -> Option<i64> {
    match value {
        Value::Int(i) => Some(*i),
        Value::Bool(b) => Some(i64::from(*b)),
        _ => None,
    }
}

fn to_big(value: &Value) -> Option<BigInt> {
    match value {
        Value::Big(number) => Some((**number).clone()),
        _ => to_small(value).map(BigInt::from),
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Str(a), Self::Str(b)) => a == b,
            (Self::Null, Self::Null) | (Self::Omit, Self::Omit) => true,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::List(a), Self::List(b)) | (Self::Tuple(a), Self::Tuple(b)) => a == b,
            (Self::Set(a), Self::Set(b)) => a.len() == b.len() && a.iter().all(|item| b.contains(item)),
            (Self::Dict(a), Self::Dict(b)) => a == b,
            (Self::Time(a), Self::Time(b)) => a.compare_order(*b) == Some(Ordering::Equal),
            (Self::Sealed(a), Self::Sealed(b)) => a.envelope == b.envelope,
            (Self::Unknown(a), Self::Unknown(b)) => Arc::ptr_eq(a, b),
            (Self::Undefined(a), Self::Undefined(b)) => Arc::ptr_eq(a, b),
            (Self::Object(a), Self::Object(b)) => Arc::ptr_eq(a, b),
            (Self::Float(a), Self::Float(b)) => a == b,
            (Self::Tainted(_), _) | (_, Self::Tainted(_)) => self.below_taint() == other.below_taint(),
            (Self::Float(f), _) | (_, Self::Float(f)) if f.is_nan() => false,
            _ => order_numbers(self, other) == Some(Ordering::Equal),
        }
    }
}

/// NaN breaks reflexivity in Python too; a mapping with a NaN key merely cannot find it again.
impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Str(text) => TextKey(text).hash(state),
            Self::Bool(b) => hash_int(i64::from(*b), state),
            Self::Int(i) => hash_int(*i, state),
            // Equal numbers must hash alike whatever their type.
            Self::Float(f) => match f.to_i64() {
                Some(whole) if whole as f64 == *f => hash_int(whole, state),
                _ => match BigInt::from_f64(*f) {
                    Some(whole) if f.fract() == 0.0 => whole.hash(state),
                    _ => f.to_bits().hash(state),
                },
            },
            Self::Big(number) => number.hash(state),
            Self::Null => state.write_u8(0),
            Self::Bytes(bytes) => bytes.hash(state),
            Self::List(items) | Self::Tuple(items) => items.iter().for_each(|item| item.hash(state)),
            Self::Set(items) => items.len().hash(state),
            Self::Dict(dict) => dict.len().hash(state),
            Self::Tainted(inner) => inner.hash(state),
            // Other values are compared by identity or are rarely keys; one bucket suffices.
            _ => state.write_u8(9),
        }
    }
}

/// A text key that is only borrowed; it hashes as the value does.
pub(super) struct TextKey<'a>(pub(super) &'a str);

impl Hash for TextKey<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

fn hash_int<H: Hasher>(number: i64, state: &mut H) {
    state.write_u8(1);
    state.write_i64(number);
}

impl Time {
    /// Order of two of the same kind; `None` for a date against a time stamp and the like.
    pub fn compare_order(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Date(a), Self::Date(b)) => Some(a.cmp(&b)),
            (Self::Naive(a), Self::Naive(b)) => Some(a.cmp(&b)),
            (Self::Delta(a), Self::Delta(b)) => Some(a.get().cmp(&b.get())),
            (Self::Aware(..), Self::Aware(..)) => Some(self.micros_since_epoch()?.cmp(&other.micros_since_epoch()?)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_one_family() {
        assert_eq!(Value::Int(1), Value::Float(1.0));
        assert_eq!(Value::Bool(true), Value::Int(1));
        assert_ne!(Value::text("1"), Value::Int(1));
        assert_ne!(Value::Float(f64::NAN), Value::Float(f64::NAN));
        let dict: super::super::Dict = [(Value::Int(1), Value::Null)].into_iter().collect();
        assert!(dict.get_value(&Value::Float(1.0)).is_some());
        assert!(dict.get_value(&Value::Bool(true)).is_some());
    }

    #[test]
    fn text_has_no_order_against_numbers() {
        assert_eq!(Value::text("10").compare_order(&Value::Int(9)), Err(Unorderable));
        assert_eq!(Value::Int(2).compare_order(&Value::Float(2.5)), Ok(Ordering::Less));
        let huge = Value::big(BigInt::from(u64::MAX) * 4);
        assert_eq!(huge.compare_order(&Value::Float(1.0)), Ok(Ordering::Greater));
    }
}
