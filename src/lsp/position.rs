//! Positions of the protocol: lines and columns from 0, columns in units that client and server agree on.

use std::ops::Range;

use lsp_types::{ClientCapabilities, Position, PositionEncodingKind};

/// Unit in which columns are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColumnUnit {
    /// Bytes of UTF-8; used where the client offers it.
    Utf8,
    /// Code units of UTF-16; the default of the protocol.
    #[default]
    Utf16,
}

impl ColumnUnit {
    /// Returns the unit to use with a client: UTF-8 where it is offered, as texts are kept so.
    pub fn choose_unit(client: &ClientCapabilities) -> Self {
        let offered = client.general.as_ref().and_then(|general| general.position_encodings.as_deref());
        let takes_bytes = offered.unwrap_or_default().contains(&PositionEncodingKind::UTF8);
        if takes_bytes { Self::Utf8 } else { Self::Utf16 }
    }

    /// Returns the name in the protocol.
    pub fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    fn count_units(self, text: &str) -> usize {
        match self {
            Self::Utf8 => text.len(),
            Self::Utf16 => text.encode_utf16().count(),
        }
    }
}

/// Where the lines of a text begin.
#[derive(Debug, Clone)]
pub struct LineIndex {
    starts: Vec<usize>,
}

impl LineIndex {
    /// Finds the lines of a text.
    pub fn new(text: &str) -> Self {
        Self { starts: std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect() }
    }

    /// Returns the number of the line that an offset lies in, from 0.
    pub fn line_of(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// Returns the bytes of a line without its line break; past the last line, the end of the text.
    pub fn line_range(&self, text: &str, line: usize) -> Range<usize> {
        let Some(start) = self.starts.get(line).copied() else { return text.len()..text.len() };
        let end = self.starts.get(line + 1).map_or(text.len(), |next| next - 1);
        let end = if text[start..end].ends_with('\r') { end - 1 } else { end };
        start..end
    }

    /// Returns the byte offset of a position; past the end of a line counts as its end.
    pub fn offset(&self, text: &str, position: Position, unit: ColumnUnit) -> usize {
        let range = self.line_range(text, position.line as usize);
        let mut left = position.character as usize;
        for (at, character) in text[range.clone()].char_indices() {
            let width = match unit {
                ColumnUnit::Utf8 => character.len_utf8(),
                ColumnUnit::Utf16 => character.len_utf16(),
            };
            if left < width {
                return range.start + at;
            }
            left -= width;
        }
        range.end
    }

    /// Returns the position of a byte offset.
    pub fn position(&self, text: &str, offset: usize, unit: ColumnUnit) -> Position {
        let line = self.line_of(offset);
        let start = self.starts.get(line).copied().unwrap_or_default();
        let before = text.get(start..offset.min(text.len())).unwrap_or_default();
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Position { line: number(line), character: number(unit.count_units(before)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_in_the_agreed_unit() {
        let text = "a: 😀é x\nb";
        let index = LineIndex::new(text);
        let x = text.find('x').unwrap();
        assert_eq!(index.position(text, x, ColumnUnit::Utf16), Position { line: 0, character: 7 });
        assert_eq!(index.position(text, x, ColumnUnit::Utf8), Position { line: 0, character: 10 });
        assert_eq!(index.offset(text, Position { line: 0, character: 7 }, ColumnUnit::Utf16), x);
        assert_eq!(index.offset(text, Position { line: 0, character: 99 }, ColumnUnit::Utf16), x + 1);
        assert_eq!(index.offset(text, Position { line: 9, character: 9 }, ColumnUnit::Utf8), text.len());
        assert_eq!(index.offset(text, Position { line: 0, character: 4 }, ColumnUnit::Utf16), 3, "inside of a pair");
    }
}
