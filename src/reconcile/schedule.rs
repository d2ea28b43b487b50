//! The weekly schedule of a registry: days as a set, times as what they mean.

use std::collections::BTreeSet;

use crate::ionos::model::CollectionSchedule;

/// Desired garbage collection schedule; absent parts stay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScheduleDesired {
    /// The days.
    pub days: Option<Vec<String>>,
    /// The time.
    pub time: Option<String>,
}

impl ScheduleDesired {
    /// Returns the complete schedule for the service; fields that the task does not name come from the observed schedule.
    ///
    /// Where nothing is there, no day means every day and no time midnight in UTC.
    pub fn merge_with(&self, have: Option<&CollectionSchedule>) -> CollectionSchedule {
        let every_day = || DAYS.iter().map(|&day| day.to_owned()).collect();
        let days = match (&self.days, have) {
            (Some(days), _) => days.clone(),
            (None, Some(have)) if !have.days.is_empty() => have.days.clone(),
            (None, _) => every_day(),
        };
        let time = match (&self.time, have) {
            (Some(time), _) => time.clone(),
            (None, Some(have)) if !have.time.is_empty() => have.time.clone(),
            (None, _) => "00:00:00+00:00".to_owned(),
        };
        CollectionSchedule { days, time }
    }

    /// Returns whether the observed state is the desired one.
    pub(super) fn is_met_by(&self, have: Option<&CollectionSchedule>) -> bool {
        let Some(have) = have else {
            return self.days.is_none() && self.time.is_none();
        };
        let set = |days: &[String]| days.iter().cloned().collect::<BTreeSet<_>>();
        self.days.as_ref().is_none_or(|days| set(days) == set(&have.days))
            && self.time.as_ref().is_none_or(|time| same_time(time, &have.time))
    }
}

/// The days of the API.
pub const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Two times of day with or without offsets, compared as what they mean; other text as text.
fn same_time(a: &str, b: &str) -> bool {
    match (seconds_of_day(a), seconds_of_day(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

/// Seconds since midnight in UTC of `hh:mm[:ss[.f]][offset]`.
fn seconds_of_day(text: &str) -> Option<i64> {
    let text = text.trim();
    let (clock, offset) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) => (&text[..at], &text[at..]),
        None => (text, "Z"),
    };
    let two = |part: &str| (part.len() == 2).then(|| part.parse::<i64>().ok()).flatten();
    let mut parts = clock.split(':');
    let (hours, minutes) = (two(parts.next()?)?, two(parts.next()?)?);
    let seconds = parts.next().map_or(Some(0), |s| two(s.split('.').next().unwrap_or(s)))?;
    let offset = match offset {
        "Z" | "z" => 0,
        other => {
            let (h, m) = other[1..].split_once(':').unwrap_or((&other[1..], "00"));
            let size = two(h)? * 3600 + two(m)? * 60;
            if other.starts_with('-') { -size } else { size }
        }
    };
    Some((hours * 3600 + minutes * 60 + seconds - offset).rem_euclid(86_400))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_compared_as_what_they_mean() {
        assert!(same_time("01:23:00+00:00", "01:23:00Z"));
        assert!(same_time("01:23:00+00:00", "01:23"));
        assert!(same_time("01:23:00+01:00", "00:23:00"));
        assert!(!same_time("01:23:00", "01:24:00"));
    }
}
