//! A login at a registry, to see that a password works.

use reqwest::Url;

use super::sinks::Login;
use crate::address::is_loopback;
use crate::host::HostApi;
use crate::host::web::{WebAnswer, WebError, WebRequest};

/// Why a login did not work.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The registry refused user name and password.
    #[error("registry `{server}` refused the login of `{username}` (status {status})")]
    Refused {
        /// The registry.
        server: String,
        /// The user name.
        username: String,
        /// The status of the answer.
        status: u16,
    },
    /// No answer came, or none that makes sense.
    #[error("the login at registry `{server}` could not be tried: {why}")]
    NotTried {
        /// The registry.
        server: String,
        /// Why.
        why: String,
    },
}

/// Logs in at the HTTP API of a registry, as container clients do: `GET /v2/`, and a token of the registry's authorization
/// service where it asks for one.
///
/// # Errors
/// If the registry refuses the login, or does not answer.
pub async fn check_login(host: &dyn HostApi, login: &Login) -> Result<(), LoginError> {
    let (base, answer) = probe_registry(host, login).await.map_err(|why| not_tried(login, why.to_string()))?;
    let challenge = answer.authenticate.as_deref().and_then(Challenge::parse_header);
    let answer = match (answer.status, challenge) {
        (401, Some(challenge)) => {
            let url = challenge.login_url(&base, &login.username).ok_or_else(|| {
                not_tried(login, "the address of its authorization service cannot be used".to_owned())
            })?;
            host.send_query(&with_password(url.as_str(), login))
                .await
                .map_err(|why| not_tried(login, why.to_string()))?
        }
        _ => answer,
    };
    match answer.status {
        200..300 => Ok(()),
        401 | 403 => Err(LoginError::Refused {
            server: login.server.clone(),
            username: login.username.clone(),
            status: answer.status,
        }),
        status => Err(not_tried(login, format!("it answered with status {status}"))),
    }
}

/// Registries on this machine may have no certificate, as container clients allow it.
async fn probe_registry(host: &dyn HostApi, login: &Login) -> Result<(Url, WebAnswer), WebError> {
    let mut last = None;
    for scheme in ["https", "http"] {
        let text = format!("{scheme}://{}/v2/", login.server);
        let url = Url::parse(&text).map_err(|why| WebError::Address { url: text.clone(), why: why.to_string() })?;
        if scheme == "http" && !is_loopback(&url) {
            break;
        }
        match host.send_query(&with_password(url.as_str(), login)).await {
            Ok(answer) => return Ok((url, answer)),
            Err(error) => last = last.or(Some(error)),
        }
    }
    Err(last.unwrap_or_else(|| WebError::Connection("no answer".to_owned())))
}

fn with_password(url: &str, login: &Login) -> WebRequest {
    let basic = Some((login.username.clone(), login.password.clone()));
    WebRequest { basic, ..WebRequest::new("GET", url) }
}

fn not_tried(login: &Login, why: String) -> LoginError {
    LoginError::NotTried { server: login.server.clone(), why }
}

/// A demand for a token: `Bearer realm="https://auth.example/token",service="registry"`.
struct Challenge {
    realm: String,
    service: Option<String>,
}

impl Challenge {
    fn parse_header(header: &str) -> Option<Self> {
        let (scheme, rest) = header.trim().split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let value = |name: &str| {
            let pairs = rest.split(',').filter_map(|pair| pair.split_once('='));
            let mut found = pairs.filter(|(key, _)| key.trim().eq_ignore_ascii_case(name));
            found.next().map(|(_, value)| value.trim().trim_matches('"').to_owned())
        };
        Some(Self { realm: value("realm")?, service: value("service") })
    }

    /// Returns where to log in; never in clear text when the registry itself is encrypted.
    fn login_url(&self, base: &Url, username: &str) -> Option<Url> {
        let mut url = base.join(&self.realm).ok()?;
        if base.scheme() == "https" && url.scheme() != "https" {
            return None;
        }
        url.query_pairs_mut().append_pair("account", username);
        if let Some(service) = &self.service {
            url.query_pairs_mut().append_pair("service", service);
        }
        Some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenge_leads_to_the_authorization_service() {
        let base = Url::parse("https://r.example/v2/").unwrap();
        let url = |header: &str| Challenge::parse_header(header)?.login_url(&base, "ci").map(String::from);
        assert_eq!(
            url("Bearer realm=\"https://a.example/token\",service=\"r.example\"").as_deref(),
            Some("https://a.example/token?account=ci&service=r.example")
        );
        assert_eq!(url("Bearer realm=\"http://a.example/token\""), None);
        assert_eq!(url("Basic realm=\"x\""), None);
    }
}
