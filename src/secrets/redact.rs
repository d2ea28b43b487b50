//! The literal secret values of a run, and their removal from everything that leaves the process.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::value::{Value, json, python};

/// Replacement for a secret.
pub const STARS: &str = "********";

/// Shorter values are masked where they are typed as secret, but not wherever their letters occur: a secret of three
/// letters would mutilate unrelated words.
const SHORTEST: usize = 6;

/// Shorter pieces of base 64 would be found where nothing was encoded.
const SHORTEST_ENCODED: usize = 8;

/// Knows the literal secrets of this run and removes them from text.
#[derive(Default)]
pub struct Redactor {
    literals: RefCell<Literals>,
    show: bool,
}

/// Literal texts by their first bytes, so that a look at a text costs the same for one secret as for thousands.
#[derive(Default)]
struct Literals {
    by_start: HashMap<[u8; SHORTEST], Vec<String>, foldhash::fast::RandomState>,
    secrets: HashSet<String, foldhash::fast::RandomState>,
}

impl Literals {
    fn add(&mut self, literal: String) {
        let Some(start) = start(literal.as_bytes()) else { return };
        let same_start = self.by_start.entry(start).or_default();
        if !same_start.contains(&literal) {
            same_start.push(literal);
        }
    }

    /// The length of the longest literal that the text begins with.
    fn at_start(&self, text: &[u8]) -> Option<usize> {
        let known = self.by_start.get(&start(text)?)?;
        known.iter().filter(|literal| text.starts_with(literal.as_bytes())).map(String::len).max()
    }

    /// Whether any of them is in the text.
    fn in_text(&self, text: &str) -> bool {
        (0..text.len()).any(|index| self.at_start(&text.as_bytes()[index..]).is_some())
    }
}

fn start(text: &[u8]) -> Option<[u8; SHORTEST]> {
    text.first_chunk().copied()
}

impl Redactor {
    /// A redactor; with `show` it lets everything pass (`--show-secrets`).
    pub fn new(show: bool) -> Self {
        Self { literals: RefCell::default(), show }
    }

    /// Whether secrets are shown because the user asked for it by name.
    pub fn shows(&self) -> bool {
        self.show
    }

    /// Remembers a secret in the forms in which it can turn up: as it is, in JSON, in Python's notation, in a URL, and
    /// in base 64, alone or as a part of what was encoded. Blanks and line ends around it are no secret.
    pub fn add(&self, secret: &str) {
        let secret = secret.trim();
        // The same ones come again with every task.
        if self.show || secret.chars().count() < SHORTEST || self.literals.borrow().secrets.contains(secret) {
            return;
        }
        let mut literals = self.literals.borrow_mut();
        literals.secrets.insert(secret.to_owned());
        literals.add(secret.to_owned());
        // Most passwords are written in one way everywhere.
        if !secret.bytes().all(is_plain) {
            let value = Value::text(secret);
            let unquoted = |text: String| text[1..text.len() - 1].to_owned();
            literals.add(unquoted(json::to_string(&value, json::Style::EVENT)));
            literals.add(unquoted(json::to_string(&value, json::Style::PYTHON)));
            literals.add(unquoted(python::repr(&value)));
            literals.add(in_url(secret));
        }
        in_base64(secret).for_each(|form| literals.add(form));
    }

    /// Remembers every text of a value that is typed as secret.
    pub fn add_all(&self, value: &Value) {
        if !self.show {
            value.each_secret(&mut |secret| self.add(secret));
        }
    }

    /// The value with every text that holds a known secret typed as secret: what a command printed or a file held is
    /// as secret as what was given to it, and so is what filters make of it.
    #[must_use]
    pub fn taint(&self, value: Value) -> Value {
        if self.literals.borrow().by_start.is_empty() {
            return value;
        }
        self.tainted(&value).unwrap_or(value)
    }

    /// The tainted value; `None` if nothing in it is secret that was not typed so before.
    fn tainted(&self, value: &Value) -> Option<Value> {
        match value {
            Value::Str(text) if !text.is_secret() => {
                let holds = self.literals.borrow().in_text(text);
                holds.then(|| Value::Str(text.clone().into_secret()))
            }
            Value::List(items) => {
                let tainted: Vec<Option<Value>> = items.iter().map(|item| self.tainted(item)).collect();
                let any = tainted.iter().any(Option::is_some);
                any.then(|| {
                    Value::list(
                        tainted.into_iter().zip(items.iter()).map(|(new, old)| new.unwrap_or_else(|| old.clone())),
                    )
                })
            }
            Value::Dict(dict) => {
                let mut copy: Option<crate::value::Dict> = None;
                for (key, old) in dict.iter() {
                    if let Some(new) = self.tainted(old) {
                        copy.get_or_insert_with(|| (**dict).clone()).insert(key.clone(), new);
                    }
                }
                copy.map(Value::from)
            }
            _ => None,
        }
    }

