//! Ansible's free-form arguments: `debug: msg="a b"`, `shell: echo hi chdir=/tmp`.
//!
//! Pure functions over text. Words are split at blanks and line ends, but quotes and template blocks (`{{ }}`, `{% %}`,
//! `{# #}`) stay whole, so that a value may be an expression with blanks in it.

use std::ops::Range;

/// An error in a free-form text, with its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreeformError {
    /// Message for the user.
    pub message: &'static str,
    /// Where, in bytes of the text.
    pub range: Range<usize>,
}

/// A free-form text taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pairs {
    /// `key=value`, in the order in which they stand; quotes around the value are taken off. Of a key that is given
    /// twice the last one counts.
    pub pairs: Vec<(String, String)>,
    /// Words that are not `key=value`, joined; `None` if there are none.
    pub rest: Option<String>,
}

/// The options that `command`, `shell`, `script`, `raw` and their kin take out of their text.
pub const RAW_OPTIONS: &[&str] =
    &["creates", "removes", "chdir", "executable", "warn", "stdin", "stdin_add_newline", "strip_empty_ends"];

/// Open quotes and brackets at a point of the text.
#[derive(Debug, Default)]
struct State {
    /// The quote that is open, and where it began.
    quote: Option<(char, usize)>,
    /// How deep in `{{ }}`, `{% %}` and `{# #}`.
    depth: [usize; 3],
    /// Where the outermost open block began.
    block: usize,
}

const BLOCKS: [(&str, &str); 3] = [("{{", "}}"), ("{%", "%}"), ("{#", "#}")];

impl State {
    fn in_block(&self) -> bool {
        self.depth.iter().any(|depth| *depth > 0)
    }

    /// Reads the quotes of a word. A backslash before a quote makes it an ordinary character.
    fn read_quotes(&mut self, word: &str, at: usize) {
        let mut before = None;
        for (index, c) in word.char_indices() {
            if matches!(c, '"' | '\'') && before != Some('\\') {
                match self.quote {
                    Some((open, _)) if open == c => self.quote = None,
                    Some(_) => {}
                    None => self.quote = Some((c, at + index)),
                }
            }
            before = Some(c);
        }
    }

    /// Reads the template delimiters of a word; says whether any depth has changed.
    fn read_blocks(&mut self, word: &str, at: usize) -> bool {
        let mut changed = false;
        for (depth, (open, close)) in self.depth.iter_mut().zip(BLOCKS) {
            let (opened, closed) = (word.matches(open).count(), word.matches(close).count());
            let now = if opened == closed { *depth } else { (*depth + opened).saturating_sub(closed) };
            if *depth == 0 && now > 0 {
                self.block = at + word.find(open).unwrap_or(0);
            }
            changed |= now != *depth;
            *depth = now;
        }
        changed
    }
}

/// The words of a text. Blanks beyond the first and line ends stay at the end of the word before them, so that joining
/// the words again gives the text.
///
/// # Errors
/// When a quote or a template block is not closed.
pub fn split_args(text: &str) -> Result<Vec<String>, FreeformError> {
    let mut words: Vec<String> = Vec::new();
    if text.is_empty() {
        return Ok(words);
    }
    let mut state = State::default();
    let lines: Vec<&str> = text.split('\n').collect();
    let mut at = 0;
    for (number, line) in lines.iter().enumerate() {
        let mut goes_on = false;
        for (index, word) in line.split(' ').enumerate() {
            let start = at;
            at += word.len() + 1;
            if word.is_empty() && index > 0 {
                append_text(&mut words, " ");
                continue;
            }
            if word == "\\" && state.quote.is_none() {
                goes_on = true;
                continue;
            }
            let (was_quoted, was_in_block) = (state.quote.is_some(), state.in_block());
            state.read_quotes(word, start);
            let quoted = state.quote.is_some();
            let changed = state.read_blocks(word, start);
            if was_in_block || was_quoted {
                if index > 0 {
                    append_text(&mut words, " ");
                }
                append_text(&mut words, word);
            } else if quoted || changed || !word.is_empty() {
                words.push(word.to_owned());
            }
        }
        if number + 1 < lines.len() && !goes_on {
            append_text(&mut words, "\n");
        }
    }
    if let Some((_, start)) = state.quote {
        return Err(FreeformError { message: "this quote is never closed", range: start..start + 1 });
    }
    if state.in_block() {
        let range = state.block..(state.block + 2).min(text.len());
        return Err(FreeformError { message: "this template block is never closed", range });
    }
    Ok(words)
}

fn append_text(words: &mut Vec<String>, text: &str) {
    match words.last_mut() {
        Some(last) => last.push_str(text),
        None => words.push(text.to_owned()),
    }
}

