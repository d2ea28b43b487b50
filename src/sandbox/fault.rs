//! Faults: what goes wrong, on which request, how often.
//!
//! The mini-language of `--fault` is words between blanks: `METHOD PATH WHAT [SETTING ..]`.
//!
//! ```text
//! GET /registries$ status=503 times=1 retry-after=1
//! POST /tokens$ lost nth=2
//! * . slow delay=200ms
//! ```
//!
//! `METHOD` is a method or `*`; `PATH` a regular expression searched in the path after the base path; `WHAT` is
//! `status=N`, `reset`, `lost`, `slow`, `drip`, `truncate`, `malformed`, `empty` or `html`. Settings: `times=N` (only so often),
//! `nth=N` (from the Nth match on; without `times` only that one), `delay=20ms`, `before` or `after` (play it before the
//! request is carried out, or after), `retry-after=N` (seconds), `retry-after=+N` (the date N seconds from now),
//! `body=TEXT`. A text that starts with `{` is read as JSON, with the same names (`method`, `path`, `kind`, `status`, `headers`, ..).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fancy_regex::Regex;

use serde::Deserialize;

use super::clock::MockTime;
use super::reply::{MockReply, reason_phrase};

/// Type of an injected fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InjectedFaultKind {
    /// Another status, in the documented error shape.
    Status,
    /// The connection is reset; unless `when` says otherwise, before the request is carried out.
    Reset,
    /// The request is carried out, then the connection is dropped without an answer.
    Lost,
    /// The answer comes late.
    Slow,
    /// The body comes in small pieces, in all over `delay`.
    Drip,
    /// Half of the body, then the connection is dropped.
    Truncate,
    /// A body that is not JSON, under `application/json`.
    Malformed,
    /// No body where one belongs.
    Empty,
    /// The page of a proxy.
    Html,
}

/// Whether the request is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// Instead of carrying it out.
    Before,
    /// After it was carried out.
    After,
}

/// One fault as it is written down.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InjectedFault {
    /// Type of the fault.
    pub kind: InjectedFaultKind,
    /// The method; none for every.
    #[serde(default)]
    pub method: Option<String>,
    /// A regular expression searched in the path after the base path; none for every.
    #[serde(default)]
    pub path: Option<String>,
    /// The status of the answer.
    #[serde(default)]
    pub status: Option<u16>,
    /// How many matching requests it hits; none for all (with `nth`: one).
    #[serde(default)]
    pub times: Option<u64>,
    /// The first matching request it hits, from 1.
    #[serde(default)]
    pub nth: Option<u64>,
    /// Further headers of the answer.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// `Retry-After` as a date so many seconds ahead.
    #[serde(default)]
    pub retry_in: Option<i64>,
    /// How late, in milliseconds.
    #[serde(default)]
    pub delay_ms: u64,
    /// Carried out or not; none leaves it to the kind.
    #[serde(default)]
    pub when: Option<When>,
    /// Another body.
    #[serde(default)]
    pub body: Option<String>,
}

impl InjectedFaultKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Reset => "reset",
            Self::Lost => "lost",
            Self::Slow => "slow",
            Self::Drip => "drip",
            Self::Truncate => "truncate",
            Self::Malformed => "malformed",
            Self::Empty => "empty",
            Self::Html => "html",
        }
    }
}

/// A description of a fault, or of a seed, that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DescriptionError {
    /// JSON text is not a fault.
    #[error("`{text}` is not a fault: {why}")]
    Json {
        /// The text.
        text: String,
        /// Error of the reader.
        why: serde_json::Error,
    },
    /// One of the three words is missing.
    #[error("`{0}` is not a fault; write `METHOD PATH WHAT`, such as `GET /registries$ status=503 times=1`")]
    MissingWord(String),
    /// The third word is not the name of a kind.
    #[error("`{0}` is not a kind of fault")]
    UnknownKind(String),
    /// A setting does not exist.
    #[error("`{0}` is not a setting of a fault")]
    UnknownSetting(String),
    /// A setting needs a number.
    #[error("`{setting}` takes a number, not `{value}`")]
    NoNumber {
        /// The setting.
        setting: &'static str,
        /// The value.
        value: String,
    },
    /// A setting needs a duration.
    #[error("`{0}` is not a duration such as `20ms` or `2s`")]
    NoDuration(String),
    /// The path is not a regular expression.
    #[error("the path of a fault is not a regular expression: {0}")]
    Path(fancy_regex::Error),
    /// The text is not a seed; the place and the reason are in the sentence of the reader.
    #[error("{0}; it begins with `registries:`")]
    Seed(String),
}

