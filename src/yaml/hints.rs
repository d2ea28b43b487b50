//! What the user most likely meant when a text is not YAML.

use std::sync::Arc;

use granit_parser::ErrorKind;

use super::node::YamlNode;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::characters::{explain_odd_character, is_colon_like};
use crate::source::{Source, Span};

/// Turns an error of the parser into a message with the likely cause.
pub(super) fn explain_error(source: &Arc<Source>, offset: usize, kind: &ErrorKind) -> Diagnostic {
    let line = Line::at_offset(source, offset);
    if let Some(tab) = line.text.find('\t').filter(|tab| line.text[..*tab].trim_start_matches(['-', ' ']).is_empty()) {
        return Diagnostic::error("a tab in the indentation; YAML allows blanks only")
            .at(&line.span_in(source, tab..tab + 1), "this is a tab")
            .hint("replace the tab by blanks");
    }
    if let Some(found) = line.unquoted_template(source) {
        return found;
    }
    if let Some(found) = odd_characters(source, &line) {
        return found;
    }
    if let Some(found) = unclosed_flow(source, offset) {
        return found;
    }
    let at = source.span(offset..end_of_character(source.text(), offset));
    match kind {
        ErrorKind::MappingValueNotAllowed => second_colon(source, offset, &line)
            .unwrap_or_else(|| Diagnostic::error("a key is not possible here").at(&at, "").hint(INDENTATION)),
        ErrorKind::UnclosedQuotedScalar => Diagnostic::error("this quote is never closed")
            .at(&at, "it begins here")
            .hint("close it, or double it (`''`) or escape it (`\\\"`) where it is part of the text"),
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => {
            explain_trailing(source, offset, &line)
        }
        ErrorKind::UnknownQuotedScalarEscape => Diagnostic::error("an escape that YAML does not know in double quotes")
            .at(&at, "in this text")
            .hint("write `\\\\` for a backslash, or use single quotes, where a backslash is only itself"),
        ErrorKind::UnknownAnchor => Diagnostic::error("an alias of an anchor that was not given before")
            .at(&source.span(offset..line.word_end(offset)), "")
            .hint("text that begins with `*` must be in quotes"),
        ErrorKind::UnexpectedCharacter { character } => {
            Diagnostic::error(format!("text without quotes cannot begin with `{character}`"))
                .at(&at, "")
                .hint(format!("put the whole value in quotes{}", line.quoted_from(offset)))
        }
        ErrorKind::UnclosedFlowCollection { open } => {
            Diagnostic::error(format!("`{open}` is never closed")).at(&at, "").hint("close it, or quote the text")
        }
        ErrorKind::SimpleKeyExpected => Diagnostic::error("a key without a colon")
            .at(&source.span(offset..line.end_offset().max(offset)), "")
            .hint("write `key: value`; a value that continues on the next line must be indented"),
        ErrorKind::ExpectedBlockMappingKey | ErrorKind::InvalidIndentation => {
            Diagnostic::error("this line does not fit those before it").at(&at, "").hint(INDENTATION)
        }
        ErrorKind::ExpectedBlockSequenceEntry => {
            Diagnostic::error("this line is in a list but does not start an entry")
                .at(&at, "")
                .hint("entries of a list begin with `- `, all at the same depth")
        }
        ErrorKind::RecursionLimitExceeded => Diagnostic::error("values are nested too deeply").at(&at, ""),
        ErrorKind::MisplacedFlowCollectionEnd => stray_bracket(source, offset, &at),
        other => Diagnostic::error(format!("this is not YAML: {other}")).at(&at, ""),
    }
}

/// A character that only looks like one of YAML where that matters, in the line of the error or in the one before.
fn odd_characters(source: &Arc<Source>, line: &Line<'_>) -> Option<Diagnostic> {
    let before = line.start.checked_sub(1).map(|end| Line::at_offset(source, end));
    [Some(line), before.as_ref()].into_iter().flatten().find_map(|line| {
        // Within a text such characters are only text.
        let (at, odd) = line.text.char_indices().find(|(at, c)| {
            let before = line.text[..*at].trim_end();
            let after = &line.text[at + c.len_utf8()..];
            let ends_key = is_colon_like(*c) && (after.is_empty() || after.starts_with(' '));
            let matters = before.is_empty() || before.ends_with([':', '-']) || ends_key;
            matters && explain_odd_character(&c.to_string()).is_some()
        })?;
        let shown = if is_colon_like(odd) { line.text.trim() } else { line.text[at..].trim_end() };
        let remedy = explain_odd_character(shown)?;
        let place = line.span_in(source, at..at + odd.len_utf8());
        Some(Diagnostic::error("a character that only looks like one of YAML").at(&place, "").hint(remedy))
    })
}

