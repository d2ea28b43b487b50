//! Cookies of one exchange.

use reqwest::Url;

/// Cookies set by servers during the exchange.
#[derive(Debug, Clone, Default)]
pub struct Jar(Vec<Cookie>);

#[derive(Debug, Clone)]
struct Cookie {
    name: String,
    value: String,
    domain: String,
    whole_domain: bool,
    path: String,
    secure: bool,
}

impl Jar {
    /// Keeps a `Set-Cookie` header, replaces the cookie of the same name, or drops it if it is over.
    pub fn store_cookie(&mut self, url: &Url, header: &str) {
        let mut parts = header.split(';');
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { return };
        let host = url.host_str().unwrap_or_default();
        let folder = url.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut cookie = Cookie {
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
            domain: host.to_owned(),
            whole_domain: false,
            path: if folder.is_empty() { "/".to_owned() } else { folder.to_owned() },
            secure: false,
        };
        let mut over = false;
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.trim();
            match key.trim().to_ascii_lowercase().as_str() {
                "domain" if !value.is_empty() => {
                    let domain = value.trim_start_matches('.').to_ascii_lowercase();
                    if !is_within(host, &domain) || !domain.contains('.') && domain != host {
                        return;
                    }
                    cookie.domain = domain;
                    cookie.whole_domain = true;
                }
                "path" if value.starts_with('/') => cookie.path = value.to_owned(),
                "secure" => cookie.secure = true,
                "max-age" => over = value.parse::<i64>().is_ok_and(|seconds| seconds <= 0),
                _ => {}
            }
        }
        self.0.retain(|old| old.name != cookie.name || old.path != cookie.path || old.domain != cookie.domain);
        if !over {
            self.0.push(cookie);
        }
    }

    /// The `Cookie` header for an address.
    pub fn cookie_header(&self, url: &Url) -> Option<String> {
        let host = url.host_str().unwrap_or_default();
        let fits = |cookie: &&Cookie| {
            let path = url.path().strip_prefix(cookie.path.trim_end_matches('/'));
            (cookie.domain == host || cookie.whole_domain && is_within(host, &cookie.domain))
                && path.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                && (!cookie.secure || url.scheme() == "https")
        };
        let pairs: Vec<_> =
            self.0.iter().filter(fits).map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// Names and values, in the order in which they came.
    pub fn list_cookies(&self) -> Vec<(String, String)> {
        self.0.iter().map(|cookie| (cookie.name.clone(), cookie.value.clone())).collect()
    }
}

fn is_within(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|before| before.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn cookies_go_where_they_belong() {
        let mut jar = Jar::default();
        let at = url("http://a.example.com/x/y");
        jar.store_cookie(&at, "s=1; Path=/; HttpOnly");
        jar.store_cookie(&at, "d=2; Domain=example.com; Path=/x");
        jar.store_cookie(&at, "t=3; Secure");
        jar.store_cookie(&at, "evil=4; Domain=other.com");
        assert_eq!(jar.cookie_header(&at).as_deref(), Some("s=1; d=2"));
        assert_eq!(jar.cookie_header(&url("http://b.example.com/x")).as_deref(), Some("d=2"));
        assert_eq!(jar.cookie_header(&url("http://b.example.com/xy")), None);
        assert_eq!(jar.list_cookies().len(), 3);
        jar.store_cookie(&at, "s=; Path=/; Max-Age=0");
        assert_eq!(jar.cookie_header(&at).as_deref(), Some("d=2"));
    }
}
