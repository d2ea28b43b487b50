//! What a document is: plays, tasks, tasks as documentation pages print them, or a page with such blocks in it.

mod clipboard;
pub mod markdown;
mod stack;

use std::ops::Range;
use std::sync::Arc;

pub use clipboard::first_entity;
pub use markdown::MarkdownBlock;

use crate::diagnostic::{Diagnostic, Report};
use crate::source::Source;
use crate::yaml::{self, YamlKind, YamlNode};

/// A document that can be run.
#[derive(Debug, Clone)]
pub enum InputDocument {
    /// A list of plays: mappings with `hosts`, or `import_playbook`.
    Playbook(YamlNode),
    /// Tasks without a play.
    Tasks(Vec<YamlNode>),
    /// A page with runnable blocks, at least one.
    Page(Vec<MarkdownBlock>),
}

/// A document and what the user should know about it.
#[derive(Debug)]
pub struct Intake {
    /// The parsed document.
    pub document: InputDocument,
    /// Warnings of the reading.
    pub warnings: Report,
}

/// Hint that describes playbooks and snippets, for input that is neither.
const EXPECTED: &str = "a playbook is a list of plays (`- hosts: ..`), a snippet is a list of tasks or one bare task";

/// Keys that only plays have.
const PLAY_KEYS: &[&str] = &[
    "hosts",
    "import_playbook",
    "ansible.builtin.import_playbook",
    "ansible.legacy.import_playbook",
    "tasks",
    "pre_tasks",
    "post_tasks",
    "roles",
    "handlers",
    "vars_files",
    "vars_prompt",
    "strategy",
    "serial",
];

/// Reads a file or standard input. `is_module` says whether a key is the name of a module that is known; names with
/// dots are taken for modules in any case.
///
/// # Errors
/// When the text is not YAML, is empty, or is neither plays nor tasks nor a page with either.
pub fn read_intake(source: &Arc<Source>, is_module: &dyn Fn(&str) -> bool) -> Result<Intake, Diagnostic> {
    let source = clipboard::without_mark(source);
    let read = read_text(&source, is_module);
    let deceptive = !markdown::is_page(&source) && clipboard::is_deceptive(source.text());
    if count_errors(&read) == 0 && !deceptive {
        return read;
    }
    if let Some(page) = read_as_page(&source, &read, is_module) {
        return Ok(page);
    }
    let Some(repaired) = clipboard::repair_source(&source) else { return read };
    let phrases = repaired.repairs.join("; ");
    let again = read_text(&repaired.source, is_module);
    match (read, again) {
        (read, Ok(mut intake)) if deceptive || count_errors(&read) > count_errors_of(&intake) => {
            let place = source.span(0..source.text().find('\n').unwrap_or(source.text().len()));
            let summary = format!("read `{}` without traces of copying: {phrases}", source.name());
            intake.warnings.push(Diagnostic::warning(summary).at(&place, "").hint("copy the text alone to be certain"));
            Ok(intake)
        }
        (Ok(intake), _) => Ok(intake),
        // The damage is told together with what is left when it is undone.
        (Err(_), Err(error)) => Err(error.note(format!("the text was read without {phrases}"))),
        (Err(error), Ok(_)) => Err(error),
    }
}

/// Reads a text that is not YAML, but has fenced blocks in it that are, as the part of a page that it is.
fn read_as_page(
    source: &Arc<Source>,
    read: &Result<Intake, Diagnostic>,
    is_module: &dyn Fn(&str) -> bool,
) -> Option<Intake> {
    if read.is_ok() || markdown::is_page(source) || !markdown::has_text_round_fences(source.text()) {
        return None;
    }
    let mut page = markdown::read_markdown(source, is_module).ok().filter(|page| count_errors_of(page) == 0)?;
    let place = source.span(0..source.text().find('\n').unwrap_or(source.text().len()));
    let summary = format!("read `{}` as a part of a Markdown page", source.name());
    page.warnings.push(Diagnostic::warning(summary).at(&place, "").hint("copy the text between the fences alone"));
    Some(page)
}