/// Takes a free-form text apart. With `raw_options` (for modules whose text is a command) only those keys are taken
/// out and every other word stays in the rest.
///
/// # Errors
/// When a quote or a template block is not closed.
pub fn parse_pairs(text: &str, raw_options: Option<&[&str]>) -> Result<Pairs, FreeformError> {
    let mut found = Pairs::default();
    let mut rest: Vec<String> = Vec::new();
    for word in split_args(text)? {
        let read = decode_escapes(&word);
        if !read.contains('=') {
            rest.push(word);
            continue;
        }
        // An equals sign at the very beginning, or after a backslash, divides nothing.
        let divider = read.char_indices().skip(1).find(|(at, c)| *c == '=' && !read[..*at].ends_with('\\'));
        let Some((divider, _)) = divider else {
            rest.push(read.replace("\\=", "="));
            continue;
        };
        let (key, value) = (&read[..divider], &read[divider + 1..]);
        if raw_options.is_some_and(|options| !options.contains(&key)) {
            rest.push(word);
            continue;
        }
        let (key, value) = (key.trim().to_owned(), strip_quotes(value.trim()).to_owned());
        match found.pairs.iter_mut().find(|(known, _)| *known == key) {
            Some(pair) => pair.1 = value,
            None => found.pairs.push((key, value)),
        }
    }
    if !rest.is_empty() {
        found.rest = Some(join_words(&rest));
    }
    Ok(found)
}

/// Puts words together again; a word that ends a line needs no blank after it.
fn join_words(words: &[String]) -> String {
    let mut text = String::new();
    for word in words {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

/// Takes quotes off if the text is in one pair of them.
fn strip_quotes(text: &str) -> &str {
    let mut inner = text.chars();
    match (inner.next(), inner.next_back()) {
        (Some(first @ ('"' | '\'')), Some(last)) if first == last && !inner.as_str().ends_with('\\') => inner.as_str(),
        _ => text,
    }
}

/// Reads the escapes of Python's string literals: `\n`, `\t`, `\x41`, `\u00e9`, `\U0001f600`, `\\`, `\"`; others stay.
fn decode_escapes(word: &str) -> String {
    let mut text = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let tail = &rest[at..];
        let (character, length) = read_escape(tail).unwrap_or(('\\', 1));
        text.push(character);
        rest = &tail[length..];
    }
    text.push_str(rest);
    text
}

/// The character of an escape at the beginning of a text, and the bytes it takes.
fn read_escape(text: &str) -> Option<(char, usize)> {
    let simple = |c| Some((c, 2));
    let hex = |digits: usize| {
        let number = text.get(2..2 + digits).filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))?;
        Some((char::from_u32(u32::from_str_radix(number, 16).ok()?)?, 2 + digits))
    };
    match text.as_bytes().get(1)? {
        b'\\' => simple('\\'),
        b'\'' => simple('\''),
        b'"' => simple('"'),
        b'a' => simple('\u{7}'),
        b'b' => simple('\u{8}'),
        b'f' => simple('\u{c}'),
        b'n' => simple('\n'),
        b'r' => simple('\r'),
        b't' => simple('\t'),
        b'v' => simple('\u{b}'),
        b'x' => hex(2),
        b'u' => hex(4),
        b'U' => hex(8),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table holds what the reference does with each text: words, pairs and rest, with and without raw options.
    #[test]
    fn texts_come_apart_as_in_the_reference() {
        let mut wrong = Vec::new();
        let mut count = 0;
        for line in include_str!("../../tests/data/freeform.jsonl").lines() {
            let row: serde_json::Value = serde_json::from_str(line).expect("the table is JSON");
            let text = row["text"].as_str().expect("a text");
            count += 1;
            let words = serde_json::to_value(split_args(text).ok()).expect("words");
            let pairs = |options| {
                let pairs = parse_pairs(text, options).ok().map(|found| (found.pairs, found.rest));
                serde_json::to_value(pairs).expect("pairs")
            };
            for (name, found) in [("words", words), ("plain", pairs(None)), ("raw", pairs(Some(RAW_OPTIONS)))] {
                if found != row[name] {
                    wrong.push(format!("{text:?} {name}: {found}, not {}", row[name]));
                }
            }
        }
        assert!(count > 800, "the table is cut short: {count}");
        assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    }

    #[track_caller]
    fn case(text: &str, raw: bool, pairs: &[(&str, &str)], rest: Option<&str>) {
        let found = parse_pairs(text, raw.then_some(RAW_OPTIONS)).expect("a text that can be read");
        let found_pairs: Vec<_> = found.pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!((found_pairs.as_slice(), found.rest.as_deref()), (pairs, rest));
    }

    #[test]
    fn pairs_and_the_rest() {
        case(r#"msg="a b""#, false, &[("msg", "a b")], None);
        case("msg={{ a b }} x=1", false, &[("msg", "{{ a b }}"), ("x", "1")], None);
        case("echo a=b chdir=/", true, &[("chdir", "/")], Some("echo a=b"));
        case("k=v k=w", false, &[("k", "w")], None);
    }

    #[test]
    fn what_is_not_closed_is_placed() {
        let problem = |text| split_args(text).expect_err("not closed").range;
        assert_eq!(problem("echo 'a b"), 5..6);
        assert_eq!(problem("a={{ x }} b={{ y"), 12..14);
    }
}
