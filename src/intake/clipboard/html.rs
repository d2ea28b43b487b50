//! Tags of HTML round a text and in it.

use std::ops::Range;

use super::{entities, line_ranges};
use crate::source::Edit;

/// The preformatted part of an HTML page, if it has exactly one.
pub fn take_preformatted(text: &str) -> Option<(Vec<Edit>, String)> {
    if !is_html(text) {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let mut parts = lower.match_indices("<pre").map(|(at, _)| at);
    let (Some(open), None) = (parts.next(), parts.next()) else { return None };
    let start = open + lower[open..].find('>')? + 1;
    let end = lower[start..].find("</pre").map_or(text.len(), |at| start + at);
    let mut edits = vec![Edit::remove(0..start)];
    let mut from = 0;
    for tag in find_tags(&text[start..end]) {
        edits.extend(entity_edits(text, start + from..start + tag.start));
        let is_break = text[start + tag.start..start + tag.end].to_ascii_lowercase().starts_with("<br");
        let range = start + tag.start..start + tag.end;
        edits.push(if is_break { Edit::replace(range, "\n") } else { Edit::remove(range) });
        from = tag.end;
    }
    edits.extend(entity_edits(text, start + from..end));
    edits.push(Edit::remove(end..text.len()));
    Some((edits, "everything round the code of an HTML page".to_owned()))
}

/// Whether a text is HTML rather than YAML.
pub fn is_html(text: &str) -> bool {
    let start = text.trim_start().to_ascii_lowercase();
    ["<!doctype", "<html", "<pre", "<body", "<div", "<head", "<p>", "<code"].iter().any(|tag| start.starts_with(tag))
}

/// The entities of a part.
fn entity_edits(text: &str, part: Range<usize>) -> Vec<Edit> {
    let edits = entities::decode_entities(&text[part.clone()]).map(|(edits, _)| edits).unwrap_or_default();
    edits.into_iter().map(|edit| edit.shift_by(part.start)).collect()
}

fn find_tags(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.match_indices('<').filter_map(|(at, _)| {
        let rest = &text[at + 1..];
        let is_tag = rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
        let end = rest.find('>')?;
        (is_tag && !rest[..end].contains('\n')).then_some(at..at + end + 2)
    })
}

/// `<br>` at the ends of lines.
pub fn remove_line_breaks(text: &str) -> Option<(Vec<Edit>, String)> {
    let mut edits = Vec::new();
    for (range, line) in line_ranges(text) {
        let trimmed = line.trim_end();
        for tag in ["<br>", "<br/>", "<br />"] {
            if let Some(rest) = trimmed.strip_suffix(tag) {
                edits.push(Edit::remove(range.start + rest.len()..range.end));
            }
        }
    }
    (!edits.is_empty()).then(|| (edits, "`<br>` at the ends of lines".to_owned()))
}