impl InjectedFault {
    /// A fault of a kind that hits every request.
    pub fn new(kind: InjectedFaultKind) -> Self {
        Self {
            kind,
            method: None,
            path: None,
            status: None,
            times: None,
            nth: None,
            headers: BTreeMap::new(),
            retry_in: None,
            delay_ms: 0,
            when: None,
            body: None,
        }
    }

    /// Reads the mini-language, or JSON.
    pub fn parse_fault(text: &str) -> Result<Self, DescriptionError> {
        if text.trim_start().starts_with('{') {
            return serde_json::from_str(text).map_err(|why| DescriptionError::Json { text: text.to_owned(), why });
        }
        let mut words = text.split_whitespace();
        let (Some(method), Some(path), Some(what)) = (words.next(), words.next(), words.next()) else {
            return Err(DescriptionError::MissingWord(text.to_owned()));
        };
        let (word, status) = what.split_once('=').map_or((what, None), |(word, status)| (word, Some(status)));
        let kind = serde_json::from_value(word.into()).map_err(|_| DescriptionError::UnknownKind(word.to_owned()))?;
        let mut fault = Self::new(kind);
        fault.method = Some(method.to_owned()).filter(|m| m != "*");
        fault.path = Some(path.to_owned());
        fault.status = status.map(|s| parse_number(s, "status")).transpose()?;
        let rest = words.collect::<Vec<_>>().join(" ");
        fault.read_settings(&rest)?;
        Ok(fault)
    }

    fn read_settings(&mut self, text: &str) -> Result<(), DescriptionError> {
        let mut rest = text;
        while !rest.is_empty() {
            let (word, tail) = rest.split_once(' ').unwrap_or((rest, ""));
            match word.split_once('=').unwrap_or((word, "")) {
                ("before", "") => self.when = Some(When::Before),
                ("after", "") => self.when = Some(When::After),
                ("times", value) => self.times = Some(parse_number(value, "times")?),
                ("nth", value) => self.nth = Some(parse_number(value, "nth")?),
                ("status", value) => self.status = Some(parse_number(value, "status")?),
                ("delay", value) => {
                    let delay = parse_duration(value).ok_or_else(|| DescriptionError::NoDuration(value.to_owned()))?;
                    self.delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
                }
                ("retry-after", value) => match value.strip_prefix('+') {
                    Some(seconds) => self.retry_in = Some(parse_number(seconds, "retry-after")?),
                    None => {
                        self.headers.insert("Retry-After".to_owned(), value.to_owned());
                    }
                },
                ("body", _) => {
                    self.body = Some(rest["body=".len().min(rest.len())..].to_owned());
                    return Ok(());
                }
                _ => return Err(DescriptionError::UnknownSetting(word.to_owned())),
            }
            rest = tail;
        }
        Ok(())
    }

    /// Whether the request is carried out.
    pub fn is_carried_out(&self) -> bool {
        match (self.kind, self.when) {
            (InjectedFaultKind::Lost, _) => true,
            (_, Some(when)) => when == When::After,
            (kind, None) => {
                matches!(kind, InjectedFaultKind::Slow | InjectedFaultKind::Drip | InjectedFaultKind::Truncate)
            }
        }
    }

    /// How late.
    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms)
    }

    /// Turns the real answer (none when the request was not carried out) into the one that is sent.
    pub fn disturb_reply(&self, real: Option<MockReply>, now: MockTime) -> MockReply {
        let untouched = real.clone().unwrap_or_else(|| MockReply::from_bytes(200, "application/json", b"{}".to_vec()));
        let status = self.status.unwrap_or(untouched.status);
        let mut reply = match self.kind {
            InjectedFaultKind::Status => {
                let status = self.status.unwrap_or(500);
                MockReply::new_error(status, &format!("cr-{status}"), reason_phrase(status))
            }
            InjectedFaultKind::Malformed => {
                MockReply::from_bytes(status, "application/json", b"{\"items\": [".to_vec())
            }
            InjectedFaultKind::Empty => MockReply::from_bytes(status, "application/json", Vec::new()),
            InjectedFaultKind::Html => {
                MockReply::from_bytes(status, "text/html", b"<html><body>proxy</body></html>".to_vec())
            }
            InjectedFaultKind::Slow
            | InjectedFaultKind::Drip
            | InjectedFaultKind::Truncate
            | InjectedFaultKind::Reset
            | InjectedFaultKind::Lost => MockReply { status, ..untouched },
        };
        if let Some(body) = &self.body {
            reply.body = body.clone().into_bytes();
        }
        for (name, value) in &self.headers {
            reply.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            reply = reply.with_header(name, value.clone());
        }
        if let Some(seconds) = self.retry_in {
            reply = reply
                .with_header("Retry-After", MockTime(now.0.saturating_add(seconds.saturating_mul(1000))).to_http());
        }
        reply
    }
}

