//! Files that are JSON from end to end: read as such, before they are tried as YAML, whose numbers and escapes differ.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use num_bigint::BigInt;

use super::node::{MappingEntry, YamlKind, YamlNode};
use crate::source::{Source, Span};
use crate::value::{Sealed, Text, Value};

/// Nesting deeper than any honest document.
const DEEPEST: usize = 120;

/// The mapping that stands for text that is no template, and for vaulted text.
const UNSAFE: &str = "__ansible_unsafe";
const VAULT: &str = "__ansible_vault";

/// The document in a part of a source; `None` if it is no list or mapping in JSON.
pub(super) fn read_document(source: &Arc<Source>, range: Range<usize>) -> Option<YamlNode> {
    let text = source.text().get(..range.end)?;
    let mut reader = Reader { source, text, at: range.start, depth: 0 };
    reader.skip_blanks();
    if !matches!(reader.peek()?, b'{' | b'[') {
        return None;
    }
    let node = reader.read_value()?;
    reader.skip_blanks();
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

    fn skip_blanks(&mut self) {
        self.at += self.rest().bytes().take_while(|byte| b" \t\n\r".contains(byte)).count();
    }

    fn take_sign(&mut self, sign: u8) -> bool {
        self.skip_blanks();
        let found = self.peek() == Some(sign);
        self.at += usize::from(found);
        found
    }

    fn span_from(&self, start: usize) -> Span {
        self.source.span(start..self.at)
    }

    fn new_node(&self, start: usize, kind: YamlKind) -> YamlNode {
        YamlNode::new(self.span_from(start), None, kind)
    }

    fn read_value(&mut self) -> Option<YamlNode> {
        let start = self.at;
        match self.peek()? {
            b'"' => self.read_string(),
            b'[' => self.read_nested(Self::read_list),
            b'{' => self.read_nested(Self::read_mapping),
            _ => {
                let value = self.read_word().or_else(|| self.read_number())?;
                Some(self.new_node(start, YamlKind::Scalar(value)))
            }
        }
    }

    fn read_nested(&mut self, read: impl FnOnce(&mut Self) -> Option<YamlNode>) -> Option<YamlNode> {
        self.depth += 1;
        let node = if self.depth > DEEPEST { None } else { read(self) };
        self.depth -= 1;
        node
    }

    fn read_word(&mut self) -> Option<Value> {
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

    fn skip_digits(&mut self) -> usize {
        let count = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        self.at += count;
        count
    }

    fn read_number(&mut self) -> Option<Value> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let zero = self.peek() == Some(b'0');
        let count = self.skip_digits();
        if count == 0 || zero && count > 1 {
            return None;
        }
        let whole = self.at;
        if self.peek() == Some(b'.') {
            self.at += 1;
            (self.skip_digits() > 0).then_some(())?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            (self.skip_digits() > 0).then_some(())?;
        }
        let text = &self.text[start..self.at];
        if self.at > whole {
            return text.parse().ok().map(Value::Float);
        }
        BigInt::parse_bytes(text.as_bytes(), 10).map(Value::big)
    }

    /// Text; its place is the inside of the quotes.
    fn read_string(&mut self) -> Option<YamlNode> {
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
                b'\\' => out.push(self.read_escape()?),
                _ => return None,
            }
        }
        let span = self.span_from(start);
        self.at += 1;
        Some(YamlNode::new(span.clone(), None, YamlKind::Scalar(Value::Str(Text::from_source(out, span)))))
    }

    fn read_escape(&mut self) -> Option<char> {
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
                let first = self.read_code_unit()?;
                let second = if (0xd800..0xdc00).contains(&first) && self.rest().starts_with("\\u") {
                    self.at += 2;
                    Some(self.read_code_unit()?)
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
    fn read_code_unit(&mut self) -> Option<u16> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        self.at += 4;
        u16::from_str_radix(digits, 16).ok()
    }

    fn read_list(&mut self) -> Option<YamlNode> {
        let start = self.at;
        self.at += 1;
        let mut items = Vec::new();
        if !self.take_sign(b']') {
            loop {
                self.skip_blanks();
                items.push(self.read_value()?);
                if self.take_sign(b']') {
                    break;
                }
                self.take_sign(b',').then_some(())?;
            }
        }
        Some(self.new_node(start, YamlKind::List(items)))
    }

    fn read_mapping(&mut self) -> Option<YamlNode> {
        let start = self.at;
        self.at += 1;
        let mut entries: Vec<MappingEntry> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        if !self.take_sign(b'}') {
            loop {
                self.skip_blanks();
                let key = (self.peek()? == b'"').then(|| self.read_string())??;
                self.take_sign(b':').then_some(())?;
                self.skip_blanks();
                let value = self.read_value()?;
                // Of equal keys the first gives the place and the last the value.
                let name = key.as_str().unwrap_or_default().to_owned();
                let at = *known.entry(name).or_insert(entries.len());
                match entries.get_mut(at) {
                    Some(entry) => entry.value = value,
                    None => entries.push(MappingEntry { key, value }),
                }
                if self.take_sign(b'}') {
                    break;
                }
                self.take_sign(b',').then_some(())?;
            }
        }
        let special = decode_special(&entries, &self.span_from(start));
        Some(self.new_node(start, special.map_or(YamlKind::Map(entries), YamlKind::Scalar)))
    }
}

/// Decodes a mapping of one special key, such as `__ansible_vault`.
fn decode_special(entries: &[MappingEntry], span: &Span) -> Option<Value> {
    let [MappingEntry { key, value }] = entries else { return None };
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
        read_document(&source, 0..text.len()).map(|node| python::repr(&node.to_value()))
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
        let node = read_document(&source, 0..source.text().len()).unwrap();
        let YamlKind::Map(entries) = node.kind() else { panic!("{node:?}") };
        let text = &entries[0].value.items().unwrap()[0];
        assert_eq!((text.span().text(), text.span().to_string()), ("{{ b }}", "v.json:1:9".to_owned()));
    }
}
