//! Bodies of requests: bounded in size and time.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::HeaderMap;
use hyper::body::{Body, Incoming};
use hyper::header::CONTENT_TYPE;
use jiff::Timestamp;
use serde::Deserialize;

use super::super::config::{TimeError, parse_time};

/// Time within which a body has to be there.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// How much of a body that is too large is read and dropped, so that its sender reads the answer.
const MAX_DROPPED: usize = 64 * 1024 * 1024;

/// Why a body is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyError {
    /// It is larger than it may be.
    TooLarge,
    /// The connection broke, or the sender was too slow.
    Incomplete,
}

/// Reads a body of at most this many bytes.
pub(super) async fn read_body(body: Incoming, limit: usize) -> Result<Vec<u8>, BodyError> {
    tokio::time::timeout(BODY_TIMEOUT, read_frames(body, limit)).await.unwrap_or(Err(BodyError::Incomplete))
}

async fn read_frames(mut body: Incoming, limit: usize) -> Result<Vec<u8>, BodyError> {
    let announced = body.size_hint().lower();
    if announced > MAX_DROPPED as u64 {
        return Err(BodyError::TooLarge);
    }
    let (mut bytes, mut length) = (Vec::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| BodyError::Incomplete)?;
        let Some(data) = frame.data_ref() else { continue };
        length += data.len();
        if length <= limit {
            bytes.extend_from_slice(data);
        } else if length > MAX_DROPPED {
            break;
        }
    }
    if length > limit { Err(BodyError::TooLarge) } else { Ok(bytes) }
}

/// Body of a change, as JSON or as a form of the page.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ChangeBody {
    /// Why.
    pub reason: Option<String>,
    /// Until when a job is suspended.
    pub until: Option<String>,
    /// Run or commit to go back to.
    pub to: Option<String>,
    /// Digest of the plan that was seen.
    pub digest: Option<String>,
    /// Token, in a form of the page.
    #[serde(skip)]
    pub token: Option<String>,
    /// Whether a form of the page was sent.
    #[serde(skip)]
    pub is_form: bool,
}

/// Why the body of a request for a change is not understood.
#[derive(Debug, thiserror::Error)]
pub enum ChangeBodyError {
    /// It is not JSON, or has other fields.
    #[error("the body is not the JSON that is expected: {0}")]
    Json(#[from] serde_json::Error),
    /// A form has a field that is not known.
    #[error("unknown field `{0}`")]
    Field(String),
    /// `until` is not a time.
    #[error("`until`: {0}")]
    Until(#[from] TimeError),
}

impl ChangeBody {
    /// Reads JSON, or a form. An empty body says nothing.
    pub fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, ChangeBodyError> {
        let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.starts_with("application/x-www-form-urlencoded") {
            let mut form = Self { is_form: true, ..Self::default() };
            for (key, value) in form_urlencoded::parse(body) {
                let value = Some(value.trim().to_owned()).filter(|value| !value.is_empty());
                match &*key {
                    "reason" => form.reason = value,
                    "until" => form.until = value,
                    "to" => form.to = value,
                    "digest" => form.digest = value,
                    "token" => form.token = value,
                    // A client that sends JSON without saying so, such as `curl -d`.
                    _ if body.trim_ascii_start().first() == Some(&b'{') => return Self::read_json(body),
                    _ => return Err(ChangeBodyError::Field(key.into_owned())),
                }
            }
            return Ok(form);
        }
        Self::read_json(body)
    }

    fn read_json(body: &[u8]) -> Result<Self, ChangeBodyError> {
        if body.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        let fields: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(body)?;
        Ok(serde_json::from_value(fields.into())?)
    }

    /// Returns the time in `until`: ISO 8601 with a zone, or a duration from now.
    pub fn read_until(&self, now: Timestamp) -> Result<Option<Timestamp>, ChangeBodyError> {
        Ok(self.until.as_deref().map(|text| parse_time(text, now)).transpose()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> ChangeBody {
        let headers = [(CONTENT_TYPE, "application/x-www-form-urlencoded".parse().unwrap())].into_iter().collect();
        ChangeBody::read(&headers, text.as_bytes()).unwrap()
    }

    #[test]
    fn bodies_are_json_or_forms() {
        let json = ChangeBody::read(&HeaderMap::new(), br#"{"reason": "x", "until": "2h"}"#).unwrap();
        assert_eq!((json.reason.as_deref(), json.is_form), (Some("x"), false));
        assert!(ChangeBody::read(&HeaderMap::new(), b" ").unwrap().reason.is_none());
        assert!(ChangeBody::read(&HeaderMap::new(), b"[1]").is_err());
        assert!(ChangeBody::read(&HeaderMap::new(), br#"{"reasn": "x"}"#).is_err());
        let sent = form("token=a+b&reason=&digest=d");
        assert_eq!((sent.token.as_deref(), sent.reason, sent.is_form), (Some("a b"), None, true));
        assert_eq!(form(r#"{"reason": "x"}"#).reason.as_deref(), Some("x"));
    }

    #[test]
    fn until_is_a_time_or_a_duration() {
        let now: Timestamp = "2026-11-29T20:00:00Z".parse().unwrap();
        let until = |text: &str| ChangeBody { until: Some(text.to_owned()), ..ChangeBody::default() }.read_until(now);
        assert_eq!(until("2h").unwrap(), Some("2026-11-29T22:00:00Z".parse().unwrap()));
        assert_eq!(until("2026-12-01T09:00:00+01:00").unwrap(), Some("2026-12-01T08:00:00Z".parse().unwrap()));
        for wrong in ["", "tomorrow", "2026-12-01", "-2h", "2x", "é"] {
            assert!(until(wrong).is_err(), "{wrong}");
        }
    }
}
