//! Files that are JSON from end to end: read as such, before they are tried as YAML, whose numbers and escapes differ.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use num_bigint::BigInt;

use super::node::{Entry, Kind, Node};
use crate::source::{Source, Span};
use crate::value::{Sealed, Text, Value};

/// Nesting deeper than any honest document.
const DEEPEST: usize = 120;

/// The mapping that stands for text that is no template, and for vaulted text.
const UNSAFE: &str = "__ansible_unsafe";
const VAULT: &str = "__ansible_vault";

/// The document in a part of a source; `None` if it is no list or mapping in JSON.
pub(super) fn document(source: &Arc<Source>, range: Range<usize>) -> Option<Node> {
    let text = source.text().get(..range.end)?;
    let mut reader = Reader { source, text, at: range.start, depth: 0 };
    reader.blanks();
    if !matches!(reader.peek()?, b'{' | b'[') {
        return None;
    }
    let node = reader.value()?;
    reader.blanks();
    (reader.at == text.len()).then_some(node)
}

struct Reader<'a> {
    source: &'a Arc<Source>,
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        self.at += self.rest().bytes().take_while(|byte| b" \t\n\r".contains(byte)).count();
    }

    fn take(&mut self, sign: u8) -> bool {
        self.blanks();
        let found = self.peek() == Some(sign);
        self.at += usize::from(found);
        found
    }

    fn span(&self, start: usize) -> Span {
        self.source.span(start..self.at)
    }

    fn node(&self, start: usize, kind: Kind) -> Node {
        Node::new(self.span(start), None, kind)
    }

    fn value(&mut self) -> Option<Node> {
        let start = self.at;
        match self.peek()? {
            b'"' => self.string(),
            b'[' => self.within(Self::list),
            b'{' => self.within(Self::mapping),
            _ => {
                let value = self.word().or_else(|| self.number())?;
                Some(self.node(start, Kind::Scalar(value)))
            }
        }
    }

    fn within(&mut self, read: impl FnOnce(&mut Self) -> Option<Node>) -> Option<Node> {
        self.depth += 1;
        let node = if self.depth > DEEPEST { None } else { read(self) };
        self.depth -= 1;
        node
    }

    fn word(&mut self) -> Option<Value> {
        let words = [
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("NaN", Value::Float(f64::NAN)),
            ("Infinity", Value::Float(f64::INFINITY)),
            ("-Infinity", Value::Float(f64::NEG_INFINITY)),
        ];
        let (word, value) = words.into_iter().find(|(word, _)| self.rest().starts_with(word))?;
        self.at += word.len();
        Some(value)
    }

    fn digits(&mut self) -> usize {
        let count = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        self.at += count;
        count
    }

    fn number(&mut self) -> Option<Value> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let zero = self.peek() == Some(b'0');
        let count = self.digits();
        if count == 0 || zero && count > 1 {
            return None;
        }
        let whole = self.at;
        if self.peek() == Some(b'.') {
            self.at += 1;
            (self.digits() > 0).then_some(())?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            (self.digits() > 0).then_some(())?;
        }
        let text = &self.text[start..self.at];
        if self.at > whole {
            return text.parse().ok().map(Value::Float);
        }
        BigInt::parse_bytes(text.as_bytes(), 10).map(Value::big)
    }

    /// Text; its place is the inside of the quotes.
    fn string(&mut self) -> Option<Node> {
        self.at += 1;
        let start = self.at;
        let mut out = String::new();
        loop {
            let rest = self.rest();
            let plain = rest.find(|c: char| c == '"' || c == '\\' || c < ' ')?;
            out.push_str(&rest[..plain]);
            self.at += plain;
            match self.peek()? {
                b'"' => break,
                b'\\' => out.push(self.escape()?),
                _ => return None,
            }
        }
        let span = self.span(start);
        self.at += 1;
        Some(Node::new(span.clone(), None, Kind::Scalar(Value::Str(Text::written(out, span)))))
    }

    fn escape(&mut self) -> Option<char> {
        let sign = self.text.as_bytes().get(self.at + 1).copied()?;
        self.at += 2;
        Some(match sign {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.code()?;
                let second = if (0xd800..0xdc00).contains(&first) && self.rest().starts_with("\\u") {
                    self.at += 2;
                    Some(self.code()?)
                } else {
                    None
                };
                let codes = std::iter::once(first).chain(second);
                char::decode_utf16(codes).next()?.ok()?
            }
            _ => return None,
        })
    }

    /// The four digits of an escape.
    fn code(&mut self) -> Option<u16> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        self.at += 4;
        u16::from_str_radix(digits, 16).ok()
    }

    fn list(&mut self) -> Option<Node> {
        let start = self.at;
        self.at += 1;
        let mut items = Vec::new();
        if !self.take(b']') {
            loop {
                self.blanks();
                items.push(self.value()?);
                if self.take(b']') {
                    break;
                }
                self.take(b',').then_some(())?;
            }
        }
        Some(self.node(start, Kind::List(items)))
    }

    fn mapping(&mut self) -> Option<Node> {
        let start = self.at;
        self.at += 1;
        let mut entries: Vec<Entry> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        if !self.take(b'}') {
            loop {
                self.blanks();
                let key = (self.peek()? == b'"').then(|| self.string())??;
                self.take(b':').then_some(())?;
                self.blanks();
                let value = self.value()?;
                // Of equal keys the first gives the place and the last the value.
                let name = key.as_str().unwrap_or_default().to_owned();
                let at = *known.entry(name).or_insert(entries.len());
                match entries.get_mut(at) {
                    Some(entry) => entry.value = value,
                    None => entries.push(Entry { key, value }),
                }
                if self.take(b'}') {
                    break;
                }
                self.take(b',').then_some(())?;
            }
        }
        let special = special(&entries, &self.span(start));
        Some(self.node(start, special.map_or(Kind::Map(entries), Kind::Scalar)))
    }
}

