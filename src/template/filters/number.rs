//! Numbers, booleans, sizes.

use num_bigint::BigInt;
use num_traits::{FromPrimitive, Num, Signed, ToPrimitive};

use crate::template::error::TemplateError;
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::bytes;
use crate::template::python::coerce::{
    as_real, flag_or, input_members, integer_or, optional_text, require_all_defined, require_arg, text_or, to_integer,
    to_real, to_text,
};
use crate::template::python::random::Random;
use crate::value::{Value, python};

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new("abs", abs, "Returns the absolute value of a number."),
    FilterPlugin::new("bool", bool, "Converts `yes`, `on`, `true`, `1` and similar values to a boolean."),
    FilterPlugin::new("filesizeformat", filesizeformat, "Formats a number of bytes with a unit."),
    FilterPlugin::new("float", float, "Converts a number or text to a float."),
    FilterPlugin::new("human_readable", human_readable, "Formats a number of bytes or bits with a unit."),
    FilterPlugin::new("human_to_bytes", human_to_bytes, "Converts a size with a unit to a number of bytes or bits."),
    FilterPlugin::new("int", int, "Converts a number or text to an integer."),
    FilterPlugin::new("log", log, "Returns the logarithm, natural or to a base."),
    FilterPlugin::new("pow", pow, "Raises a number to a power."),
    FilterPlugin::new("random", random, "Returns a random number or member."),
    FilterPlugin::new("root", root, "Returns the square root, or another root."),
    FilterPlugin::new("round", round, "Rounds a number."),
    FilterPlugin::new("shuffle", shuffle, "Shuffles members."),
];

fn abs(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(match &call.input {
        Value::Int(i) => Value::big(BigInt::from(*i).abs()),
        Value::Big(number) => Value::big(number.abs()),
        Value::Float(f) => Value::Float(f.abs()),
        Value::Bool(b) => Value::Int(i64::from(*b)),
        other => return Err(TemplateError::value(format!("bad operand type for abs(): '{}'", other.type_name()))),
    })
}

fn bool(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    let (known, truth) = match &call.input {
        Value::Bool(b) => (true, *b),
        Value::Null => (true, false),
        Value::Str(text) => match text.to_lowercase().as_str() {
            "yes" | "on" | "1" | "true" => (true, true),
            "no" | "off" | "0" | "false" => (true, false),
            _ => (false, false),
        },
        other => match as_real(require_all_defined(other)?) {
            Some(1.0) => (true, true),
            Some(0.0) => (true, false),
            _ => (false, false),
        },
    };
    if !known {
        let shown = python::repr(&call.input);
        call.context.add_warning(format!("`bool` takes {shown} for false; it is neither a true nor a false value"));
    }
    Ok(Value::Bool(truth))
}

fn int(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [default, base] = call.args.bind(["default", "base"])?;
    let default = default.unwrap_or(Value::Int(0));
    let base = integer_or(base.as_ref(), 10)?;
    let whole = |f: f64| BigInt::from_f64(f.trunc()).map(Value::big);
    Ok(match &call.input {
        Value::Int(_) | Value::Big(_) => Some(call.input.clone()),
        Value::Bool(b) => Some(Value::Int(i64::from(*b))),
        Value::Float(f) => whole(*f),
        Value::Str(text) => parse_int(text, base).map(Value::big).or_else(|| parse_float(text).and_then(whole)),
        _ => None,
    }
    .unwrap_or(default))
}

