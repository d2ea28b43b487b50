//! Tabs in front of lines inside `{}` and `[]`, which YAML allows and the parser does not.

use std::sync::Arc;

use crate::source::Source;

/// Returns the source with blanks in the place of the tabs with which the lines of a collection in brackets begin, so
/// that all places stay the same; `None` if there are none, or Ansible would refuse them, too.
///
/// The collection begins at an offset; it need not end.
pub(super) fn without_tabs(source: &Arc<Source>, start: usize) -> Option<Arc<Source>> {
    let before = &source.text()[..start];
    let line = &before[before.rfind('\n').map_or(0, |at| at + 1)..];
    // A tab is indentation where it stands no further in than the block around the brackets.
    let indent = if before.trim().is_empty() { 0 } else { line.len() - line.trim_start_matches([' ', '-']).len() + 1 };
    let mut text = source.text().as_bytes().to_vec();
    let (mut depth, mut quote, mut last, mut changed) = (0usize, None, b'[', false);
    let mut at = start;
    while at < text.len() {
        let byte = text[at];
        match (quote, byte) {
            (_, b'\n') => {
                let blanks = text[at + 1..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
                let begin = &mut text[at + 1..=at + blanks];
                if let Some(tab) = begin.iter().position(|byte| *byte == b'\t') {
                    // Text without quotes goes on in the next line, and there indentation counts.
                    let goes_on = quote.is_none() && !b",[]{}:'\"".contains(&last);
                    if goes_on && tab < indent {
                        return None;
                    }
                    begin.fill(b' ');
                    changed = true;
                }
                at += blanks;
            }
            (Some(b'"'), b'\\') => at += 1,
            (Some(open), byte) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') if b",[{:".contains(&last) => quote = Some(byte),
            (None, b'#') if text[at - 1].is_ascii_whitespace() => {
                at += text[at..].iter().position(|byte| *byte == b'\n').unwrap_or(text.len() - at) - 1;
            }
            (None, b'[' | b'{') => depth += 1,
            (None, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if !text.get(at).is_none_or(u8::is_ascii_whitespace) && byte != b'#' {
            last = byte;
        }
        if depth == 0 {
            break;
        }
        at += 1;
    }
    if changed { String::from_utf8(text).ok().map(|text| source.with_text(text)) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(text: &str, expected: Option<&str>) {
        let start = text.find(['{', '[']).unwrap();
        let found = without_tabs(&Source::new("t", text), start);
        assert_eq!(found.as_ref().map(|source| source.text()), expected, "{text:?}");
    }

    #[test]
    fn tabs_before_the_lines_of_a_collection_are_blanks() {
        case(
            "a: {\n\t\"b\": 1,\n \t# it's {\n\tc: ['x\n\ty']\n }\nd: |\n \tkept",
            Some("a: {\n \"b\": 1,\n  # it's {\n c: ['x\n y']\n }\nd: |\n \tkept"),
        );
        case("{\n\t\"b\": true\n\t}\n", Some("{\n \"b\": true\n }\n"));
        case("a: [1,\n2]", None);
    }

    #[test]
    fn a_tab_in_the_place_of_indentation_is_refused() {
        case("- a: {b: 1,\n\tc: 2\n\t}", None);
        case("a: [\n\tx\n\t]", None);
        case("a: [\n\tx,\n  \ty\n  \t]", Some("a: [\n x,\n   y\n   ]"));
    }
}
