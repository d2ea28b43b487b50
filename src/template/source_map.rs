//! From offsets in a template to places in a file.

use std::sync::{Arc, OnceLock};

use super::ast::At;
use crate::source::Span;
use crate::value::{Text, has_template_markers};

/// Where a template stands.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    origin: Option<Span>,
    /// The file has the template's text letter by letter (no YAML escapes or folding), so offsets carry over.
    exact: bool,
    /// The text, where it is not letter by letter, and then the place of each of its bytes.
    text: Arc<str>,
    places: Arc<OnceLock<Option<Vec<usize>>>>,
    /// Text in quotes may be a template itself, as in conditions.
    literals: bool,
}

impl SourceMap {
    /// The place of a text.
    pub fn from_text(text: &Text) -> Self {
        let Some(origin) = text.origin() else { return Self::default() };
        let written = origin.text();
        let mut found = written.match_indices(text.as_str()).map(|(at, _)| at);
        match (found.next(), found.next()) {
            // The only place in it, as between quotes or behind `name=`.
            (Some(at), None) => {
                let origin =
                    if written.len() == text.len() { origin.clone() } else { origin.sub_span(at..at + text.len()) };
                Self { origin: Some(origin), exact: true, ..Self::default() }
            }
            _ => Self { origin: Some(origin.clone()), text: text.shared(), ..Self::default() },
        }
    }

    /// The place of a condition: text in quotes in it may be a template itself.
    pub fn of_condition(text: &Text) -> Self {
        Self { literals: true, ..Self::from_text(text) }
    }

    /// Text in quotes as a template, if it is one here.
    pub fn literal_template(&self, text: &Text, at: &At) -> Option<Text> {
        if !self.literals || !has_template_markers(text) {
            return None;
        }
        Some(Text::from_source(text.shared(), self.span(at)?))
    }

    /// Text in quotes that a lookup will take for a template.
    pub fn quoted_template(&self, text: &Text, at: &At) -> Option<Text> {
        if has_template_markers(text) { Some(Text::from_quoted(text.shared(), self.span(at)?)) } else { None }
    }

    /// The place of a part.
    pub fn span(&self, at: &At) -> Option<Span> {
        let origin = self.origin.as_ref()?;
        if self.exact {
            return Some(origin.sub_span(at.clone()));
        }
        let places = self.places.get_or_init(|| align_offsets(&self.text, origin));
        let part = places.as_ref().and_then(|places| {
            let last = at.end.checked_sub(1).filter(|last| *last >= at.start);
            let start = *places.get(at.start)?;
            let end = last.and_then(|last| places.get(last)).map_or(start, |last| last + 1);
            Some(start..end.max(start))
        });
        Some(part.map_or_else(|| origin.clone(), |part| origin.sub_span(part)))
    }

    /// The folder that the template's file is in.
    pub fn folder(&self) -> Option<std::path::PathBuf> {
        let name = self.origin.as_ref()?.source().name().to_owned();
        std::path::Path::new(&name).parent().map(std::path::Path::to_path_buf)
    }
}

/// Where each byte of a scalar's text stands in the scalar as it is written: blocks have indentation, lines are folded,
/// quoted text has escapes. `None` if one is not made of the other.
fn align_offsets(text: &str, origin: &Span) -> Option<Vec<usize>> {
    let written = origin.text();
    let before = origin.source().text().get(..origin.range().start).and_then(|before| before.chars().next_back());
    let first = written.chars().next()?;
    let is_quote = |c: &char| matches!(c, '"' | '\'');
    // The quotes may stand around the span.
    let outside = before.filter(is_quote).filter(|_| !is_quote(&first));
    let style = outside.unwrap_or(first);
    let mut at = match style {
        '"' | '\'' => usize::from(outside.is_none()),
        // The header of a block ends with its line.
        '|' | '>' => written.find('\n')? + 1,
        _ => 0,
    };
    let mut places = Vec::with_capacity(text.len());
    for c in text.chars() {
        let length = loop {
            let rest = written.get(at..)?;
            // Breaks that only a block keeps may be missing at its end.
            let Some(found) = rest.chars().next() else { return (c == '\n').then_some(places) };
            match decode_escape(style, rest) {
                Some((None, length)) => at += length,
                Some((Some(meant), length)) if meant == c => break length,
                Some(_) => return None,
                None if found == c => break found.len_utf8(),
                // A fold stands for a blank.
                None if c == ' ' && found == '\n' => break 1,
                None if found.is_whitespace() => at += found.len_utf8(),
                None => return None,
            }
        };
        places.extend(std::iter::repeat_n(at, c.len_utf8()));
        at += length;
    }
    Some(places)
}

