//! Operators, with Python's arithmetic and its words for what cannot be done.

use std::cmp::Ordering;
use std::sync::Arc;

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{FromPrimitive, Signed, ToPrimitive, Zero};

use super::engine::Engine;
use super::fault::Fault;
use super::objects;
use super::python::coerce::text_of;
use super::python::percent::{self, Fillings};
use super::tree::{Comparison, Operator};
use crate::value::{Dict, Time, Unknown, Value};

/// The longest text, list or number that an operator may make.
const MAX_SIZE: usize = 64 << 20;

/// The longest integer that `**` may make, in bits.
const MAX_POWER_BITS: u64 = 1 << 20;

enum Number {
    Int(BigInt),
    Float(f64),
}

fn number(value: &Value) -> Option<Number> {
    Some(match value {
        Value::Bool(b) => Number::Int(BigInt::from(i64::from(*b))),
        Value::Int(i) => Number::Int(BigInt::from(*i)),
        Value::Big(big) => Number::Int((**big).clone()),
        Value::Float(f) => Number::Float(*f),
        _ => return None,
    })
}

impl Number {
    fn float(&self) -> Result<f64, Fault> {
        match self {
            Self::Float(f) => Ok(*f),
            Self::Int(i) => {
                let f = i.to_f64().unwrap_or(f64::INFINITY);
                if f.is_finite() { Ok(f) } else { Err(Fault::value("int too large to convert to float")) }
            }
        }
    }
}

/// `-x`
pub(super) fn negate(value: &Value) -> Result<Value, Fault> {
    match value {
        Value::Unknown(_) => Ok(value.computed()),
        Value::Time(Time::Delta(micros)) => Ok(Value::Time(Time::Delta(-micros))),
        _ => match number(value) {
            Some(Number::Int(i)) => Ok(Value::big(-i)),
            Some(Number::Float(f)) => Ok(Value::Float(-f)),
            None => Err(Fault::value(format!("bad operand type for unary -: '{}'", value.type_name()))),
        },
    }
}

/// `+x`
pub(super) fn positive(value: &Value) -> Result<Value, Fault> {
    match number(value) {
        Some(Number::Int(i)) => Ok(Value::big(i)),
        Some(Number::Float(f)) => Ok(Value::Float(f)),
        None if value.is_unknown() => Ok(value.computed()),
        None => Err(Fault::value(format!("bad operand type for unary +: '{}'", value.type_name()))),
    }
}

fn unsupported(op: Operator, left: &Value, right: &Value) -> Fault {
    let symbol = if op == Operator::Pow { "** or pow()" } else { op.symbol() };
    let (left, right) = (left.type_name(), right.type_name());
    Fault::value(format!("unsupported operand type(s) for {symbol}: '{left}' and '{right}'"))
}

/// An arithmetic operator.
pub(super) fn binary(op: Operator, left: &Value, right: &Value, engine: &Engine<'_>) -> Result<Value, Fault> {
    if op == Operator::Concat {
        return concat(left, right, engine);
    }
    if let Some(unknown) = [left, right].into_iter().find(|value| value.is_unknown()) {
        return Ok(keep_text(op, left, right).unwrap_or_else(|| unknown.computed()));
    }
    // Most arithmetic is on small integers.
    if let (Value::Int(a), Value::Int(b)) = (left, right) {
        let quick = match op {
            Operator::Add => a.checked_add(*b),
            Operator::Sub => a.checked_sub(*b),
            Operator::Mul => a.checked_mul(*b),
            _ => None,
        };
        if let Some(result) = quick {
            return Ok(Value::Int(result));
        }
    }
    match (op, left, right) {
        (Operator::Rem, Value::Str(format), _) => percent(format, right, engine),
        (Operator::Add, Value::Str(a), Value::Str(b)) => {
            limit(a.len() + b.len())?;
            Ok(Value::text(format!("{}{}", a.as_str(), b.as_str())))
        }
        (Operator::Add, Value::Str(_), other) => {
            Err(Fault::value(format!("can only concatenate str (not \"{}\") to str", other.type_name()))
                .hint("join with `~`, or convert with `| string` or `| int`"))
        }
        (Operator::Add, Value::List(a), Value::List(b)) => {
            limit(a.len() + b.len())?;
            Ok(Value::list(a.iter().chain(b.iter()).cloned()))
        }
        (Operator::Add, Value::Tuple(a), Value::Tuple(b)) => Ok(Value::tuple(a.iter().chain(b.iter()).cloned())),
        (Operator::Add, Value::List(_) | Value::Tuple(_), other) => {
            let (mine, theirs) = (left.type_name(), other.type_name());
            Err(Fault::value(format!("can only concatenate {mine} (not \"{theirs}\") to {mine}")))
        }
        (Operator::Mul, Value::Str(_) | Value::List(_) | Value::Tuple(_) | Value::Bytes(_), _) => repeat(left, right),
        (Operator::Mul, _, Value::Str(_) | Value::List(_) | Value::Tuple(_) | Value::Bytes(_)) => repeat(right, left),
        (Operator::Sub, Value::Set(a), Value::Set(b)) => {
            Ok(Value::Set(Arc::new(a.iter().filter(|item| !b.contains(item)).cloned().collect())))
        }
        (_, Value::Time(a), _) => {
            super::methods::time::arithmetic(op, *a, right).unwrap_or_else(|| Err(unsupported(op, left, right)))
        }
        (Operator::Add, _, Value::Time(Time::Delta(_))) | (Operator::Mul, _, Value::Time(Time::Delta(_))) => {
            Err(unsupported(op, left, right))
        }
        _ => match (number(left), number(right)) {
            (Some(a), Some(b)) => arithmetic(op, a, b),
            _ => Err(unsupported(op, left, right)),
        },
    }
}

