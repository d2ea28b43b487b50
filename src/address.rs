//! Secrets in addresses (user information and queries), and which hosts are this machine.

use std::net::IpAddr;

use reqwest::Url;

/// Allows credentials over plain `http` to other machines.
pub const ALLOW_HTTP: &str = "IONPLAY_ALLOW_HTTP";

/// Whether the host of an address is this machine, decided on the parsed host: `127.evil.example` is not.
pub fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        None => false,
        Some(host) => {
            let bare = host.trim_start_matches('[').trim_end_matches(']');
            match bare.parse::<IpAddr>() {
                Ok(IpAddr::V4(address)) => address.is_loopback(),
                Ok(IpAddr::V6(address)) => {
                    address.is_loopback() || address.to_ipv4_mapped().is_some_and(|mapped| mapped.is_loopback())
                }
                Err(_) => {
                    let name = bare.trim_end_matches('.').to_ascii_lowercase();
                    name == "localhost" || name.ends_with(".localhost")
                }
            }
        }
    }
}

/// Whether credentials may be sent to an address: over TLS, to this machine, or where `IONPLAY_ALLOW_HTTP=1` allows it.
/// The one place where this is decided for every client of the program.
pub fn may_carry_credentials(url: &Url, get: impl Fn(&str) -> Option<String>) -> bool {
    url.scheme() != "http" || is_loopback(url) || get(ALLOW_HTTP).is_some_and(|value| value.trim() == "1")
}

/// Returns the password of an address, as written and decoded.
pub fn find_password(address: &str) -> Vec<String> {
    let password = parse_address(address).and_then(|url| url.password().map(str::to_owned));
    password.into_iter().flat_map(|secret| [decode_percent(&secret), secret]).collect()
}

/// Returns the passwords and the values of the query of an address, as written and decoded.
pub fn find_secrets(address: &str) -> Vec<String> {
    let Some(url) = parse_address(address) else { return Vec::new() };
    let mut found: Vec<String> = url.password().map(str::to_owned).into_iter().collect();
    let user_alone = !url.username().is_empty() && url.password().is_none();
    // A token is often given in place of the name.
    found.extend(user_alone.then(|| url.username().to_owned()));
    found.extend(url.query_pairs().map(|(_, value)| value.into_owned()));
    let decoded: Vec<String> = found.iter().map(|secret| decode_percent(secret)).collect();
    found.extend(decoded);
    found.retain(|secret| !secret.is_empty());
    found.sort();
    found.dedup();
    found
}

/// Returns an address for messages: stars for user information and for the values of its query.
pub fn mask_address(address: &str) -> String {
    let mut masked = address.to_owned();
    let start = address.find("://").map_or(0, |at| at + 3);
    let end = address[start..].find(['/', '?', '#']).map_or(address.len(), |at| start + at);
    if let Some(at) = address[start..end].rfind('@') {
        masked.replace_range(start..start + at, "********");
    }
    if let Some((before, query)) = masked.clone().split_once('?') {
        let pairs = query.split('&').map(|pair| match pair.split_once('=') {
            Some((name, value)) if !value.is_empty() => format!("{name}=********"),
            _ => pair.to_owned(),
        });
        masked = format!("{before}?{}", pairs.collect::<Vec<_>>().join("&"));
    }
    masked
}

/// Parses an address that may lack its scheme, as those of proxies do.
fn parse_address(address: &str) -> Option<Url> {
    let address = address.trim();
    let full = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    Url::parse(&full).ok()
}

fn decode_percent(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.filter(|_| *first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn loopback(address: &str, expected: bool) {
        assert_eq!(is_loopback(&Url::parse(address).unwrap()), expected, "{address}");
    }

    #[test]
    fn loopback_is_decided_on_the_parsed_host() {
        for address in
            ["http://localhost:1", "http://LOCALHOST.", "http://127.8.9.1", "http://[::1]", "http://a.localhost"]
        {
            loopback(address, true);
        }
        loopback("http://[::ffff:127.0.0.1]", true);
        for address in ["http://127.evil.example", "http://localhost.evil.example", "http://127.0.0.1@evil.example"] {
            loopback(address, false);
        }
        loopback("http://10.0.0.1", false);
    }

    #[test]
    fn credentials_need_tls_elsewhere() {
        let may = |address: &str, allowed: &str| {
            may_carry_credentials(&Url::parse(address).unwrap(), |_| Some(allowed.to_owned()))
        };
        assert!(may("https://h.example", "") && may("http://127.0.0.1", "") && may("http://h.example", "1"));
        assert!(!may("http://h.example", "") && !may("http://127.evil.example", "0"));
    }

    #[test]
    fn secrets_of_addresses_are_found_and_masked() {
        assert_eq!(find_secrets("https://me:s%2Fecret@h.example/?key=abc"), ["abc", "s%2Fecret", "s/ecret"]);
        assert_eq!(find_secrets("me:secret@h.example:1"), ["secret"]);
        assert_eq!(
            mask_address("https://me:secret@h.example/x?key=abc&y"),
            "https://********@h.example/x?key=********&y"
        );
        assert_eq!(mask_address("h.example/a@b"), "h.example/a@b");
        assert_eq!(mask_address("not an address"), "not an address");
    }
}
