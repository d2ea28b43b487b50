//! Arithmetic operators, with Python's rules and its words for what cannot be done.

use std::sync::Arc;

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{Signed, ToPrimitive, Zero};

use super::ast::Operator;
use super::budget;
use super::engine::TemplateEngine;
use super::error::{TemplateError, TemplateErrorKind};
use super::filters::html::{escape_html, to_markup};
use super::python::coerce::text_of;
use super::python::numeric::{Number, to_number};
use super::python::percent::{self, Fillings};
use crate::value::{Text, Time, Unknown, Value};

/// The longest integer that `*` and `**` may make, in bits.
const MAX_INTEGER_BITS: u64 = 1 << 20;

fn integer_too_large() -> TemplateError {
    let message = format!("the result of this operation is too large: it has more than {MAX_INTEGER_BITS} bits");
    TemplateError::new(TemplateErrorKind::Limit, message)
}

/// `-x`
pub(super) fn negate_value(value: &Value) -> Result<Value, TemplateError> {
    match value {
        Value::Unknown(_) => Ok(value.new_computed()),
        Value::Time(Time::Delta(micros)) => Ok(Value::Time(Time::from_micros(-micros.get()))),
        _ => match to_number(value) {
            Some(Number::Int(i)) => Ok(Value::big(-i)),
            Some(Number::Float(f)) => Ok(Value::Float(-f)),
            None => Err(TemplateError::value(format!("bad operand type for unary -: '{}'", value.type_name()))),
        },
    }
}

/// `+x`
pub(super) fn apply_plus(value: &Value) -> Result<Value, TemplateError> {
    match to_number(value) {
        Some(Number::Int(i)) => Ok(Value::big(i)),
        Some(Number::Float(f)) => Ok(Value::Float(f)),
        None if value.is_unknown() => Ok(value.new_computed()),
        None => Err(TemplateError::value(format!("bad operand type for unary +: '{}'", value.type_name()))),
    }
}

fn unsupported_operands(op: Operator, left: &Value, right: &Value) -> TemplateError {
    let symbol = if op == Operator::Pow { "** or pow()" } else { op.symbol() };
    let (left, right) = (left.type_name(), right.type_name());
    TemplateError::value(format!("unsupported operand type(s) for {symbol}: '{left}' and '{right}'"))
}

/// An arithmetic operator.
pub(super) fn apply_operator(
    op: Operator,
    left: &Value,
    right: &Value,
    engine: &TemplateEngine<'_>,
) -> Result<Value, TemplateError> {
    if op == Operator::Concat {
        return concat_values(left, right, engine);
    }
    if let Some(unknown) = [left, right].into_iter().find(|value| value.is_unknown()) {
        return Ok(keep_text(op, left, right).unwrap_or_else(|| unknown.new_computed()));
    }
    // Most arithmetic is on small integers.
    if let (Value::Int(a), Value::Int(b)) = (left, right)
        && let Some(result) = quick_arithmetic(op, *a, *b)
    {
        return Ok(Value::Int(result));
    }
    match (op, left, right) {
        (Operator::Rem, Value::Str(format), _) => format_percent(format, right, engine),
        (Operator::Add, Value::Str(a), Value::Str(b)) => add_texts(a, b),
        (Operator::Add, Value::Str(_), other) => {
            Err(TemplateError::value(format!("can only concatenate str (not \"{}\") to str", other.type_name()))
                .hint("join with `~`, or convert with `| string` or `| int`"))
        }
        (Operator::Add, Value::List(a), Value::List(b)) => {
            budget::grow_members(a.len() + b.len())?;
            Ok(Value::list(a.iter().chain(b.iter()).cloned()))
        }
        (Operator::Add, Value::Tuple(a), Value::Tuple(b)) => {
            budget::grow_members(a.len() + b.len())?;
            Ok(Value::tuple(a.iter().chain(b.iter()).cloned()))
        }
        (Operator::Add, Value::List(_) | Value::Tuple(_), other) => {
            let (mine, theirs) = (left.type_name(), other.type_name());
            Err(TemplateError::value(format!("can only concatenate {mine} (not \"{theirs}\") to {mine}")))
        }
        (Operator::Mul, Value::Str(_) | Value::List(_) | Value::Tuple(_) | Value::Bytes(_), _) => {
            repeat_value(left, right)
        }
        (Operator::Mul, _, Value::Str(_) | Value::List(_) | Value::Tuple(_) | Value::Bytes(_)) => {
            repeat_value(right, left)
        }
        (Operator::Sub, Value::Set(a), Value::Set(b)) => {
            Ok(Value::Set(Arc::new(a.iter().filter(|item| !b.contains(item)).cloned().collect())))
        }
        (_, Value::Time(a), _) => super::methods::time::apply_arithmetic(op, *a, right)
            .unwrap_or_else(|| Err(unsupported_operands(op, left, right))),
        (Operator::Add, _, Value::Time(Time::Delta(_))) | (Operator::Mul, _, Value::Time(Time::Delta(_))) => {
            Err(unsupported_operands(op, left, right))
        }
        _ => match (to_number(left), to_number(right)) {
            (Some(a), Some(b)) => apply_arithmetic(op, a, b),
            _ => Err(unsupported_operands(op, left, right)),
        },
    }
}