/// `'%s' % x`
fn percent(format: &str, values: &Value, engine: &Engine<'_>) -> Result<Value, Fault> {
    let values = match engine.deep(values.clone())? {
        Value::Object(object) => engine.plain(Value::Object(object), false)?,
        values => values,
    };
    percent::format(format, &Fillings::operand(&values)).map(|text| text_of(text, [&values]))
}

fn limit(size: usize) -> Result<(), Fault> {
    if size <= MAX_SIZE {
        return Ok(());
    }
    Err(Fault::new(super::fault::FaultKind::Limit, "the result of this operation is too large"))
}

fn repeat(what: &Value, times: &Value) -> Result<Value, Fault> {
    let times = match times {
        Value::Int(i) => usize::try_from(*i).unwrap_or(0),
        Value::Bool(b) => usize::from(*b),
        Value::Big(big) if big.is_negative() => 0,
        Value::Big(_) => usize::MAX,
        other => {
            let message = format!("can't multiply sequence by non-int of type '{}'", other.type_name());
            return Err(Fault::value(message));
        }
    };
    match what {
        Value::Str(text) => {
            limit(text.len().saturating_mul(times))?;
            Ok(Value::text(if text.is_empty() { String::new() } else { text.repeat(times) }))
        }
        Value::Bytes(bytes) => {
            limit(bytes.len().saturating_mul(times))?;
            Ok(Value::Bytes(bytes.repeat(times).into()))
        }
        Value::List(items) | Value::Tuple(items) => {
            limit(items.len().saturating_mul(times).saturating_mul(16))?;
            let times = if items.is_empty() { 0 } else { times };
            let repeated = std::iter::repeat_n(items, times).flat_map(|items| items.iter().cloned());
            Ok(if matches!(what, Value::Tuple(_)) { Value::tuple(repeated) } else { Value::list(repeated) })
        }
        other => Err(Fault::value(format!("'{}' cannot be repeated", other.type_name()))),
    }
}

fn arithmetic(op: Operator, left: Number, right: Number) -> Result<Value, Fault> {
    let (Number::Int(a), Number::Int(b)) = (&left, &right) else {
        return float_arithmetic(op, left.float()?, right.float()?);
    };
    match op {
        Operator::Add => Ok(Value::big(a + b)),
        Operator::Sub => Ok(Value::big(a - b)),
        Operator::Mul => {
            limit((a.bits() + b.bits()) as usize / 8)?;
            Ok(Value::big(a * b))
        }
        Operator::Div => {
            if b.is_zero() {
                return Err(Fault::value("division by zero"));
            }
            Ok(Value::Float(true_division(a, b)?))
        }
        Operator::FloorDiv | Operator::Rem if b.is_zero() => Err(Fault::value(if op == Operator::Rem {
            "integer modulo by zero"
        } else {
            "integer division or modulo by zero"
        })),
        Operator::FloorDiv => Ok(Value::big(a.div_floor(b))),
        Operator::Rem => Ok(Value::big(a.mod_floor(b))),
        Operator::Pow if b.is_negative() => float_arithmetic(op, left.float()?, right.float()?),
        Operator::Pow => {
            let exponent = b
                .to_u32()
                .filter(|exponent| a.bits() <= 1 || u64::from(*exponent).saturating_mul(a.bits()) < MAX_POWER_BITS);
            match exponent {
                Some(exponent) => Ok(Value::big(a.pow(exponent))),
                None if a.bits() <= 1 => Ok(Value::big(a.pow(if b.is_even() { 2 } else { 1 }))),
                None => limit(usize::MAX).map(|()| Value::Null),
            }
        }
        Operator::Concat => Ok(Value::Null),
    }
}

