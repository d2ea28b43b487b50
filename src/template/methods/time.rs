//! Attributes, methods and arithmetic of dates, time stamps and durations.

use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, ToSpan};

use super::table::{MethodCall, MethodPlugin};
use crate::template::ast::Operator;
use crate::template::error::TemplateError;
use crate::template::python::numeric;
use crate::template::python::strftime::ZonedTime;
use crate::value::{Time, Value};

type TimeCall<'a> = MethodCall<'a, Time>;

/// The methods, sorted by name.
pub const TABLE: &[MethodPlugin<Time>] = &[
    MethodPlugin::new("date", date),
    MethodPlugin::new("isocalendar", isocalendar),
    MethodPlugin::new("isoformat", isoformat),
    MethodPlugin::new("isoweekday", isoweekday),
    MethodPlugin::new("strftime", format_by_argument),
    MethodPlugin::new("time", time),
    MethodPlugin::new("timestamp", timestamp),
    MethodPlugin::new("timetuple", timetuple),
    MethodPlugin::new("toordinal", toordinal),
    MethodPlugin::new("total_seconds", total_seconds),
    MethodPlugin::new("weekday", weekday),
];

const DAY: i128 = 86_400_000_000;

fn local_datetime(of: Time) -> Option<DateTime> {
    match of {
        Time::Date(date) => Some(date.to_datetime(jiff::civil::Time::midnight())),
        Time::Naive(local) | Time::Aware(local, _) => Some(local),
        Time::Delta(_) => None,
    }
}

/// An attribute.
pub fn get_property(of: Time, name: &str) -> Option<Value> {
    if let Time::Delta(micros) = of {
        let micros = micros.get();
        let (days, rest) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
        let part = match name {
            "days" => days,
            "seconds" => rest / 1_000_000,
            "microseconds" => rest % 1_000_000,
            _ => return None,
        };
        return i64::try_from(part).ok().map(Value::Int);
    }
    let at = local_datetime(of)?;
    let number = match name {
        "year" => i64::from(at.year()),
        "month" => i64::from(at.month()),
        "day" => i64::from(at.day()),
        _ if matches!(of, Time::Date(_)) => return None,
        "hour" => i64::from(at.hour()),
        "minute" => i64::from(at.minute()),
        "second" => i64::from(at.second()),
        "microsecond" => i64::from(at.subsec_nanosecond() / 1000),
        "tzinfo" if matches!(of, Time::Naive(_)) => return Some(Value::Null),
        _ => return None,
    };
    Some(Value::Int(number))
}

/// The date and time of anything but a duration, which has no such method.
fn require_datetime(call: &TimeCall<'_>) -> Result<DateTime, TemplateError> {
    local_datetime(*call.data).ok_or_else(|| no_method(*call.data, call.name))
}

fn no_method(of: Time, name: &str) -> TemplateError {
    TemplateError::value(format!("'{}' object has no attribute '{name}'", of.type_name()))
}

fn total_seconds(call: &TimeCall<'_>) -> Result<Value, TemplateError> {
    match call.data {
        Time::Delta(micros) => Ok(Value::Float(micros.get() as f64 / 1e6)),
        other => Err(no_method(*other, call.name)),
    }
}

fn isoformat(call: &TimeCall<'_>) -> Result<Value, TemplateError> {
    require_datetime(call)?;
    Ok(Value::text(call.data.isoformat()))
}

fn date(call: &TimeCall<'_>) -> Result<Value, TemplateError> {
    Ok(Value::Time(Time::Date(require_datetime(call)?.date())))
}

fn time(call: &TimeCall<'_>) -> Result<Value, TemplateError> {
    require_datetime(call)?;
    let text = call.data.to_text();
    Ok(Value::text(text.split_once(' ').map_or("00:00:00", |(_, time)| time)))
}

