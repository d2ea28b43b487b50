//! The rules for values that clients send: names, ids, dates, schedules, networks.

use std::net::IpAddr;

use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::clock::MockTime;
use super::reply::MockReply;
use super::store::StoredScope;

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const ALLOW_LIST_MAX: usize = 25;

/// `^[a-z][-a-z0-9]{1,61}[a-z0-9]$`
pub fn registry_name(name: &str) -> bool {
    let lower = |b: u8| b.is_ascii_lowercase();
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    is_framed(name, 3, lower, inner)
}

/// `^[A-Za-z][-A-Za-z0-9]{0,61}[A-Za-z0-9]$`
pub fn token_name(name: &str) -> bool {
    is_framed(name, 2, |b| b.is_ascii_alphabetic(), |b| b.is_ascii_alphanumeric() || b == b'-')
}

/// `^[a-z0-9]+(?:[._-][a-z0-9]+)*$`
pub fn repository_name(name: &str) -> bool {
    name.split(['.', '_', '-'])
        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
}

fn is_framed(name: &str, min: usize, first: fn(u8) -> bool, inner: fn(u8) -> bool) -> bool {
    let bytes = name.as_bytes();
    let [head, .., tail] = bytes else { return false };
    (min..=63).contains(&bytes.len()) && first(*head) && bytes.iter().all(|b| inner(*b)) && *tail != b'-'
}

/// A UUID in the one form of the description (hyphens, no braces).
pub fn parse_uuid(text: &str, what: &str) -> Result<Uuid, MockReply> {
    if text.len() == 36
        && let Ok(id) = Uuid::try_parse(text)
    {
        return Ok(id);
    }
    Err(MockReply::new_invalid(format!("{what} {text} is not a UUID")))
}

/// The body as an object that holds no other keys than `known`.
pub fn check_object<'a>(value: &'a Json, known: &[&str], at: &str) -> Result<&'a Map<String, Json>, MockReply> {
    let map = value.as_object().ok_or_else(|| MockReply::new_invalid(format!("{at} must be an object")))?;
    match map.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(MockReply::new_invalid(format!("unknown property {key} in {at}"))),
        None => Ok(map),
    }
}

/// A text that must be there.
pub fn required_text<'a>(map: &'a Map<String, Json>, key: &str) -> Result<&'a str, MockReply> {
    match map.get(key) {
        Some(Json::String(text)) => Ok(text),
        Some(_) => Err(MockReply::new_invalid(format!("invalid value for {key}"))),
        None => Err(MockReply::new_invalid(format!("{key} is required"))),
    }
}

/// `status`; absent is none.
pub fn read_status(map: &Map<String, Json>) -> Result<Option<String>, MockReply> {
    match map.get("status") {
        None => Ok(None),
        Some(Json::String(word)) if word == "enabled" || word == "disabled" => Ok(Some(word.clone())),
        Some(_) => Err(MockReply::new_invalid("invalid value for status")),
    }
}

/// `expiryDate`: outer none is absent, inner none is null.
pub fn read_expiry(map: &Map<String, Json>) -> Result<Option<Option<MockTime>>, MockReply> {
    match map.get("expiryDate") {
        None => Ok(None),
        Some(Json::Null) => Ok(Some(None)),
        Some(value) => match value.as_str().and_then(MockTime::parse_date_time) {
            Some(at) => Ok(Some(Some(at))),
            None => Err(MockReply::new_invalid("invalid value for expiryDate")),
        },
    }
}

/// `scopes`: outer none is absent, inner none is null.
pub fn read_scopes(map: &Map<String, Json>) -> Result<Option<Option<Vec<StoredScope>>>, MockReply> {
    let list = match map.get("scopes") {
        None => return Ok(None),
        Some(Json::Null) => return Ok(Some(None)),
        Some(Json::Array(list)) => list,
        Some(_) => return Err(MockReply::new_invalid("invalid value for scopes")),
    };
    let read = |(index, value): (usize, &Json)| {
        let at = format!("scopes[{index}]");
        let scope = check_object(value, &["actions", "name", "type"], &at)?;
        if !scope.contains_key("actions") {
            return Err(MockReply::new_invalid(format!("actions is required in {at}")));
        }
        serde_json::from_value(value.clone())
            .map_err(|why| MockReply::new_invalid(format!("invalid value for {at}: {why}")))
    };
    list.iter().enumerate().map(read).collect::<Result<_, _>>().map(|scopes| Some(Some(scopes)))
}

