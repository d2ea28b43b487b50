//! Who runs this, in which environment, and when.

use jiff::Zoned;

use super::{Facts, read_trimmed};
use crate::value::{Dict, Value};

pub(super) fn collect_env(facts: &mut Facts<'_>) {
    let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    let env = std::env::vars_os().map(|(name, value)| (lossy(name), Value::text(lossy(value))));
    facts.set("env", Value::dict(env));
}

pub(super) fn collect_user(facts: &mut Facts<'_>) {
    let (uid, gid) = (rustix::process::getuid(), rustix::process::getgid());
    facts.set("real_user_id", uid.as_raw());
    facts.set("real_group_id", gid.as_raw());
    facts.set("effective_user_id", rustix::process::geteuid().as_raw());
    facts.set("effective_group_id", rustix::process::getegid().as_raw());
    let users = read_trimmed("/etc/passwd").unwrap_or_default();
    let own = |line: &&str| line.split(':').nth(2).and_then(|id| id.parse::<u32>().ok()) == Some(uid.as_raw());
    let fields: Vec<&str> = users.lines().find(own).map(|line| line.split(':').collect()).unwrap_or_default();
    let field = |index: usize| fields.get(index).map(|text| (*text).to_owned());
    let from_env = |name: &str| std::env::var(name).unwrap_or_default();
    facts.set("user_id", field(0).unwrap_or_else(|| from_env("USER")));
    facts.set("user_uid", uid.as_raw());
    facts.set("user_gid", field(3).and_then(|id| id.parse().ok()).unwrap_or(gid.as_raw()));
    facts.set("user_gecos", field(4).unwrap_or_default());
    facts.set("user_dir", field(5).unwrap_or_else(|| from_env("HOME")));
    facts.set("user_shell", field(6).unwrap_or_else(|| from_env("SHELL")));
}

pub(super) fn date_time(facts: &mut Facts<'_>) {
    facts.set("date_time", describe_time(&Zoned::now()));
}

fn describe_time(now: &Zoned) -> Dict {
    let local = |format: &str| now.strftime(format).to_string();
    let utc = now.with_time_zone(jiff::tz::TimeZone::UTC);
    let epoch = now.timestamp().as_second().to_string();
    let micros = now.timestamp().subsec_nanosecond().unsigned_abs() / 1000;
    let zone = local("%Z");
    [
        ("year", local("%Y")),
        ("month", local("%m")),
        ("weekday", local("%A")),
        ("weekday_number", local("%w")),
        ("weeknumber", local("%W")),
        ("day", local("%d")),
        ("hour", local("%H")),
        ("minute", local("%M")),
        ("second", local("%S")),
        ("epoch", epoch.clone()),
        ("epoch_int", epoch),
        ("date", local("%Y-%m-%d")),
        ("time", local("%H:%M:%S")),
        ("iso8601_micro", format!("{}.{micros:06}Z", utc.strftime("%Y-%m-%dT%H:%M:%S"))),
        ("iso8601", utc.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        ("iso8601_basic", format!("{}{micros:06}", local("%Y%m%dT%H%M%S"))),
        ("iso8601_basic_short", local("%Y%m%dT%H%M%S")),
        ("tz", zone.clone()),
        ("tz_dst", zone),
        ("tz_offset", local("%z")),
    ]
    .into_iter()
    .map(|(name, value)| (Value::text(name), Value::text(value)))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment() {
        let moment: Zoned = "2024-03-05T10:11:12.5+01:00[Europe/Berlin]".parse().unwrap();
        let facts = describe_time(&moment);
        for (name, value) in [
            ("iso8601", "2024-03-05T09:11:12Z"),
            ("iso8601_micro", "2024-03-05T09:11:12.500000Z"),
            ("iso8601_basic", "20240305T101112500000"),
            ("weekday", "Tuesday"),
            ("weekday_number", "2"),
            ("weeknumber", "10"),
            ("tz", "CET"),
            ("tz_offset", "+0100"),
            ("epoch", "1709629872"),
        ] {
            assert_eq!(facts.get(name).and_then(Value::as_str), Some(value), "{name}");
        }
    }
}