fn weekday(call: &TimeCall<'_>) -> Result<Value, TemplateError> {
    Ok(Value::Int(i64::from(require_datetime(call)?.weekday().to_monday_zero_offset())))
}

fn isoweekday(call: &TimeCall<'_>) -> Result<Value, TemplateError> {
    Ok(Value::Int(i64::from(require_datetime(call)?.weekday().to_monday_one_offset())))
}

fn isocalendar(call: &TimeCall<'_>) -> Result<Value, TemplateError> {
    let at = require_datetime(call)?;
    let week = at.date().iso_week_date();
    let numbers = [i64::from(week.year()), i64::from(week.week()), i64::from(at.weekday().to_monday_one_offset())];
    Ok(Value::tuple(numbers.map(Value::Int)))
}

fn toordinal(call: &TimeCall<'_>) -> Result<Value, TemplateError> {
    let since = require_datetime(call)?.date().since(Date::constant(1, 1, 1));
    Ok(Value::Int(since.map_or(0, |span| i64::from(span.get_days())) + 1))
}

fn timetuple(call: &TimeCall<'_>) -> Result<Value, TemplateError> {
    let at = require_datetime(call)?;
    let numbers = [
        i64::from(at.year()),
        i64::from(at.month()),
        i64::from(at.day()),
        i64::from(at.hour()),
        i64::from(at.minute()),
        i64::from(at.second()),
        i64::from(at.weekday().to_monday_zero_offset()),
        i64::from(at.date().day_of_year()),
        // Whether summer time holds is not known.
        -1,
    ];
    Ok(Value::tuple(numbers.map(Value::Int)))
}

fn timestamp(call: &TimeCall<'_>) -> Result<Value, TemplateError> {
    require_datetime(call)?;
    let micros = match *call.data {
        Time::Naive(local) => {
            let zoned = local.to_zoned(jiff::tz::TimeZone::system());
            let zoned = zoned.map_err(|error| TemplateError::value(error.to_string()))?;
            i128::from(zoned.timestamp().as_microsecond())
        }
        other => other.micros_since_epoch().unwrap_or(0),
    };
    Ok(Value::Float(micros as f64 / 1e6))
}

fn format_by_argument(call: &TimeCall<'_>) -> Result<Value, TemplateError> {
    require_datetime(call)?;
    let [format] = call.args.bind(["format"])?;
    let format = call.require_arg(format, "format")?;
    let format = format.as_str().ok_or_else(|| TemplateError::value("strftime() needs text"))?;
    strftime(*call.data, format)
}

/// Text by a format as Python's `strftime` has it.
pub fn strftime(of: Time, format: &str) -> Result<Value, TemplateError> {
    let at = local_datetime(of).ok_or_else(|| no_method(of, "strftime"))?;
    let format = with_micros(format, at.subsec_nanosecond() / 1000);
    let offset = if let Time::Aware(_, offset) = of { Some(offset) } else { None };
    let zone = offset.map_or_else(String::new, zone_name);
    // As in C, the seconds since 1970 are those of the clock on the wall here, whatever zone the time stamp has.
    let epoch = at.to_zoned(jiff::tz::TimeZone::system()).map_or(0, |zoned| zoned.timestamp().as_second());
    let moment = ZonedTime { local: at, offset, zone: &zone, epoch };
    Ok(Value::text(crate::template::python::strftime::format_time(&moment, &format)))
}

/// The format with the microseconds in it: Python writes them, C knows nothing of them.
fn with_micros(format: &str, micros: i32) -> String {
    let mut out = String::with_capacity(format.len());
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        let directive = &rest[at..];
        let length = 1 + directive[1..].chars().next().map_or(0, char::len_utf8);
        out.push_str(&rest[..at]);
        if directive.starts_with("%f") {
            out.push_str(&format!("{micros:06}"));
        } else {
            out.push_str(&directive[..length]);
        }
        rest = &directive[length..];
    }
    out + rest
}