/// Decodes a mapping of one special key, such as `__ansible_vault`.
fn special(entries: &[Entry], span: &Span) -> Option<Value> {
    let [Entry { key, value }] = entries else { return None };
    let text = value.as_str()?;
    match key.as_str()? {
        UNSAFE => Some(Value::text(text)),
        VAULT => Some(Value::Sealed(Arc::new(Sealed { envelope: text.to_owned(), span: Some(span.clone()) }))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::python;

    fn read(text: &str) -> Option<String> {
        let source = Source::new("v.json", text);
        document(&source, 0..text.len()).map(|node| python::repr(&node.to_value()))
    }

    #[test]
    fn numbers_and_escapes_are_those_of_json() {
        assert_eq!(read(r#" [1e3, -0, 1.5E-1, 7] "#).as_deref(), Some("[1000.0, 0, 0.15, 7]"));
        assert_eq!(read(r#"{"a": "\ud83d\ude00\/", "b": NaN, "a": 2}"#).as_deref(), Some("{'a': 2, 'b': nan}"));
        assert_eq!(read(r#"["\ud83d\ude00\/"]"#).as_deref(), Some("['😀/']"));
        assert_eq!(read("{\"a\":\t{\"__ansible_unsafe\": \"{{ x }}\"}}").as_deref(), Some("{'a': '{{ x }}'}"));
    }

    #[test]
    fn what_is_no_json_is_left_to_yaml() {
        for text in
            ["", "1", "{a: 1}", "[1,]", "[01]", "{\"a\": yes}", "[1] # c", "[\"a\nb\"]", "[1] [2]", "['a']", "[1."]
        {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(&"[".repeat(100_000)), None);
    }

    #[test]
    fn texts_know_their_places() {
        let source = Source::new("v.json", "{\"a\": [\"{{ b }}\"]}");
        let node = document(&source, 0..source.text().len()).unwrap();
        let Kind::Map(entries) = node.kind() else { panic!("{node:?}") };
        let text = &entries[0].value.items().unwrap()[0];
        assert_eq!((text.span().text(), text.span().to_string()), ("{{ b }}", "v.json:1:9".to_owned()));
    }
}