/// The result on small integers, unless it is large or takes more than one step.
fn quick_arithmetic(op: Operator, left: i64, right: i64) -> Option<i64> {
    match op {
        Operator::Add => left.checked_add(right),
        Operator::Sub => left.checked_sub(right),
        Operator::Mul => left.checked_mul(right),
        _ => None,
    }
}

/// `'a' + 'b'`; what is added to markup is escaped.
fn add_texts(left: &Text, right: &Text) -> Result<Value, TemplateError> {
    budget::reserve_bytes(left.len() + right.len())?;
    if left.is_markup() || right.is_markup() {
        let part = |text: &Text| if text.is_markup() { text.as_str().to_owned() } else { escape_html(text) };
        return Ok(to_markup(part(left) + &part(right)));
    }
    Ok(Value::text(format!("{}{}", left.as_str(), right.as_str())))
}

/// `'%s' % x`
fn format_percent(format: &str, values: &Value, engine: &TemplateEngine<'_>) -> Result<Value, TemplateError> {
    let values = match engine.resolve_deep(values.clone())? {
        Value::Object(object) => engine.to_plain_data(Value::Object(object), false)?,
        values => values,
    };
    percent::format_percent(format, &Fillings::from_operand(&values)).map(|text| text_of(text, [&values]))
}

fn repeat_value(what: &Value, times: &Value) -> Result<Value, TemplateError> {
    let times = match times {
        Value::Int(i) => usize::try_from(*i).unwrap_or(0),
        Value::Bool(b) => usize::from(*b),
        Value::Big(big) if big.is_negative() => 0,
        Value::Big(_) => usize::MAX,
        other => {
            let message = format!("can't multiply sequence by non-int of type '{}'", other.type_name());
            return Err(TemplateError::value(message));
        }
    };
    match what {
        Value::Str(text) => Ok(Value::text(budget::repeat_text(text, times)?)),
        Value::Bytes(bytes) => {
            let times = if bytes.is_empty() { 0 } else { times };
            budget::reserve_bytes(bytes.len().saturating_mul(times))?;
            Ok(Value::Bytes(bytes.repeat(times).into()))
        }
        Value::List(items) | Value::Tuple(items) => {
            budget::grow_members(items.len().saturating_mul(times))?;
            let times = if items.is_empty() { 0 } else { times };
            let repeated = std::iter::repeat_n(items, times).flat_map(|items| items.iter().cloned());
            Ok(if matches!(what, Value::Tuple(_)) { Value::tuple(repeated) } else { Value::list(repeated) })
        }
        other => Err(TemplateError::value(format!("'{}' cannot be repeated", other.type_name()))),
    }
}