fn count_errors(read: &Result<Intake, Diagnostic>) -> usize {
    read.as_ref().map_or(usize::MAX, count_errors_of)
}

/// How many blocks of a page cannot be read.
fn count_errors_of(intake: &Intake) -> usize {
    match &intake.document {
        InputDocument::Page(blocks) => blocks.iter().filter(|block| block.document.is_err()).count(),
        _ => 0,
    }
}

fn read_text(source: &Arc<Source>, is_module: &dyn Fn(&str) -> bool) -> Result<Intake, Diagnostic> {
    if markdown::is_page(source) {
        return markdown::read_markdown(source, is_module);
    }
    if clipboard::is_html(source.text()) {
        let start = source.text().len() - source.text().trim_start().len();
        return Err(Diagnostic::error(format!("`{}` is an HTML page, not a playbook", source.name()))
            .at(&source.span(start..start + 1), "")
            .hint("copy the code block out of the page, or save the page as Markdown"));
    }
    let mut warnings = Report::new();
    let document = read_part(source, 0..source.text().len(), is_module, &mut warnings)?;
    Ok(Intake { document, warnings })
}

/// Reads plays or tasks from a part of a source.
fn read_part(
    source: &Arc<Source>,
    range: Range<usize>,
    is_module: &dyn Fn(&str) -> bool,
    warnings: &mut Report,
) -> Result<InputDocument, Diagnostic> {
    let pieces = stack::split_pieces(source.text(), range.clone(), is_module);
    if pieces.len() < 2 {
        let loaded = yaml::load_part(source, range)?;
        warnings.extend(loaded.warnings);
        let root = loaded.root.filter(|root| !root.is_null()).ok_or_else(|| empty_source_error(source))?;
        return classify_document(root, is_module);
    }
    let mut roots = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let loaded = yaml::load_part(source, piece)?;
        warnings.extend(loaded.warnings);
        roots.extend(loaded.root.filter(|root| !root.is_null()));
    }
    let plays = roots.iter().filter(|root| is_play(root)).count();
    if plays == roots.len() && plays > 0 {
        return Ok(InputDocument::Playbook(list_node(roots)));
    }
    for root in &roots {
        if is_play(root) || !is_task(root, is_module) {
            return Err(Diagnostic::error("this is among bare tasks but is not a task")
                .at(root.span(), "")
                .hint("put plays and tasks into separate files"));
        }
    }
    Ok(InputDocument::Tasks(roots))
}

/// Says what a whole document is.
fn classify_document(root: YamlNode, is_module: &dyn Fn(&str) -> bool) -> Result<InputDocument, Diagnostic> {
    match root.kind() {
        YamlKind::List(items) => classify_list(&root, items),
        YamlKind::Map(_) if is_play(&root) => {
            Err(Diagnostic::error("a playbook must be a list of plays, this is a mapping")
                .at(root.span(), "")
                .hint("put a dash before the play: `- hosts: ..`"))
        }
        YamlKind::Map(_) if is_task(&root, is_module) => Ok(InputDocument::Tasks(vec![root])),
        YamlKind::Map(_) => Err(other_mapping(&root)),
        YamlKind::Scalar(_) => {
            Err(Diagnostic::error(format!("this is {}, neither a playbook nor tasks", root.description()))
                .at(root.span(), "")
                .hint(EXPECTED))
        }
    }
}