/// A bracket that begins a value before the error and is never closed.
fn unclosed_flow(source: &Arc<Source>, offset: usize) -> Option<Diagnostic> {
    let before = source.text().get(..offset)?;
    let mut start = 0;
    for text in before.split_inclusive('\n') {
        let line = Line { text: text.trim_end(), start };
        start += text.len();
        let value = line.value_column();
        let rest = source.text().get(line.start + value..)?;
        let (open, close) = match rest.chars().next() {
            Some('[') => ('[', ']'),
            Some('{') if !rest.starts_with("{{") => ('{', '}'),
            _ => continue,
        };
        let (mut depth, mut quote) = (0usize, None);
        for c in rest.chars() {
            match quote {
                Some(mark) if c == mark => quote = None,
                Some(_) => {}
                None if matches!(c, '"' | '\'') => quote = Some(c),
                None if c == open => depth += 1,
                None if c == close => depth -= 1,
                None => {}
            }
            if depth == 0 {
                break;
            }
        }
        if depth > 0 && rest.contains('\n') {
            let place = source.span(line.start + value..line.start + value + 1);
            return Some(
                Diagnostic::error(format!("the bracket `{open}` is never closed"))
                    .at(&place, "it opens here")
                    .hint(format!("close it with `{close}`, or put the text in quotes")),
            );
        }
    }
    None
}

/// A bracket that closes nothing. Where a whole document ended before it, the words are those of Ansible.
fn stray_bracket(source: &Arc<Source>, offset: usize, at: &Span) -> Diagnostic {
    let text = source.text();
    let bracket = text[offset..].chars().next().unwrap_or('}');
    let fits = if bracket == ']' { '[' } else { '{' };
    let is_document = text[..offset].trim_start().starts_with(['{', '[']);
    let message = if is_document {
        format!("YAML parsing failed: Did not find expected <document start>, but `{bracket}`, which closes nothing")
    } else {
        format!("the bracket `{bracket}` closes nothing")
    };
    let hint = format!("remove it, or write the `{fits}` that it closes; a text that ends with it must be in quotes");
    Diagnostic::error(message).at(at, "this bracket").hint(hint)
}

const INDENTATION: &str = "check the indentation: what belongs together begins in the same column";

/// The complaint about a collection as the key of a mapping; two braces without quotes are the usual cause.
pub(super) fn key_is_collection(key: &YamlNode, source: &Arc<Source>, start: usize) -> Diagnostic {
    let line = Line::at_offset(source, start);
    if let Some(found) = line.unquoted_template(source) {
        return found;
    }
    Diagnostic::error(format!("{} cannot be the key of a mapping", key.description()))
        .at(key.span(), "")
        .hint("put it in quotes if text is meant")
}

/// The line that something stands in.
struct Line<'a> {
    text: &'a str,
    start: usize,
}

impl<'a> Line<'a> {
    fn at_offset(source: &'a Arc<Source>, offset: usize) -> Self {
        let text = source.text();
        let offset = offset.min(text.len());
        let before = text.get(..offset).unwrap_or("");
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = text.get(start..).unwrap_or("").lines().next().unwrap_or("");
        Self { text: line, start }
    }

    fn end_offset(&self) -> usize {
        self.start + self.text.len()
    }

    fn span_in(&self, source: &Arc<Source>, range: std::ops::Range<usize>) -> Span {
        source.span(self.start + range.start..self.start + range.end)
    }

    fn word_end(&self, offset: usize) -> usize {
        let from = offset - self.start.min(offset);
        let rest = self.text.get(from..).unwrap_or("");
        offset + rest.find(|c: char| c.is_whitespace() || c == ',').unwrap_or(rest.len())
    }