/// The quotient as the nearest float, also where neither operand fits one.
fn true_division(a: &BigInt, b: &BigInt) -> Result<f64, Fault> {
    if let (Some(x), Some(y)) = (a.to_i64(), b.to_i64())
        && x.unsigned_abs() < 1 << 53
        && y.unsigned_abs() < 1 << 53
    {
        return Ok(x as f64 / y as f64);
    }
    // Enough bits for a correctly rounded result, then scaled back.
    let shift = 66 + b.bits() as i64 - a.bits() as i64;
    let quotient = if shift >= 0 { (a << shift as u64) / b } else { a / (b << (-shift) as u64) };
    let result = quotient.to_f64().unwrap_or(f64::INFINITY) * 2f64.powi(i32::try_from(-shift).unwrap_or(i32::MAX));
    if result.is_finite() { Ok(result) } else { Err(Fault::value("integer division result too large for a float")) }
}

fn float_arithmetic(op: Operator, a: f64, b: f64) -> Result<Value, Fault> {
    let result = match op {
        Operator::Add => a + b,
        Operator::Sub => a - b,
        Operator::Mul => a * b,
        Operator::Div if b == 0.0 => return Err(Fault::value("division by zero")),
        Operator::FloorDiv if b == 0.0 => return Err(Fault::value("float floor division by zero")),
        Operator::Rem if b == 0.0 => return Err(Fault::value("float modulo by zero")),
        Operator::Div => a / b,
        Operator::FloorDiv => (a / b).floor(),
        Operator::Rem => {
            let rest = a % b;
            if rest != 0.0 && (rest < 0.0) != (b < 0.0) { rest + b } else { rest }
        }
        Operator::Pow if a == 0.0 && b < 0.0 => {
            return Err(Fault::value("zero to a negative power"));
        }
        Operator::Pow => a.powf(b),
        Operator::Concat => 0.0,
    };
    Ok(Value::Float(result))
}

/// An addition of text to an unknown keeps the text.
fn keep_text(op: Operator, left: &Value, right: &Value) -> Option<Value> {
    match (op, left, right) {
        (Operator::Add, Value::Str(text), Value::Unknown(unknown)) => Some(around(text, unknown, "")),
        (Operator::Add, Value::Unknown(unknown), Value::Str(text)) => Some(around("", unknown, text)),
        _ => None,
    }
}

fn around(before: &str, unknown: &Unknown, after: &str) -> Value {
    Value::Unknown(Arc::new(unknown.shown_as(format!("{before}{}{after}", unknown.shown))))
}

fn concat(left: &Value, right: &Value, engine: &Engine<'_>) -> Result<Value, Fault> {
    let text = format!("{}{}", engine.tilde_text(left)?, engine.tilde_text(right)?);
    limit(text.len())?;
    let unknown = [left, right].into_iter().find_map(|value| match value {
        Value::Unknown(unknown) => Some(unknown),
        _ => None,
    });
    Ok(match unknown {
        Some(unknown) => Value::Unknown(Arc::new(unknown.shown_as(text))),
        None => Value::text(text),
    })
}