/// `garbageCollectionSchedule`: outer none is absent, inner none is null.
pub fn read_schedule(map: &Map<String, Json>) -> Result<Option<Option<Json>>, MockReply> {
    const AT: &str = "garbageCollectionSchedule";
    let value = match map.get(AT) {
        None => return Ok(None),
        Some(Json::Null) => return Ok(Some(None)),
        Some(value) => value,
    };
    let fields = check_object(value, &["days", "time"], AT)?;
    match fields.get("days") {
        None => return Err(MockReply::new_invalid(format!("days is required in {AT}"))),
        Some(Json::Null) => {}
        Some(Json::Array(days)) if days.iter().all(|day| day.as_str().is_some_and(|day| DAYS.contains(&day))) => {}
        Some(_) => return Err(MockReply::new_invalid("invalid value for days")),
    }
    if !time_of_day(required_text(fields, "time")?) {
        return Err(MockReply::new_invalid("invalid value for time"));
    }
    Ok(Some(Some(value.clone())))
}

/// `hh:mm:ss` with an optional fraction, and an optional offset as all samples carry it.
fn time_of_day(text: &str) -> bool {
    let full = format!("2000-01-01T{text}");
    text.get(2..3) == Some(":") && text.get(5..6) == Some(":") && MockTime::parse_date_time(&full).is_some()
}

/// `features`: none is absent. Null is refused: the description does not allow it.
pub fn read_features(map: &Map<String, Json>) -> Result<Option<Json>, MockReply> {
    let Some(value) = map.get("features") else { return Ok(None) };
    let fields = check_object(value, &["vulnerabilityScanning"], "features")?;
    if let Some(scanning) = fields.get("vulnerabilityScanning") {
        let scanning = check_object(scanning, &["enabled", "properties"], "vulnerabilityScanning")?;
        if !scanning.get("enabled").is_some_and(Json::is_boolean) {
            return Err(MockReply::new_invalid("invalid value for enabled in vulnerabilityScanning"));
        }
    }
    Ok(Some(value.clone()))
}

/// Whether scanning is on.
pub fn has_scanning(features: Option<&Json>) -> bool {
    features.and_then(|f| f.pointer("/vulnerabilityScanning/enabled")).and_then(Json::as_bool).unwrap_or(false)
}

/// `apiSubnetAllowList`: none is absent.
pub fn allow_list(map: &Map<String, Json>) -> Result<Option<Vec<String>>, MockReply> {
    const AT: &str = "apiSubnetAllowList";
    let list = match map.get(AT) {
        None => return Ok(None),
        Some(Json::Array(list)) => list,
        Some(_) => return Err(MockReply::new_invalid(format!("invalid value for {AT}"))),
    };
    if list.len() > ALLOW_LIST_MAX {
        return Err(MockReply::new_invalid(format!("{AT} holds more than {ALLOW_LIST_MAX} items")));
    }
    let read = |value: &Json| match value.as_str() {
        Some(text) if is_network(text) => Ok(text.to_owned()),
        _ => Err(MockReply::new_invalid(format!("invalid value for {AT}: {value}"))),
    };
    list.iter().map(read).collect::<Result<_, _>>().map(Some)
}

fn is_network(text: &str) -> bool {
    let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let widest = if address.is_ipv4() { 32 } else { 128 };
    prefix.is_none_or(|p| p.bytes().all(|b| b.is_ascii_digit()) && p.parse::<u8>().is_ok_and(|p| p <= widest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, registry, token, repository) in [
            ("ab", false, true, true),
            ("a", false, false, true),
            ("abc", true, true, true),
            ("Abc", false, true, false),
            ("abc-", false, false, false),
            ("1ab", false, false, true),
            ("a.b_c-d", false, false, true),
            ("a..b", false, false, false),
            ("a/b", false, false, false),
            ("", false, false, false),
        ] {
            assert_eq!(
                (registry_name(name), token_name(name), repository_name(name)),
                (registry, token, repository),
                "{name}"
            );
        }
        assert!(token_name(&"a".repeat(63)) && registry_name(&"a".repeat(63)));
        assert!(!token_name(&"a".repeat(64)) && !registry_name(&"a".repeat(64)));
    }

    #[test]
    fn networks() {
        for good in ["10.0.0.1", "10.0.0.0/8", "0.0.0.0/0", "2001:db8::1", "2001:db8::/32"] {
            assert!(is_network(good), "{good}");
        }
        for bad in ["10.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "2001:db8::/129", "host"] {
            assert!(!is_network(bad), "{bad}");
        }
    }

    #[test]
    fn times_of_day() {
        for good in ["01:23:00+00:00", "01:23:00", "23:59:59Z"] {
            assert!(time_of_day(good), "{good}");
        }
        for bad in ["1:23:00", "25:00:00", "01:23", "", "noon"] {
            assert!(!time_of_day(bad), "{bad}");
        }
    }
}
