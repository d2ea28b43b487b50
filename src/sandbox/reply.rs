//! Answers: status, headers, body; and the one shape of errors.

use serde_json::{Value as Json, json};

/// An answer, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MockReply {
    /// The status code.
    pub status: u16,
    /// Headers other than `Content-Length`.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
}

/// Result of a handler: an answer, or a refusal, which is an answer, too.
pub type ReplyResult = Result<MockReply, MockReply>;

impl MockReply {
    /// An answer without a body.
    pub fn new_empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// A JSON answer.
    pub fn from_json(status: u16, body: &Json) -> Self {
        Self::from_bytes(status, "application/json", body.to_string().into_bytes())
    }

    /// An answer of any kind.
    pub fn from_bytes(status: u16, media_type: &str, body: Vec<u8>) -> Self {
        Self { status, headers: vec![("Content-Type".to_owned(), media_type.to_owned())], body }
    }

    /// The documented error shape with one message.
    pub fn new_error(status: u16, code: &str, message: impl Into<String>) -> Self {
        let message: String = message.into();
        Self::from_json(status, &json!({"httpStatus": status, "messages": [{"errorCode": code, "message": message}]}))
    }

    /// 400: a value that the description forbids.
    pub fn new_invalid(message: impl Into<String>) -> Self {
        Self::new_error(400, "cr-400-validation", message)
    }

    /// 404 for one kind of resource.
    pub fn new_missing(kind: &str, id: &str) -> Self {
        Self::new_error(404, &format!("cr-404-{kind}"), format!("{kind} {id} not found"))
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// The reason phrase of a status.
pub fn reason_phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        411 => "Length Required",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}
