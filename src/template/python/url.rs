//! Python's `urllib.parse`: splitting, quoting, unquoting.

use crate::template::error::TemplateError;

/// The parts of a URL.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Split {
    /// In lower case.
    pub scheme: String,
    /// User, password, host and port.
    pub netloc: String,
    /// The path, parameters included.
    pub path: String,
    /// After the question mark.
    pub query: String,
    /// After the hash.
    pub fragment: String,
}

/// `urlsplit`.
///
/// # Errors
/// If the brackets of an IPv6 address do not match.
pub fn split_url(url: &str) -> Result<Split, TemplateError> {
    let cleaned: String =
        url.trim_start_matches(|c: char| c <= ' ').chars().filter(|c| !"\t\r\n".contains(*c)).collect();
    let mut rest = cleaned.as_str();
    let mut parts = Split::default();
    if let Some((scheme, after)) = rest.split_once(':')
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    {
        parts.scheme = scheme.to_lowercase();
        rest = after;
    }
    if let Some(after) = rest.strip_prefix("//") {
        let end = after.find(['/', '?', '#']).unwrap_or(after.len());
        parts.netloc = after[..end].to_owned();
        rest = &after[end..];
        if parts.netloc.contains('[') != parts.netloc.contains(']') {
            return Err(TemplateError::value("Invalid IPv6 URL"));
        }
    }
    if let Some((before, fragment)) = rest.split_once('#') {
        parts.fragment = fragment.to_owned();
        rest = before;
    }
    if let Some((before, query)) = rest.split_once('?') {
        parts.query = query.to_owned();
        rest = before;
    }
    parts.path = rest.to_owned();
    Ok(parts)
}

impl Split {
    fn user_info(&self) -> Option<&str> {
        self.netloc.rsplit_once('@').map(|(user, _)| user)
    }

    fn host_and_port(&self) -> (&str, Option<&str>) {
        let host = self.netloc.rsplit_once('@').map_or(self.netloc.as_str(), |(_, host)| host);
        if let Some((_, bracketed)) = host.split_once('[') {
            let (host, after) = bracketed.split_once(']').unwrap_or((bracketed, ""));
            return (host, after.strip_prefix(':').filter(|port| !port.is_empty()));
        }
        let (host, port) = host.split_once(':').map_or((host, None), |(host, port)| (host, Some(port)));
        (host, port.filter(|port| !port.is_empty()))
    }

    /// The user.
    pub fn username(&self) -> Option<&str> {
        self.user_info().map(|user| user.split_once(':').map_or(user, |(user, _)| user))
    }

    /// The password.
    pub fn password(&self) -> Option<&str> {
        self.user_info()?.split_once(':').map(|(_, password)| password)
    }

    /// The host in lower case.
    pub fn hostname(&self) -> Option<String> {
        let (host, _) = self.host_and_port();
        (!host.is_empty()).then(|| host.to_lowercase())
    }

    /// The port.
    ///
    /// # Errors
    /// If it is not a number up to 65535.
    pub fn port(&self) -> Result<Option<u16>, TemplateError> {
        let (_, Some(port)) = self.host_and_port() else { return Ok(None) };
        if !port.bytes().all(|b| b.is_ascii_digit()) {
            return Err(TemplateError::value(format!("Port could not be cast to integer value as '{port}'")));
        }
        port.parse().map(Some).map_err(|_| TemplateError::value("Port out of range 0-65535"))
    }
}

/// `quote`: everything but letters, digits, `_.-~` and the safe signs as `%XX`.
pub fn quote(text: &str, safe: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"_.-~".contains(&byte) || (byte.is_ascii() && safe.contains(byte as char)) {
            out.push(byte as char);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// `quote_plus`: as `quote` without safe signs, blanks as `+`.
pub fn quote_plus(text: &str) -> String {
    quote(text, " ").replace(' ', "+")
}

/// `unquote_plus`: `+` is a blank, `%XX` a byte; bytes that are not UTF-8 become the replacement sign.
pub fn unquote_plus(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        let code = code.filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(if bytes[at] == b'+' { b' ' } else { bytes[at] });
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_split() {
        let url = split_url("HTTP://u:p@H.com:80/p;x?q=1#f").unwrap();
        assert_eq!((url.scheme.as_str(), url.path.as_str(), url.query.as_str()), ("http", "/p;x", "q=1"));
        assert_eq!((url.username(), url.password()), (Some("u"), Some("p")));
        assert_eq!((url.hostname().as_deref(), url.port().unwrap()), (Some("h.com"), Some(80)));
        assert_eq!(split_url("http://[::1]:8/").unwrap().hostname().as_deref(), Some("::1"));
        assert!(split_url("http://h:99999/").unwrap().port().is_err());
        assert!(split_url("http://[x").is_err());
        assert_eq!(split_url("mailto:a@b").unwrap().path, "a@b");
    }

    #[test]
    fn quoting() {
        assert_eq!(quote("a b/c&d=é", "/"), "a%20b/c%26d%3D%C3%A9");
        assert_eq!(quote_plus("x y"), "x+y");
        assert_eq!(unquote_plus("a%20b%C3%A9+c%zz"), "a bé c%zz");
    }
}