/// A comparison: a boolean, or unknown.
pub(super) fn compare(op: Comparison, left: &Value, right: &Value, engine: &Engine<'_>) -> Result<Value, Fault> {
    match op {
        Comparison::In => return contains(right, left, engine),
        Comparison::NotIn => {
            return Ok(match contains(right, left, engine)? {
                Value::Bool(b) => Value::Bool(!b),
                other => other,
            });
        }
        _ => {}
    }
    refuse_poison(left)?;
    refuse_poison(right)?;
    // The same unknown is the same value, whatever it will be.
    if let (Value::Unknown(a), Value::Unknown(b), Comparison::Eq | Comparison::Ne) = (left, right, op)
        && Arc::ptr_eq(a, b)
    {
        return Ok(Value::Bool(op == Comparison::Eq));
    }
    if let Some(unknown) = unknown_in(left).or_else(|| unknown_in(right)) {
        return Ok(unknown);
    }
    let holds = match op {
        Comparison::Eq => equal(left, right),
        Comparison::Ne => !equal(left, right),
        _ => {
            if is_nan(left) || is_nan(right) {
                return Ok(Value::Bool(false));
            }
            let order = left.order(right).map_err(|_| {
                let symbol = match op {
                    Comparison::Lt => "<",
                    Comparison::Le => "<=",
                    Comparison::Gt => ">",
                    _ => ">=",
                };
                let (a, b) = (left.type_name(), right.type_name());
                Fault::value(format!("'{symbol}' not supported between instances of '{a}' and '{b}'"))
            })?;
            match op {
                Comparison::Lt => order == Ordering::Less,
                Comparison::Le => order != Ordering::Greater,
                Comparison::Gt => order == Ordering::Greater,
                _ => order != Ordering::Less,
            }
        }
    };
    Ok(Value::Bool(holds))
}

fn is_nan(value: &Value) -> bool {
    matches!(value, Value::Float(f) if f.is_nan())
}

fn equal(left: &Value, right: &Value) -> bool {
    if left == right {
        return true;
    }
    // A range or a view of a mapping equals another with the same members.
    match (left, right) {
        (Value::Object(a), Value::Object(b)) => {
            a.type_name() == b.type_name() && a.members().is_some() && a.members() == b.members()
        }
        _ => false,
    }
}

fn refuse_poison(value: &Value) -> Result<(), Fault> {
    match value {
        Value::Undefined(why) => Err(Fault::using(why)),
        Value::List(items) | Value::Tuple(items) | Value::Set(items) => items.iter().try_for_each(refuse_poison),
        Value::Dict(dict) => dict.values().try_for_each(refuse_poison),
        _ => Ok(()),
    }
}

fn unknown_in(value: &Value) -> Option<Value> {
    value.first_unknown().map(|unknown| Value::unknown(unknown.sentence()))
}

/// `item in container`
fn contains(container: &Value, item: &Value, engine: &Engine<'_>) -> Result<Value, Fault> {
    if container.is_unknown() {
        return Ok(container.computed());
    }
    let found = match container {
        Value::Str(text) => match item {
            Value::Str(part) => text.contains(part.as_str()),
            Value::Unknown(_) => return Ok(item.computed()),
            other => {
                let message = format!("'in <string>' requires string as left operand, not {}", other.type_name());
                return Err(Fault::value(message));
            }
        },
        Value::Dict(dict) => match item {
            Value::Unknown(_) => return Ok(item.computed()),
            key if !key.is_hashable() => {
                return Err(Fault::value(format!("unhashable type: '{}'", key.type_name())));
            }
            key => dict.get_value(key).is_some(),
        },
        Value::List(_) | Value::Tuple(_) | Value::Set(_) => {
            let members = container.as_slice().unwrap_or_default();
            engine.burn(members.len() as u64)?;
            if members.iter().any(|member| !member.is_undefined() && equal(member, item)) {
                true
            } else {
                members.iter().try_for_each(refuse_poison)?;
                if let Some(unknown) = unknown_in(container).or_else(|| unknown_in(item)) {
                    return Ok(unknown);
                }
                false
            }
        }
        Value::Object(object) => match object.members() {
            Some(members) => engine.members_of(&Value::list(members))?.contains(item),
            None => return Err(not_a_container(container)),
        },
        other => return Err(not_a_container(other)),
    };
    Ok(Value::Bool(found))
}

fn not_a_container(value: &Value) -> Fault {
    Fault::value(format!("argument of type '{}' is not iterable", value.type_name()))
}

/// The raw members of anything that can be iterated.
pub(super) fn members(value: &Value) -> Result<Vec<Value>, Fault> {
    match value {
        Value::List(items) | Value::Tuple(items) | Value::Set(items) => Ok(items.to_vec()),
        Value::Dict(dict) => Ok(dict.keys().cloned().collect()),
        Value::Str(text) => {
            let mut buffer = [0; 4];
            Ok(text.chars().map(|c| Value::text(&*c.encode_utf8(&mut buffer))).collect())
        }
        Value::Bytes(bytes) => Ok(bytes.iter().map(|byte| Value::Int(i64::from(*byte))).collect()),
        Value::Undefined(why) => Err(Fault::using(why)),
        Value::Unknown(unknown) => Err(Fault::unknown(unknown)),
        Value::Object(object) => {
            if let Some(range) = object.as_any().downcast_ref::<objects::Range>() {
                limit(range.count().saturating_mul(16))?;
            }
            object.members().ok_or_else(|| Fault::value(format!("'{}' object is not iterable", value.type_name())))
        }
        other => Err(Fault::value(format!("'{}' object is not iterable", other.type_name()))),
    }
}

