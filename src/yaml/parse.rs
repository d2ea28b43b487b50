//! From text to events. The only user of the YAML parser, so that another one could take its place.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use granit_parser::{Event as Raw, Parser, ScalarStyle, StrInput};

use super::hints;
use crate::diagnostic::Diagnostic;
use crate::source::Source;

/// Sources beyond this are refused; offsets fit 32 bits with much to spare.
pub(super) const MAX_BYTES: usize = 256 * 1024 * 1024;

/// Collections within collections; what is deeper was made by a machine to do harm.
const MAX_DEPTH: usize = 128;

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScalarForm {
    /// Without quotes: may be a number, a boolean, ..
    Plain,
    /// In quotes or as a block: always text.
    Text,
}

/// One event of the document.
#[derive(Debug)]
pub(super) enum YamlEvent<'a> {
    DocumentStart,
    DocumentEnd,
    Scalar(Cow<'a, str>, ScalarForm),
    ListStart,
    ListEnd,
    MapStart,
    MapEnd,
    Alias(usize),
    End,
}

/// An event with its place and what was said before it.
#[derive(Debug)]
pub(super) struct PlacedEvent<'a> {
    pub event: YamlEvent<'a>,
    /// In bytes of the whole source. Of quoted text it is the inside of the quotes, of a block scalar the place from
    /// its first character on, of a collection its first character.
    pub range: Range<usize>,
    /// The whole tag, prefixes resolved, and where it stands.
    pub tag: Option<(String, Range<usize>)>,
    /// The number of the anchor that stands before it, 0 for none.
    pub anchor: usize,
}

/// The events of a part of a source.
pub(super) struct Events<'a> {
    parser: Parser<'a, StrInput<'a>>,
    source: &'a Arc<Source>,
    base: usize,
    end: usize,
    /// The collections that are open: where each begins, and whether it is written in brackets.
    open: Vec<(usize, bool)>,
}

impl<'a> Events<'a> {
    pub fn new(source: &'a Arc<Source>, range: Range<usize>) -> Self {
        let mut options = granit_parser::options! {
            block_scalar_eof_without_line_feed: true,
            flow_nesting_limit: MAX_DEPTH,
            block_nesting_limit: MAX_DEPTH,
        };
        options.set_emit_comments(false);
        let text = source.text().get(range.clone()).unwrap_or("");
        let parser = Parser::new_from_str_with_options(text, options);
        Self { parser, source, base: range.start, end: range.start + text.len(), open: Vec::new() }
    }

    /// Where the outermost collection in brackets begins that is open.
    pub fn open_brackets(&self) -> Option<usize> {
        self.open.iter().find(|(_, brackets)| *brackets).map(|(start, _)| *start)
    }

    fn begin_collection(&mut self, start: usize) {
        self.open.push((start, matches!(self.source.text().as_bytes().get(start), Some(b'[' | b'{'))));
    }

    pub fn next(&mut self) -> Result<PlacedEvent<'a>, Diagnostic> {
        loop {
            let (raw, span) = match self.parser.next_event() {
                None => return Ok(self.new_item(YamlEvent::End, self.end..self.end)),
                Some(Err(error)) => {
                    let at = self.base + error.marker().byte_offset().unwrap_or(self.end - self.base);
                    return Err(hints::explain_error(self.source, at.min(self.end), error.kind()));
                }
                Some(Ok(event)) => event,
            };
            let range = span.byte_range().unwrap_or(0..0);
            let range = self.base + range.start..self.base + range.end;
            let base = self.base;
            let tagged = |tag: Option<Cow<'_, granit_parser::Tag>>| {
                let tag = tag?;
                let place = span.tag_span().and_then(|at| at.byte_range()).unwrap_or(0..0);
                Some((format!("{}{}", tag.handle(), tag.suffix()), base + place.start..base + place.end))
            };
            return Ok(match raw {
                Raw::StreamStart | Raw::Comment(..) | Raw::Anchor(..) | Raw::UnresolvedAlias(_) => continue,
                Raw::StreamEnd => self.new_item(YamlEvent::End, range),
                Raw::DocumentStart(..) => self.new_item(YamlEvent::DocumentStart, range),
                Raw::DocumentEnd => self.new_item(YamlEvent::DocumentEnd, range),
                Raw::SequenceEnd => {
                    self.open.pop();
                    self.new_item(YamlEvent::ListEnd, range)
                }
                Raw::MappingEnd => {
                    self.open.pop();
                    self.new_item(YamlEvent::MapEnd, range)
                }
                Raw::Alias(id) => self.new_item(YamlEvent::Alias(id), range),
                Raw::SequenceStart(_, anchor, tag) => {
                    self.begin_collection(range.start);
                    PlacedEvent { event: YamlEvent::ListStart, range, tag: tagged(tag), anchor }
                }
                Raw::MappingStart(_, anchor, tag) => {
                    self.begin_collection(range.start);
                    PlacedEvent { event: YamlEvent::MapStart, range, tag: tagged(tag), anchor }
                }
                Raw::Scalar(text, style, anchor, tag) => {
                    let tag = tagged(tag);
                    let (event, range) = read_scalar(text, style, range);
                    PlacedEvent { event, range, tag, anchor }
                }
                _ => continue,
            });
        }
    }

    fn new_item(&self, event: YamlEvent<'a>, range: Range<usize>) -> PlacedEvent<'a> {
        PlacedEvent { event, range, tag: None, anchor: 0 }
    }
}

/// A scalar, and the place of its content without quotes.
fn read_scalar(text: Cow<'_, str>, style: ScalarStyle, range: Range<usize>) -> (YamlEvent<'_>, Range<usize>) {
    let (range, style) = match style {
        ScalarStyle::Plain => (range, ScalarForm::Plain),
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted if range.len() >= 2 => {
            (range.start + 1..range.end - 1, ScalarForm::Text)
        }
        _ => (range, ScalarForm::Text),
    };
    // A value that is not there at all is spelt `~` by the parser, with nothing in the source.
    let absent = style == ScalarForm::Plain && range.is_empty();
    (YamlEvent::Scalar(if absent { Cow::Borrowed("") } else { text }, style), range)
}
