//! The literal secret values of a run, and their removal from everything that leaves the process.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashSet;
use std::ops::Range;

use super::matcher::{SHORTEST, SecretMatcher, Unwrapped};
use super::spelling::{spell_as_digits, spell_as_text};
use crate::value::{STARS, Value, json, python};

/// Derived values that are longer are searched for as they are only: they are whole files rather than passwords.
const LONGEST_SPELLED: usize = 1024;

/// Knows the literal secrets of this run and removes them from text.
#[derive(Default)]
pub struct Redactor {
    literals: RefCell<Literals>,
    show: bool,
}

/// Literal texts to search for.
#[derive(Default)]
struct Literals {
    /// Secrets that are there already, with whether all their spellings are.
    known: HashSet<(String, bool), foldhash::fast::RandomState>,
    all: SecretMatcher,
    /// Those that can be wrapped into lines.
    digits: SecretMatcher,
}

impl Literals {
    fn add_spelled(&mut self, secret: &str) {
        spell_as_text(secret).iter().for_each(|form| self.all.add(form));
        for form in spell_as_digits(secret) {
            self.all.add(&form);
            self.digits.add(&form);
        }
    }

    /// Finds the places of secrets in a text, in order; none overlap.
    fn find_secrets(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        self.all.find_matches(text, &mut found);
        if let Some(unwrapped) = self.unwrap_digits(text) {
            let mut rows = Vec::new();
            self.digits.find_matches(&unwrapped.bytes, &mut rows);
            found.extend(rows.iter().map(|row| unwrapped.original_range(row)));
            found.sort_by_key(|range| range.start);
        }
        let mut merged: Vec<Range<usize>> = Vec::new();
        for range in found {
            match merged.last_mut() {
                Some(last) if range.start < last.end => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        merged
    }

    fn is_in(&self, text: &[u8]) -> bool {
        self.all.is_in(text) || self.unwrap_digits(text).is_some_and(|unwrapped| self.digits.is_in(&unwrapped.bytes))
    }

    fn unwrap_digits(&self, text: &[u8]) -> Option<Unwrapped> {
        if self.digits.is_empty() { None } else { Unwrapped::new(text) }
    }
}

impl Redactor {
    /// A redactor; with `show` it lets everything pass (`--show-secrets`).
    pub fn new(show: bool) -> Self {
        Self { literals: RefCell::default(), show }
    }

    /// Whether a secret is long enough to be searched for in text.
    pub fn is_findable(secret: &str) -> bool {
        !is_short(secret.trim())
    }

    /// Whether secrets are shown because the user asked for it by name.
    pub fn may_show_secrets(&self) -> bool {
        self.show
    }

    /// Remembers a secret, and each line of one with several lines, in all spellings in which it can turn up. Blanks and
    /// line ends around it are not part of the secret. A secret of fewer than six characters is masked only where a
    /// value is known to be derived from it: elsewhere its letters would mutilate unrelated words.
    pub fn add(&self, secret: &str) {
        let secret = secret.trim();
        // The same ones come again with every task.
        if self.show || is_short(secret) || !self.is_new(secret, true) {
            return;
        }
        let mut literals = self.literals.borrow_mut();
        literals.add_spelled(secret);
        if secret.contains('\n') {
            // The frame of a PEM file is the same for all of them.
            let lines = secret.lines().map(str::trim).filter(|line| !is_short(line) && !line.starts_with("-----"));
            lines.for_each(|line| literals.add_spelled(line));
        }
    }

    /// Remembers a value that was computed from secrets. Its lines may be ordinary text, so only the whole counts.
    fn add_derived(&self, text: &str) {
        let text = text.trim();
        if self.show || is_short(text) || !self.is_new(text, false) {
            return;
        }
        let mut literals = self.literals.borrow_mut();
        if text.len() <= LONGEST_SPELLED {
            spell_as_text(text).iter().for_each(|form| literals.all.add(form));
        } else {
            let value = Value::text(text);
            let unquoted = |quoted: String| quoted[1..quoted.len() - 1].to_owned();
            literals.all.add(text);
            literals.all.add(&unquoted(json::to_string(&value, json::JsonStyle::EVENT)));
            literals.all.add(&unquoted(python::repr(&value)));
        }
    }

    fn is_new(&self, secret: &str, spelled: bool) -> bool {
        self.literals.borrow_mut().known.insert((secret.to_owned(), spelled))
    }

    /// Remembers everything in a value that is derived from a secret.
    pub fn add_all(&self, value: &Value) {
        if !self.show {
            value.each_secret(&mut |secret| self.add_derived(secret));
        }
    }

    /// Returns the value with every text marked that holds a known secret: what a command printed or a file held is as
    /// secret as what was given to it, and so is what filters make of it.
    #[must_use]
    pub fn taint_value(&self, value: Value) -> Value {
        if self.literals.borrow().all.is_empty() {
            return value;
        }
        self.find_tainted(&value).unwrap_or(value)
    }

    /// The tainted value; `None` if nothing in it is secret that was not typed so before.
    fn find_tainted(&self, value: &Value) -> Option<Value> {
        match value {
            Value::Str(text) if !text.is_secret() => {
                let holds = self.literals.borrow().is_in(text.as_bytes());
                holds.then(|| Value::Str(text.clone().into_secret()))
            }
            Value::List(items) => {
                let tainted: Vec<Option<Value>> = items.iter().map(|item| self.find_tainted(item)).collect();
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
                    if let Some(new) = self.find_tainted(old) {
                        copy.get_or_insert_with(|| (**dict).clone()).insert(key.clone(), new);
                    }
                }
                copy.map(Value::from)
            }
            _ => None,
        }
    }

    /// Returns a value as text for people: what is derived from a secret as stars, and without the known secrets.
    pub fn show_value(&self, value: &Value) -> String {
        let text = if self.show { python::str(value) } else { python::str(&value.to_masked()) };
        self.redact(&text).into_owned()
    }

    /// Returns the text with stars for the secrets. Where secrets overlap, all of them go.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let literals = self.literals.borrow();
        if literals.all.is_empty() {
            return Cow::Borrowed(text);
        }
        let found = literals.find_secrets(text.as_bytes());
        replace_ranges(text, found.into_iter().map(|range| (range, STARS)))
    }

