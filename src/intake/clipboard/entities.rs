//! Characters as HTML writes them.

use std::ops::Range;

use crate::source::Edit;

/// Names that pages use in code.
const NAMED: &[(&str, &str)] =
    &[("quot", "\""), ("amp", "&"), ("lt", "<"), ("gt", ">"), ("apos", "'"), ("nbsp", "\u{a0}"), ("grave", "`")];

/// Replaces all entities by the characters that they stand for.
pub fn decode_entities(text: &str) -> Option<(Vec<Edit>, String)> {
    let mut edits = Vec::new();
    let mut from = 0;
    while let Some((range, character)) = next_entity(text, from) {
        from = range.end;
        edits.push(Edit::replace(range, &character));
    }
    let first = edits.first()?;
    let phrase =
        format!("HTML entities such as `{}`, read as the characters that they stand for", &text[first.range.clone()]);
    Some((edits, phrase))
}

/// Returns the place of the first entity of a text, such as `&quot;` or `&#x20;`.
pub fn first_entity(text: &str) -> Option<Range<usize>> {
    next_entity(text, 0).map(|(range, _)| range)
}

/// Whether the value of a line, or its first item, begins with an entity, which YAML takes for an anchor.
pub fn begins_value(line: &str) -> bool {
    let value = line.split_once(": ").map_or(line, |(_, value)| value).trim_start_matches(['-', ' ', '[', '{']);
    value.starts_with('&') && next_entity(value, 0).is_some_and(|(range, _)| range.start == 0)
}

fn next_entity(text: &str, from: usize) -> Option<(Range<usize>, String)> {
    text[from..].match_indices('&').find_map(|(at, _)| {
        let at = from + at;
        let rest = &text[at + 1..];
        let end = rest.bytes().take(10).position(|b| b == b';')?;
        let character = character_of(&rest[..end])?;
        Some((at..at + end + 2, character))
    })
}

/// The character that the name or number of an entity stands for.
fn character_of(name: &str) -> Option<String> {
    if let Some((_, character)) = NAMED.iter().find(|(known, _)| *known == name) {
        return Some((*character).to_owned());
    }
    let number = name.strip_prefix('#')?;
    let code = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => number.parse().ok()?,
    };
    char::from_u32(code).map(String::from)
}
