//! How the API is reached: base URL, credentials, pin, time-outs.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::{ApiError, ListCache};
use crate::address;
use crate::interrupt::Interrupt;
use crate::progress::ProgressChannel;

/// The service.
pub const DEFAULT_URL: &str = "https://api.ionos.com/containerregistries";

/// The path that every call begins with.
const BASE_PATH: &str = "/containerregistries";

/// A way to the API, and how patient to be on it.
#[derive(Debug, Clone)]
pub struct ApiConnection {
    /// Where it leads and who asks.
    pub endpoint: Endpoint,
    /// How long somebody waits for an answer.
    pub waiting: WaitPolicy,
    /// Technical limits.
    pub tuning: Tuning,
    /// The lists that tasks share, where they do.
    pub kept: Option<Rc<ListCache>>,
    /// Whether such a list was there already when it was wanted.
    pub is_reused: Rc<Cell<bool>>,
    /// The task that asks, for records.
    pub task: Option<String>,
}

/// Waiting for the service.
#[derive(Debug, Clone)]
pub struct WaitPolicy {
    /// How long a call may take with all its repetitions, and how long something is waited for.
    pub patience: Duration,
    /// Whether the user still wants to wait.
    pub interrupt: Interrupt,
    /// Where to say what is waited for.
    pub progress: ProgressChannel,
}

/// Identity of a connection: equal endpoints share one client.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// The base URL, normalised; see [`base_url`].
    pub url: String,
    /// Who asks.
    pub credentials: Credentials,
    /// The contract, for users who belong to several.
    pub contract: Option<String>,
    /// The SHA-256 digest of the only certificate of the server that is accepted, if only one is.
    pub fingerprint: Option<[u8; 32]>,
    /// Only the pin decides: chain, dates and host name are not checked.
    pub pin_only: bool,
}

/// Who asks.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Credentials {
    /// An API token.
    Bearer(String),
    /// User name and password.
    Basic {
        /// The account.
        username: String,
        /// Password of the user.
        password: String,
    },
}

/// Technical limits; see `IONPLAY_RETRY_BASE_MS` and friends in the settings.
#[derive(Debug, Clone, Copy)]
pub struct Tuning {
    /// Time to connect.
    pub connect: Duration,
    /// Time for one request and its answer.
    pub request: Duration,
    /// The first pause before a repetition; each further one is twice as long.
    pub pause: Duration,
    /// How often a request is sent at most.
    pub attempts: u32,
    /// Time between two looks while waiting.
    pub poll: Duration,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            request: Duration::from_secs(60),
            pause: Duration::from_millis(500),
            attempts: 5,
            poll: Duration::from_secs(1),
        }
    }
}

impl Tuning {
    /// The limits of this process.
    ///
    /// `IONPLAY_RETRY_BASE_MS` sets the first pause before a repetition, `IONPLAY_POLL_MS` the time between two looks,
    /// `IONPLAY_HTTP_TIMEOUT` the seconds for one request. What is not a number is passed over.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Self {
        let number = |name| get(name).and_then(|text| text.trim().parse::<u64>().ok());
        let standard = Self::default();
        Self {
            pause: number("IONPLAY_RETRY_BASE_MS").map_or(standard.pause, Duration::from_millis),
            poll: number("IONPLAY_POLL_MS").map_or(standard.poll, Duration::from_millis),
            request: number("IONPLAY_HTTP_TIMEOUT").map_or(standard.request, Duration::from_secs),
            ..standard
        }
    }
}

/// Shows the kind only.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Bearer(_) => "Bearer ********",
            Self::Basic { .. } => "Basic ********",
        })
    }
}

