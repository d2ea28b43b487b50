//! Inlay hints: values of variables that templates use, where they are known without secrets.

use std::collections::HashMap;
use std::rc::Rc;

use lsp_types::{InlayHint, InlayHintKind, InlayHintLabel, InlayHintParams};

use super::document::{Document, Workspace};
use super::expression::{TokenKind, read_tokens};
use super::names::{VariableDefinition, VariableOrigin};

/// Longest value that is shown, in characters.
const MAX_SHOWN: usize = 40;

/// Deepest chain of variables that is followed.
const MAX_DEPTH: usize = 8;

/// Parts of names of variables whose values are probably secret.
const SECRET_WORDS: &[&str] = &["password", "passwd", "secret", "token", "key", "credential"];

/// Shown in place of a vaulted value.
const VAULTED: &str = "vaulted";

type Definitions = HashMap<String, Vec<(Rc<Document>, VariableDefinition)>>;

/// Answers a request for the hints in a range.
pub fn list_hints(workspace: &Workspace, params: InlayHintParams) -> Option<Vec<InlayHint>> {
    let document = workspace.get(&params.text_document.uri)?;
    let shown = document.offset(params.range.start)..document.offset(params.range.end).saturating_add(1);
    let definitions = collect_definitions(workspace, &document);
    let mut hints = Vec::new();
    for region in document.regions().iter().filter(|region| region.is_value && shown.contains(&region.outer.start)) {
        let tokens = read_tokens(&document.text, region);
        let [token] = tokens.as_slice() else { continue };
        if token.kind != TokenKind::Variable {
            continue;
        }
        let Some(value) = resolve_variable(&definitions, document.slice(&token.range), 0) else { continue };
        hints.push(InlayHint {
            position: document.position(region.outer.end),
            label: InlayHintLabel::String(if value == VAULTED { value } else { format!("= {}", shorten(&value)) }),
            kind: Some(InlayHintKind::PARAMETER),
            text_edits: None,
            tooltip: None,
            padding_left: Some(true),
            padding_right: None,
            data: None,
        });
    }
    Some(hints)
}

fn collect_definitions(workspace: &Workspace, document: &Document) -> Definitions {
    let mut found: Definitions = HashMap::new();
    let own = workspace.read(&document.path);
    for file in own.into_iter().chain(workspace.related_files(document)) {
        for definition in file.variable_definitions() {
            found.entry(definition.name.clone()).or_default().push((Rc::clone(&file), definition));
        }
    }
    found
}

/// The value of a variable that is defined once, and by plain text.
fn resolve_variable(definitions: &Definitions, name: &str, depth: usize) -> Option<String> {
    let [(file, definition)] = definitions.get(name)?.as_slice() else { return None };
    if depth > MAX_DEPTH {
        return None;
    }
    let value = describe_value(file, definition)?;
    if !value.contains("{{") && !value.contains("{%") {
        return Some(value);
    }
    let range = file.scalar_range(definition.node);
    let mut text = String::new();
    let mut at = range.start;
    for region in file.regions().iter().filter(|region| range.contains(&region.outer.start)) {
        let tokens = read_tokens(&file.text, region);
        let [token] = tokens.as_slice() else { return None };
        if token.kind != TokenKind::Variable || !region.is_value {
            return None;
        }
        text.push_str(file.slice(&(at..region.outer.start)));
        let inner = resolve_variable(definitions, file.slice(&token.range), depth + 1)?;
        if inner == VAULTED {
            return Some(inner);
        }
        text.push_str(&inner);
        at = region.outer.end;
    }
    text.push_str(file.slice(&(at..range.end)));
    Some(text)
}

/// Returns the value of a definition as it is written; `None` where it is not one line of text, or may be secret.
pub fn describe_value(file: &Document, definition: &VariableDefinition) -> Option<String> {
    if definition.origin != VariableOrigin::Vars {
        return None;
    }
    let node = &file.outline().nodes[definition.node];
    let whole = file.slice(&(node.start..node.end));
    if whole.contains("!vault") || whole.contains("$ANSIBLE_VAULT;") {
        return Some(VAULTED.to_owned());
    }
    let name = definition.name.to_ascii_lowercase();
    let value = file.scalar(definition.node).trim();
    let is_secret = SECRET_WORDS.iter().any(|word| name.contains(word));
    let is_plain = !value.is_empty() && !value.contains('\n') && !value.starts_with(['|', '>', '!', '&', '*']);
    (is_plain && !is_secret).then(|| value.to_owned())
}

fn shorten(value: &str) -> String {
    if value.chars().count() <= MAX_SHOWN {
        return value.to_owned();
    }
    value.chars().take(MAX_SHOWN - 1).chain(['…']).collect()
}