    /// Does the same with JSON text, which stays JSON: a number with a secret in it becomes a string of stars.
    pub fn redact_json<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let literals = self.literals.borrow();
        if literals.all.is_empty() {
            return Cow::Borrowed(text);
        }
        let found = literals.find_secrets(text.as_bytes());
        if found.is_empty() {
            Cow::Borrowed(text)
        } else {
            replace_ranges(text, fit_json(text.as_bytes(), found).into_iter())
        }
    }
}

fn is_short(secret: &str) -> bool {
    secret.chars().count() < SHORTEST
}

fn replace_ranges<'a, 'b>(text: &'a str, found: impl Iterator<Item = (Range<usize>, &'b str)>) -> Cow<'a, str> {
    let (mut clean, mut done) = (String::new(), 0);
    for (range, stars) in found {
        clean.push_str(&text[done..range.start]);
        clean.push_str(stars);
        done = range.end;
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    clean.push_str(&text[done..]);
    Cow::Owned(clean)
}

/// Fits places to the tokens of JSON: outside of strings the whole number goes, and its stars are a string.
fn fit_json(text: &[u8], found: Vec<Range<usize>>) -> Vec<(Range<usize>, &'static str)> {
    let (mut fitted, mut in_string, mut at): (Vec<(Range<usize>, &str)>, bool, usize) = (Vec::new(), false, 0);
    for range in found {
        let mut escape = None;
        while at < range.start {
            match text[at] {
                b'\\' if in_string => {
                    escape = Some(at + 1);
                    at += 1;
                }
                b'"' => in_string = !in_string,
                _ => {}
            }
            at += 1;
        }
        if in_string {
            // The `n` of `\n` does not begin a word.
            let start = if escape == Some(range.start) { range.start - 1 } else { range.start };
            fitted.push((start..range.end, STARS));
            continue;
        }
        let is_number = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
        let before = text[..range.start].iter().rev().take_while(|byte| is_number(byte)).count();
        let after = text[range.end..].iter().take_while(|byte| is_number(byte)).count();
        let whole = range.start - before..range.end + after;
        if fitted.last().is_none_or(|(last, _)| last.end <= whole.start) {
            fitted.push((whole, "\"********\""));
        }
    }
    fitted
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

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
        let tainted = redactor.taint_value(value);
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

    #[test]
    fn secret_in_any_spelling_is_removed() {
        let redactor = Redactor::new(false);
        let secret = "Pa$$/w<o>r&d'1\"x";
        redactor.add(secret);
        let hex: String = secret.bytes().map(|byte| format!("{byte:02X}")).collect();
        let colons = secret.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":");
        for spelling in [
            secret.to_owned(),
            secret.to_uppercase(),
            secret.to_lowercase(),
            secret.chars().rev().collect(),
            hex,
            colons,
            "Pa%24%24%2fw%3co%3er%26d%271%22x".to_owned(),
            "Pa%24%24/w%3Co%3Er%26d%271%22x".to_owned(),
            "Pa$$/w&lt;o&gt;r&amp;d&#39;1&#34;x".to_owned(),
            "Pa$$/w&lt;o&gt;r&amp;d&#x27;1&quot;x".to_owned(),
            r#"Pa$$/w\u003co\u003er\u0026d'1\"x"#.to_owned(),
            r#"Pa$$\/w<o>r&d'1\"x"#.to_owned(),
            r#"Pa$$/w<o>r&d'"'"'1"x"#.to_owned(),
        ] {
            assert_eq!(redactor.redact(&format!("<{spelling}>")), "<********>", "{spelling}");
        }
    }

    #[test]
    fn wrapped_digits_are_removed_whole() {
        let redactor = Redactor::new(false);
        let secret = "correct-horse-battery-staple-and-then-some-more-of-it-until-it-fills-two-lines-at-least";
        redactor.add(secret);
        let encoded = STANDARD_NO_PAD.encode(format!("user:{secret}"));
        for width in [20, 64, 76] {
            let lines: Vec<&str> =
                (0..encoded.len()).step_by(width).map(|at| &encoded[at..encoded.len().min(at + width)]).collect();
            for (between, name) in [
                ("\n", "lines"),
                ("\\n", "JSON"),
                ("\r\n", "CRLF"),
                ("\", \"", "list"),
                ("\n    ", "YAML"),
                ("\n  - ", "YAML list"),
            ] {
                let shown = format!("\"{}\"", lines.join(between));
                let clean = redactor.redact(&shown);
                let pieces = lines.iter().skip(1).filter(|line| line.len() >= 16 && clean.contains(**line)).count();
                assert_eq!(pieces, 0, "{name} of {width}: {clean}");
            }
        }
    }

    #[test]
    fn each_line_of_a_secret_counts() {
        let redactor = Redactor::new(false);
        redactor.add("-----BEGIN KEY-----\nfirst-line-of-it\nsecond-line\n-----END KEY-----\n");
        assert_eq!(redactor.redact("a second-line b\n-----BEGIN KEY-----"), "a ******** b\n-----BEGIN KEY-----");
    }

    #[test]
    fn lines_of_computed_text_are_ordinary() {
        let redactor = Redactor::new(false);
        redactor.add_all(&Value::secret("listen: 127.0.0.1\npassword: abc\n"));
        assert_eq!(redactor.redact("listen: 127.0.0.1"), "listen: 127.0.0.1");
        assert_eq!(redactor.redact("listen: 127.0.0.1\npassword: abc"), "********");
    }

    #[test]
    fn json_stays_json() {
        let redactor = Redactor::new(false);
        redactor.add("20240917");
        redactor.add("nothing-else");
        let line = r#"{"a": 1202409179, "b": "x20240917", "c": "\nothing-else", "20240917": [20240917, 5]}"#;
        let clean = redactor.redact_json(line);
        let read: serde_json::Value = serde_json::from_str(&clean).unwrap();
        assert_eq!(read["a"], "********");
        assert_eq!(read["b"], "x********");
        assert_eq!(read["********"], serde_json::json!(["********", 5]));
        assert!(!clean.contains("20240917"), "{clean}");
    }
}
