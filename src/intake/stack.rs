//! Bare tasks stacked in one text, as documentation pages print them: where one ends and the next begins.
//!
//! To YAML such a text is one mapping with repeated keys, of which it keeps the last. So the text is cut before it is
//! parsed, at the lines where a top-level key cannot belong to the task above it any more.

use std::ops::Range;

/// Keys of a task that never name a module.
const KEYWORDS: &[&str] = &[
    "always",
    "any_errors_fatal",
    "args",
    "async",
    "become",
    "become_exe",
    "become_flags",
    "become_method",
    "become_user",
    "break_when",
    "changed_when",
    "check_mode",
    "collections",
    "connection",
    "debugger",
    "delay",
    "delegate_facts",
    "delegate_to",
    "diff",
    "environment",
    "failed_when",
    "ignore_errors",
    "ignore_unreachable",
    "listen",
    "loop",
    "loop_control",
    "module_defaults",
    "name",
    "no_log",
    "notify",
    "poll",
    "port",
    "register",
    "remote_user",
    "rescue",
    "retries",
    "run_once",
    "tags",
    "throttle",
    "timeout",
    "until",
    "vars",
    "when",
];

/// Whether a key is a keyword of tasks rather than a module.
pub(super) fn is_keyword(key: &str) -> bool {
    KEYWORDS.binary_search(&key).is_ok() || key.starts_with("with_")
}

/// Whether a key says what a task does.
pub(super) fn is_action(key: &str, is_module: &dyn Fn(&str) -> bool) -> bool {
    let dotted = key.split('.').count() > 2 && key.split('.').all(is_name);
    dotted || matches!(key, "action" | "local_action" | "block") || !is_keyword(key) && is_module(key)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// A key at the depth of the whole text.
struct TopKey<'a> {
    name: &'a str,
    /// Where its line begins.
    line: usize,
    /// Whether a blank line (or `---`) stands before it.
    paragraph: bool,
    /// Whether `---` stands before it.
    document: bool,
}

/// Where the pieces of a text lie; a single piece (or none) if the text is not a stack of mappings.
pub(super) fn split_pieces(text: &str, range: Range<usize>, is_module: &dyn Fn(&str) -> bool) -> Vec<Range<usize>> {
    let Some(keys) = top_keys(text, range.clone()) else { return vec![range] };
    let is_play = keys.iter().any(|key| key.name == "hosts");
    // The first key of each piece.
    let mut starts = vec![0];
    for (index, key) in keys.iter().enumerate() {
        let from = *starts.last().unwrap_or(&0);
        if index == from {
            continue;
        }
        let piece = &keys[from..index];
        let acts = |key: &TopKey<'_>| !is_play && is_action(key.name, is_module);
        let before = piece.iter().rposition(|other| other.name == key.name || acts(other) && acts(key));
        if key.document {
            starts.push(index);
        } else if let Some(before) = before {
            // The next task may begin before the key that gives it away: at the last blank line.
            let earliest = from + before + 1;
            let paragraph = (earliest..=index).rev().find(|at| keys[*at].paragraph);
            starts.push(paragraph.unwrap_or(index));
        }
    }
    let mut pieces: Vec<Range<usize>> = Vec::new();
    for (position, from) in starts.iter().enumerate() {
        let until = starts.get(position + 1).copied().unwrap_or(keys.len());
        let end = keys.get(until).map_or(range.end, |key| line_before(text, key));
        // Keywords alone are not a task: a key given twice by mistake stays where it is.
        let complete = keys[*from..until].iter().any(|key| !is_keyword(key.name));
        match pieces.last_mut() {
            Some(last) if !complete && !keys[*from].document => last.end = end,
            _ => {
                let start = if position == 0 { range.start } else { keys[*from].line };
                pieces.push(start..end);
            }
        }
    }
    pieces
}

/// The end of what stands before a key: `---` belongs to neither side.
fn line_before(text: &str, key: &TopKey<'_>) -> usize {
    if !key.document {
        return key.line;
    }
    text[..key.line].rfind("---").unwrap_or(key.line)
}

/// The keys of the mapping that a text is; `None` if it is anything else.
fn top_keys(text: &str, range: Range<usize>) -> Option<Vec<TopKey<'_>>> {
    let mut keys: Vec<TopKey<'_>> = Vec::new();
    let mut depth = None;
    let (mut paragraph, mut document) = (false, false);
    let mut at = range.start;
    for line in text.get(range)?.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let content = line.trim_start_matches([' ', '\u{feff}']);
        let indentation = line.len() - content.len();
        let content = content.trim_end();
        if content.is_empty() {
            paragraph = true;
            continue;
        }
        if content.starts_with('#') {
            continue;
        }
        if content.starts_with('%') && keys.is_empty() {
            return None;
        }
        if indentation == 0 && (content == "---" || content == "...") {
            paragraph = true;
            document = !keys.is_empty();
            continue;
        }
        let depth = *depth.get_or_insert(indentation);
        if indentation > depth {
            paragraph = false;
            continue;
        }
        // Entries of a list may stand at the depth of the key that they belong to.
        if content == "-" || content.starts_with("- ") {
            if keys.is_empty() || document {
                return None;
            }
            paragraph = false;
            continue;
        }
        let name = key_of(content)?;
        keys.push(TopKey { name, line: start, paragraph, document });
        (paragraph, document) = (false, false);
    }
    (!keys.is_empty()).then_some(keys)
}

/// The key that a line begins with.
fn key_of(content: &str) -> Option<&str> {
    let quote = content.chars().next().filter(|c| matches!(c, '"' | '\''));
    if let Some(quote) = quote {
        let (key, rest) = content[1..].split_once(quote)?;
        return rest.trim_start().starts_with(':').then_some(key);
    }
    if content.starts_with(['{', '[', '|', '>', '?', '&', '*', '!']) {
        return None;
    }
    let colon = content.find(": ").or_else(|| content.strip_suffix(':').map(str::len))?;
    Some(content[..colon].trim_end())
}
