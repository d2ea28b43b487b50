//! Requests to web APIs that are not the registry's: small, bounded, and with a time limit.

use std::future::Future;
use std::pin::Pin;
use std::sync::Once;
use std::time::Duration;

use reqwest::{Client, Method, Url};

use crate::address::{is_loopback, may_carry_credentials};
use zeroize::Zeroizing;

/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Longer answers are not read.
const LARGEST: usize = 1 << 20;

/// A request.
#[derive(Clone)]
pub struct WebRequest {
    /// `GET`, `PUT`, ..
    pub method: &'static str,
    /// The whole address.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, Zeroizing<String>)>,
    /// User name and password.
    pub basic: Option<(String, Zeroizing<String>)>,
    /// A JSON document.
    pub body: Option<Zeroizing<Vec<u8>>>,
}

impl WebRequest {
    /// A request without headers and body.
    pub fn new(method: &'static str, url: impl Into<String>) -> Self {
        Self { method, url: url.into(), headers: Vec::new(), basic: None, body: None }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), Zeroizing::new(value.to_owned())));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn json(mut self, body: &serde_json::Value) -> Self {
        self.body = Some(Zeroizing::new(body.to_string().into_bytes()));
        self
    }
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub struct WebAnswer {
    /// The status.
    pub status: u16,
    /// The challenge of a refused login.
    pub authenticate: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl WebAnswer {
    /// Whether the status is one of success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns the body as JSON; null if it is not JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// The address cannot be used.
    #[error("`{url}` is not a web address: {why}")]
    Address {
        /// The address.
        url: String,
        /// Why not.
        why: String,
    },
    /// The connection failed.
    #[error("{0}")]
    Connection(String),
    /// The address would send credentials in clear text.
    #[error(
        "`{0}` is not encrypted: credentials are sent over `https://`, or over `http://` to this machine only \
         (`IONPLAY_ALLOW_HTTP=1` allows it)"
    )]
    Plain(String),
    /// Nothing is sent in a dry run.
    #[error("nothing is sent in a dry run")]
    Predicted,
    /// The answer is too long.
    #[error("the answer is longer than {LARGEST} bytes")]
    TooLong,
}

/// The future of a request.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<WebAnswer, WebError>> + 'a>>;

/// Sends a request; redirects are not followed, because they would carry the credentials elsewhere.
///
/// # Errors
/// If the address cannot be used, or no answer comes.
pub(super) async fn send_web_request(request: &WebRequest) -> Result<WebAnswer, WebError> {
    let url =
        Url::parse(&request.url).map_err(|why| WebError::Address { url: request.url.clone(), why: why.to_string() })?;
    let loopback = is_loopback(&url);
    if !may_carry_credentials(&url, |name| std::env::var(name).ok()) {
        return Err(WebError::Plain(format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default())));
    }
    let failed = |error: reqwest::Error| WebError::Connection(innermost_reason(&error));
    let mut sent = build_client(loopback).map_err(failed)?.request(parse_method(request.method), url);
    for (name, value) in &request.headers {
        sent = sent.header(name, value.as_str());
    }
    if let Some((name, password)) = &request.basic {
        sent = sent.basic_auth(name, Some(password.as_str()));
    }
    if let Some(body) = &request.body {
        sent = sent.header("Content-Type", "application/json").body(body.to_vec());
    }
    let mut answer = sent.send().await.map_err(failed)?;
    let authenticate = answer.headers().get("www-authenticate").and_then(|value| value.to_str().ok());
    let (status, authenticate) = (answer.status().as_u16(), authenticate.map(str::to_owned));
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST {
            return Err(WebError::TooLong);
        }
    }
    Ok(WebAnswer { status, authenticate, body })
}

fn parse_method(name: &str) -> Method {
    match name {
        "HEAD" => Method::HEAD,
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        "DELETE" => Method::DELETE,
        _ => Method::GET,
    }
}

fn build_client(loopback: bool) -> reqwest::Result<Client> {
    static PROVIDER: Once = Once::new();
    // It may be set already, to the same one.
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    let agent = concat!("ionplay/", env!("CARGO_PKG_VERSION"));
    let builder = Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(TIMEOUT).user_agent(agent);
    let builder = if loopback { builder.no_proxy() } else { builder };
    builder.build()
}

fn innermost_reason(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(below) = innermost.source() {
        innermost = below;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_decided_on_the_parsed_host() {
        let loopback = |url: &str| is_loopback(&Url::parse(url).unwrap());
        assert!(loopback("http://127.0.0.1:5000/v2/") && loopback("http://[::1]/") && loopback("http://localhost"));
        assert!(!loopback("http://127.evil.example/") && !loopback("http://user@10.0.0.1@h.example/"));
    }
}
