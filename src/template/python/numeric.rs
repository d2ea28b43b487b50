//! Numbers as arithmetic and conversions see them.

use num_bigint::BigInt;
use num_traits::{FromPrimitive, ToPrimitive};

use crate::template::error::TemplateError;
use crate::value::Value;

/// A number of Python: whole of any size, or not.
pub enum Number {
    /// Whole; booleans are, too.
    Int(BigInt),
    /// A float.
    Float(f64),
}

/// The number that a value is.
pub fn to_number(value: &Value) -> Option<Number> {
    Some(match value.below_taint() {
        Value::Bool(b) => Number::Int(BigInt::from(i64::from(*b))),
        Value::Int(i) => Number::Int(BigInt::from(*i)),
        Value::Big(big) => Number::Int((**big).clone()),
        Value::Float(f) => Number::Float(*f),
        _ => return None,
    })
}

impl Number {
    /// It as a float.
    ///
    /// # Errors
    /// If it is too large for one.
    pub fn to_float(&self) -> Result<f64, TemplateError> {
        match self {
            Self::Float(f) => Ok(*f),
            Self::Int(i) => {
                let f = i.to_f64().unwrap_or(f64::INFINITY);
                if f.is_finite() { Ok(f) } else { Err(TemplateError::value("int too large to convert to float")) }
            }
        }
    }
}

/// A float from a number, for what asks for one.
pub fn to_float(value: &Value) -> Option<f64> {
    to_number(value)?.to_float().ok()
}

/// An integer from a number, cut towards zero.
pub fn to_integer(value: &Value) -> Option<BigInt> {
    match to_number(value)? {
        Number::Int(i) => Some(i),
        Number::Float(f) => BigInt::from_f64(f.trunc()),
    }
}