    /// Where the value of the line begins: after dashes and after a key.
    fn value_column(&self) -> usize {
        let mut at = self.text.len() - self.text.trim_start_matches(' ').len();
        while let Some(rest) = self.text[at..].strip_prefix("- ") {
            at = self.text.len() - rest.trim_start_matches(' ').len();
        }
        let rest = &self.text[at..];
        match rest.find(": ") {
            Some(colon) if !rest[..colon].contains(['{', '"', '\'', '#']) => {
                let value = rest[colon + 2..].trim_start_matches(' ');
                self.text.len() - value.len()
            }
            _ => at,
        }
    }

    /// The line with quotes around what stands from a column on, as a hint.
    fn quote_rest(&self, from: usize) -> Option<String> {
        let value = self.text.get(from..)?.trim_end();
        let value = value.find(" #").map_or(value, |comment| value[..comment].trim_end());
        if value.is_empty() {
            return None;
        }
        let quoted = match (value.contains('"') || value.contains('\\'), value.contains('\'')) {
            (false, _) => format!("\"{value}\""),
            (true, false) => format!("'{value}'"),
            (true, true) => format!("'{}'", value.replace('\'', "''")),
        };
        Some(format!("{}{quoted}", self.text[..from].trim_start()))
    }

    fn quoted_from(&self, offset: usize) -> String {
        let from = offset.saturating_sub(self.start);
        self.quote_rest(from).map(|line| format!(": `{line}`")).unwrap_or_default()
    }

    /// `key: {{ x }}`, for which YAML sees a mapping in a mapping.
    fn unquoted_template(&self, source: &Arc<Source>) -> Option<Diagnostic> {
        let at = self.value_column();
        let value = &self.text[at..];
        if !value.starts_with("{{") {
            return None;
        }
        let end = value.rfind("}}").map_or(value.len(), |close| close + 2);
        let error = Diagnostic::error("a value that begins with `{{` must be in quotes")
            .at(&self.span_in(source, at..at + end), "YAML takes this for a mapping");
        // A key that is a template itself is quoted up to its colon only, which no guess gets right.
        Some(match self.quote_rest(at) {
            Some(line) if !value[end..].trim_start().starts_with(':') => {
                error.hint(format!("quote the template: `{line}`"))
            }
            _ => error.hint("quote the template"),
        })
    }
}

/// `msg: this has: a colon`, or a key that is indented deeper than its siblings.
fn second_colon(source: &Arc<Source>, offset: usize, line: &Line<'_>) -> Option<Diagnostic> {
    let value = line.value_column();
    let colon = offset.checked_sub(line.start)?;
    let colon = line.text.get(colon..)?.find(':').map(|ahead| colon + ahead)?;
    let place = line.span_in(source, colon..colon + 1);
    if colon > value && value > 0 && line.text[..value].trim_end().ends_with(':') {
        let error = Diagnostic::error("a colon followed by a blank begins a value, so this text must be in quotes")
            .at(&place, "this colon");
        return Some(match line.quote_rest(value) {
            Some(fixed) => error.hint(format!("write `{fixed}`")),
            None => error,
        });
    }
    // The value of the line before goes on here, because this line is indented deeper than its key.
    let before = Line::at_offset(source, line.start.checked_sub(1)?);
    Some(
        Diagnostic::error("this key continues the value of the line before")
            .at(&place, "")
            .at(&before.span_in(source, before.value_column()..before.text.len()), "the value that continues")
            .hint(INDENTATION),
    )
}

/// `"foo" in bar`: text goes on after a closing quote.
fn explain_trailing(source: &Arc<Source>, offset: usize, line: &Line<'_>) -> Diagnostic {
    let at = source.span(offset..line.end_offset().max(end_of_character(source.text(), offset)));
    let error = Diagnostic::error("text continues after the closing quote").at(&at, "");
    let value = line.value_column();
    match line.quote_rest(value).filter(|_| line.text[value..].starts_with(['"', '\''])) {
        Some(fixed) => error.hint(format!("quote the whole value: `{fixed}`")),
        None => error.hint("quote the whole value"),
    }
}

/// The end of the character at an offset, so that a caret has a width.
fn end_of_character(text: &str, offset: usize) -> usize {
    let width = text.get(offset..).and_then(|rest| rest.chars().next());
    offset + width.filter(|c| *c != '\n').map_or(0, char::len_utf8)
}
