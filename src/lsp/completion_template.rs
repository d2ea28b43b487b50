//! Completion in templates and conditions: filters, tests, lookups, variables.

use std::collections::BTreeMap;

use lsp_types::CompletionItemKind as Kind;

use super::choice::Choice;
use super::document::{Document, FileKind, Workspace};
use super::expression::{CONDITIONS, Region, Token, TokenKind, read_tokens};
use super::place::CursorPlace;
use crate::executor;
use crate::reference::module::returned_values;
use crate::reference::topic::Topics;

/// Kind of name that a place in an expression asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Topic(Topics),
    Variable,
    Member(String),
    Nothing,
}

/// Returns what may stand at an offset inside of a template or condition, and where the word to replace begins; `None`
/// outside of them.
pub fn complete_template(workspace: &Workspace, document: &Document, offset: usize) -> Option<(Vec<Choice>, usize)> {
    // Blanks behind a condition belong to it: a word is about to be typed there.
    let is_around = |region: &&Region| {
        let behind = document.text.get(region.range.end..offset);
        let is_open = region.outer == region.range && behind.is_some_and(|blanks| blanks.chars().all(|c| c == ' '));
        region.range.start <= offset && (offset <= region.range.end || is_open)
    };
    let region = document.regions().iter().find(is_around);
    let region = match region {
        Some(region) => Region { range: region.range.start..offset, ..region.clone() },
        None => empty_condition(document, offset)?,
    };
    let tokens = read_tokens(&document.text, &region);
    let (wanted, start) = find_wanted(document, &tokens, offset);
    let choices = match wanted {
        Wanted::Nothing => Vec::new(),
        Wanted::Variable => list_variables(workspace, document, offset),
        Wanted::Member(name) => list_members(document, &name),
        Wanted::Topic(topics) => {
            let kind = if topics == Topics::Lookups { Kind::VALUE } else { Kind::FUNCTION };
            topics.list_rows().iter().map(|row| Choice::new(row.name, kind, row.about)).collect()
        }
    };
    Some((choices, start))
}

/// A condition that has no text yet.
fn empty_condition(document: &Document, offset: usize) -> Option<Region> {
    let (CursorPlace::Value(entry) | CursorPlace::Item(entry), start) = document.cursor_place(offset) else {
        return None;
    };
    let outline = document.outline();
    let is_condition = |index: usize| CONDITIONS.contains(&document.key(index));
    let in_condition = is_condition(entry) || outline.nodes[entry].parent.is_some_and(is_condition);
    let line = document.line_around(offset);
    let has_colon = document.slice(&(line.start..offset)).contains([':', '-']);
    (in_condition && has_colon).then_some(Region {
        range: start..offset,
        outer: start..offset,
        quote: None,
        is_value: false,
    })
}

fn find_wanted(document: &Document, tokens: &[Token], offset: usize) -> (Wanted, usize) {
    let text = |token: &Token| document.slice(&token.range).to_owned();
    let Some((last, before)) = tokens.split_last() else { return (Wanted::Variable, offset) };
    let touches = last.range.end == offset;
    if touches && last.kind == TokenKind::Text {
        return (text_argument(document, before), last.range.start);
    }
    let is_name = !matches!(last.kind, TokenKind::Sign | TokenKind::Number | TokenKind::Text);
    if touches && is_name {
        let wanted = match last.kind {
            TokenKind::Filter => Wanted::Topic(Topics::Filters),
            TokenKind::Test => Wanted::Topic(Topics::Tests),
            TokenKind::Attribute => member_of(document, before),
            _ => Wanted::Variable,
        };
        return (wanted, last.range.start);
    }
    let previous = before.last().map(text).unwrap_or_default();
    let wanted = match text(last).as_str() {
        "|" => Wanted::Topic(Topics::Filters),
        "is" => Wanted::Topic(Topics::Tests),
        "not" if previous == "is" => Wanted::Topic(Topics::Tests),
        "." => member_of(document, tokens),
        _ => Wanted::Variable,
    };
    (wanted, offset)
}

/// The first text of a lookup is its name; those of `map` and `select` name filters and tests.
fn text_argument(document: &Document, before: &[Token]) -> Wanted {
    let [.., function, open] = before else { return Wanted::Nothing };
    if document.slice(&open.range) != "(" {
        return Wanted::Nothing;
    }
    match document.slice(&function.range) {
        "lookup" | "query" | "q" => Wanted::Topic(Topics::Lookups),
        "map" => Wanted::Topic(Topics::Filters),
        "select" | "reject" => Wanted::Topic(Topics::Tests),
        _ => Wanted::Nothing,
    }
}

/// The variable before the dot, if it is one.
fn member_of(document: &Document, before: &[Token]) -> Wanted {
    match before {
        [.., variable, dot] if variable.kind == TokenKind::Variable && document.slice(&dot.range) == "." => {
            Wanted::Member(document.slice(&variable.range).to_owned())
        }
        _ => Wanted::Nothing,
    }
}

/// The keys of a registered result, by the module of its task.
fn list_members(document: &Document, name: &str) -> Vec<Choice> {
    let definitions = document.variable_definitions();
    let Some(definition) = definitions.iter().find(|definition| definition.name == name) else { return Vec::new() };
    let task = document.outline().nodes[definition.node].parent.filter(|_| document.key(definition.node) == "register");
    let Some((_, spec)) = task.and_then(|task| document.module_of(task)) else { return Vec::new() };
    let rows = returned_values(spec);
    rows.iter().map(|(key, about)| Choice::new(key, Kind::FIELD, about)).collect()
}

/// Variables in reach, and functions.
fn list_variables(workspace: &Workspace, document: &Document, offset: usize) -> Vec<Choice> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let play = document.play_range(offset);
    let own = document.variable_definitions();
    for definition in own.iter().filter(|definition| play.contains(&definition.place.start)) {
        found.entry(definition.name.clone()).or_insert_with(|| definition.origin.describe().to_owned());
    }
    for file in workspace.related_files(document) {
        let of_variables = matches!(file.file_kind(), FileKind::Variables | FileKind::Other);
        for definition in file.variable_definitions() {
            let name = file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let about =
                if of_variables { format!("variable of `{name}`") } else { definition.origin.describe().to_owned() };
            found.entry(definition.name).or_insert(about);
        }
    }
    let task = document.outline().nodes.partition_point(|node| node.start <= offset).checked_sub(1);
    let loops = document.task_around(task).is_some_and(|task| {
        document
            .outline()
            .children(Some(task))
            .any(|child| document.key(child) == "loop" || document.key(child).starts_with("with_"))
    });
    if loops {
        found.entry("item".to_owned()).or_insert_with(|| "item of the loop".to_owned());
    }
    let mut choices: Vec<Choice> =
        found.iter().map(|(name, about)| Choice { rank: 1, ..Choice::new(name, Kind::VARIABLE, about) }).collect();
    let magic = executor::MAGIC_VARIABLES.iter().chain(&[
        "hostvars",
        "groups",
        "vars",
        "omit",
        "ansible_facts",
        "playbook_dir",
        "role_path",
    ]);
    let mut magic: Vec<&str> = magic.copied().filter(|name| !found.contains_key(*name)).collect();
    magic.sort_unstable();
    magic.dedup();
    choices.extend(
        magic.into_iter().map(|name| Choice { rank: 7, ..Choice::new(name, Kind::CONSTANT, "magic variable") }),
    );
    choices.extend(
        Topics::Functions
            .list_rows()
            .iter()
            .map(|row| Choice { rank: 6, ..Choice::new(row.name, Kind::FUNCTION, row.about) }),
    );
    choices
}
