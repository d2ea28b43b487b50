//! Answers: whole ones, and streams that a task feeds.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::{Response, StatusCode};
use serde::Serialize;
use serde_json::json;
use tokio::sync::mpsc;

use super::control::ControlError;

/// An answer.
pub(super) type HttpReply = Response<ReplyBody>;

/// Body of an answer.
pub(super) enum ReplyBody {
    /// Bytes that are there.
    Full(Option<Bytes>),
    /// Bytes that come.
    Stream(mpsc::Receiver<Bytes>),
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Self::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Stream(receiver) => {
                receiver.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Full(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}

/// Returns an answer of this type.
pub(super) fn build_reply(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> HttpReply {
    let mut reply = Response::new(ReplyBody::Full(Some(body.into())));
    *reply.status_mut() = status;
    set_headers(&mut reply, content_type);
    reply
}

/// Returns an answer that a task feeds.
pub(super) fn stream_reply(content_type: &'static str, receiver: mpsc::Receiver<Bytes>) -> HttpReply {
    let mut reply = Response::new(ReplyBody::Stream(receiver));
    set_headers(&mut reply, content_type);
    reply
}

/// Returns a JSON document.
pub(super) fn json_reply(status: StatusCode, document: &impl Serialize) -> HttpReply {
    match serde_json::to_vec(document) {
        Ok(mut text) => {
            text.push(b'\n');
            build_reply(status, "application/json", text)
        }
        Err(error) => build_reply(StatusCode::INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8", error.to_string()),
    }
}

/// Returns an error as JSON: a word for programs and a sentence for people.
pub(super) fn error_reply(status: StatusCode, code: &str, message: &str) -> HttpReply {
    json_reply(status, &json!({"error": message, "code": code}))
}

/// Returns the answer for a path that does not exist.
pub(super) fn not_found() -> HttpReply {
    error_reply(StatusCode::NOT_FOUND, "not_found", "not found")
}

/// Returns the status and the word of an error of the core.
pub(super) fn describe_error(error: &ControlError) -> (StatusCode, &'static str) {
    match error {
        ControlError::Conflict(_) => (StatusCode::CONFLICT, "conflict"),
        ControlError::Invalid(_) => (StatusCode::BAD_REQUEST, "invalid"),
        ControlError::NotWaiting(_) => (StatusCode::CONFLICT, "not_waiting"),
        ControlError::OtherPlan(_) => (StatusCode::CONFLICT, "other_plan"),
        ControlError::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        ControlError::UnknownJob(_) => (StatusCode::NOT_FOUND, "unknown_job"),
        ControlError::UnknownRun(_) => (StatusCode::NOT_FOUND, "unknown_run"),
    }
}

/// Returns the answer for an error of the core.
pub(super) fn control_error(error: &ControlError) -> HttpReply {
    let (status, code) = describe_error(error);
    error_reply(status, code, &error.to_string())
}

fn set_headers(reply: &mut HttpReply, content_type: &'static str) {
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}
