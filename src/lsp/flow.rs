//! Flow collections in an outline: `{name: x, scopes: [a, b]}`, closed or not.

use std::ops::Range;

use super::outline::{NodeKind, Notation, Outline, OutlineNode};

/// Deepest nesting that is looked at.
const MAX_DEPTH: usize = 40;

/// Reads a flow collection that begins at the start of a range; adds its members below a node and returns its end.
pub fn read_flow(text: &str, outline: &mut Outline, parent: usize, range: Range<usize>) -> usize {
    Flow { text, outline, limit: range.end }.read_collection(range.start, parent, 0)
}

/// Returns the offset after the quote that closes the one at an offset.
pub fn find_quote_end(text: &str, open: usize, limit: usize) -> Option<usize> {
    let quote = text.as_bytes().get(open).copied()?;
    let bytes = text.as_bytes().get(..limit)?;
    let mut at = open + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quote == b'"' => at += 1,
            byte if byte == quote && quote == b'\'' && bytes.get(at + 1) == Some(&b'\'') => at += 1,
            byte if byte == quote => return Some(at + 1),
            _ => {}
        }
        at += 1;
    }
    None
}

struct Flow<'a> {
    text: &'a str,
    outline: &'a mut Outline,
    limit: usize,
}

impl Flow<'_> {
    fn byte(&self, at: usize) -> Option<u8> {
        (at < self.limit).then(|| self.text.as_bytes()[at])
    }

    fn skip_blanks(&self, mut at: usize) -> usize {
        while self.byte(at).is_some_and(|byte| byte.is_ascii_whitespace()) {
            at += 1;
        }
        at
    }

    fn read_collection(&mut self, open: usize, parent: usize, depth: usize) -> usize {
        let close = if self.byte(open) == Some(b'{') { b'}' } else { b']' };
        let mut at = open + 1;
        loop {
            at = self.skip_blanks(at);
            match self.byte(at) {
                None => return self.limit.min(at),
                Some(byte) if byte == close => return at + 1,
                Some(b',' | b'}' | b']') => at += 1,
                Some(_) if depth >= MAX_DEPTH => return self.limit,
                Some(_) => at = self.read_member(at, parent, close == b'}', depth),
            }
        }
    }

    /// Reads one member, and returns the offset after it.
    fn read_member(&mut self, start: usize, parent: usize, in_mapping: bool, depth: usize) -> usize {
        let kind = if in_mapping { NodeKind::Entry } else { NodeKind::Item };
        let node = OutlineNode {
            kind,
            notation: Notation::Flow,
            parent: Some(parent),
            column: usize::MAX,
            start,
            key: start..start,
            value: start..start,
            end: start,
            next: None,
        };
        let index = self.outline.push(node);
        let mut at = start;
        if in_mapping {
            let end = self.scalar_end(start, true);
            let quoted = matches!(self.byte(start), Some(b'"' | b'\'')) && end >= start + 2;
            let quotes = usize::from(quoted && self.byte(end - 1) == self.byte(start));
            self.outline.nodes[index].key = start + quotes..end - quotes;
            at = self.skip_blanks(end);
            if self.byte(at) != Some(b':') {
                self.outline.nodes[index].value = end..end;
                return at.max(start + 1);
            }
            at = self.skip_blanks(at + 1);
        }
        let end = match self.byte(at) {
            Some(b'{' | b'[') => self.read_collection(at, index, depth + 1),
            _ => self.scalar_end(at, false),
        };
        self.outline.nodes[index].value = at..end;
        self.outline.nodes[index].end = end;
        end.max(start + 1)
    }

    /// The end of a scalar; that of a key ends at its colon.
    fn scalar_end(&self, start: usize, is_key: bool) -> usize {
        if matches!(self.byte(start), Some(b'"' | b'\'')) {
            return find_quote_end(self.text, start, self.limit).unwrap_or(self.limit);
        }
        let mut at = start;
        while let Some(byte) = self.byte(at) {
            let ends = matches!(byte, b',' | b'}' | b']' | b'\n');
            let colon = byte == b':'
                && self.byte(at + 1).is_none_or(|next| next.is_ascii_whitespace() || next == b',' || next == b'}');
            if ends || (is_key && colon) {
                break;
            }
            at += 1;
        }
        start + self.text.get(start..at).map_or(0, |scalar| scalar.trim_end().len())
    }
}