fn classify_list(root: &YamlNode, items: &[YamlNode]) -> Result<InputDocument, Diagnostic> {
    if items.is_empty() {
        return Err(Diagnostic::error("A playbook must contain at least one play: the list is empty")
            .at(root.span(), "")
            .hint(EXPECTED));
    }
    if let Some(item) = items.iter().find(|item| item.entries().is_none()) {
        return Err(Diagnostic::error(format!("an entry must be a play or a task, not {}", item.description()))
            .at(item.span(), "")
            .hint(EXPECTED));
    }
    let play = items.iter().find(|item| is_play(item));
    let task = items.iter().find(|item| !is_play(item));
    match (play, task) {
        (Some(_), None) => Ok(InputDocument::Playbook(root.clone())),
        (Some(play), Some(task)) => Err(Diagnostic::error("a list cannot contain both plays and tasks")
            .at(task.span(), "this is not a play: it has no `hosts`")
            .at(play.span(), "this is a play")
            .hint("move the task under `tasks:` of a play, or give the play its `hosts`")),
        (None, _) => Ok(InputDocument::Tasks(items.to_vec())),
    }
}

fn is_play(node: &YamlNode) -> bool {
    node.entries()
        .is_some_and(|entries| entries.iter().any(|e| e.key.as_str().is_some_and(|key| PLAY_KEYS.contains(&key))))
}

/// A bare mapping is a task if it names a module, or has a name and only one key that could be a module.
fn is_task(node: &YamlNode, is_module: &dyn Fn(&str) -> bool) -> bool {
    let Some(entries) = node.entries() else { return false };
    let keys = || entries.iter().filter_map(|entry| entry.key.as_str());
    let others: Vec<_> = entries.iter().filter(|e| e.key.as_str().is_some_and(|key| !stack::is_keyword(key))).collect();
    // Arguments are a mapping or `name=value`; a plain value is that of a variable.
    let has_arguments = |node: &YamlNode| match node.scalar() {
        Some(value) => value.is_null() || value.as_str().is_some_and(|text| text.contains('=')),
        None => node.entries().is_some(),
    };
    keys().any(|key| stack::is_action(key, is_module))
        || others.len() == 1 && has_arguments(&others[0].value) && keys().any(stack::is_keyword)
}

/// A mapping that is neither play nor task: say what it probably is.
fn other_mapping(root: &YamlNode) -> Diagnostic {
    let inventory = root.get("all").or_else(|| root.get("ungrouped")).is_some_and(|group| {
        group.is_null() || ["hosts", "children", "vars"].iter().any(|key| group.get(key).is_some())
    });
    let key = root.entries().and_then(<[_]>::first).map_or(root.span(), |entry| entry.key.span());
    let error = |what: &str| Diagnostic::error(what).at(key, "");
    if inventory {
        return error("this is an inventory, not a playbook").hint("give it with `-i FILE`, and a playbook beside it");
    }
    let is_plain = |node: &YamlNode| node.scalar().is_some() || node.items().is_some();
    let entries = root.entries().unwrap_or_default();
    if !entries.iter().all(|entry| is_plain(&entry.value)) {
        return error("this is a mapping without `hosts` and without a module").hint(EXPECTED);
    }
    // The whole entry is shown: its name alone would be taken for that of a module.
    let end = entries.first().map_or(key.range().end, |entry| entry.value.span().range().end);
    let entry = key.source().span(key.range().start..end);
    let error = |what: &str| Diagnostic::error(what).at(&entry, "");
    let file = root.span().source().name();
    let file = if file == "-" { "FILE" } else { file };
    error("this is a mapping without `hosts` and without a module: it looks like a file of variables")
        .hint(format!("give variables with `-e @{file}`"))
        .hint(EXPECTED)
}

fn empty_source_error(source: &Source) -> Diagnostic {
    Diagnostic::error(format!("`{}` is empty: there is nothing to run", source.name())).hint(EXPECTED)
}

/// Bare plays as the list that they stand for.
fn list_node(items: Vec<YamlNode>) -> YamlNode {
    let span = match (items.first(), items.last()) {
        (Some(first), Some(last)) => first.span().source().span(first.span().range().start..last.span().range().end),
        _ => Source::new("", "").span(0..0),
    };
    YamlNode::new(span, None, YamlKind::List(items))
}

#[cfg(test)]
mod tests;