/// The name that Python gives a zone which is only an offset.
fn zone_name(offset: i32) -> String {
    let (sign, seconds) = if offset < 0 { ('-', -offset) } else { ('+', offset) };
    match seconds {
        0 => "UTC".to_owned(),
        _ => format!("UTC{sign}{:02}:{:02}", seconds / 3600, seconds / 60 % 60),
    }
}

/// Arithmetic with a time on the left; `None` if the types do not go together.
pub fn apply_arithmetic(op: Operator, left: Time, right: &Value) -> Option<Result<Value, TemplateError>> {
    let delta = |micros| Some(Ok(Value::Time(Time::from_micros(micros))));
    match (op, left, right) {
        (Operator::Sub, Time::Delta(a), Value::Time(Time::Delta(b))) => delta(a.get() - b.get()),
        (Operator::Add, Time::Delta(a), Value::Time(Time::Delta(b))) => delta(a.get() + b.get()),
        (Operator::Add, Time::Delta(a), Value::Time(other)) => Some(shift_time(*other, a.get())),
        (Operator::Add, _, Value::Time(Time::Delta(b))) => Some(shift_time(left, b.get())),
        (Operator::Sub, _, Value::Time(Time::Delta(b))) => Some(shift_time(left, -b.get())),
        (Operator::Sub, Time::Date(_), Value::Time(Time::Date(_)))
        | (Operator::Sub, Time::Naive(_), Value::Time(Time::Naive(_)))
        | (Operator::Sub, Time::Aware(..), Value::Time(Time::Aware(..))) => {
            let Value::Time(right) = right else { return None };
            delta(left.micros_since_epoch()? - right.micros_since_epoch()?)
        }
        (Operator::Sub, Time::Naive(_) | Time::Aware(..), Value::Time(Time::Naive(_) | Time::Aware(..))) => {
            Some(Err(TemplateError::value("can't subtract offset-naive and offset-aware datetimes")))
        }
        (Operator::Mul, Time::Delta(a), Value::Int(n)) => delta(a.get().checked_mul(i128::from(*n))?),
        (Operator::Div, Time::Delta(a), other) => match (other, numeric::to_float(other)) {
            (Value::Time(Time::Delta(b)), _) if b.get() == 0 => Some(Err(TemplateError::value("division by zero"))),
            (_, Some(0.0)) => Some(Err(TemplateError::value("division by zero"))),
            (Value::Time(Time::Delta(b)), _) => Some(Ok(Value::Float(a.get() as f64 / b.get() as f64))),
            (_, Some(f)) => delta((a.get() as f64 / f).round_ties_even() as i128),
            _ => None,
        },
        (Operator::FloorDiv, Time::Delta(_), Value::Int(0)) => {
            Some(Err(TemplateError::value("integer division or modulo by zero")))
        }
        (Operator::FloorDiv, Time::Delta(a), Value::Int(n)) => {
            let (a, n) = (a.get(), i128::from(*n));
            delta(a.div_euclid(n) - i128::from(n < 0 && a.rem_euclid(n) != 0))
        }
        _ => None,
    }
}

fn shift_time(time: Time, micros: i128) -> Result<Value, TemplateError> {
    let range = || TemplateError::value("date value out of range");
    let duration = SignedDuration::from_micros(i64::try_from(micros).map_err(|_| range())?);
    let moved = match time {
        Time::Date(date) => {
            let days = i64::try_from(micros.div_euclid(DAY)).map_err(|_| range())?;
            let span = 0.days().try_days(days).map_err(|_| range())?;
            Time::Date(date.checked_add(span).map_err(|_| range())?)
        }
        Time::Naive(local) => Time::Naive(local.checked_add(duration).map_err(|_| range())?),
        Time::Aware(local, offset) => Time::Aware(local.checked_add(duration).map_err(|_| range())?, offset),
        Time::Delta(own) => Time::from_micros(own.get() + micros),
    };
    Ok(Value::Time(moved))
}
