//! One request with everything that follows from it: redirects, cookies, the question for a password.

use std::collections::HashMap;
use std::io::Read as _;

use base64::Engine as _;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};

use super::client::{self, UrlConnection};
use super::cookies::Jar;
use super::{Redirects, UrlReply, local, mask_address};
use crate::template::python::url;
use crate::value::python;

/// An answer may be this long.
const LIMIT: usize = 1 << 30;

/// As many different addresses are visited, and one of them as often.
const MOST_HOPS: usize = 10;
const MOST_VISITS: u32 = 4;

/// A request to send.
#[derive(Debug, Clone)]
pub struct UrlRequest {
    /// The address.
    pub url: String,
    /// The method in upper case.
    pub method: String,
    /// The body.
    pub body: Option<Vec<u8>>,
    /// Headers of the task; they win over what follows from the other fields.
    pub headers: Vec<(String, String)>,
    /// Headers that are left out after a redirect.
    pub unredirected: Vec<String>,
    /// Which redirects are followed.
    pub redirects: Redirects,
    /// Name and password.
    pub login: Option<(String, String)>,
    /// These are sent without being asked for.
    pub login_at_once: bool,
    /// They may come from the user's file of passwords.
    pub netrc: bool,
    /// Value of `User-Agent`.
    pub agent: String,
    /// No cache may answer.
    pub fresh: bool,
    /// The answer is only wanted if it is newer, in seconds since 1970.
    pub modified_since: Option<f64>,
    /// A compressed answer is unpacked.
    pub decompress: bool,
    /// How to connect.
    pub connection: UrlConnection,
}

/// Asks, and follows redirects. A refusal is a reply too, and so is silence.
pub async fn fetch_url(mut request: UrlRequest) -> UrlReply {
    let asked = request.url.clone();
    let none = |message: String| UrlReply::without_answer(&asked, message);
    let scheme = url::split_url(&asked).map(|parts| parts.scheme).unwrap_or_default();
    match scheme.as_str() {
        "file" => return local::read_file_url(&asked),
        "http" | "https" => {}
        "" => return none(format!("unknown url type: '{}'", mask_address(&asked))),
        other => return none(format!("Request failed: <urlopen error unknown url type: {other}>")),
    }
    if let Some(wrong) = asked.chars().find(|c| *c <= ' ' || *c == '\u{7f}') {
        let target = url::split_url(&asked).map(|parts| format!("{}?{}", parts.path, parts.query)).unwrap_or_default();
        let (target, wrong) =
            (python::repr(&target.trim_end_matches('?').into()), python::repr(&wrong.to_string().into()));
        return none(format!(
            "An unknown error occurred: URL can't contain control characters. {target} (found at least {wrong})"
        ));
    }
    let mut url = match Url::parse(&asked) {
        Ok(url) => url,
        Err(why) => return none(format!("`{}` is not an address: {why}", mask_address(&asked))),
    };
    request.take_login(&mut url);
    let client = match request.connection.get_client() {
        Ok(client) => client,
        Err(why) => return none(format!("Request failed: {why}")),
    };
    let mut jar = Jar::default();
    let mut visits: HashMap<String, u32> = HashMap::new();
    let mut shown = if asked == mask_address(&asked) { asked.clone() } else { url.to_string() };
    loop {
        let answer = match request.send_request(&client, &url, &jar).await {
            Ok(answer) => answer,
            Err(message) => return none(message),
        };
        for cookie in answer.headers().get_all(reqwest::header::SET_COOKIE) {
            jar.store_cookie(&url, &header_text(cookie));
        }
        let status = answer.status();
        if status == 401 && request.login_now(answer.headers()) {
            continue;
        }
        let mut message = format!("HTTP Error {}: {}", status.as_u16(), status.canonical_reason().unwrap_or_default());
        let target = answer.headers().get(reqwest::header::LOCATION).map(header_text);
        if let Some(target) = target
            && let Some((method, keeps)) = request.redirects.next(status.as_u16(), &request.method)
            && let Ok(next) = url.join(&target.replace(' ', "%20"))
            && matches!(next.scheme(), "http" | "https")
        {
            let count = visits.get(next.as_str()).copied().unwrap_or(0);
            if count < MOST_VISITS && visits.len() < MOST_HOPS {
                visits.insert(next.to_string(), count + 1);
                let method = method.to_owned();
                request.follow_redirect(method, keeps, url.origin() == next.origin());
                shown = next.to_string();
                url = next;
                continue;
            }
            message = format!("{message} (the redirects lead round in a circle)");
        }
        let headers = merge_headers(answer.headers());
        let body = match read_body(answer).await {
            Ok(body) => body,
            Err(message) => return none(message),
        };
        let status = i64::from(status.as_u16());
        if !(200..300).contains(&status) {
            return UrlReply { status: Some(status), headers, body, ..none(message) };
        }
        let length = headers.iter().find(|(name, _)| name == "content-length").map_or("unknown", |(_, value)| value);
        let message = format!("OK ({length} bytes)");
        let body = match headers.iter().any(|(name, value)| name == "content-encoding" && value == "gzip") {
            true if request.decompress && !body.is_empty() => match gunzip_body(&body) {
                Ok(body) => body,
                Err(why) => return none(format!("Connection failure: {why}")),
            },
            _ => body,
        };
        return UrlReply {
            url: mask_address(&shown),
            final_url: shown,
            status: Some(status),
            message,
            headers,
            cookies: Some(jar.list_cookies()),
            body,
        };
    }
}

