//! One client: credentials, time-outs, repetitions, sizes.
//!
//! What may be repeated: everything that has the same effect once and twice (GET, HEAD, DELETE, and PATCH, which names
//! values and not differences). A POST is repeated only where it was turned away (429, 503) or never left (no
//! connection); what to do about one whose answer was lost is not decided here but in [`super::create`].

use std::cell::{Cell, OnceCell};
use std::time::Duration;

use base64::Engine as _;
use jiff::Timestamp;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Method, Response};
use tokio::time::Instant;

use super::connection::check_plain_http;
use super::pace::{PacedRequest, RequestPace, instant_after};
use super::{ApiError, Credentials, Endpoint, Tuning, WaitPolicy, proxy};
use crate::address;
use crate::progress::RequestSpan;

/// Largest body that is read. A full page of tokens has about 100 KiB.
const LARGEST_BODY: usize = 16 << 20;

/// Most that is set aside for a body because of its announced length.
const LARGEST_HEADSTART: usize = 1 << 20;

/// Longest pause that is chosen without being told one.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How often a connection that cannot be made is tried; a wrong host name should not take long to be noticed. Once that
/// was in vain, later tasks and items try once each, until one gets through.
const CONNECT_ATTEMPTS: u32 = 3;

/// A client for one endpoint, built with its first request.
pub struct ApiTransport {
    endpoint: Endpoint,
    tuning: Tuning,
    client: OnceCell<Client>,
    clock: Cell<Option<(Timestamp, Instant)>>,
    /// No connection could be made the last time, however often it was tried.
    unreachable: Cell<bool>,
    pace: RequestPace,
}

/// An answer that came through whole.
#[derive(Debug)]
pub struct ApiReply {
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: Vec<u8>,
    /// How often the request had been sent before, with the answer lost or refused.
    pub repeated: u32,
    /// The id of what was made, by the header `Location`.
    pub made: Option<String>,
}

impl ApiReply {
    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self { status, body: Vec::new(), repeated: 0, made: None }
    }
}

/// A request, as often as it is sent.
struct OutgoingRequest<'a> {
    method: &'a Method,
    path: &'a str,
    body: Option<&'a str>,
    deadline: Instant,
}

impl OutgoingRequest<'_> {
    /// Whether sending it twice does no more than sending it once.
    fn is_harmless(&self) -> bool {
        *self.method != Method::POST
    }

    fn is_write(&self) -> bool {
        !matches!(*self.method, Method::GET | Method::HEAD)
    }
}

/// Why one sending came to nothing.
struct Miss {
    error: ApiError,
    may_repeat: bool,
    connecting: bool,
    pause: Option<Duration>,
}

impl ApiTransport {
    /// Nothing is built yet.
    pub fn new(endpoint: Endpoint, tuning: Tuning) -> Self {
        Self {
            endpoint,
            tuning,
            client: OnceCell::new(),
            clock: Cell::new(None),
            unreachable: Cell::new(false),
            pace: RequestPace::default(),
        }
    }

    /// The base URL.
    pub fn url(&self) -> &str {
        &self.endpoint.url
    }

    /// Returns the time of the service's clock, by its last answer with a date.
    pub fn service_time(&self) -> Option<Timestamp> {
        let (told, at) = self.clock.get()?;
        told.checked_add(at.elapsed()).ok()
    }