/// The base URL of all calls: scheme, host, path, no slash at the end.
///
/// A host alone, a host with a slash, and the full base path all mean the same; a missing scheme means `https`, except
/// for a loopback host with a port, which has no certificate.
///
/// # Errors
/// When the text is not a URL of the web.
pub fn base_url(given: Option<&str>) -> Result<String, ApiError> {
    let given = given.map(str::trim).filter(|text| !text.is_empty()).unwrap_or(DEFAULT_URL);
    let shown = address::mask_address(given);
    let wrong = |why: String| ApiError::unsent(format!("`api_url` `{shown}` is not a base URL: {why}"));
    let full = match given.split_once("://") {
        Some(("http" | "https" | "HTTP" | "HTTPS", _)) => given.to_owned(),
        Some((scheme, _)) => return Err(wrong(format!("`{scheme}` is not `http` or `https`"))),
        None if is_loopback_with_port(given) => format!("http://{given}"),
        None => format!("https://{given}"),
    };
    let url = reqwest::Url::parse(&full).map_err(|why| wrong(why.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("credentials belong into `username` and `password`".to_owned()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it must not have a query or a fragment".to_owned()));
    }
    let path = url.path().trim_end_matches('/');
    let path = if path.is_empty() { BASE_PATH } else { path };
    Ok(format!("{}{path}", url.origin().ascii_serialization()))
}

fn is_loopback_with_port(given: &str) -> bool {
    reqwest::Url::parse(&format!("http://{given}")).is_ok_and(|url| url.port().is_some() && address::is_loopback(&url))
}

/// Refuses to send credentials in the clear to another machine.
///
/// # Errors
/// When the base URL is plain `http`, its host is not loopback, and `IONPLAY_ALLOW_HTTP` is not `1`.
pub fn check_plain_http(base: &str, get: impl Fn(&str) -> Option<String>) -> Result<(), ApiError> {
    match reqwest::Url::parse(base) {
        Ok(url) if !address::may_carry_credentials(&url, get) => Err(ApiError::unsent(format!(
            "credentials are not sent over plain `http` to {}, which is not this machine: use `https`, or set \
             `IONPLAY_ALLOW_HTTP=1` if the network is trusted",
            url.host_str().unwrap_or_default()
        ))),
        _ => Ok(()),
    }
}

/// The digest behind a fingerprint: hexadecimal, colons and blanks do not count; an empty one counts as none.
///
/// # Errors
/// When it is not a SHA-256 digest. SHA-1 is refused: two certificates with one SHA-1 digest can be made.
pub fn parse_fingerprint(text: &str) -> Result<Option<[u8; 32]>, ApiError> {
    let hex: String = text.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
    if hex.is_empty() {
        return Ok(None);
    }
    let wrong = |why: &str| Err(ApiError::unsent(format!("`certificate_fingerprint` {why}")));
    if let Some(odd) = hex.chars().find(|c| !c.is_ascii_hexdigit()) {
        return wrong(&format!("must be hexadecimal digits, and `{odd}` is none"));
    }
    if hex.len() == 40 {
        return wrong(
            "is a SHA-1 digest, which does not protect: two certificates can share one; give the SHA-256 digest \
             (`openssl x509 -noout -fingerprint -sha256`)",
        );
    }
    let mut digest = [0; 32];
    if hex.len() != digest.len() * 2 {
        return wrong(&format!("must be a SHA-256 digest of 64 hexadecimal digits, not {}", hex.len()));
    }
    for (byte, pair) in digest.iter_mut().zip(hex.as_bytes().chunks(2)) {
        let digit = |c: u8| (c as char).to_digit(16).unwrap_or(0) as u8;
        *byte = digit(pair[0]) << 4 | digit(pair[1]);
    }
    Ok(Some(digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn url(given: &str, expected: &str) {
        assert_eq!(base_url(Some(given)).map_err(|e| e.message), Ok(expected.to_owned()));
    }

    #[test]
    fn all_forms_of_a_base_url_mean_one() {
        assert_eq!(base_url(None), Ok(DEFAULT_URL.to_owned()));
        url("", DEFAULT_URL);
        url("https://h.example", "https://h.example/containerregistries");
        url("https://h.example/", "https://h.example/containerregistries");
        url("h.example", "https://h.example/containerregistries");
        url("https://h.example/containerregistries/", "https://h.example/containerregistries");
        url("https://h.example/proxy/cr//", "https://h.example/proxy/cr");
        url("127.0.0.1:8080", "http://127.0.0.1:8080/containerregistries");
        url("http://[::1]:8080", "http://[::1]:8080/containerregistries");
        url("127.evil.example:80", "https://127.evil.example:80/containerregistries");
    }

    #[test]
    fn what_is_no_base_url_is_refused() {
        for given in ["ftp://h.example", "https://", "https://u:p@h.example", "https://h.example/?q=1", "a b"] {
            let error = base_url(Some(given)).unwrap_err();
            assert!(error.message.contains("is not a base URL"), "{error}");
        }
    }

    #[test]
    fn credentials_of_an_address_are_not_repeated() {
        let error = base_url(Some("https://me:hunter22@h.example/?key=value-of-key")).unwrap_err();
        assert!(!error.message.contains("hunter22") && !error.message.contains("value-of-key"), "{error}");
    }

    #[test]
    fn plain_http_is_for_loopback_hosts() {
        let check = |base: &str, allowed: &str| check_plain_http(base, |_| Some(allowed.to_owned())).is_ok();
        assert!(
            check("http://127.0.0.1:8080/x", "") && check("https://h.example/x", "") && check("http://h.example", "1")
        );
        assert!(!check("http://h.example/x", "") && !check("http://127.evil.example/x", "true"));
    }

    #[test]
    fn fingerprints() {
        assert_eq!(parse_fingerprint("").unwrap(), None);
        assert_eq!(parse_fingerprint(&"aB:".repeat(32)).unwrap(), Some([0xab; 32]));
        assert!(parse_fingerprint(&"ab".repeat(20)).unwrap_err().message.contains("SHA-1"));
        assert!(parse_fingerprint("abcd").unwrap_err().message.contains("64"));
        assert!(parse_fingerprint("xyz").unwrap_err().message.contains('x'));
    }

    #[test]
    fn credentials_do_not_show() {
        assert!(!format!("{:?}", Credentials::Bearer("secret-word".to_owned())).contains("secret"));
    }
}
