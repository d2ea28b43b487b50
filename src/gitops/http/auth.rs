//! Who may request changes.

use hyper::header::{AUTHORIZATION, HOST, HeaderValue, ORIGIN, WWW_AUTHENTICATE};
use hyper::{HeaderMap, StatusCode};

use super::control::Access;
use super::listener::Trust;
use super::reply::{HttpReply, error_reply};

/// Refuses requests that a page of another origin made.
pub(super) fn check_origin(headers: &HeaderMap, access: &Access) -> Result<(), HttpReply> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let is_foreign = match headers.get(ORIGIN) {
        None => text("sec-fetch-site".parse().unwrap_or(ORIGIN)) == Some("cross-site"),
        Some(origin) => !origin.to_str().is_ok_and(|origin| is_own_origin(origin, text(HOST), access)),
    };
    if is_foreign {
        let message =
            "the request comes from a page of another origin; set `server.public_url` to the URL of this page";
        return Err(error_reply(StatusCode::FORBIDDEN, "origin", message));
    }
    Ok(())
}

fn is_own_origin(origin: &str, host: Option<&str>, access: &Access) -> bool {
    let is_public = access.public_url.as_deref().is_some_and(|url| read_origin(url) == Some(origin));
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    // A name that somebody else lets point here is not an address of ours, where ours is known.
    let may_be_own = access.public_url.is_none() || authority.is_some_and(is_loopback);
    is_public || (may_be_own && authority.is_some() && authority == host)
}

/// Returns whether a host with its port is this machine.
fn is_loopback(authority: &str) -> bool {
    let host =
        authority.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(authority, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Returns scheme and authority of a URL.
fn read_origin(url: &str) -> Option<&str> {
    let start = url.find("://")? + 3;
    let end = url[start..].find('/').map_or(url.len(), |slash| start + slash);
    Some(&url[..end])
}

/// Refuses changes without the token. A form of the page has it in a field.
pub(super) fn check_token(
    headers: &HeaderMap,
    field: Option<&str>,
    access: &Access,
    trust: Trust,
) -> Result<(), HttpReply> {
    match (&access.token, trust) {
        (None, Trust::Socket) => Ok(()),
        (None, Trust::Tcp) => {
            let message = "changes are not accepted over TCP without `server.token_file`";
            Err(error_reply(StatusCode::FORBIDDEN, "no_token", message))
        }
        (Some(token), _) => {
            let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(read_bearer);
            if header.or(field).is_some_and(|given| token.is_same(given)) {
                return Ok(());
            }
            let mut reply =
                error_reply(StatusCode::UNAUTHORIZED, "unauthorized", "the bearer token is missing or wrong");
            reply.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            Err(reply)
        }
    }
}

fn read_bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_accepted(pairs: &[(&'static str, &str)], public_url: Option<&str>) -> bool {
        let headers = pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let access = Access { public_url: public_url.map(str::to_owned), ..Access::default() };
        check_origin(&headers, &access).is_ok()
    }

    #[test]
    fn requests_of_other_origins_are_refused() {
        let public = Some("https://gitops.example.com/ionplay");
        assert!(is_accepted(&[], public));
        assert!(is_accepted(&[("origin", "https://gitops.example.com"), ("host", "127.0.0.1:8470")], public));
        assert!(is_accepted(&[("origin", "http://127.0.0.1:8470"), ("host", "127.0.0.1:8470")], None));
        assert!(is_accepted(&[("origin", "http://[::1]:8470"), ("host", "[::1]:8470")], public));
        assert!(!is_accepted(&[("origin", "https://evil.example"), ("host", "127.0.0.1:8470")], public));
        assert!(!is_accepted(&[("origin", "http://evil.example:8470"), ("host", "evil.example:8470")], public));
        assert!(!is_accepted(&[("origin", "https://gitops.example.com.evil.example"), ("host", "x")], public));
        assert!(!is_accepted(&[("origin", "null"), ("host", "127.0.0.1:8470")], None));
        assert!(!is_accepted(&[("origin", "null")], None));
        assert!(!is_accepted(&[("sec-fetch-site", "cross-site")], None));
    }
}