    /// Sends a request until it is answered, the patience is at its end, repeating could do harm, or the user does not
    /// want to wait.
    ///
    /// # Errors
    /// With the last failure; error statuses are answers and no failures here, except those that pass.
    pub async fn send_request(
        &self,
        method: Method,
        path: &str,
        body: Option<&str>,
        waiting: &WaitPolicy,
    ) -> Result<ApiReply, ApiError> {
        let client = self.get_client()?;
        let deadline = instant_after(waiting.patience);
        let request = OutgoingRequest { method: &method, path, body, deadline };
        let mut pause = self.tuning.pause;
        let (mut sent, mut attempts) = (0, 0);
        loop {
            sent += 1;
            let paced = self.pace.begin_request(deadline, &waiting.interrupt).await;
            let begun = std::time::Instant::now();
            let shown_path = path.split('?').next().unwrap_or_default();
            waiting.progress.begin_request(method.as_str(), shown_path);
            let answer = self.send_once(client, &request).await;
            // Who is refused because of others beside it has not used up an attempt.
            attempts += u32::from(!self.adjust_pace(&paced, &answer));
            drop(paced);
            waiting.progress.note_request(RequestSpan {
                method: method.to_string(),
                path: shown_path.to_owned(),
                status: answer.as_ref().map_or_else(|miss| miss.error.status, |reply| Some(reply.status)),
                sent: begun,
                ended: std::time::Instant::now(),
            });
            let mut miss = match answer {
                Ok(reply) => {
                    self.unreachable.set(false);
                    return Ok(ApiReply { repeated: sent - 1, ..reply });
                }
                Err(miss) => miss,
            };
            let limit = match (miss.connecting, self.unreachable.get()) {
                (true, true) => 1,
                (true, false) => CONNECT_ATTEMPTS,
                (false, _) => self.tuning.attempts,
            };
            self.unreachable.set(miss.connecting && attempts >= limit);
            if !miss.may_repeat || attempts >= limit.max(1) {
                if attempts > 1 {
                    miss.error.note = Some(format!("after {attempts} attempts"));
                }
                return Err(miss.error);
            }
            let wanted = miss.pause.unwrap_or_else(|| jitter_pause(pause));
            if wanted > deadline.saturating_duration_since(Instant::now()) {
                miss.error.note =
                    Some(format!("a further attempt in {} s would exceed `wait_timeout`", wanted.as_secs_f64().ceil()));
                return Err(miss.error);
            }
            waiting.progress.show_message(&format!(
                "{}; trying again in {} s",
                miss.error.message,
                wanted.as_secs_f64().ceil()
            ));
            if !waiting.interrupt.pause_for(wanted).await {
                miss.error.note = Some(format!("{}; not tried again", waiting.interrupt.reason()));
                return Err(miss.error);
            }
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }

    /// Sets the pace by an answer. Returns whether the request was refused because of others beside it.
    fn adjust_pace(&self, request: &PacedRequest<'_>, answer: &Result<ApiReply, Miss>) -> bool {
        let status = match answer {
            Ok(_) => {
                request.note_answer();
                return false;
            }
            Err(miss) => miss.error.status,
        };
        if let Err(Miss { pause: Some(pause), .. }) = answer
            && matches!(status, Some(429 | 503))
        {
            self.pace.hold_requests(*pause);
        }
        status == Some(429) && request.note_refusal()
    }

    async fn send_once(&self, client: &Client, outgoing: &OutgoingRequest<'_>) -> Result<ApiReply, Miss> {
        let OutgoingRequest { method, path, body, deadline } = *outgoing;
        let harmless = outgoing.is_harmless();
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        let mut request = client
            .request(method.clone(), format!("{}{path}", self.endpoint.url))
            .timeout(self.tuning.request.min(left));
        if let Some(body) = body {
            request = request.header(reqwest::header::CONTENT_TYPE, "application/json").body(body.to_owned());
        }
        let broken = |error: &reqwest::Error| {
            let connecting = error.is_connect();
            // Another attempt finds the same certificate, and the same server that speaks no TLS.
            let reason = innermost_reason(error);
            let certificate = super::tls::explain_failure(&reason).is_some() || reason.contains("certificate");
            let message = self.describe_error(error);
            Miss {
                error: if connecting { ApiError::unsent(message) } else { ApiError::unclear(message) },
                may_repeat: (harmless || connecting) && !certificate && !error.is_builder(),
                connecting,
                pause: None,
            }
        };
        // The last moment at which it can be told that this run must not write any more.
        if outgoing.is_write() && !crate::lease::may_write() {
            let error = ApiError::unsent(crate::lease::LOST);
            return Err(Miss { error, may_repeat: false, connecting: false, pause: None });
        }
        let response = request.send().await.map_err(|error| broken(&error))?;
        let status = response.status().as_u16();
        let told = retry_after(response.headers());
        let made = created_id(response.headers());
        if let Some(date) = answer_date(response.headers()) {
            self.clock.set(Some((date, Instant::now())));
        }
        let body = read_body(response).await.map_err(|why| {
            let mut miss = match why {
                Unread::Broken(error) => broken(&error),
                Unread::TooLarge => {
                    let message = format!("the answer of {} is larger than {} MiB", self.host(), LARGEST_BODY >> 20);
                    Miss { error: ApiError::unclear(message), may_repeat: false, connecting: false, pause: None }
                }
            };
            miss.error.carried_out = carried_out(status, made.as_ref());
            miss
        })?;
        let turned_away = matches!(status, 429 | 503);
        if turned_away || matches!(status, 502 | 504) {
            return Err(Miss {
                error: ApiError::from_answer(status, &String::from_utf8_lossy(&body)),
                may_repeat: harmless || turned_away,
                connecting: false,
                pause: told,
            });
        }
        Ok(ApiReply { body, made, ..ApiReply::empty(status) })
    }

    fn get_client(&self) -> Result<&Client, ApiError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let built = self.build_client()?;
        Ok(self.client.get_or_init(|| built))
    }

