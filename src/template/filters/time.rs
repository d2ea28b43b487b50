//! Dates and times.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::template::error::TemplateError;
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::coerce::{as_real, flag_or, only_text, text_or};
use crate::template::python::strftime::{self, ZonedTime};
use crate::template::python::strptime;
use crate::value::{Value, python};

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new("strftime", strftime, "Formats a time; the input is the format."),
    FilterPlugin::new("to_datetime", to_datetime, "Parses a time stamp with a format."),
];

fn strftime(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [second, utc] = call.args.bind(["second", "utc"])?;
    let instant = match second.filter(|second| !second.is_null()) {
        None => Timestamp::now(),
        Some(second) => {
            let seconds = match &second {
                Value::Str(digits) => digits.trim().parse::<f64>().ok(),
                other => as_real(other),
            };
            seconds
                .filter(|seconds| seconds.is_finite())
                .and_then(|seconds| Timestamp::from_second(seconds.floor() as i64).ok())
                .ok_or_else(|| {
                    TemplateError::value(format!("Invalid value for epoch value ({})", python::str(&second)))
                })?
        }
    };
    let zone = if flag_or(utc.as_ref(), false) { TimeZone::UTC } else { TimeZone::system() };
    let info = zone.to_offset_info(instant);
    let name = if flag_or(utc.as_ref(), false) { "GMT" } else { info.abbreviation() };
    let moment = ZonedTime {
        local: zone.to_datetime(instant),
        offset: Some(info.offset().seconds()),
        zone: name,
        epoch: instant.as_second(),
    };
    Ok(Value::text(strftime::format_time(&moment, only_text(&call.input)?)))
}

fn to_datetime(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [format] = call.args.bind(["format"])?;
    let format = text_or(format.as_ref(), "%Y-%m-%d %H:%M:%S")?;
    strptime::parse_time(only_text(&call.input)?, &format).map(Value::Time)
}
