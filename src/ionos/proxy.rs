//! The proxy that the environment names for a service.

use super::ApiError;

/// The variable that names a proxy for this base URL, and what it says. Which hosts `no_proxy` leaves out is the client's
/// business.
pub(super) fn find_proxy(url: &str, get: impl Fn(&str) -> Option<String>) -> Option<(&'static str, String)> {
    let names = match url.starts_with("https:") {
        true => ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
        false => ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"],
    };
    names.into_iter().find_map(|name| Some((name, get(name).filter(|text| !text.trim().is_empty())?)))
}

/// Refuses a proxy that is none: the client would pass it over, and go past it.
pub(super) fn check_proxy(url: &str, get: impl Fn(&str) -> Option<String>) -> Result<(), ApiError> {
    let Some((name, text)) = find_proxy(url, get) else { return Ok(()) };
    let known = ["http://", "https://", "socks4://", "socks4a://", "socks5://", "socks5h://"];
    let lower = text.trim().to_lowercase();
    let has_scheme = lower.contains("://");
    if (!has_scheme || known.iter().any(|scheme| lower.starts_with(scheme))) && reqwest::Proxy::all(text.trim()).is_ok()
    {
        return Ok(());
    }
    // It may hold a password, so it is not shown.
    Err(ApiError::unsent(format!("`{name}` names no proxy: write `http://HOST:PORT`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &'static str) -> bool {
        check_proxy("http://h.example", |name| (name == "http_proxy").then(|| text.to_owned())).is_ok()
    }

    #[test]
    fn proxies() {
        for good in ["", "http://127.0.0.1:3128", "proxy.example:3128", "http://user:pw@proxy.example", "socks5h://h:1"]
        {
            assert!(checked(good), "{good}");
        }
        for bad in ["nonsense://", "http://", "ftp://h"] {
            assert!(!checked(bad), "{bad}");
        }
        let get = |name: &str| (name == "HTTPS_PROXY").then(|| "p".to_owned());
        assert_eq!(find_proxy("https://h", get), Some(("HTTPS_PROXY", "p".to_owned())));
        assert_eq!(find_proxy("http://h", get), None);
    }
}