    fn build_client(&self) -> Result<Client, ApiError> {
        let far = !self.is_loopback();
        if self.endpoint.url.starts_with("http:") && far && self.endpoint.fingerprint.is_some() {
            return Err(ApiError::unsent(
                "`certificate_fingerprint` is given, but `api_url` is plain `http` and shows no certificate",
            ));
        }
        check_plain_http(&self.endpoint.url, |name| std::env::var(name).ok())?;
        if far {
            proxy::check_proxy(&self.endpoint.url, |name| std::env::var(name).ok())?;
        }
        let unfit = |what: &str| ApiError::unsent(format!("{what} has characters that a request cannot carry"));
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let credentials = match &self.endpoint.credentials {
            Credentials::Bearer(token) => format!("Bearer {token}"),
            Credentials::Basic { username, password } => {
                let pair = format!("{username}:{password}");
                format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
            }
        };
        let mut credentials = HeaderValue::from_str(&credentials).map_err(|_| unfit("`token`"))?;
        credentials.set_sensitive(true);
        headers.insert(AUTHORIZATION, credentials);
        if let Some(contract) = &self.endpoint.contract {
            let value = HeaderValue::from_str(contract).map_err(|_| unfit("`contract_number`"))?;
            headers.insert(HeaderName::from_static("x-contract-number"), value);
        }
        let builder = Client::builder();
        // A service on this machine is not behind a proxy.
        let builder = if far { builder } else { builder.no_proxy() };
        builder
            .tls_backend_preconfigured(super::tls::client_config(&self.endpoint)?)
            .user_agent(concat!("ionplay/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .connect_timeout(self.tuning.connect)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|why| ApiError::unsent(format!("cannot prepare the HTTP client: {}", innermost_reason(&why))))
    }

    fn is_loopback(&self) -> bool {
        reqwest::Url::parse(&self.endpoint.url).is_ok_and(|url| address::is_loopback(&url))
    }

    fn host(&self) -> &str {
        let rest = self.endpoint.url.split_once("://").map_or("", |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }

    fn describe_error(&self, error: &reqwest::Error) -> String {
        let host = self.host();
        if error.is_connect() {
            if error.is_timeout() {
                return format!("cannot connect to {host}: no answer within {} s", self.tuning.connect.as_secs_f64());
            }
            let reason = innermost_reason(error);
            if let Some(reason) = super::tls::explain_failure(&reason) {
                return format!("cannot connect to {host}: {reason}");
            }
            if self.is_loopback() {
                return format!("cannot connect to {host}: {reason}");
            }
            let proxy = proxy::find_proxy(&self.endpoint.url, |name| std::env::var(name).ok());
            let through = proxy.map(|(name, _)| format!("; `{name}` names a proxy, and the proxy may be unreachable"));
            return format!("cannot connect to {host}: {reason}{}", through.unwrap_or_default());
        }
        if error.is_timeout() {
            return format!("no answer from {host} in time");
        }
        format!("the connection to {host} broke before the answer was complete: {}", innermost_reason(error))
    }
}

/// The innermost reason, which is the one that says something.
fn innermost_reason(error: &reqwest::Error) -> String {
    let mut reason: &dyn std::error::Error = error;
    while let Some(inner) = reason.source() {
        reason = inner;
    }
    let mut text = reason.to_string();
    if let Some(end) = text.find(" (os error") {
        text.truncate(end);
    }
    if let Some(first) = text.get(..1) {
        text = first.to_lowercase() + &text[1..];
    }
    text
}

enum Unread {
    Broken(reqwest::Error),
    TooLarge,
}

async fn read_body(mut response: Response) -> Result<Vec<u8>, Unread> {
    let told = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    let mut body = Vec::with_capacity(told.min(LARGEST_HEADSTART));
    while let Some(chunk) = response.chunk().await.map_err(Unread::Broken)? {
        if body.len() + chunk.len() > LARGEST_BODY {
            return Err(Unread::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A pause between half and all of what was meant, so that many clients do not come back at the same moment.
fn jitter_pause(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + rand::random::<f64>() / 2.0)
}

/// Reads `Retry-After`, in seconds or as a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    // A date is one of the service's clock, which need not be ours.
    let now = answer_date(headers).unwrap_or_else(Timestamp::now);
    pause_of(headers.get(RETRY_AFTER)?.to_str().ok()?, now)
}

/// The moment of an answer, by the service's clock.
fn answer_date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(reqwest::header::DATE)?.to_str().ok()?;
    Some(jiff::fmt::rfc2822::parse(text).ok()?.timestamp())
}

/// Returns what is certain from an answer without a readable body: that an object was created, and perhaps its id. A page that a
/// proxy sends with 200 says nothing.
pub(super) fn carried_out(status: u16, made: Option<&String>) -> Option<Option<String>> {
    (status == 201).then(|| made.cloned())
}

/// The last step of the path in `Location`: the id of what was made.
fn created_id(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(reqwest::header::LOCATION)?.to_str().ok()?;
    let id = text.trim_end_matches('/').rsplit('/').next()?;
    (!id.is_empty()).then(|| id.to_owned())
}

fn pause_of(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let when = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    let seconds = when.as_second().saturating_sub(now.as_second());
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_in_both_forms() {
        let now: Timestamp = "2031-01-02T03:04:05Z".parse().unwrap();
        assert_eq!(pause_of("7", now), Some(Duration::from_secs(7)));
        assert_eq!(pause_of("Thu, 02 Jan 2031 03:04:15 GMT", now), Some(Duration::from_secs(10)));
        assert_eq!(pause_of("Thu, 02 Jan 2031 03:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(pause_of("soon", now), None);
    }

    #[test]
    fn longest_durations_are_deadlines_too() {
        for text in ["18446744073709551615", "9223372036854775807", "Wed, 29 Dec 9999 00:00:00 GMT"] {
            let pause = pause_of(text, Timestamp::UNIX_EPOCH).unwrap();
            assert!(instant_after(pause) > Instant::now(), "{text}");
        }
        assert!(instant_after(Duration::MAX) > Instant::now());
    }
}
