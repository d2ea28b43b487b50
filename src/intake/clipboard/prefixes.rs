//! What stands before every line: quote marks of mails, line numbers, prompts.

use std::ops::Range;

use super::{filled_lines, line_ranges};
use crate::source::Edit;

/// `> ` before every line, once or more often.
pub fn remove_quote_marks(text: &str) -> Option<(Vec<Edit>, String)> {
    let is_prompt = |line: &str| line.starts_with(">>> ") || line.trim() == ">>>";
    let mut edits = Vec::new();
    for (range, line) in filled_lines(text) {
        if !line.starts_with('>') || is_prompt(line) {
            return None;
        }
        edits.push(Edit::remove(range.start..range.start + quote_depth(line)));
    }
    (edits.len() > 1).then(|| (edits, "the quote marks `>` of a mail".to_owned()))
}

/// How long the quote marks of a line are, with one blank after each.
fn quote_depth(line: &str) -> usize {
    let mut rest = line;
    while let Some(after) = rest.strip_prefix('>') {
        rest = after.strip_prefix(' ').unwrap_or(after);
    }
    line.len() - rest.len()
}

/// Consecutive numbers before every line.
pub fn remove_line_numbers(text: &str) -> Option<(Vec<Edit>, String)> {
    let mut edits = Vec::new();
    let mut next: Option<u64> = None;
    for (range, line) in line_ranges(text) {
        if line.trim().is_empty() {
            // An empty line may have lost its number with the blanks at its end.
            next = next.map(|number| number + 1);
            continue;
        }
        let (number, length) = line_number(line)?;
        if next.is_some_and(|next| next != number && next != number + 1) {
            return None;
        }
        next = Some(number + 1);
        edits.push(Edit::remove(range.start..range.start + length));
    }
    (edits.len() > 1).then(|| (edits, "the line numbers".to_owned()))
}

/// The number that a line begins with, and how long it is with what separates it from the text.
fn line_number(line: &str) -> Option<(u64, usize)> {
    let start = line.len() - line.trim_start().len();
    let digits = line[start..].bytes().take_while(u8::is_ascii_digit).count();
    let number = line[start..start + digits].parse().ok()?;
    let rest = &line[start + digits..];
    let mark = ['.', ')', '|', '│', ':'].into_iter().find(|mark| rest.trim_start().starts_with(*mark));
    let after = match mark {
        // `1: text` is a mapping, `1:text` is none.
        Some(mark) => rest.trim_start().strip_prefix(mark)?,
        None => rest,
    };
    let text = after.strip_prefix([' ', '\t']).unwrap_or(after);
    let separated = after.is_empty() || after.len() != text.len();
    separated.then(|| (number, line.len() - text.len()))
}

/// Prompts of shells and interpreters, with those of their further lines.
const PROMPTS: &[(&str, &str)] =
    &[("$", "$"), ("$", ">"), ("%", "%"), ("❯", "❯"), ("➜", "➜"), (">>>", "..."), (">>>", ">>>")];

/// A prompt before every line.
pub fn remove_prompts(text: &str) -> Option<(Vec<Edit>, String)> {
    PROMPTS.iter().find_map(|(first, further)| {
        let mut edits = Vec::new();
        for (range, line) in filled_lines(text) {
            let prompt = if edits.is_empty() { first } else { further };
            edits.push(Edit::remove(prompt_range(range, line, prompt)?));
        }
        (edits.len() > 1).then(|| (edits, format!("the prompts `{first}`")))
    })
}

fn prompt_range(range: Range<usize>, line: &str, prompt: &str) -> Option<Range<usize>> {
    let after = line.strip_prefix(prompt)?;
    let text = after.strip_prefix(' ').unwrap_or(after);
    (after.is_empty() || after.len() != text.len()).then(|| range.start..range.start + line.len() - text.len())
}