/// Python's `int(text, base)`; base 0 goes by the prefix.
pub fn parse_int(text: &str, base: i64) -> Option<BigInt> {
    let trimmed = text.trim();
    let (negative, digits) = match trimmed.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let prefix = digits.get(..2).unwrap_or("").to_ascii_lowercase();
    let prefixed = match (prefix.as_str(), base) {
        ("0x", 0 | 16) => Some(16),
        ("0o", 0 | 8) => Some(8),
        ("0b", 0 | 2) => Some(2),
        _ => None,
    };
    let (base, digits) = match (prefixed, base) {
        (Some(base), _) => (base, digits[2..].strip_prefix('_').unwrap_or(&digits[2..])),
        (None, 0) if digits.len() > 1 && digits.starts_with('0') && digits.contains(|c| c != '0' && c != '_') => {
            return None;
        }
        (None, 0) => (10, digits),
        (None, base) => (base, digits),
    };
    let base = u32::try_from(base).ok().filter(|base| (2..=36).contains(base))?;
    if digits.is_empty() || !digits.split('_').all(|part| !part.is_empty() && part.chars().all(|c| c.is_digit(base))) {
        return None;
    }
    let number = BigInt::from_str_radix(&digits.replace('_', ""), base).ok()?;
    Some(if negative { -number } else { number })
}

/// Python's `float(text)`.
pub fn parse_float(text: &str) -> Option<f64> {
    let trimmed = text.trim();
    let plain = trimmed.trim_start_matches(['+', '-']).to_ascii_lowercase();
    if trimmed.len() - plain.len() > 1 {
        return None;
    }
    let numeric = plain.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let special = matches!(plain.as_str(), "inf" | "infinity" | "nan");
    let chars: Vec<char> = trimmed.chars().collect();
    let between_digits = chars.iter().enumerate().filter(|(_, c)| **c == '_').all(|(at, _)| {
        let digit = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(char::is_ascii_digit);
        digit(at.checked_sub(1)) && digit(Some(at + 1))
    });
    (between_digits && (numeric || special)).then(|| trimmed.replace('_', "").parse().ok()).flatten()
}

fn float(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [default] = call.args.bind(["default"])?;
    let number = match &call.input {
        Value::Str(text) => parse_float(text),
        other => as_real(other),
    };
    Ok(number.map_or_else(|| default.unwrap_or(Value::Float(0.0)), Value::Float))
}

fn round(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [precision, method] = call.args.bind(["precision", "method"])?;
    let precision = integer_or(precision.as_ref(), 0)?.clamp(-400, 400) as i32;
    let method = text_or(method.as_ref(), "common")?;
    if !matches!(method.as_str(), "common" | "ceil" | "floor") {
        let fault = TemplateError::value("method must be common, ceil or floor");
        return Err(fault.suggest_name(&method, ["common", "ceil", "floor"]));
    }
    if method == "common" {
        return match &call.input {
            Value::Float(f) => Ok(Value::Float(round_float(*f, precision))),
            Value::Int(_) | Value::Big(_) | Value::Bool(_) => Ok(round_int(&call.input, precision)),
            other => Err(TemplateError::value(format!("type {} doesn't define __round__ method", other.type_name()))),
        };
    }
    let (scale, number) = (10f64.powi(precision), to_real(&call.input)?);
    let scaled = number * scale;
    let whole = if method == "ceil" { scaled.ceil() } else { scaled.floor() };
    Ok(Value::Float(whole / scale))
}

/// Half to even on the exact binary value, as Python does it.
fn round_float(f: f64, precision: i32) -> f64 {
    if !f.is_finite() || precision > 323 {
        return f;
    }
    if precision < -308 {
        return 0.0;
    }
    match usize::try_from(precision) {
        Ok(digits) => format!("{f:.digits$}").parse().unwrap_or(f),
        Err(_) => {
            let scale = 10f64.powi(precision.saturating_neg());
            (f / scale).round_ties_even() * scale
        }
    }
}

