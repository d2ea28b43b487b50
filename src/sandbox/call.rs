//! One request as handlers see it: method, decoded query, body, user.

use std::ops::RangeInclusive;

use serde_json::Value as Json;

use super::reply::MockReply;

/// A request after the wire and before a handler.
pub struct ApiCall<'a> {
    /// The method, upper case as sent.
    pub method: &'a str,
    /// The decoded query in its order.
    pub query: Vec<(String, String)>,
    /// The body as sent.
    pub body: &'a [u8],
    /// The user the credentials belong to.
    pub user: String,
}

impl ApiCall<'_> {
    /// A query parameter; the first of several.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A whole number from the query.
    pub fn read_number(&self, name: &str, default: usize, range: RangeInclusive<usize>) -> Result<usize, MockReply> {
        let Some(text) = self.query(name) else { return Ok(default) };
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match text.parse() {
            Ok(number) if digits && range.contains(&number) => Ok(number),
            _ if *range.end() == usize::MAX => {
                Err(MockReply::new_invalid(format!("{name} must be a number from {}, not {text}", range.start())))
            }
            _ => Err(MockReply::new_invalid(format!(
                "{name} must be a number from {} to {}, not {text}",
                range.start(),
                range.end()
            ))),
        }
    }

    /// The JSON body.
    pub fn read_json(&self) -> Result<Json, MockReply> {
        serde_json::from_slice(self.body)
            .map_err(|why| MockReply::new_error(400, "cr-400-body", format!("the body is not JSON: {why}")))
    }
}

/// Decodes percent escapes; none when they are broken or do not give UTF-8.
pub fn decode_percent(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (pair, tail) = rest.split_at_checked(2)?;
        let digit = |b: u8| char::from(b).to_digit(16);
        bytes.push(u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?);
        rest = tail;
    }
    String::from_utf8(bytes).ok()
}

/// Decodes a query string.
pub fn decode_query(query: &str) -> Option<Vec<(String, String)>> {
    let pair = |part: &str| {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        Some((decode_percent(&key.replace('+', " "))?, decode_percent(&value.replace('+', " "))?))
    };
    query.split('&').filter(|part| !part.is_empty()).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        assert_eq!(decode_percent("a%2Fb%3a").as_deref(), Some("a/b:"));
        for broken in ["%", "%2", "%zz", "%ff", "%+1"] {
            assert_eq!(decode_percent(broken), None, "{broken}");
        }
        let query = decode_query("a=1&b=x+y%2B&c").expect("a query");
        assert_eq!(query, [("a", "1"), ("b", "x y+"), ("c", "")].map(|(k, v)| (k.to_owned(), v.to_owned())));
    }
}
