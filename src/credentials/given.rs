//! Whether a text holds a password: as it is, or in a spelling from which it can be read again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::secrets::Redactor;
use crate::value::Value;

/// Finds one password in texts.
pub struct PasswordMatcher {
    password: String,
    spellings: Redactor,
}

impl PasswordMatcher {
    /// Returns a matcher of a password that logs in with this name.
    pub fn new(username: &str, password: &str) -> Self {
        let spellings = Redactor::new(false);
        spellings.add(password);
        // Configurations of clients hold both in base 64, and are often encoded as a whole once more.
        spellings.add(&STANDARD.encode(format!("{username}:{password}")));
        Self { password: password.to_owned(), spellings }
    }

    /// Returns whether the password is in a text.
    pub fn is_in(&self, text: &str) -> bool {
        if self.password.is_empty() {
            return false;
        }
        text.contains(&self.password) || self.spellings.redact(text) != text
    }
}

/// Collects every text of a value, keys included.
pub fn collect_texts<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
    match value {
        Value::Str(text) => texts.push(text.as_str()),
        Value::List(items) | Value::Tuple(items) => items.iter().for_each(|item| collect_texts(item, texts)),
        Value::Dict(dict) => dict.iter().for_each(|(key, value)| {
            collect_texts(key, texts);
            collect_texts(value, texts);
        }),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_is_found_in_spellings_that_can_be_read_again() {
        let matcher = PasswordMatcher::new("ci", "pa\"ss-word-1");
        let pair = STANDARD.encode("ci:pa\"ss-word-1");
        let config = STANDARD.encode(format!(r#"{{"auths": {{"h": {{"auth": "{pair}"}}}}}}"#));
        for text in ["--password=pa\"ss-word-1", r#"{"p": "pa\"ss-word-1"}"#, &pair, &config] {
            assert!(matcher.is_in(text), "{text}");
        }
        for text in ["", "password", "$6$salt$b2f0c1", "ci"] {
            assert!(!matcher.is_in(text), "{text}");
        }
    }
}
