//! Reads the structure of a YAML text by its lines and indentation, also where it is broken or not finished.
//!
//! The reader of playbooks refuses text that is not YAML; an editor has such text most of the time. So this module looks
//! at lines only: keys, dashes, values, block scalars and flow collections, each with its place. It judges nothing.

use std::ops::Range;

use super::flow;
use super::outline::{NodeKind, Notation, Outline, OutlineNode};

/// Reads a text. Never fails.
pub fn read_outline(text: &str) -> Outline {
    let mut scan = Scan { text, outline: Outline::default(), stack: Vec::new(), at: 0 };
    while scan.at < text.len() {
        scan.read_line();
    }
    scan.outline.close_nodes();
    scan.outline
}

/// A walk through the lines of a text.
struct Scan<'a> {
    text: &'a str,
    outline: Outline,
    /// Open nodes, outermost first.
    stack: Vec<usize>,
    /// Offset of the next line.
    at: usize,
}

impl Scan<'_> {
    fn line_end(&self, from: usize) -> usize {
        self.text[from..].find('\n').map_or(self.text.len(), |length| from + length)
    }

    fn read_line(&mut self) {
        let start = self.at;
        let end = self.line_end(start);
        self.at = end + 1;
        let line = self.text[start..end].trim_end();
        let trimmed = line.trim_start();
        let mut column = line.len() - trimmed.len();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            return;
        }
        if column == 0 && (trimmed == "---" || trimmed.starts_with("--- ") || trimmed == "...") {
            self.stack.clear();
            return;
        }
        let end = start + line.len();
        let mut item = None;
        loop {
            let rest = &self.text[start + column..end];
            if !(rest == "-" || rest.starts_with("- ")) {
                break;
            }
            let index = self.open_item(start + column, column);
            item = Some(index);
            let inner = rest[1..].trim_start();
            column += rest.len() - inner.len();
            if inner.is_empty() || inner.starts_with('#') {
                return;
            }
        }
        match find_key(&self.text[start + column..end]) {
            Some((key, colon)) => self.open_entry(start + column, column, key, colon),
            None => match item {
                Some(index) => self.read_value(index, start + column, end),
                None => self.continue_value(start + column, column, end),
            },
        }
    }

    fn open_item(&mut self, start: usize, column: usize) -> usize {
        while let Some(&top) = self.stack.last() {
            let node = &self.outline.nodes[top];
            let holds = node.column < column
                || (node.column == column && node.kind == NodeKind::Entry && node.value.is_empty());
            if holds {
                break;
            }
            self.stack.pop();
        }
        let node = OutlineNode {
            kind: NodeKind::Item,
            notation: Notation::Block,
            parent: self.stack.last().copied(),
            column,
            start,
            key: start..start,
            value: start + 1..start + 1,
            end: start + 1,
            next: None,
        };
        let index = self.outline.push(node);
        self.stack.push(index);
        index
    }

    fn open_entry(&mut self, start: usize, column: usize, key: Range<usize>, colon: usize) {
        while self.stack.last().is_some_and(|top| self.outline.nodes[*top].column >= column) {
            self.stack.pop();
        }
        let after = start + colon + 1;
        let node = OutlineNode {
            kind: NodeKind::Entry,
            notation: Notation::Block,
            parent: self.stack.last().copied(),
            column,
            start,
            key: start + key.start..start + key.end,
            value: after..after,
            end: after,
            next: None,
        };
        let index = self.outline.push(node);
        self.stack.push(index);
        let end = self.line_end(after);
        let value = &self.text[after..end];
        let at = after + (value.len() - value.trim_start().len());
        self.read_value(index, at, end);
    }

    /// Reads what stands after a colon or a dash.
    fn read_value(&mut self, index: usize, at: usize, line_end: usize) {
        let rest = self.text[at..line_end].trim_end();
        if rest.is_empty() || rest.starts_with('#') {
            return;
        }
        let words = rest.split_whitespace().skip_while(|word| word.starts_with(['!', '&']));
        let first = words.clone().next().unwrap_or_default();
        let range = match first.chars().next() {
            Some('|' | '>') => self.read_block(index, line_end),
            Some('[' | '{') => {
                let open = at + rest.find(first).unwrap_or_default();
                let limit = self.value_limit(index, line_end);
                let end = flow::read_flow(self.text, &mut self.outline, index, open..limit);
                self.skip_to(end);
                at..end
            }
            Some('"' | '\'') => {
                let limit = self.value_limit(index, line_end);
                let open = at + rest.find(first).unwrap_or_default();
                let end = flow::find_quote_end(self.text, open, limit).unwrap_or(at + rest.len());
                self.skip_to(end);
                at..end
            }
            _ => at..at + rest.find(" #").map_or(rest.len(), |cut| rest[..cut].trim_end().len()),
        };
        self.outline.nodes[index].value = range;
    }

    /// Consumes the lines of a block scalar and returns their place.
    fn read_block(&mut self, index: usize, line_end: usize) -> Range<usize> {
        let column = self.outline.nodes[index].column;
        let begin = (line_end + 1).min(self.text.len());
        let mut end = begin;
        while self.at < self.text.len() {
            let line_end = self.line_end(self.at);
            let line = &self.text[self.at..line_end];
            let trimmed = line.trim_start();
            if !trimmed.is_empty() {
                if line.len() - trimmed.len() <= column {
                    break;
                }
                end = line_end;
            }
            self.at = line_end + 1;
        }
        begin..end.max(begin)
    }

    /// The end of the last line that can belong to a value: those after the first are indented deeper than its node.
    fn value_limit(&self, index: usize, line_end: usize) -> usize {
        let column = self.outline.nodes[index].column;
        let mut end = line_end;
        while end < self.text.len() {
            let next = self.line_end(end + 1);
            let line = &self.text[end + 1..next];
            let trimmed = line.trim_start();
            if !trimmed.is_empty() && line.len() - trimmed.len() <= column {
                break;
            }
            end = next;
        }
        end
    }

    /// Goes on with the line after a value of several lines.
    fn skip_to(&mut self, end: usize) {
        if end > self.at {
            self.at = self.line_end(end) + 1;
        }
    }

    /// A line without a key goes on with the value before it.
    fn continue_value(&mut self, start: usize, column: usize, end: usize) {
        let Some(&top) = self.stack.last() else { return };
        let node = &mut self.outline.nodes[top];
        if node.column >= column {
            return;
        }
        if node.value.is_empty() {
            self.read_value(top, start, end);
        } else {
            node.value.end = node.value.end.max(end);
        }
    }
}