/// Decodes an escape at the beginning of the rest of a quoted text: its character and length; an escaped line break is nothing.
fn decode_escape(style: char, rest: &str) -> Option<(Option<char>, usize)> {
    if style == '\'' {
        return rest.starts_with("''").then_some((Some('\''), 2));
    }
    let escaped = rest.strip_prefix('\\').filter(|_| style == '"')?;
    let c = escaped.chars().next()?;
    let hex = |digits: usize| {
        let code = escaped.get(1..=digits).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        (Some(code.and_then(char::from_u32).unwrap_or('\0')), digits + 2)
    };
    Some(match c {
        '\n' => (None, 2 + escaped[1..].len() - escaped[1..].trim_start_matches([' ', '\t']).len()),
        'x' => hex(2),
        'u' => hex(4),
        'U' => hex(8),
        other => {
            let known = ("0abtnvfre_NLP", "\0\u{7}\u{8}\t\n\u{b}\u{c}\r\u{1b}\u{a0}\u{85}\u{2028}\u{2029}");
            let meant = known.0.chars().zip(known.1.chars()).find(|(name, _)| *name == other);
            (Some(meant.map_or(other, |(_, meant)| meant)), 1 + other.len_utf8())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    /// The part of what is written that a part of the text comes from.
    #[track_caller]
    fn case(written: &str, text: &str, part: &str, expected: &str, line_and_column: (usize, usize)) {
        let source = Source::new("f", written);
        let place = SourceMap::from_text(&Text::from_source(text, source.span(0..written.len())));
        let start = text.find(part).unwrap();
        let span = place.span(&(start..start + part.len())).unwrap();
        let (line, column) = line_and_column;
        assert_eq!((span.text(), span.to_string()), (expected, format!("f:{line}:{column}")));
    }

    #[test]
    fn parts_are_found_in_every_scalar_style() {
        case("{{ a }}", "{{ a }}", "a", "a", (1, 4));
        case("\"{{ a }}\"", "{{ a }}", "a", "a", (1, 5));
        case("msg={{ bad }}", "{{ bad }}", "bad", "bad", (1, 8));
        case("|\n    one\n    {{ bad }}\n", "one\n{{ bad }}\n", "bad", "bad", (3, 8));
        case(">-\n  one\n  {{ bad }}\n", "one {{ bad }}", "bad", "bad", (3, 6));
        case("'it''s {{ bad }}'", "it's {{ bad }}", "bad", "bad", (1, 11));
        case(r#""a\n\u00e9 {{ bad }}""#, "a\né {{ bad }}", "bad", "bad", (1, 15));
        case("one\n  two {{ bad }}", "one two {{ bad }}", "bad", "bad", (2, 10));
        case("\"a \\\n   b {{ bad }}\"", "a b {{ bad }}", "bad", "bad", (2, 9));
    }

    #[test]
    fn quotes_around_a_scalar_are_skipped() {
        let source = Source::new("f", r#"x: "a\tb {{ bad }}""#);
        let place = SourceMap::from_text(&Text::from_source("a\tb {{ bad }}", source.span(4..18)));
        assert_eq!(place.span(&(7..10)).unwrap().to_string(), "f:1:13");
    }

    #[test]
    fn other_texts_have_the_place_of_the_whole() {
        case("abc", "xyz", "y", "abc", (1, 1));
    }
}
