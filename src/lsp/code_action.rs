//! Code actions: the remedies of messages, where they replace text.

use std::collections::HashMap;
use std::ops::Range;

use lsp_types::{CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, TextEdit, WorkspaceEdit};

use super::diagnostics::{Finding, Findings};
use super::document::{Document, Workspace};
use super::outline::NodeKind;

/// A replacement that mends what a message is about.
struct Fix {
    title: String,
    range: Range<usize>,
    text: String,
}

/// Answers a request for what can be mended in a range.
#[allow(clippy::mutable_key_type, reason = "addresses are never changed while they are keys")]
pub fn list_actions(
    workspace: &Workspace,
    findings: &Findings,
    params: CodeActionParams,
) -> Option<Vec<CodeActionOrCommand>> {
    let document = workspace.get(&params.text_document.uri)?;
    let wanted = document.offset(params.range.start)..document.offset(params.range.end);
    let touched = |finding: &&&Finding| finding.range.start <= wanted.end && wanted.start <= finding.range.end;
    let mut actions = Vec::new();
    for finding in findings.in_file(&document.path).iter().filter(touched) {
        for fix in find_fixes(&document, finding) {
            let edit = TextEdit { range: document.range(&fix.range), new_text: fix.text };
            let changes = HashMap::from([(document.uri().clone(), vec![edit])]);
            actions.push(CodeActionOrCommand::CodeAction(CodeAction {
                title: fix.title,
                kind: Some(CodeActionKind::QUICKFIX),
                diagnostics: Some(vec![finding.message.clone()]),
                edit: Some(WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() }),
                ..CodeAction::default()
            }));
        }
    }
    Some(actions)
}

fn find_fixes(document: &Document, finding: &Finding) -> Vec<Fix> {
    let remedies = finding.hints.iter().flat_map(|hint| quoted_words(hint).into_iter().map(move |word| (hint, word)));
    remedies.filter_map(|(hint, word)| find_fix(document, finding, hint, word)).collect()
}

/// The replacement for one remedy, if it is one of text by text.
fn find_fix(document: &Document, finding: &Finding, hint: &str, word: &str) -> Option<Fix> {
    let fix = |range: Range<usize>, text: &str| {
        Some(Fix { title: format!("replace by `{text}`"), range, text: text.to_owned() })
    };
    if hint.starts_with("did you mean") || hint.starts_with("use underscores") {
        let instead = hint.split(" instead of ").nth(1).map(quoted_words).unwrap_or_default();
        if instead.contains(&word) {
            return None;
        }
        let names =
            instead.into_iter().chain(quoted_words(&finding.summary)).chain(finding.summary.rsplit([' ', '\'']));
        return fix(names.filter(|name| *name != word).find_map(|name| find_word(document, finding, name))?, word);
    }
    if hint.starts_with("write `true`") {
        return fix(finding.range.clone(), word);
    }
    if hint.starts_with("put it in quotes") || hint.starts_with("if text is meant") {
        let bare = word.trim_matches(['"', '\'']);
        if document.slice(&finding.range) == bare {
            return fix(finding.range.clone(), word);
        }
    }
    let (key, value) = word.split_once(": ")?;
    if has_placeholder(value) {
        return None;
    }
    if let Some(name) =
        value.strip_suffix(" to the task").or(Some(value)).filter(|_| hint.starts_with("add `register:"))
    {
        return add_entry(document, finding, key, name);
    }
    if let Some(range) = find_entry(document, finding, key) {
        return fix(range, word);
    }
    fix(find_word(document, finding, &format!("{key}:{value}"))?, word)
}

/// The words between backticks.
fn quoted_words(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).filter(|word| !word.is_empty()).collect()
}

/// Whether a remedy has a word in capitals, which stands for something that the user knows.
fn has_placeholder(value: &str) -> bool {
    let words = value.split(|c: char| !c.is_alphanumeric());
    value.contains("...")
        || words.into_iter().any(|word| word.len() > 2 && word.chars().all(|c| c.is_ascii_uppercase()))
}

/// Finds a word in the place of a message, behind it on its line, or on its line.
fn find_word(document: &Document, finding: &Finding, word: &str) -> Option<Range<usize>> {
    if word.is_empty() {
        return None;
    }
    let line = document.line_around(finding.range.start);
    let parts = [finding.range.clone(), finding.range.start..line.end.max(finding.range.end), line];
    let is_part = |sign: Option<char>| sign.is_some_and(|sign| sign.is_alphanumeric() || sign == '_');
    parts.into_iter().find_map(|part| {
        let text = document.slice(&part);
        let mut found = text.match_indices(word).filter(|(at, _)| {
            !is_part(text[..*at].chars().next_back()) && !is_part(text[at + word.len()..].chars().next())
        });
        found.next().map(|(at, _)| part.start + at..part.start + at + word.len())
    })
}

/// The place of an entry with its value, on the line of a message.
fn find_entry(document: &Document, finding: &Finding, key: &str) -> Option<Range<usize>> {
    let outline = document.outline();
    let at = finding.range.start;
    let around = outline.ancestors(outline.find_node(at)).find(|index| document.key(*index) == key)?;
    let node = &outline.nodes[around];
    let is_line = document.line_of(node.start) == document.line_of(node.value.end);
    (node.kind == NodeKind::Entry && is_line && !node.value.is_empty()).then_some(node.start..node.value.end)
}

/// A new entry below the one that a message is about.
fn add_entry(document: &Document, finding: &Finding, key: &str, value: &str) -> Option<Fix> {
    let outline = document.outline();
    let entry = outline.find_node(finding.range.start).filter(|index| outline.nodes[*index].kind == NodeKind::Entry)?;
    let node = &outline.nodes[entry];
    let end = document.line_around(node.end).end;
    let indent = node.start - document.line_around(node.start).start;
    let text = format!("\n{}{key}: {value}", " ".repeat(indent));
    Some(Fix { title: format!("add `{key}: {value}`"), range: end..end, text })
}