fn round_int(value: &Value, precision: i32) -> Value {
    let number = match value {
        Value::Bool(b) => BigInt::from(u8::from(*b)),
        Value::Int(i) => BigInt::from(*i),
        Value::Big(number) => (**number).clone(),
        _ => return value.clone(),
    };
    if precision >= 0 {
        return Value::big(number);
    }
    // A unit with more digits than the number leaves nothing of it.
    if u64::from(precision.unsigned_abs()) > number.bits() + 1 {
        return Value::Int(0);
    }
    let unit = BigInt::from(10).pow(precision.unsigned_abs());
    let (mut quotient, rest) = num_integer::Integer::div_mod_floor(&number, &unit);
    let twice: BigInt = rest * 2;
    if twice > unit || (twice == unit && quotient.bit(0)) {
        quotient += 1;
    }
    Value::big(quotient * unit)
}

/// A number for the mathematical filters; those name themselves in the complaint.
fn read_operand(value: &Value, function: &str) -> Result<f64, TemplateError> {
    to_real(value).map_err(|fault| TemplateError {
        message: format!("{function}() can only be used on numbers: {}", fault.message),
        ..fault
    })
}

fn log(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [base] = call.args.bind(["base"])?;
    let number = read_operand(&call.input, "log")?;
    let base = base.map(|base| read_operand(&base, "log")).transpose()?;
    let domain = || TemplateError::value("math domain error");
    if number <= 0.0 || base.is_some_and(|base| base <= 0.0) {
        return Err(domain());
    }
    // The logarithm of an integer too large for a float still has an answer.
    let natural = |value: &Value, number: f64| match value {
        Value::Big(big) if number.is_infinite() => {
            let shift = big.bits().saturating_sub(60);
            let top: BigInt = (**big).clone() >> shift;
            top.to_f64().unwrap_or(1.0).ln() + shift as f64 * std::f64::consts::LN_2
        }
        _ => number.ln(),
    };
    Ok(Value::Float(match base {
        None => natural(&call.input, number),
        Some(10.0) if number.is_finite() => number.log10(),
        Some(1.0) => return Err(TemplateError::value("float division by zero")),
        Some(base) => natural(&call.input, number) / base.ln(),
    }))
}

fn compute_power(number: f64, exponent: f64) -> Result<f64, TemplateError> {
    let result = number.powf(exponent);
    let fraction = exponent.is_finite() && exponent.fract() != 0.0;
    if (number == 0.0 && exponent < 0.0) || (number < 0.0 && number.is_finite() && fraction) {
        return Err(TemplateError::value("math domain error"));
    }
    if result.is_infinite() && number.is_finite() && exponent.is_finite() {
        return Err(TemplateError::value("math range error"));
    }
    Ok(result)
}

fn pow(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [exponent] = call.args.bind(["y"])?;
    let (number, exponent) = (read_operand(&call.input, "pow")?, read_operand(&require_arg(exponent, "y")?, "pow")?);
    compute_power(number, exponent).map(Value::Float)
}

fn root(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [base] = call.args.bind(["base"])?;
    let number = read_operand(&call.input, "root")?;
    let base = match base {
        None => 2.0,
        Some(Value::Str(text)) => parse_float(&text).ok_or_else(|| {
            let shown = python::repr(&Value::Str(text.clone()));
            TemplateError::value(format!(
                "root() can only be used on numbers: could not convert string to float: {shown}"
            ))
        })?,
        Some(base) => read_operand(&base, "root")?,
    };
    if base == 2.0 {
        if number < 0.0 {
            return Err(TemplateError::value("root() can only be used on numbers: math domain error"));
        }
        return Ok(Value::Float(number.sqrt()));
    }
    if base == 0.0 {
        return Err(TemplateError::value("float division by zero"));
    }
    compute_power(number, 1.0 / base).map(Value::Float)
}

