//! Durations such as `30h 20m` in one unit.

use crate::template::error::TemplateError;
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::coerce::{only_text, to_real};
use crate::value::Value;

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new("community.general.to_days", |call| convert_to(call, "day"), "Converts a duration to days."),
    FilterPlugin::new("community.general.to_hours", |call| convert_to(call, "h"), "Converts a duration to hours."),
    FilterPlugin::new(
        "community.general.to_milliseconds",
        |call| convert_to(call, "ms"),
        "Converts a duration to milliseconds.",
    ),
    FilterPlugin::new("community.general.to_minutes", |call| convert_to(call, "m"), "Converts a duration to minutes."),
    FilterPlugin::new(
        "community.general.to_months",
        |call| convert_to(call, "month"),
        "Converts a duration to months.",
    ),
    FilterPlugin::new("community.general.to_seconds", |call| convert_to(call, "s"), "Converts a duration to seconds."),
    FilterPlugin::new("community.general.to_time_unit", to_time_unit, "Converts a duration to a given unit."),
    FilterPlugin::new("community.general.to_weeks", |call| convert_to(call, "week"), "Converts a duration to weeks."),
    FilterPlugin::new("community.general.to_years", |call| convert_to(call, "year"), "Converts a duration to years."),
];

/// A unit of time, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Unit {
    Fixed(f64),
    Month,
    Year,
}

const SECOND: f64 = 1000.0;
const DAY: f64 = 86_400.0 * SECOND;

/// Names in the singular, and short names.
const UNITS: [(&str, Unit); 19] = [
    ("millisecond", Unit::Fixed(1.0)),
    ("msec", Unit::Fixed(1.0)),
    ("msecond", Unit::Fixed(1.0)),
    ("sec", Unit::Fixed(SECOND)),
    ("second", Unit::Fixed(SECOND)),
    ("hour", Unit::Fixed(3600.0 * SECOND)),
    ("min", Unit::Fixed(60.0 * SECOND)),
    ("minute", Unit::Fixed(60.0 * SECOND)),
    ("day", Unit::Fixed(DAY)),
    ("week", Unit::Fixed(7.0 * DAY)),
    ("month", Unit::Month),
    ("year", Unit::Year),
    ("ms", Unit::Fixed(1.0)),
    ("s", Unit::Fixed(SECOND)),
    ("m", Unit::Fixed(60.0 * SECOND)),
    ("h", Unit::Fixed(3600.0 * SECOND)),
    ("d", Unit::Fixed(DAY)),
    ("w", Unit::Fixed(7.0 * DAY)),
    ("mo", Unit::Month),
];

fn find_unit(name: &str) -> Option<Unit> {
    if name == "y" {
        return Some(Unit::Year);
    }
    let is_long = |(known, _): &&(&str, Unit)| known.len() > 2;
    let exact = UNITS.iter().find(|(known, _)| *known == name);
    let plural = || UNITS.iter().filter(is_long).find(|(known, _)| name.strip_suffix('s') == Some(known));
    exact.or_else(plural).map(|(_, unit)| *unit)
}

/// Lengths of a month and a year in days.
struct Calendar {
    month: f64,
    year: f64,
}

impl Calendar {
    fn read(call: &PluginCall<'_>) -> Result<Self, TemplateError> {
        let mut calendar = Self { month: 30.0, year: 365.0 };
        let mut unknown = Vec::new();
        for (name, value) in call.args.named.iter().filter(|(name, _)| &**name != "unit") {
            match &**name {
                "month" => calendar.month = to_real(value)?,
                "year" => calendar.year = to_real(value)?,
                other => unknown.push(other.to_owned()),
            }
        }
        if let Some(first) = unknown.first() {
            let message = format!("to_time_unit() got unknown keyword arguments: {}", unknown.join(", "));
            return Err(TemplateError::value(message).suggest_name(first, ["month", "year"]));
        }
        Ok(calendar)
    }

    fn milliseconds(&self, unit: Unit) -> f64 {
        match unit {
            Unit::Fixed(length) => length,
            Unit::Month => self.month * DAY,
            Unit::Year => self.year * DAY,
        }
    }
}

fn to_time_unit(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let unit = call.args.positional.first().or_else(|| call.args.get_named("unit"));
    let unit = unit.map_or(Ok("ms"), only_text)?;
    convert(call, unit)
}

fn convert_to(call: &PluginCall<'_>, unit: &str) -> Result<Value, TemplateError> {
    if !call.args.positional.is_empty() {
        return Err(TemplateError::value("takes no arguments by position; `month` and `year` are given by name"));
    }
    convert(call, unit)
}

fn convert(call: &PluginCall<'_>, unit: &str) -> Result<Value, TemplateError> {
    let calendar = Calendar::read(call)?;
    let Some(unit) = find_unit(unit) else {
        let message = format!(
            "to_time_unit() can not convert to the following unit: {unit}. Available units (singular or plural): \
             millisecond, msec, msecond, sec, second, hour, min, minute, day, week, month, year. Available short \
             units: ms, s, m, h, d, w, mo, y"
        );
        return Err(TemplateError::value(message).suggest_name(unit, UNITS.iter().map(|(name, _)| *name)));
    };
    let written = only_text(&call.input)?;
    let mut sum = 0.0;
    for part in written.split(' ').filter(|part| !part.is_empty()) {
        let Some(length) = read_part(part, &calendar) else {
            return Err(TemplateError::value(format!("to_time_unit() can not interpret following string: {written}"))
                .hint("write whole numbers with units, separated by blanks, as in `1h 30m`"));
        };
        sum += length;
    }
    let rounded = format!("{:.12}", sum / calendar.milliseconds(unit));
    Ok(Value::Float(rounded.parse().unwrap_or(0.0)))
}

/// The milliseconds of a number with a unit.
fn read_part(part: &str, calendar: &Calendar) -> Option<f64> {
    let at = part.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = part.split_at(at);
    let digits = number.strip_prefix(['-', '+']).unwrap_or(number);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(number.parse::<f64>().ok()? * calendar.milliseconds(find_unit(unit)?))
}
