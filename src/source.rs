//! Texts with a name, and places in them.
//!
//! Everything that can be wrong in a user's file is reported with the place where it stands, so spans travel with
//! nodes and with text values from the moment a file is read. This module knows nothing of what the texts mean.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A text that the user gave us, with the name under which it is shown in messages.
pub struct Source {
    name: String,
    text: String,
    line_starts: Vec<u32>,
    sealed: bool,
    secret: bool,
}

impl Source {
    /// Takes a text under the name that messages will show (a path as the user wrote it, `<stdin>`, `-e`, ..).
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self::read(name.into(), text.into(), false))
    }

    /// A text that was vaulted: messages name places in it, and never show its lines.
    pub fn sealed(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self::read(name.into(), text.into(), true))
    }

    /// A text that was vaulted and whose values count as secrets (`mask_vault`).
    pub fn secret(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { secret: true, ..Self::read(name.into(), text.into(), true) })
    }

    /// Whether its values count as secrets.
    pub fn is_secret(&self) -> bool {
        self.secret
    }

    fn read(name: String, text: String, sealed: bool) -> Self {
        let line_starts = std::iter::once(0)
            .chain(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| clamp(i + 1)))
            .collect();
        Self { name, text, line_starts, sealed, secret: false }
    }

    /// Whether its lines must not be shown.
    pub fn is_sealed(&self) -> bool {
        self.sealed
    }

    /// The name shown in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column (both from 1, columns in characters) of a byte offset; past the end counts as the end.
    pub fn position(&self, offset: usize) -> Position {
        let offset = offset.min(self.text.len());
        let line = self.line_starts.partition_point(|start| *start as usize <= offset) - 1;
        let start = self.line_starts[line] as usize;
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count()) + 1;
        Position { line: line + 1, column }
    }

    /// The text of a line (from 1) without its line break; empty past the end.
    pub fn line(&self, line: usize) -> &str {
        let Some(start) = line.checked_sub(1).and_then(|i| self.line_starts.get(i)) else {
            return "";
        };
        self.text[*start as usize..].lines().next().unwrap_or("")
    }

    /// A span of this text, in bytes.
    pub fn span(self: &Arc<Self>, range: Range<usize>) -> Span {
        Span { source: Arc::clone(self), start: clamp(range.start), end: clamp(range.end) }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({}, {} bytes)", self.name, self.text.len())
    }
}

/// Texts are limited to 4 GiB long before this point, so the clamp is never seen.
fn clamp(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// A place for people: line and column, both counted from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// A range of bytes in a source.
#[derive(Clone)]
pub struct Span {
    source: Arc<Source>,
    start: u32,
    end: u32,
}

impl Span {
    /// The source that the span lies in.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// The byte range in the source's text.
    pub fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Where the span begins.
    pub fn position(&self) -> Position {
        self.source.position(self.start as usize)
    }

    /// The text that the span covers (empty where the range does not fall on characters).
    pub fn text(&self) -> &str {
        self.source.text().get(self.range()).unwrap_or("")
    }

    /// A part of this span, given in bytes from its beginning; never reaches past its end.
    pub fn part(&self, range: Range<usize>) -> Self {
        let at = |offset: usize| clamp(self.start as usize + offset).min(self.end);
        Self { source: Arc::clone(&self.source), start: at(range.start), end: at(range.end) }
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// `FILE:LINE:COLUMN`, as compilers write it.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position();
        write!(f, "{}:{line}:{column}", self.source.name())
    }
}

/// Two spans are the same place; used by tests and by "where was this said first".
impl PartialEq for Span {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.source, &other.source) && self.start == other.start && self.end == other.end
    }
}

impl Eq for Span {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let source = Source::new("f.yml", "a: é\nb: x\n");
        assert_eq!(source.position(0), Position { line: 1, column: 1 });
        assert_eq!(source.position("a: é".len()), Position { line: 1, column: 5 });
        assert_eq!(source.position("a: é\nb".len()), Position { line: 2, column: 2 });
        assert_eq!(source.position(10_000), Position { line: 3, column: 1 });
        assert_eq!(source.line(2), "b: x");
        assert_eq!(source.line(9), "");
    }

    #[test]
    fn a_part_stays_inside() {
        let source = Source::new("f.yml", "one two three");
        let two = source.span(4..7);
        assert_eq!(two.text(), "two");
        assert_eq!(two.part(1..99).text(), "wo");
        assert_eq!(two.to_string(), "f.yml:1:5");
    }
}
