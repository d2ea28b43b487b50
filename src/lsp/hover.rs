//! Hover: the reference text of the name under the pointer.

use std::ops::Range;

use lsp_types::{Hover, HoverContents, HoverParams, MarkupContent, MarkupKind};

use super::document::{Document, Workspace};
use super::expression::TokenKind;
use super::markdown_text::{describe_keyword, describe_module, describe_param, describe_topic};
use super::outline::NodeKind;
use super::structure::MappingKind;
use super::symbol_at::token_at;
use super::{definition, inlay};
use crate::modules;
use crate::playbook::Keyword;
use crate::reference::topic::Topics;

/// Answers a request for the text about a place.
pub fn show_hover(workspace: &Workspace, params: HoverParams) -> Option<Hover> {
    let (document, offset) = workspace.locate(&params.text_document_position_params)?;
    let (text, range) = describe_place(workspace, &document, offset)?;
    let contents = HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value: text });
    Some(Hover { contents, range: Some(document.range(&range)) })
}

fn describe_place(workspace: &Workspace, document: &Document, offset: usize) -> Option<(String, Range<usize>)> {
    if let Some(token) = token_at(document, offset) {
        let name = document.slice(&token.range);
        let text = match token.kind {
            TokenKind::Filter => describe_topic(Topics::Filters, name)?,
            TokenKind::Test => describe_topic(Topics::Tests, name)?,
            TokenKind::Text => describe_topic(Topics::Lookups, name)?,
            TokenKind::Function => describe_topic(Topics::Functions, name)
                .or_else(|| describe_variable(workspace, document, name, offset))?,
            TokenKind::Variable => describe_variable(workspace, document, name, offset)?,
            _ => return None,
        };
        return Some((text, token.range));
    }
    let outline = document.outline();
    let index = outline.find_node(offset)?;
    let node = &outline.nodes[index];
    if node.kind != NodeKind::Entry || !(node.key.start..=node.key.end).contains(&offset) {
        return None;
    }
    let key = document.key(index);
    let kind = document.mapping_kind(node.parent);
    if let Some(param) = kind.find_param(key) {
        return Some((describe_param(param), node.key.clone()));
    }
    if let Some(row) = kind.keywords().find(|row| row.name == key) {
        return Some((describe_keyword(row), node.key.clone()));
    }
    let text = match kind {
        MappingKind::Task(_) | MappingKind::ModuleDefaults => match modules::find_module(key) {
            Some(module) => describe_module(module.module_spec()),
            None => describe_keyword(Keyword::from_name(key)?.row()),
        },
        MappingKind::Variables => describe_variable(workspace, document, key, offset)?,
        _ => return None,
    };
    Some((text, node.key.clone()))
}

/// Origin and value of a variable; secrets and vaulted values are not shown.
fn describe_variable(workspace: &Workspace, document: &Document, name: &str, offset: usize) -> Option<String> {
    let found = definition::find_variable(workspace, document, name, offset);
    let mut lines: Vec<String> = Vec::new();
    for (file, place) in found.iter().take(5) {
        let line = file.line_of(place.place.start) + 1;
        let value = inlay::describe_value(file, place)
            .map(|value| format!(" = `{}`", value.replace('`', "'")))
            .unwrap_or_default();
        let file_name = file.path.file_name().unwrap_or_default().to_string_lossy();
        lines.push(format!("- {} at {file_name}:{line}{value}", place.origin.describe()));
    }
    if lines.is_empty() {
        let is_magic = crate::executor::MAGIC_VARIABLES.contains(&name);
        return is_magic.then(|| format!("**{name}** (magic variable)"));
    }
    Some(format!("**{name}**\n\n{}", lines.join("\n")))
}
