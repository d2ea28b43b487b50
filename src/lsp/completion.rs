//! Completion: keywords, modules, parameters and their values.

use std::collections::BTreeSet;
use std::ops::Range;

use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionParams, CompletionResponse, CompletionTextEdit, Documentation,
    MarkupContent, MarkupKind, TextEdit,
};

use super::choice::Choice;
use super::document::{Document, Workspace};
use super::place::CursorPlace;
use super::structure::{LOOP_CONTROL, MappingKind};
use super::{completion_template, completion_value};
use crate::modules::MODULES;
use crate::modules::spec::{Param, ParamKind};
use crate::playbook::action::EXECUTOR_ACTIONS;
use crate::playbook::keyword::{KeywordPlace, Shape};

/// Answers a request for what may stand at a place.
pub fn complete(workspace: &Workspace, params: CompletionParams) -> Option<CompletionResponse> {
    let (document, offset) = workspace.locate(&params.text_document_position)?;
    let (choices, start) = list_choices(workspace, &document, offset);
    let items = choices.into_iter().map(|choice| to_item(&document, choice, start..offset)).collect();
    Some(CompletionResponse::Array(items))
}

/// Returns what may stand at an offset, and where the word to replace begins.
fn list_choices(workspace: &Workspace, document: &Document, offset: usize) -> (Vec<Choice>, usize) {
    if let Some(found) = completion_template::complete_template(workspace, document, offset) {
        return found;
    }
    let (place, start) = document.cursor_place(offset);
    let choices = match place {
        CursorPlace::Key(holder) => list_keys(document, holder, offset),
        CursorPlace::Value(entry) => completion_value::list_values(workspace, document, entry),
        CursorPlace::Item(item) => {
            let mut choices = list_keys(document, Some(item), offset);
            let list = document.outline().nodes[item].parent;
            choices.extend(list.into_iter().flat_map(|list| completion_value::list_values(workspace, document, list)));
            choices
        }
    };
    (choices, start)
}

/// Keys of a mapping that it does not have yet.
fn list_keys(document: &Document, holder: Option<usize>, offset: usize) -> Vec<Choice> {
    let outline = document.outline();
    let others = outline
        .children(holder)
        .filter(|index| !(outline.nodes[*index].start..=outline.nodes[*index].key.end).contains(&offset));
    let taken: BTreeSet<&str> = others.map(|index| document.key(index)).collect();
    let rest = document.slice(&(offset..document.line_around(offset).end));
    let is_followed = rest.trim_start().starts_with(':');
    let kind = document.mapping_kind(holder);
    let mut choices: Vec<Choice> = kind
        .keywords()
        .map(|row| {
            let after =
                if matches!(row.shape, Shape::Scalar | Shape::Typed | Shape::Name | Shape::Any) { ": " } else { ":" };
            Choice::key(row.name, CompletionItemKind::KEYWORD, row.about, after)
        })
        .collect();
    let has_action = holder.is_some_and(|task| {
        document
            .action_of(task)
            .is_some_and(|(index, _)| !(outline.nodes[index].start..=outline.nodes[index].key.end).contains(&offset))
    });
    let is_undecided = holder.is_some_and(|item| outline.nodes[item].parent.is_none() && taken.is_empty());
    match kind {
        MappingKind::Task(_) if !has_action => choices.extend(list_modules()),
        // A list of tasks begins like a list of plays.
        MappingKind::Play if is_undecided => {
            choices.extend(list_modules());
            choices.extend(
                MappingKind::Task(KeywordPlace::Task)
                    .keywords()
                    .map(|row| Choice::key(row.name, CompletionItemKind::KEYWORD, row.about, ": ").ranked(6)),
            );
        }
        MappingKind::ModuleDefaults => choices.extend(list_modules()),
        MappingKind::LoopControl => {
            choices.extend(
                LOOP_CONTROL.iter().map(|(name, about)| Choice::key(name, CompletionItemKind::KEYWORD, about, ": ")),
            );
        }
        MappingKind::RoleEntry => {
            choices.push(Choice::key("role", CompletionItemKind::KEYWORD, "Name of the role.", ": ").ranked(1))
        }
        _ => {}
    }
    choices.extend(kind.params().into_iter().filter(|param| !param.hidden).map(describe_param));
    choices.retain(|choice| !taken.contains(choice.label.as_str()));
    let mut seen = BTreeSet::new();
    choices.retain(|choice| seen.insert(choice.label.clone()));
    if is_followed {
        choices.iter_mut().for_each(|choice| choice.insert.clone_from(&choice.label));
    }
    choices
}

fn describe_param(param: &Param) -> Choice {
    let after = if matches!(param.kind, ParamKind::List(_) | ParamKind::Dict(_)) { ":" } else { ": " };
    let required = if param.required || !param.required_in.is_empty() { ", required" } else { "" };
    let about = format!("({}{required}) {}", param.kind.describe_type(), param.about);
    let rank = if required.is_empty() { 3 } else { 1 };
    Choice::key(param.name, CompletionItemKind::PROPERTY, &about, after).ranked(rank)
}

fn list_modules() -> Vec<Choice> {
    let mut choices = Vec::new();
    for spec in MODULES.iter().map(|module| module.module_spec()) {
        let rank = if spec.is_of_registry() { 4 } else { 6 };
        choices.push(Choice::key(spec.short_name(), CompletionItemKind::FUNCTION, spec.about, ":").ranked(rank));
        choices.push(Choice::key(spec.name, CompletionItemKind::FUNCTION, spec.about, ":").ranked(rank + 1));
    }
    for name in EXECUTOR_ACTIONS.iter().filter(|name| **name != "import_playbook") {
        choices.push(Choice::key(name, CompletionItemKind::FUNCTION, "Action of the executor.", ": ").ranked(6));
        let full = format!("ansible.builtin.{name}");
        choices.push(Choice::key(&full, CompletionItemKind::FUNCTION, "Action of the executor.", ": ").ranked(7));
    }
    choices
}

fn to_item(document: &Document, choice: Choice, range: Range<usize>) -> CompletionItem {
    let edit = TextEdit { range: document.range(&range), new_text: choice.insert };
    CompletionItem {
        sort_text: Some(format!("{}{}", choice.rank, choice.label)),
        filter_text: Some(choice.label.clone()),
        label: choice.label,
        kind: Some(choice.kind),
        documentation: (!choice.about.is_empty())
            .then_some(Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value: choice.about })),
        text_edit: Some(CompletionTextEdit::Edit(edit)),
        ..CompletionItem::default()
    }
}