    /// The text without the secrets. Where secrets overlap, all of them go.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let literals = self.literals.borrow();
        if literals.by_start.is_empty() {
            return Cow::Borrowed(text);
        }
        let bytes = text.as_bytes();
        let (mut clean, mut hidden) = (String::new(), 0);
        for index in 0..bytes.len().saturating_sub(SHORTEST - 1) {
            let Some(length) = literals.at_start(&bytes[index..]) else { continue };
            if index >= hidden {
                clean.push_str(&text[hidden..index]);
                clean.push_str(STARS);
            }
            hidden = hidden.max(index + length);
        }
        if hidden == 0 {
            return Cow::Borrowed(text);
        }
        clean.push_str(&text[hidden..]);
        Cow::Owned(clean)
    }
}

/// Whether a byte stands for itself in URLs, and so in all other notations too.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)
}

/// Percent-encoded.
fn in_url(secret: &str) -> String {
    let mut out = String::with_capacity(secret.len());
    for byte in secret.bytes() {
        if is_plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Returns the base 64 digits that depend on the secret alone, behind any number of other bytes, in both alphabets.
fn in_base64(secret: &str) -> impl Iterator<Item = String> {
    let own = (0..3).filter_map(move |before| {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(secret.as_bytes());
        let digits = STANDARD_NO_PAD.encode(&bytes);
        // The first digits hold bits of what is before, the last one perhaps bits of what follows.
        let own = digits.get((before * 8).div_ceil(6)..bytes.len() * 8 / 6)?;
        (own.len() >= SHORTEST_ENCODED).then(|| own.to_owned())
    });
    own.flat_map(|digits| {
        let in_urls = digits.contains(['+', '/']).then(|| digits.replace('+', "-").replace('/', "_"));
        [Some(digits), in_urls].into_iter().flatten()
    })
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    #[test]
    fn every_written_form_is_removed() {
        let redactor = Redactor::new(false);
        redactor.add("pa\"ss\\wörd");
        assert_eq!(redactor.redact("is pa\"ss\\wörd!"), "is ********!");
        assert_eq!(redactor.redact(r#"{"p": "pa\"ss\\wörd"}"#), r#"{"p": "********"}"#);
        assert_eq!(redactor.redact(r#"{"p": "pa\"ss\\w\u00f6rd"}"#), r#"{"p": "********"}"#);
        assert_eq!(redactor.redact("?p=pa%22ss%5Cw%C3%B6rd&q"), "?p=********&q");
    }

    #[test]
    fn encoded_secrets_are_removed_wherever_they_begin() {
        let redactor = Redactor::new(false);
        redactor.add("hunter2-hunter2?>\n");
        for before in ["", "u", "us", "user:", "a longer name:"] {
            for after in ["", "\n", "@host"] {
                let plain = format!("{before}hunter2-hunter2?>{after}");
                for encoded in [STANDARD_NO_PAD.encode(&plain), URL_SAFE_NO_PAD.encode(&plain)] {
                    let clean = redactor.redact(&encoded);
                    assert!(clean.contains(STARS) && clean.len() < encoded.len() - 8, "{plain}: {clean}");
                }
            }
        }
    }

    #[test]
    fn line_ends_stay() {
        let redactor = Redactor::new(false);
        redactor.add("hunter2-hunter2\n");
        assert_eq!(redactor.redact("hunter2-hunter2\n  next"), "********\n  next");
    }

    #[test]
    fn what_holds_a_secret_becomes_secret() {
        let redactor = Redactor::new(false);
        redactor.add("hunter2-hunter2");
        let value = Value::dict([("stdout", Value::text("pw: hunter2-hunter2")), ("rc", Value::Int(0))]);
        let tainted = redactor.taint(value);
        assert!(matches!(tainted.get("stdout"), Some(Value::Str(text)) if text.is_secret()));
    }

    #[test]
    fn short_secrets_do_not_mutilate_words() {
        let redactor = Redactor::new(false);
        redactor.add("pull");
        assert_eq!(redactor.redact("pull and push"), "pull and push");
    }

    #[test]
    fn overlapping_and_nested_secrets_go_whole() {
        let redactor = Redactor::new(false);
        for secret in ["abcdefgh", "abcdefghij", "fghijklmn", "äöüäöü"] {
            redactor.add(secret);
        }
        assert_eq!(redactor.redact("<abcdefghi>"), "<********i>");
        assert_eq!(redactor.redact("<abcdefghijklmn>"), "<********>");
        assert_eq!(redactor.redact("abcdefghabcdefgh"), "****************");
        assert_eq!(redactor.redact("xäöüäöü"), "x********");
        assert!(matches!(redactor.redact("nothing to hide"), Cow::Borrowed(_)));
    }
}
