//! Attributes and methods of numbers.

use num_bigint::BigInt;

use crate::template::python::numeric::{Number, to_number};
use crate::value::Value;

/// The methods of integers and booleans.
pub const INTEGER_NAMES: &[&str] = &["as_integer_ratio", "bit_count", "bit_length", "conjugate"];
/// The methods of floats.
pub const FLOAT_NAMES: &[&str] = &["as_integer_ratio", "conjugate", "hex", "is_integer"];

/// An attribute.
pub fn get_property(of: &Value, name: &str) -> Option<Value> {
    match (to_number(of)?, name) {
        (Number::Int(own), "real" | "numerator") => Some(Value::big(own)),
        (Number::Int(_), "imag") => Some(Value::Int(0)),
        (Number::Int(_), "denominator") => Some(Value::Int(1)),
        (Number::Float(own), "real") => Some(Value::Float(own)),
        (Number::Float(_), "imag") => Some(Value::Float(0.0)),
        _ => None,
    }
}

/// Calls a method; `None` if there is none of that name, or if a float has no answer because it is not finite.
pub fn call(of: &Value, name: &str) -> Option<Value> {
    Some(match (to_number(of)?, name) {
        (Number::Int(own), "as_integer_ratio") => Value::tuple([Value::big(own), Value::Int(1)]),
        (Number::Int(own), "bit_count") => Value::from(own.magnitude().count_ones()),
        (Number::Int(own), "bit_length") => Value::from(own.bits()),
        (Number::Int(own), "conjugate") => Value::big(own),
        (Number::Float(own), "conjugate") => Value::Float(own),
        (Number::Float(own), "is_integer") => Value::Bool(own.fract() == 0.0),
        (Number::Float(own), "hex") => Value::text(hex(own)),
        (Number::Float(own), "as_integer_ratio") => as_integer_ratio(own)?,
        _ => return None,
    })
}

/// Mantissa and exponent of two, as they are in memory.
fn split_float(of: f64) -> (u64, i32) {
    let bits = of.to_bits();
    let exponent = i32::try_from((bits >> 52) & 0x7ff).unwrap_or(0);
    (bits & ((1 << 52) - 1), exponent)
}

fn hex(of: f64) -> String {
    let sign = if of.is_sign_negative() && !of.is_nan() { "-" } else { "" };
    if !of.is_finite() {
        return crate::value::python::format_float(of);
    }
    match split_float(of) {
        (0, 0) => format!("{sign}0x0.0p+0"),
        (mantissa, 0) => format!("{sign}0x0.{mantissa:013x}p-1022"),
        (mantissa, exponent) => format!("{sign}0x1.{mantissa:013x}p{:+}", exponent - 1023),
    }
}

fn as_integer_ratio(of: f64) -> Option<Value> {
    if !of.is_finite() {
        return None;
    }
    let (mantissa, exponent) = split_float(of);
    let (mantissa, exponent) = if exponent == 0 { (mantissa, 1) } else { (mantissa | 1 << 52, exponent) };
    let own = if of < 0.0 { -BigInt::from(mantissa) } else { BigInt::from(mantissa) };
    let power = exponent - 1075;
    if mantissa == 0 {
        return Some(Value::tuple([Value::Int(0), Value::Int(1)]));
    }
    if power >= 0 {
        return Some(Value::tuple([Value::big(own << power.unsigned_abs()), Value::Int(1)]));
    }
    let shared = mantissa.trailing_zeros().min(power.unsigned_abs());
    let below = BigInt::from(1) << (power.unsigned_abs() - shared);
    Some(Value::tuple([Value::big(own >> shared), Value::big(below)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_fractions() {
        let of = |float| call(&Value::Float(float), "as_integer_ratio");
        assert_eq!(of(0.75), Some(Value::tuple([Value::Int(3), Value::Int(4)])));
        assert_eq!(of(-2.0), Some(Value::tuple([Value::Int(-2), Value::Int(1)])));
        assert_eq!(of(f64::NAN), None);
        assert_eq!(call(&Value::Float(-0.5), "hex"), Some(Value::text("-0x1.0000000000000p-1")));
    }
}
