//! What went wrong with a call, in one readable sentence.

use std::fmt;

use serde_json::Value as Json;

/// Longest piece of a foreign body that is quoted in a message.
const QUOTED: usize = 200;

/// A call that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// Category of the failure.
    pub kind: ErrorKind,
    /// The HTTP status, where an answer came.
    pub status: Option<u16>,
    /// The service's own code.
    pub code: Option<String>,
    /// The sentence.
    pub message: String,
    /// Further details, such as the number of attempts.
    pub note: Option<String>,
    /// The service said that it did what was asked, but what it made of it could not be read; inside, the id of what
    /// was made, where that came through.
    pub carried_out: Option<Option<String>>,
}

/// Category of a failure, by its remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The service refused; asking again gives the same.
    Final,
    /// It may work later; nothing was carried out.
    Passing,
    /// The request may have been carried out: its answer was lost or is unreadable.
    Unclear,
    /// Never sent: something about the connection or the request is wrong.
    Unsent,
    /// A dry run cannot say: the object that is meant will be known later.
    Undetermined,
}

impl ApiError {
    /// A failure before anything was sent.
    pub fn unsent(message: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::Unsent,
            status: None,
            code: None,
            message: message.into(),
            note: None,
            carried_out: None,
        }
    }

    /// An answer that never came or cannot be read.
    pub fn unclear(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Unclear, ..Self::unsent(message) }
    }

    /// An error status with its body.
    ///
    /// A gateway's 502 and 504 say nothing about what the service behind it did, so they are unclear; 429 and 503 say
    /// that the request was turned away.
    pub fn from_answer(status: u16, body: &str) -> Self {
        let kind = match status {
            429 | 503 => ErrorKind::Passing,
            502 | 504 => ErrorKind::Unclear,
            _ => ErrorKind::Final,
        };
        let (code, message) = parse_error_body(body);
        Self { kind, status: Some(status), code, message, ..Self::unsent("") }
    }

    /// An answer as the overlay foretells it.
    pub fn refused(status: u16, message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Final, status: Some(status), ..Self::unsent(message) }
    }

    /// A question about something that a dry run does not know.
    pub fn undetermined(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Undetermined, ..Self::unsent(message) }
    }

    /// Returns whether a creation may have been carried out all the same. A few statuses say for sure that it was not.
    pub fn leaves_outcome_open(&self) -> bool {
        match (self.kind, self.status) {
            (ErrorKind::Unclear, _) => true,
            (ErrorKind::Unsent | ErrorKind::Undetermined, _) => false,
            (_, Some(status)) => !matches!(status, 400..=407 | 409..=498),
            (_, None) => false,
        }
    }

    /// Whether the service says that there is no such thing.
    pub fn is_not_found(&self) -> bool {
        self.status == Some(404)
    }

    /// Whether the service says that there is such a thing already.
    pub fn is_conflict(&self) -> bool {
        self.status == Some(409)
    }

    /// The hint that belongs to a status, where there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self.status? {
            401 => Some("the API did not accept the credentials; check `token`, or `username` and `password`"),
            403 => Some("the account may not do this; it needs the privilege to manage registries"),
            _ => None,
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(status) = self.status {
            write!(f, "({status}) ")?;
            if self.message.is_empty() {
                f.write_str(status_reason(status))?;
            }
        }
        f.write_str(&self.message)?;
        if let Some(code) = &self.code {
            write!(f, " [{code}]")?;
        }
        if let Some(note) = &self.note {
            write!(f, " ({note})")?;
        }
        if let Some(hint) = self.hint() {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ApiError {}

/// The standard words of a status.
fn status_reason(status: u16) -> &'static str {
    reqwest::StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason()).unwrap_or("unknown status")
}

/// Code and sentence of an error body of any of the shapes that occur.
fn parse_error_body(body: &str) -> (Option<String>, String) {
    match serde_json::from_str::<Json>(body) {
        Ok(Json::Object(map)) => {
            let messages = map.get("messages").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
            let texts: Vec<&str> = messages
                .iter()
                .filter_map(|m| m.get("message").and_then(Json::as_str))
                .filter(|t| !t.is_empty())
                .collect();
            let code = messages.iter().find_map(|m| m.get("errorCode").and_then(Json::as_str)).map(str::to_owned);
            if !texts.is_empty() {
                return (code, texts.join("; "));
            }
            let plain = ["message", "msg", "error_description", "error", "detail", "title"];
            let text = plain.iter().find_map(|key| map.get(*key).and_then(Json::as_str)).unwrap_or_default();
            (code, text.to_owned())
        }
        _ => (None, summarize_body(body)),
    }
}

/// The gist of a body that is not JSON: text without tags and line ends, shortened.
pub fn summarize_body(body: &str) -> String {
    let mut text = String::new();
    let mut in_tag = false;
    for c in body.chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                text.push(' ');
            }
            c if !in_tag => text.push(if c.is_control() { ' ' } else { c }),
            _ => {}
        }
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let joined = words.join(" ");
    match joined.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", &joined[..end]),
        None => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(status: u16, body: &str, expected: &str) {
        assert_eq!(ApiError::from_answer(status, body).to_string(), expected);
    }

    #[test]
    fn every_shape_becomes_one_sentence() {
        case(
            409,
            r#"{"httpStatus": 409, "messages": [{"errorCode": "cr-409", "message": "name is in use"}]}"#,
            "(409) name is in use [cr-409]",
        );
        case(400, r#"{"httpStatus": 400, "messages": [{"message": "a"}, {"message": "b"}]}"#, "(400) a; b");
        case(404, r#"{"msg": "Not Found"}"#, "(404) Not Found");
        case(500, r#"{"httpStatus": 500, "messages": null}"#, "(500) Internal Server Error");
        case(502, "<html><body><h1>gateway\n error</h1></body></html>", "(502) gateway error");
        case(504, "", "(504) Gateway Timeout");
    }

    #[test]
    fn refused_credentials_carry_a_hint() {
        let text = ApiError::from_answer(401, r#"{"messages": [{"message": "Unauthorized"}]}"#).to_string();
        assert!(text.starts_with("(401) Unauthorized; the API did not accept"), "{text}");
    }

    #[test]
    fn long_bodies_are_cut() {
        let error = ApiError::from_answer(500, &"é".repeat(10_000));
        assert_eq!(error.message.chars().count(), QUOTED + 1);
    }
}
