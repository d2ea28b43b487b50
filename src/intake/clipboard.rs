//! What a clipboard, a mail or a web page does to a text, taken back where it cannot be mistaken.
//!
//! Each repair looks for one kind of damage in the whole text and gives the edits that undo it. They are tried only on a
//! text that cannot be read as it stands; places in messages stay those of the text that the user has.

mod entities;
mod html;
mod prefixes;

use std::ops::Range;
use std::sync::Arc;

pub use entities::first_entity;
pub use html::is_html;

use crate::source::{Edit, Source};

/// A text after its repairs.
pub struct Repaired {
    /// The text, whose places are those of the damaged one.
    pub source: Arc<Source>,
    /// Descriptions of what was removed or replaced, one phrase each.
    pub repairs: Vec<String>,
}

/// One kind of damage: the edits that undo it, and a phrase for it.
type Repair = fn(&str) -> Option<(Vec<Edit>, String)>;

/// In this order: what stands round a text hides what is in it.
const REPAIRS: &[Repair] = &[
    html::take_preformatted,
    replace_line_separators,
    prefixes::remove_quote_marks,
    prefixes::remove_diff_marks,
    prefixes::remove_line_numbers,
    prefixes::remove_prompts,
    prefixes::remove_list_mark,
    prefixes::remove_commands,
    remove_label,
    remove_fences,
    html::remove_line_breaks,
    entities::decode_entities,
    replace_blanks,
];

/// Undoes all damage that is found; `None` if there is none.
pub fn repair_source(source: &Arc<Source>) -> Option<Repaired> {
    let mut repaired = Repaired { source: Arc::clone(source), repairs: Vec::new() };
    for find in REPAIRS {
        if let Some((edits, phrase)) = find(repaired.source.text()) {
            repaired.source = Source::from_edits(&repaired.source, &edits);
            repaired.repairs.push(phrase);
        }
    }
    (!repaired.repairs.is_empty()).then_some(repaired)
}

/// Removes a byte order mark, which says nothing in UTF-8.
pub fn without_mark(source: &Arc<Source>) -> Arc<Source> {
    match source.text().starts_with('\u{feff}') {
        true => Source::from_edits(source, &[Edit::remove(0..'\u{feff}'.len_utf8())]),
        false => Arc::clone(source),
    }
}

/// Whether a text that can be read means something else than its author sees: lines that begin with another blank than
/// the space, and values that begin with a character of HTML.
pub fn is_deceptive(text: &str) -> bool {
    let odd_start = |line: &str| line.starts_with(is_odd_blank);
    text.lines().any(|line| odd_start(line) || entities::begins_value(line))
}

/// Blanks that look like a space and are none in YAML.
pub fn is_odd_blank(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

/// The lines of a text with their ranges, without line breaks.
fn line_ranges(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        let content = line.trim_end_matches(['\n', '\r']);
        (start..start + content.len(), content)
    })
}

/// Lines that hold something.
fn filled_lines(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    line_ranges(text).filter(|(_, line)| !line.trim().is_empty())
}

/// Line breaks of word processors and of old systems.
fn replace_line_separators(text: &str) -> Option<(Vec<Edit>, String)> {
    let odd = text.match_indices(['\u{2028}', '\u{2029}', '\u{85}']);
    let edits: Vec<Edit> = odd.map(|(at, found)| Edit::replace(at..at + found.len(), "\n")).collect();
    (!edits.is_empty()).then(|| (edits, "line separators (U+2028), read as line breaks".to_owned()))
}

/// Blanks of other kinds in the indentation, and after dashes and colons.
fn replace_blanks(text: &str) -> Option<(Vec<Edit>, String)> {
    let mut edits = Vec::new();
    for (range, line) in line_ranges(text) {
        let mut structural = true;
        let mut before = ' ';
        for (at, c) in line.char_indices() {
            if is_odd_blank(c) && (structural || matches!(before, ':' | '-')) {
                let from = range.start + at;
                edits.push(Edit::replace(from..from + c.len_utf8(), " "));
            } else {
                structural &= c == ' ' || c == '-' && before == ' ';
                before = c;
            }
        }
    }
    let (first, count) = (edits.first()?, edits.len());
    let code = text[first.range.clone()].chars().next().map_or(0, u32::from);
    let name = if code == 0xa0 { "no-break spaces (U+00A0)".to_owned() } else { format!("blanks U+{code:04X}") };
    Some((edits, format!("{count} {name} in the indentation, read as spaces")))
}

/// The word that pages show above a block: its language, its file, or the button that copies it.
fn remove_label(text: &str) -> Option<(Vec<Edit>, String)> {
    let mut filled = filled_lines(text);
    let (range, line) = filled.next()?;
    let word = line.trim().to_lowercase();
    let known = ["yaml", "yml", "ansible", "playbook", "copy", "copy code", "yaml copy", "yamlcopy", "yaml copy code"];
    let (_, next) = filled.next()?;
    let begins = next.trim_start().starts_with("- ")
        || next.contains(": ")
        || next.trim_end().ends_with(':')
        || next.trim() == "---";
    let file = word.trim_end_matches(':').trim_matches(['`', '*', '#', ' ']);
    let is_file = (file.ends_with(".yml") || file.ends_with(".yaml")) && !file.contains([' ', ':']);
    ((known.contains(&word.as_str()) || is_file) && begins)
        .then(|| (vec![Edit::remove(range)], format!("the label `{}` above the block", line.trim())))
}

