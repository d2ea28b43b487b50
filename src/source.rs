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
    edited: Option<Edited>,
}

/// Origin of a text that was repaired before it is read: places in messages are those of the text that the user has.
struct Edited {
    from: Arc<Source>,
    /// Offsets in this text and in the other, where unchanged parts begin; in order.
    parts: Vec<(usize, usize)>,
}

/// One replacement in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Replaced bytes.
    pub range: Range<usize>,
    /// New text.
    pub text: String,
}

impl Edit {
    /// Replaces a part.
    pub fn replace(range: Range<usize>, text: &str) -> Self {
        Self { range, text: text.to_owned() }
    }

    /// Leaves out a part.
    pub fn remove(range: Range<usize>) -> Self {
        Self::replace(range, "")
    }

    /// The same edit of a text that begins further ahead.
    #[must_use]
    pub fn shift_by(self, by: usize) -> Self {
        Self { range: self.range.start + by..self.range.end + by, ..self }
    }
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

    /// A text with edits, which must be in order and apart. Its places are shown as those of the text before.
    pub fn from_edits(from: &Arc<Self>, edits: &[Edit]) -> Arc<Self> {
        let old = from.text();
        let (mut text, mut parts, mut at) = (String::with_capacity(old.len()), Vec::new(), 0);
        for edit in edits {
            parts.push((text.len(), at));
            text.push_str(old.get(at..edit.range.start).unwrap_or_default());
            parts.push((text.len(), edit.range.start));
            text.push_str(&edit.text);
            at = edit.range.end;
        }
        parts.push((text.len(), at));
        text.push_str(old.get(at..).unwrap_or_default());
        let mut source = Self::read(from.name.clone(), text, from.sealed);
        source.secret = from.secret;
        source.edited = Some(Edited { from: Arc::clone(from), parts });
        Arc::new(source)
    }

    /// The offset of a place in the text that the user has.
    fn offset_before(&self, offset: usize) -> Option<(&Arc<Self>, usize)> {
        let edited = self.edited.as_ref()?;
        let index = edited.parts.partition_point(|(new, _)| *new <= offset).checked_sub(1)?;
        let (new, old) = edited.parts[index];
        // Text that an edit inserted has the place of the text that it replaced.
        let end = edited.parts.get(index + 1).map_or(usize::MAX, |(_, old)| *old);
        Some((&edited.from, (old + offset - new).min(end)))
    }

    /// The same source with a text that has the same places.
    pub fn with_text(&self, text: String) -> Arc<Self> {
        Arc::new(Self { secret: self.secret, ..Self::read(self.name.clone(), text, self.sealed) })
    }

    fn read(name: String, text: String, sealed: bool) -> Self {
        let line_starts = std::iter::once(0)
            .chain(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| clamp_offset(i + 1)))
            .collect();
        Self { name, text, line_starts, sealed, secret: false, edited: None }
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
        if let Some((before, offset)) = self.offset_before(offset) {
            return before.position(offset);
        }
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
        Span { source: Arc::clone(self), start: clamp_offset(range.start), end: clamp_offset(range.end) }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({}, {} bytes)", self.name, self.text.len())
    }
}

/// Texts are limited to 4 GiB long before this point, so the clamp is never seen.
fn clamp_offset(offset: usize) -> u32 {
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

    /// The same place in the text that the user has, if this one was repaired.
    #[must_use]
    pub fn to_original(&self) -> Self {
        let (start, end) = (self.range().start, self.range().end);
        match (self.source.offset_before(start), self.source.offset_before(end)) {
            (Some((before, start)), Some((_, end))) => before.span(start..end.max(start)).to_original(),
            _ => self.clone(),
        }
    }

    /// A part of this span, given in bytes from its beginning; never reaches past its end.
    pub fn sub_span(&self, range: Range<usize>) -> Self {
        let at = |offset: usize| clamp_offset(self.start as usize + offset).min(self.end);
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
    fn places_of_an_edited_text_are_those_before() {
        let source = Source::new("f.yml", "1 a: x\n2 b: &amp;\n");
        let edits = [Edit::remove(0..2), Edit::remove(7..9), Edit::replace(12..17, "&")];
        let edited = Source::from_edits(&source, &edits);
        assert_eq!(edited.text(), "a: x\nb: &\n");
        assert_eq!(edited.span(0..1).to_string(), "f.yml:1:3");
        assert_eq!(edited.span(5..6).to_string(), "f.yml:2:3");
        assert_eq!(edited.span(8..9).to_string(), "f.yml:2:6");
        assert_eq!(edited.span(5..6).to_original().text(), "b");
    }

    #[test]
    fn a_part_stays_inside() {
        let source = Source::new("f.yml", "one two three");
        let two = source.span(4..7);
        assert_eq!(two.text(), "two");
        assert_eq!(two.sub_span(1..99).text(), "wo");
        assert_eq!(two.to_string(), "f.yml:1:5");
    }
}