impl UrlRequest {
    /// Takes name and password out of the address, unless the task has its own; then from the user's file.
    fn take_login(&mut self, url: &mut Url) {
        if !url.username().is_empty() {
            let plain = |text: &str| url::unquote_plus(&text.replace('+', "%2B"));
            let own = (plain(url.username()), plain(url.password().unwrap_or_default()));
            self.login.get_or_insert(own);
        }
        // Only addresses that cannot have a login refuse this.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let given = self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        if self.login.is_some() {
            if self.login_at_once {
                self.add_authorization();
            }
        } else if self.netrc
            && !given
            && let Some(login) = url.host_str().and_then(local::find_netrc_login)
        {
            self.login = Some(login);
            self.add_authorization();
        }
    }

    /// Sends name and password with the next request.
    fn add_authorization(&mut self) {
        if let Some((name, password)) = self.login.take() {
            let token = base64::prelude::BASE64_STANDARD.encode(format!("{name}:{password}"));
            self.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
            self.headers.push(("Authorization".to_owned(), format!("Basic {token}")));
        }
    }

    /// The server asks for name and password: whether there are any to send that it has not had.
    fn login_now(&mut self, headers: &HeaderMap) -> bool {
        let basic = |value: &HeaderValue| header_text(value).trim_start().to_ascii_lowercase().starts_with("basic");
        let asked = headers.get_all(reqwest::header::WWW_AUTHENTICATE).iter().any(basic);
        let can = asked && self.login.is_some();
        if can {
            self.add_authorization();
        }
        can
    }

    /// Becomes the request that a redirect asks for. Passwords stay with the server they are for.
    fn follow_redirect(&mut self, method: String, keeps_body: bool, same_server: bool) {
        self.method = method;
        let dropped: &[&str] = if keeps_body { &[] } else { &["content-length", "content-type", "transfer-encoding"] };
        if !keeps_body {
            self.body = None;
        }
        let unredirected = std::mem::take(&mut self.unredirected);
        self.headers.retain(|(name, _)| {
            !dropped.iter().any(|known| name.eq_ignore_ascii_case(known))
                && !unredirected.iter().any(|known| name.eq_ignore_ascii_case(known))
                && (same_server || !matches!(name.to_ascii_lowercase().as_str(), "authorization" | "cookie"))
        });
    }

    async fn send_request(&self, client: &reqwest::Client, url: &Url, jar: &Jar) -> Result<reqwest::Response, String> {
        let method = Method::from_bytes(self.method.as_bytes())
            .map_err(|_| format!("`{}` is not an HTTP method", self.method))?;
        let mut headers = HeaderMap::new();
        let mut set = |name: &str, value: &str| -> Result<(), String> {
            let wrong = |_| format!("the header `{name}` has signs that headers cannot have");
            let key =
                HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is not a valid header name"))?;
            headers.insert(key, HeaderValue::from_bytes(value.as_bytes()).map_err(wrong)?);
            Ok(())
        };
        set("accept-encoding", "identity")?;
        if !self.agent.is_empty() {
            set("user-agent", &self.agent)?;
        }
        if self.body.is_some() {
            set("content-type", "application/x-www-form-urlencoded")?;
        }
        if self.fresh {
            set("cache-control", "no-cache")?;
        } else if let Some(time) = self.modified_since.and_then(|seconds| {
            #[allow(clippy::cast_possible_truncation)]
            jiff::Timestamp::from_second(seconds as i64).ok()
        }) {
            set("if-modified-since", &time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())?;
        }
        if let Some(cookies) = jar.cookie_header(url) {
            set("cookie", &cookies)?;
        }
        for (name, value) in &self.headers {
            set(name, value)?;
        }
        if let Some(value) = headers.get_mut(AUTHORIZATION) {
            value.set_sensitive(true);
        }
        let mut request = client.request(method, url.clone()).headers(headers);
        if let Some(body) = &self.body {
            request = request.body(body.clone());
        }
        request.send().await.map_err(|why| client::describe_error(&why))
    }
}

async fn read_body(mut answer: reqwest::Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(|why| client::describe_error(&why))? {
        body.extend_from_slice(&part);
        if body.len() > LIMIT {
            return Err(format!("Connection failure: the answer is longer than {} MiB", LIMIT >> 20));
        }
    }
    Ok(body)
}

fn gunzip_body(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    flate2::read::MultiGzDecoder::new(body).take(LIMIT as u64).read_to_end(&mut unpacked)?;
    Ok(unpacked)
}

/// Headers have no encoding: those that are not UTF-8 are taken for Latin-1.
fn header_text(value: &HeaderValue) -> String {
    let bytes = value.as_bytes();
    std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(|byte| char::from(*byte)).collect(), str::to_owned)
}

fn merge_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let values = |name: &HeaderName| headers.get_all(name).iter().map(header_text).collect::<Vec<_>>().join(", ");
    headers.keys().map(|name| (name.as_str().to_owned(), values(name))).collect()
}