fn apply_arithmetic(op: Operator, left: Number, right: Number) -> Result<Value, TemplateError> {
    let (Number::Int(a), Number::Int(b)) = (&left, &right) else {
        return float_arithmetic(op, left.to_float()?, right.to_float()?);
    };
    match op {
        Operator::Add => Ok(Value::big(a + b)),
        Operator::Sub => Ok(Value::big(a - b)),
        Operator::Mul => {
            // Long multiplication takes more than its result has bits.
            if a.bits() + b.bits() > MAX_INTEGER_BITS {
                return Err(integer_too_large());
            }
            Ok(Value::big(a * b))
        }
        Operator::Div => {
            if b.is_zero() {
                return Err(TemplateError::value("division by zero"));
            }
            Ok(Value::Float(true_division(a, b)?))
        }
        Operator::FloorDiv | Operator::Rem if b.is_zero() => Err(TemplateError::value(if op == Operator::Rem {
            "integer modulo by zero"
        } else {
            "integer division or modulo by zero"
        })),
        Operator::FloorDiv => Ok(Value::big(a.div_floor(b))),
        Operator::Rem => Ok(Value::big(a.mod_floor(b))),
        Operator::Pow if b.is_negative() => float_arithmetic(op, left.to_float()?, right.to_float()?),
        Operator::Pow => {
            let exponent = b
                .to_u32()
                .filter(|exponent| a.bits() <= 1 || u64::from(*exponent).saturating_mul(a.bits()) < MAX_INTEGER_BITS);
            match exponent {
                Some(exponent) => Ok(Value::big(a.pow(exponent))),
                None if a.bits() <= 1 => Ok(Value::big(a.pow(if b.is_even() { 2 } else { 1 }))),
                None => Err(integer_too_large()),
            }
        }
        Operator::Concat => Ok(Value::Null),
    }
}

/// The quotient as the nearest float, also where neither operand fits one.
fn true_division(a: &BigInt, b: &BigInt) -> Result<f64, TemplateError> {
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
    if result.is_finite() {
        Ok(result)
    } else {
        Err(TemplateError::value("integer division result too large for a float"))
    }
}

fn float_arithmetic(op: Operator, a: f64, b: f64) -> Result<Value, TemplateError> {
    let result = match op {
        Operator::Add => a + b,
        Operator::Sub => a - b,
        Operator::Mul => a * b,
        Operator::Div if b == 0.0 => return Err(TemplateError::value("division by zero")),
        Operator::FloorDiv if b == 0.0 => return Err(TemplateError::value("float floor division by zero")),
        Operator::Rem if b == 0.0 => return Err(TemplateError::value("float modulo by zero")),
        Operator::Div => a / b,
        Operator::FloorDiv => (a / b).floor(),
        Operator::Rem => {
            let rest = a % b;
            if rest != 0.0 && (rest < 0.0) != (b < 0.0) { rest + b } else { rest }
        }
        Operator::Pow if a == 0.0 && b < 0.0 => {
            return Err(TemplateError::value("zero to a negative power"));
        }
        Operator::Pow => a.powf(b),
        Operator::Concat => 0.0,
    };
    Ok(Value::Float(result))
}

/// An addition of text to an unknown keeps the text.
fn keep_text(op: Operator, left: &Value, right: &Value) -> Option<Value> {
    match (op, left, right) {
        (Operator::Add, Value::Str(text), Value::Unknown(unknown)) => Some(surround_unknown(text, unknown, "")),
        (Operator::Add, Value::Unknown(unknown), Value::Str(text)) => Some(surround_unknown("", unknown, text)),
        _ => None,
    }
}

fn surround_unknown(before: &str, unknown: &Unknown, after: &str) -> Value {
    Value::Unknown(Arc::new(unknown.shown_as(format!("{before}{}{after}", unknown.shown))))
}

fn concat_values(left: &Value, right: &Value, engine: &TemplateEngine<'_>) -> Result<Value, TemplateError> {
    let (before, after) = (engine.tilde_text(left)?, engine.tilde_text(right)?);
    budget::reserve_bytes(before.len() + after.len())?;
    let text = format!("{before}{after}");
    let unknown = [left, right].into_iter().find_map(|value| match value {
        Value::Unknown(unknown) => Some(unknown),
        _ => None,
    });
    Ok(match unknown {
        Some(unknown) => Value::Unknown(Arc::new(unknown.shown_as(text))),
        None => Value::text(text),
    })
}
