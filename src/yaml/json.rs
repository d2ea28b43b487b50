//! Files that are JSON from end to end: read as such, before they are tried as YAML, whose numbers and escapes differ.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::node::{MappingEntry, YamlKind, YamlNode};
use crate::source::{Source, Span};
use crate::value::json_lexer::JsonLexer;
use crate::value::{Sealed, Text, Value};

/// Nesting deeper than any honest document.
const DEEPEST: usize = 120;

/// The mapping that stands for text that is not a template, and for vaulted text.
const UNSAFE: &str = "__ansible_unsafe";
const VAULT: &str = "__ansible_vault";

/// The document in a part of a source; `None` if it is not a list or mapping in JSON.
pub(super) fn read_document(source: &Arc<Source>, range: Range<usize>) -> Option<YamlNode> {
    let text = source.text().get(..range.end)?;
    let mut reader = Reader { source, lexer: JsonLexer::new(text, range.start), depth: 0 };
    reader.lexer.skip_blanks();
    if !matches!(reader.lexer.peek()?, b'{' | b'[') {
        return None;
    }
    let node = reader.read_value()?;
    reader.lexer.skip_blanks();
    reader.lexer.is_at_end().then_some(node)
}

struct Reader<'a> {
    source: &'a Arc<Source>,
    lexer: JsonLexer<'a>,
    depth: usize,
}

impl Reader<'_> {
    fn new_node(&self, start: usize, kind: YamlKind) -> YamlNode {
        YamlNode::new(self.source.span(start..self.lexer.position()), None, kind)
    }

    fn read_value(&mut self) -> Option<YamlNode> {
        let start = self.lexer.position();
        match self.lexer.peek()? {
            b'"' => self.read_string(),
            b'[' => self.read_nested(Self::read_list),
            b'{' => self.read_nested(Self::read_mapping),
            _ => {
                let value = self.lexer.read_scalar().ok()?;
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

    /// Text; its place is the inside of the quotes.
    fn read_string(&mut self) -> Option<YamlNode> {
        let start = self.lexer.position();
        let text = self.lexer.read_string().ok()?;
        let span = self.source.span(start + 1..self.lexer.position() - 1);
        Some(YamlNode::new(span.clone(), None, YamlKind::Scalar(Value::Str(Text::from_source(text, span)))))
    }

    fn read_list(&mut self) -> Option<YamlNode> {
        let start = self.lexer.position();
        self.lexer.skip_byte();
        let mut items = Vec::new();
        if !self.lexer.skip_sign(b']') {
            loop {
                self.lexer.skip_blanks();
                items.push(self.read_value()?);
                if self.lexer.skip_sign(b']') {
                    break;
                }
                self.lexer.skip_sign(b',').then_some(())?;
            }
        }
        Some(self.new_node(start, YamlKind::List(items)))
    }

    fn read_mapping(&mut self) -> Option<YamlNode> {
        let start = self.lexer.position();
        self.lexer.skip_byte();
        let mut entries: Vec<MappingEntry> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        if !self.lexer.skip_sign(b'}') {
            loop {
                self.lexer.skip_blanks();
                let key = (self.lexer.peek()? == b'"').then(|| self.read_string())??;
                self.lexer.skip_sign(b':').then_some(())?;
                self.lexer.skip_blanks();
                let value = self.read_value()?;
                // Of equal keys the first gives the place and the last the value.
                let name = key.as_str().unwrap_or_default().to_owned();
                let at = *known.entry(name).or_insert(entries.len());
                match entries.get_mut(at) {
                    Some(entry) => entry.value = value,
                    None => entries.push(MappingEntry { key, value }),
                }
                if self.lexer.skip_sign(b'}') {
                    break;
                }
                self.lexer.skip_sign(b',').then_some(())?;
            }
        }
        let span = self.source.span(start..self.lexer.position());
        let special = decode_special(&entries, &span);
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