fn parse_number<T: std::str::FromStr>(text: &str, setting: &'static str) -> Result<T, DescriptionError> {
    text.parse().map_err(|_| DescriptionError::NoNumber { setting, value: text.to_owned() })
}

/// Reads `20ms`, `1.5s`, `2m`, `1h`; a bare number is seconds.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: f64 = digits.parse().ok()?;
    let factor = match &text[digits.len()..] {
        "ms" => 0.001,
        "s" | "" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number * factor).ok()
}

/// Faults with their counters.
pub struct FaultSet(Vec<Armed>);

struct Armed {
    fault: InjectedFault,
    path: Option<Regex>,
    seen: AtomicU64,
}

impl FaultSet {
    /// Arms faults; fails on a path that is not a regular expression.
    pub fn new(faults: Vec<InjectedFault>) -> Result<Self, DescriptionError> {
        let arm = |fault: InjectedFault| {
            let path = fault.path.as_deref().map(Regex::new).transpose();
            let path = path.map_err(DescriptionError::Path)?;
            Ok(Armed { fault, path, seen: AtomicU64::new(0) })
        };
        faults.into_iter().map(arm).collect::<Result<_, DescriptionError>>().map(Self)
    }

    /// The fault that hits this request, the first that matches and has its turn.
    pub fn find_hit(&self, method: &str, path: &str) -> Option<&InjectedFault> {
        self.0.iter().find(|armed| armed.is_hit(method, path)).map(|armed| &armed.fault)
    }
}

impl Armed {
    fn is_hit(&self, method: &str, path: &str) -> bool {
        let fault = &self.fault;
        let same_method = fault.method.as_deref().is_none_or(|m| m.eq_ignore_ascii_case(method));
        if !same_method || !self.path.as_ref().is_none_or(|regex| regex.is_match(path).unwrap_or(false)) {
            return false;
        }
        let turn = self.seen.fetch_add(1, Ordering::Relaxed) + 1;
        let first = fault.nth.unwrap_or(1).max(1);
        let times = fault.times.unwrap_or(if fault.nth.is_some() { 1 } else { u64::MAX });
        turn >= first && turn - first < times
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn turns(spec: &str, expected: [bool; 4]) {
        let faults = FaultSet::new(vec![InjectedFault::parse_fault(spec).expect("a fault")]).expect("faults");
        assert_eq!([(); 4].map(|()| faults.find_hit("GET", "/registries").is_some()), expected, "{spec}");
    }

    #[test]
    fn turns_are_counted() {
        turns("GET /registries$ reset", [true; 4]);
        turns("* . reset times=2", [true, true, false, false]);
        turns("get /reg reset nth=3", [false, false, true, false]);
        turns("* . reset nth=2 times=2", [false, true, true, false]);
        turns("POST . reset", [false; 4]);
        turns("GET /tokens$ reset", [false; 4]);
    }

    #[test]
    fn the_language() {
        let fault =
            InjectedFault::parse_fault("POST /tokens$ status=503 times=1 retry-after=2 after delay=1.5s body=a b=c")
                .expect("a fault");
        assert_eq!(
            (fault.kind, fault.status, fault.times, fault.delay_ms),
            (InjectedFaultKind::Status, Some(503), Some(1), 1500)
        );
        assert_eq!((fault.headers["Retry-After"].as_str(), fault.body.as_deref()), ("2", Some("a b=c")));
        assert!(fault.is_carried_out());
        for bad in
            ["", "GET /x", "GET /x explode", "GET /x status=many", "GET /x reset twice", "GET /x slow delay=soon", "{"]
        {
            assert!(InjectedFault::parse_fault(bad).is_err(), "{bad}");
        }
        assert!(FaultSet::new(vec![InjectedFault::parse_fault("GET ( reset").expect("a fault")]).is_err());
    }

    #[test]
    fn retry_after_can_be_a_date() {
        let reply = InjectedFault::parse_fault("* . status=429 retry-after=+2")
            .expect("a fault")
            .disturb_reply(None, MockTime(0));
        let date = &reply.headers.iter().find(|(name, _)| name == "Retry-After").expect("the header").1;
        assert!(jiff::fmt::rfc2822::parse(date).is_ok(), "{date}");
    }
}