/// The place of a key at the beginning of a text, and that of its colon.
pub(super) fn find_key(rest: &str) -> Option<(Range<usize>, usize)> {
    if let Some(quote) = rest.chars().next().filter(|first| matches!(first, '"' | '\'')) {
        let close = rest[1..].find(quote)? + 1;
        let colon = close + 1;
        let after = rest[colon..].strip_prefix(':')?;
        return (after.is_empty() || after.starts_with([' ', '\t'])).then_some((1..close, colon));
    }
    if rest.starts_with(['[', '{', '#', '&', '*', '!', '|', '>', '%', '@', '`']) {
        return None;
    }
    let colon = rest.match_indices(':').map(|(at, _)| at).find(|at| {
        let after = &rest[at + 1..];
        after.is_empty() || after.starts_with([' ', '\t'])
    })?;
    let key = rest[..colon].trim_end();
    // A comment, or a template in front of a colon.
    (!key.is_empty() && !key.contains(" #") && !key.contains("{{")).then_some((0..key.len(), colon))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> Vec<(String, String, Option<usize>)> {
        let part = |range: &Range<usize>| text[range.clone()].to_owned();
        read_outline(text).nodes.iter().map(|node| (part(&node.key), part(&node.value), node.parent)).collect()
    }

    fn row(key: &str, value: &str, parent: Option<usize>) -> (String, String, Option<usize>) {
        (key.to_owned(), value.to_owned(), parent)
    }

    #[test]
    fn lists_may_stand_at_the_column_of_their_key() {
        let text = "- hosts: all # here\n  tasks:\n  - debug:\n      msg: x\n  - ping:\n";
        let expected = [
            row("", "", None),
            row("hosts", "all", Some(0)),
            row("tasks", "", Some(0)),
            row("", "", Some(2)),
            row("debug", "", Some(3)),
            row("msg", "x", Some(4)),
            row("", "", Some(2)),
            row("ping", "", Some(6)),
        ];
        assert_eq!(shape(text), expected);
    }

    #[test]
    fn scalars_of_several_lines_hide_what_is_in_them() {
        let text = "a: |\n  b: 1\n\n  c: 2\nd: \"x: 1\n  y: 2\"\ne: {f: [1, 'g: h'], i: }\nj: one\n  two\n";
        let found = shape(text);
        assert_eq!(found[0], row("a", "  b: 1\n\n  c: 2", None));
        assert_eq!(found[1], row("d", "\"x: 1\n  y: 2\"", None));
        assert_eq!(found[2], row("e", "{f: [1, 'g: h'], i: }", None));
        assert_eq!(found[3], row("f", "[1, 'g: h']", Some(2)));
        assert_eq!(found[6], row("i", "", Some(2)));
        assert_eq!(found[7], row("j", "one\n  two", None));
    }

    #[test]
    fn broken_text_is_read_as_far_as_it_goes() {
        for text in [
            "- {a: [",
            "a: \"b\n",
            "-",
            "- -",
            ":",
            ": x",
            "a:\n\t- b",
            "\"",
            "{{ a",
            "a: é\n- ü: [ö",
            "- \u{1f600}: '",
        ] {
            let outline = read_outline(text);
            assert!(outline.nodes.iter().all(|node| text.get(node.start..node.end).is_some()), "{text:?}");
        }
    }
}