/// An index into a row of so many members.
pub(super) fn index(key: &Value, length: usize) -> Option<usize> {
    let at = match key {
        Value::Int(i) => *i,
        Value::Bool(b) => i64::from(*b),
        _ => return None,
    };
    let length = i64::try_from(length).ok()?;
    let at = if at < 0 { at + length } else { at };
    (0..length).contains(&at).then(|| usize::try_from(at).ok()).flatten()
}

/// `of[start:stop:step]`
pub(super) fn slice(of: &Value, bounds: &[Option<Value>; 3]) -> Result<Value, Fault> {
    if of.is_unknown() {
        return Ok(of.computed());
    }
    let mut numbers = [None, None, None];
    for (slot, bound) in numbers.iter_mut().zip(bounds) {
        *slot = match bound {
            None | Some(Value::Null) => None,
            Some(Value::Int(i)) => Some(*i),
            Some(Value::Bool(b)) => Some(i64::from(*b)),
            Some(Value::Big(big)) => Some(if big.is_negative() { i64::MIN / 2 } else { i64::MAX / 2 }),
            Some(unknown @ Value::Unknown(_)) => return Ok(unknown.computed()),
            Some(_) => return Err(Fault::value("slice indices must be integers or None or have an __index__ method")),
        };
    }
    let [start, stop, step] = numbers;
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(Fault::value("slice step cannot be zero"));
    }
    let pick = |length: usize| -> Vec<usize> {
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        let clamp =
            |at: i64, low: i64, high: i64| (if at < 0 { at.saturating_add(length) } else { at }).clamp(low, high);
        let mut picked = Vec::new();
        let (mut at, end) = if step > 0 {
            (start.map_or(0, |at| clamp(at, 0, length)), stop.map_or(length, |at| clamp(at, 0, length)))
        } else {
            (start.map_or(length - 1, |at| clamp(at, -1, length - 1)), stop.map_or(-1, |at| clamp(at, -1, length - 1)))
        };
        while if step > 0 { at < end } else { at > end } {
            picked.extend(usize::try_from(at));
            at = at.saturating_add(step);
        }
        picked
    };
    match of {
        Value::Str(text) => {
            let chars: Vec<char> = text.chars().collect();
            Ok(Value::text(pick(chars.len()).into_iter().map(|at| chars[at]).collect::<String>()))
        }
        Value::List(items) => Ok(Value::list(pick(items.len()).into_iter().map(|at| items[at].clone()))),
        Value::Tuple(items) => Ok(Value::tuple(pick(items.len()).into_iter().map(|at| items[at].clone()))),
        Value::Bytes(bytes) => Ok(Value::Bytes(pick(bytes.len()).into_iter().map(|at| bytes[at]).collect())),
        Value::Object(object) if let Some(range) = object.as_any().downcast_ref::<objects::Range>() => {
            let picked = pick(range.count());
            let number = |at: usize| i64::try_from(at).unwrap_or(i64::MAX);
            let start = range.start + number(picked.first().copied().unwrap_or(0)) * range.step;
            let step = range.step.saturating_mul(step);
            let stop = start.saturating_add(step.saturating_mul(number(picked.len())));
            Ok(Value::Object(Arc::new(objects::Range { start, stop, step })))
        }
        other => Err(Fault::value(format!("'{}' object is not subscriptable", other.type_name()))),
    }
}

/// A float from a number, for what asks for one.
pub(super) fn to_float(value: &Value) -> Option<f64> {
    number(value)?.float().ok()
}

/// An integer from a number, cut towards zero.
pub(super) fn to_integer(value: &Value) -> Option<BigInt> {
    match number(value)? {
        Number::Int(i) => Some(i),
        Number::Float(f) => BigInt::from_f64(f.trunc()),
    }
}

/// The entries of anything that is like a mapping.
pub(super) fn entries(value: &Value) -> Option<Dict> {
    match value {
        Value::Dict(dict) => Some((**dict).clone()),
        Value::Object(object) => {
            let keys = object.members()?;
            Some(keys.into_iter().filter_map(|key| object.get(&key).map(|value| (key, value))).collect())
        }
        _ => None,
    }
}
