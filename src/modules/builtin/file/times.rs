//! The times of last reading and writing that a task asks for.

use std::path::Path;

use crate::host::{HostApi, seconds_now};
use crate::modules::builtin::files::{AttributeChanges, path_failure};
use crate::modules::{Failure, ModuleArgs};
use crate::template::TemplateError;
use crate::template::python::strptime;
use crate::value;

/// Both times.
#[derive(Debug, Clone, Copy, Default)]
pub struct Times {
    written: Time,
    read: Time,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Time {
    /// Stays as it is.
    #[default]
    Kept,
    /// The moment at which it is set.
    Now,
    /// Seconds since 1970.
    At(f64),
}

impl Times {
    /// Reads the arguments; a touched file gets the present time where none is given.
    pub fn from_args(args: &ModuleArgs, touched: bool) -> Result<Self, Failure> {
        let one = |name: &str| {
            let format = args.str(&format!("{name}_format")).unwrap_or("%Y%m%d%H%M.%S");
            match args.str(name) {
                None if touched => Ok(Time::Now),
                None | Some("preserve") => Ok(Time::Kept),
                Some("now") => Ok(Time::Now),
                Some(text) => parse_local_time(text, format).map(Time::At).map_err(|why| {
                    let what = format!("Error while obtaining timestamp for time {text} using format {format}: {why}");
                    Failure::new(what)
                }),
            }
        };
        Ok(Self { written: one("modification_time")?, read: one("access_time")? })
    }

    /// Sets the times of a path, links followed, and says whether they were others.
    pub fn apply_to_path(
        self,
        host: &dyn HostApi,
        path: &Path,
        changes: &mut AttributeChanges,
    ) -> Result<bool, Failure> {
        if self.written == Time::Kept && self.read == Time::Kept {
            return Ok(false);
        }
        let failed = |error| path_failure(path, format!("Error while updating modification or access time: {error}"));
        let meta = host.metadata(path, true).map_err(failed)?;
        let now = seconds_now();
        let wanted = |time: Time, old: f64| match time {
            Time::Kept => old,
            Time::Now => now,
            Time::At(time) => time,
        };
        let (written, read) = (wanted(self.written, meta.mtime), wanted(self.read, meta.atime));
        #[allow(clippy::float_cmp)]
        let (new_written, new_read) = (written != meta.mtime, read != meta.atime);
        if !new_written && !new_read {
            return Ok(false);
        }
        host.set_times(path, read, written).map_err(failed)?;
        if new_written {
            changes.note_change("mtime", meta.mtime, written);
        }
        if new_read {
            changes.note_change("atime", meta.atime, read);
        }
        Ok(true)
    }
}

/// A local time in a `strptime` format; what the format leaves out is the beginning of 1900.
fn parse_local_time(text: &str, format: &str) -> Result<f64, TemplateError> {
    let local = match strptime::parse_time(text, format)? {
        value::Time::Naive(local) | value::Time::Aware(local, _) => local,
        value::Time::Date(date) => date.to_datetime(jiff::civil::Time::midnight()),
        value::Time::Delta(_) => return Err(TemplateError::value("a duration is not a time")),
    };
    let zoned =
        local.to_zoned(jiff::tz::TimeZone::system()).map_err(|error| TemplateError::value(error.to_string()))?;
    #[allow(clippy::cast_precision_loss)]
    Ok(zoned.timestamp().as_second() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_local() {
        let offset = |text: &str| parse_local_time(text, "%Y%m%d%H%M.%S");
        let (a, b) = (offset("202001010000.00").unwrap(), offset("202001010001.30").unwrap());
        assert!((b - a - 90.0).abs() < f64::EPSILON);
        assert!(offset("2020").is_err());
        assert!(parse_local_time("2020-01-02", "%Y-%m-%d").unwrap() > a);
        assert_eq!(parse_local_time("2020", "%Y").ok(), offset("202001010000.00").ok());
    }
}