fn filesizeformat(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [binary] = call.args.bind(["binary"])?;
    let bytes = match &call.input {
        Value::Str(text) => parse_float(text).ok_or_else(|| {
            TemplateError::value(format!("could not convert string to float: {}", python::repr(&call.input)))
        })?,
        other => to_real(other)?,
    };
    let binary = flag_or(binary.as_ref(), false);
    let base: f64 = if binary { 1024.0 } else { 1000.0 };
    if bytes == 1.0 {
        return Ok(Value::text("1 Byte"));
    }
    if bytes < base {
        return Ok(Value::text(format!("{} Bytes", bytes.trunc())));
    }
    let letters = if binary { "KMGTPEZY" } else { "kMGTPEZY" };
    let mut shown = bytes;
    let mut letter = ' ';
    for next in letters.chars() {
        shown /= base;
        letter = next;
        if shown < base {
            break;
        }
    }
    Ok(Value::text(format!("{shown:.1} {letter}{}", if binary { "iB" } else { "B" })))
}

fn human_readable(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [bits, unit] = call.args.bind(["isbits", "unit"])?;
    let size = as_real(&call.input).ok_or_else(|| {
        let kind = call.input.type_name();
        let why = format!("'>=' not supported between instances of '{kind}' and 'int'");
        TemplateError::value(format!("human_readable() failed on bad input: {why}"))
    })?;
    let unit = optional_text(unit.as_ref())?;
    Ok(Value::text(bytes::to_human(size, flag_or(bits.as_ref(), false), unit.as_deref())))
}

fn human_to_bytes(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [unit, bits] = call.args.bind(["default_unit", "isbits"])?;
    let unit = optional_text(unit.as_ref())?;
    let number = bytes::from_human(&to_text(&call.input)?, unit.as_deref(), flag_or(bits.as_ref(), false));
    let number = number.map_err(|fault| TemplateError {
        message: format!("human_to_bytes() can't interpret the input: {}", fault.message),
        ..fault
    })?;
    BigInt::from_f64(number).map(Value::big).ok_or_else(|| TemplateError::value("the size is too large"))
}

/// The source of random numbers for a seed.
fn source(seed: Option<&Value>) -> Result<Random, TemplateError> {
    Ok(match seed {
        None | Some(Value::Null) => Random::from_system(),
        Some(Value::Int(seed)) => Random::from_int(&BigInt::from(*seed)),
        Some(Value::Bool(seed)) => Random::from_int(&BigInt::from(u8::from(*seed))),
        Some(Value::Big(seed)) => Random::from_int(seed),
        Some(Value::Float(seed)) => Random::from_float(*seed),
        Some(Value::Str(seed)) => Random::from_text(seed),
        Some(Value::Bytes(seed)) => Random::from_bytes(seed),
        Some(_) => {
            let message = "The only supported seed types are: None, int, float, str, bytes, and bytearray.";
            return Err(TemplateError::value(message));
        }
    })
}

fn random(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [start, step, seed] = call.args.bind(["start", "step", "seed"])?;
    let mut source = source(seed.as_ref())?;
    let given = |value: Option<Value>| value.filter(Value::is_true);
    let (start, step) = (given(start), given(step));
    if let Value::Int(_) | Value::Bool(_) = &call.input {
        let (end, start) = (to_integer(&call.input)?, integer_or(start.as_ref(), 0)?);
        let step = integer_or(step.as_ref(), 1)?;
        return source.random_range(start, end, step).map(Value::Int).ok_or_else(|| {
            TemplateError::value(format!("empty range for randrange() ({start}, {end}, {})", end.saturating_sub(start)))
        });
    }
    let members = match &call.input {
        Value::Str(_) | Value::List(_) | Value::Tuple(_) | Value::Set(_) | Value::Object(_) => input_members(call)?,
        _ => return Err(TemplateError::value("random can only be used on sequences and integers")),
    };
    if start.is_some() || step.is_some() {
        return Err(TemplateError::value("start and step can only be used with integer values"));
    }
    source.choice(&members).cloned().ok_or_else(|| TemplateError::value("Cannot choose from an empty sequence"))
}

fn shuffle(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [seed] = call.args.bind(["seed"])?;
    let Ok(mut members) = input_members(call) else { return Ok(call.input.clone()) };
    source(seed.filter(Value::is_true).as_ref())?.shuffle(&mut members);
    Ok(Value::list(members))
}