/// Fences of a Markdown page round a text that is not a page, or at one of its ends.
fn remove_fences(text: &str) -> Option<(Vec<Edit>, String)> {
    let is_fence = |line: &str| {
        let line = line.trim();
        let marks = line.trim_start_matches('`').len().min(line.trim_start_matches('~').len());
        line.len() - marks >= 3 && !line[line.len() - marks..].contains(['`', ' '])
    };
    let fences: Vec<Range<usize>> =
        filled_lines(text).filter(|(_, line)| is_fence(line)).map(|(range, _)| range).collect();
    let first = filled_lines(text).next()?.0;
    let last = filled_lines(text).last()?.0;
    let outer = fences.iter().all(|fence| *fence == first || *fence == last);
    (!fences.is_empty() && outer).then(|| {
        let phrase = if fences.len() == 1 { "a Markdown fence" } else { "the Markdown fences" };
        (fences.into_iter().map(Edit::remove).collect(), phrase.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(damaged: &str, text: &str, phrase: &str) {
        let repaired = repair_source(&Source::new("x.yml", damaged)).expect("damage");
        assert_eq!(repaired.source.text(), text);
        assert!(repaired.repairs.iter().any(|found| found.contains(phrase)), "{:?}", repaired.repairs);
    }

    #[test]
    fn damage_is_taken_back() {
        case("```yaml\na: 1\n```\n", "\na: 1\n\n", "Markdown fences");
        case("a: 1\n```\n", "a: 1\n\n", "a Markdown fence");
        case("yaml\na: 1\n", "\na: 1\n", "label `yaml`");
        case("token.yml:\n\n- a: 1\n", "\n\n- a: 1\n", "label `token.yml:`");
        case("Copy\n- a: 1\n", "\n- a: 1\n", "label `Copy`");
        case("a:\n\u{a0} b:\u{a0}1\n", "a:\n  b: 1\n", "no-break spaces");
        case("> a: 1\n>\n>   b: 2\n", "a: 1\n\n  b: 2\n", "quote marks");
        case("* - a: 1\n    b: 2\n", "- a: 1\n  b: 2\n", "list mark `*`");
        case("• - a: 1\n    b: 2\n", "- a: 1\n  b: 2\n", "list mark `•`");
        case("1. - a: 1\n     b: 2\n", "- a: 1\n  b: 2\n", "list mark `1.`");
        case("- - a: 1\n    b: 2\n", "- a: 1\n  b: 2\n", "list mark `-`");
        case(" 9 a:\n10   b: 1\n", "a:\n  b: 1\n", "line numbers");
        case("1. a:\n2.   b: 1\n3.\n", "a:\n  b: 1\n\n", "line numbers");
        case("1| a:\n2|   b: 1\n", "a:\n  b: 1\n", "line numbers");
        case("$ a:\n$   b: 1\n$\n", "a:\n  b: 1\n\n", "prompts");
        case("a:\u{2028}  b: 1\u{2028}", "a:\n  b: 1\n", "line separators");
        case("+a:\n+  b: 1\n", "a:\n  b: 1\n", "marks `+`");
        case("$ cat x.yml\na: 1\nme@web:~$\n", "\na: 1\n\n", "commands of a terminal");
        case("a: [&quot;b&quot;]\n", "a: [\"b\"]\n", "HTML entities");
        case(">>> a:\n...   b: 1\n...\n", "a:\n  b: 1\n\n", "prompts");
        case("a: &quot;b&quot;\nc: d\n&#x20;\n", "a: \"b\"\nc: d\n \n", "HTML entities");
        case("a:<br>\n  b: 1<br/>\n", "a:\n  b: 1\n", "`<br>`");
        case(
            "<html><body><pre><code class=\"x\">a:\n  b: &#39;&#39;\n</code></pre></body></html>",
            "a:\n  b: ''\n",
            "HTML page",
        );
    }

    #[test]
    fn sound_text_is_left_alone() {
        for text in ["a: 1\n", "- a: b\n  c: d\n", "a: |\n  ```\n  x\n  ```\n  y\n", "1: a\n3: b\n", "a: b & c\n"] {
            assert!(repair_source(&Source::new("x.yml", text)).is_none(), "{text}");
        }
    }

    #[test]
    fn places_are_those_of_the_damaged_text() {
        let repaired = repair_source(&Source::new("x.yml", "1. a:\n2.   bad: 1\n")).expect("damage");
        let at = repaired.source.text().find("bad").expect("the key");
        assert_eq!(repaired.source.span(at..at + 3).to_string(), "x.yml:2:6");
    }
}
