//! Requests to sinks and forges: bounded in time and size, with errors that name no secret address.

use std::sync::Once;
use std::time::Duration;

use reqwest::{Client, Method, StatusCode, redirect};
use serde_json::Value as Json;
use thiserror::Error;

use super::courier::Delivery;

/// Time within which an answer has to be there.
const TIMEOUT: Duration = Duration::from_secs(15);

/// How much of an answer is read.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// A request.
#[derive(Clone)]
pub struct OutgoingRequest {
    /// Method.
    pub method: Method,
    /// Address. It may be a secret.
    pub url: String,
    /// Headers; their values may be secret.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: Option<Json>,
}

/// Why a request was not carried out. Addresses are left out: they may be secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RequestError {
    /// The address cannot be read.
    #[error("the address cannot be read: {0}")]
    Address(String),
    /// The answer was not what a server of this kind sends.
    #[error("the answer cannot be understood: {0}")]
    Answer(String),
    /// The server answered with an error.
    #[error("the server answered {status}{}", text.as_deref().map(|text| format!(": {text}")).unwrap_or_default())]
    Status {
        /// The status.
        status: StatusCode,
        /// Pause that the server asks for.
        after: Option<Duration>,
        /// The beginning of its answer.
        text: Option<String>,
    },
    /// The server was not reached, or too slow.
    #[error("{0}")]
    Transport(String),
}

impl RequestError {
    /// Returns what follows from the error for the message.
    pub fn to_delivery(&self) -> Delivery {
        let why = self.to_string();
        match self {
            // The message itself is at fault: it would never be accepted.
            Self::Status { status: StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY, .. }
            | Self::Status { status: StatusCode::PAYLOAD_TOO_LARGE, .. } => Delivery::Dropped { why },
            Self::Status { after, .. } => Delivery::Retry { after: *after, why },
            _ => Delivery::Retry { after: None, why },
        }
    }
}

/// Returns a client for sinks and forges. It follows no redirects: a token must not go elsewhere.
///
/// # Errors
/// If the certificates of the system cannot be read.
pub fn new_client() -> Result<Client, RequestError> {
    static PROVIDER: Once = Once::new();
    // Another part of the program may have installed the same provider before.
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    Client::builder()
        .timeout(TIMEOUT)
        .redirect(redirect::Policy::none())
        .user_agent(concat!("ionplay/", env!("CARGO_PKG_VERSION")))
        .pool_idle_timeout(Duration::from_secs(30))
        .build()
        .map_err(|error| RequestError::Transport(describe_error(&error)))
}

/// Sends a request; returns the JSON of the answer, or its beginning as a string where it is not JSON.
///
/// # Errors
/// If there is no answer of success.
pub async fn send_request(client: &Client, request: OutgoingRequest) -> Result<Json, RequestError> {
    let url = reqwest::Url::parse(&request.url).map_err(|error| RequestError::Address(error.to_string()))?;
    let mut builder = client.request(request.method, url);
    for (name, value) in request.headers {
        builder = builder.header(name, value);
    }
    if let Some(body) = request.body {
        builder = builder.json(&body);
    }
    let mut answer = builder.send().await.map_err(|error| RequestError::Transport(describe_error(&error)))?;
    let status = answer.status();
    let after = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(|error| RequestError::Transport(describe_error(&error)))? {
        body.extend_from_slice(&part);
        if body.len() > MAX_ANSWER {
            return Err(RequestError::Answer("it is too long".to_owned()));
        }
    }
    if !status.is_success() {
        let text = Some(cut_text(&body)).filter(|text| !text.is_empty());
        return Err(RequestError::Status { status, after: after.map(Duration::from_secs), text });
    }
    Ok(serde_json::from_slice(&body).unwrap_or_else(|_| cut_text(&body).into()))
}

/// Returns the beginning of a body.
fn cut_text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).trim().chars().take(200).collect()
}

/// Returns an error with its last cause, without the address.
fn describe_error(error: &reqwest::Error) -> String {
    let what = match () {
        () if error.is_timeout() => "the server did not answer in time",
        () if error.is_connect() => "the server was not reached",
        () => "the request failed",
    };
    let mut cause = std::error::Error::source(error);
    let mut last = None;
    while let Some(inner) = cause {
        last = Some(inner.to_string());
        cause = inner.source();
    }
    last.map_or_else(|| what.to_owned(), |last| format!("{what}: {last}"))
}
