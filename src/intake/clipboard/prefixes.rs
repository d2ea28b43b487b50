//! Prefixes of every line: quote marks of mails, marks of a diff, line numbers, prompts; and the commands round a text.

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

/// The `+` of a diff before every line.
pub fn remove_diff_marks(text: &str) -> Option<(Vec<Edit>, String)> {
    let mut edits = Vec::new();
    for (range, line) in filled_lines(text) {
        line.strip_prefix('+')?;
        edits.push(Edit::remove(range.start..range.start + 1));
    }
    (edits.len() > 1).then(|| (edits, "the marks `+` of a diff".to_owned()))
}

/// The command that printed the text in a terminal, and the prompt after it.
pub fn remove_commands(text: &str) -> Option<(Vec<Edit>, String)> {
    let lines: Vec<_> = filled_lines(text).collect();
    let before = lines.iter().take_while(|(_, line)| is_command(line)).count();
    let after = lines.iter().rev().take_while(|(_, line)| is_command(line)).count();
    if before + after == 0 || before + after >= lines.len() {
        return None;
    }
    let shell = lines[..before].iter().chain(&lines[lines.len() - after..]);
    let edits = shell.map(|(range, _)| Edit::remove(range.clone())).collect();
    Some((edits, "the commands of a terminal round it".to_owned()))
}

/// Whether a line is a prompt of a shell, perhaps with a command: `$ cat a.yml`, `user@host:~/dir$ cat a.yml`.
fn is_command(line: &str) -> bool {
    let Some((before, after)) = line.split_once(['$', '%', '❯']) else { return false };
    let prompt = before.trim();
    let names_host =
        prompt.contains('@') && !prompt.contains([' ', '"', '\'']) || prompt.starts_with('[') && prompt.ends_with(']');
    (prompt.is_empty() || names_host) && (after.is_empty() || after.starts_with(' '))
}

/// The mark of a Markdown list before a block that is an item of it; further lines are indented below the mark.
pub fn remove_list_mark(text: &str) -> Option<(Vec<Edit>, String)> {
    let mut lines = filled_lines(text);
    let (first, line) = lines.next()?;
    let mark = list_mark(line)?;
    let mut edits = vec![Edit::remove(first.start..first.start + mark)];
    // Blanks are counted, because a mark may be a character of several bytes.
    let width = line[..mark].chars().count();
    for (range, line) in lines {
        let indentation = line.bytes().take_while(|byte| *byte == b' ').count();
        if indentation < width {
            return None;
        }
        edits.push(Edit::remove(range.start..range.start + width));
    }
    Some((edits, format!("the list mark `{}`", line[..mark].trim())))
}

/// How long the mark of a list is with the blanks round it, if a task or a mapping follows: `* `, `• `, `1. `.
fn list_mark(line: &str) -> Option<usize> {
    let text = line.trim_start();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let after = match digits {
        0 => text.strip_prefix(['*', '+', '•', '◦', '▪', '-'])?,
        _ => text[digits..].strip_prefix(['.', ')'])?,
    };
    let block = after.trim_start();
    let is_block = block.starts_with("- ") || (!text.starts_with('-') && block.contains(':'));
    (is_block && after.len() != block.len()).then(|| line.len() - block.len())
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
