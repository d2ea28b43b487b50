//! Pages: the fenced blocks of a Markdown text, with their places kept.

use std::ops::Range;
use std::sync::Arc;

use super::{InputDocument, Intake, read_part};
use crate::diagnostic::{Diagnostic, Report};
use crate::source::Source;
use crate::yaml::YamlNode;

/// A block of a page that can be run, or that was meant to be.
#[derive(Debug, Clone)]
pub struct MarkdownBlock {
    /// Number among the runnable blocks of the page, from 1.
    pub number: usize,
    /// The line of its first text.
    pub line: usize,
    /// The language after the fence, in lower case; empty if none is said.
    pub language: String,
    /// The heading that it stands under.
    pub heading: Option<String>,
    /// Summary, such as `2 tasks: Create a token, Delete it`.
    pub what: String,
    /// Plays or tasks of the block, or why they cannot be read.
    pub document: Result<InputDocument, Diagnostic>,
}

/// A fenced block of the page.
struct Fenced {
    range: Range<usize>,
    language: String,
    heading: Option<String>,
}

/// Whether a source is a page: by its name, or by a fence at the beginning of a line, which YAML cannot have.
pub fn is_page(source: &Source) -> bool {
    let name = source.name().to_ascii_lowercase();
    let named = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    if named(&[".md", ".markdown", ".mdx"]) {
        return true;
    }
    if named(&[".yml", ".yaml", ".json"]) {
        return false;
    }
    let is_fence = |line: &&str| line.starts_with("```") || line.starts_with("~~~");
    let mut fences = source.text().lines().filter(is_fence);
    let last = source.text().lines().rfind(|line| !line.trim().is_empty());
    // A fence that stands alone at the end has lost its beginning.
    match (fences.next(), fences.next()) {
        (None, _) => false,
        (Some(only), None) => last != Some(only),
        _ => true,
    }
}

/// Whether there are fences in a text, and other text than what they enclose.
pub fn has_text_round_fences(text: &str) -> bool {
    let is_fence = |line: &str| line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
    let mut filled = text.lines().filter(|line| !line.trim().is_empty());
    let first = filled.next().is_some_and(is_fence);
    let last = filled.next_back().is_some_and(is_fence);
    !(first && last) && text.lines().filter(|line| is_fence(line)).count() >= 2
}

/// Reads the runnable blocks of a page.
///
/// # Errors
/// When there are none.
pub fn read_markdown(source: &Arc<Source>, is_module: &dyn Fn(&str) -> bool) -> Result<Intake, Diagnostic> {
    let mut warnings = Report::new();
    let mut blocks = Vec::new();
    for fenced in find_fences(source.text()) {
        let is_yaml = matches!(fenced.language.as_str(), "yaml" | "yml" | "ansible" | "playbook");
        if !is_yaml && !fenced.language.is_empty() {
            continue;
        }
        let text = &source.text()[fenced.range.clone()];
        // Other YAML (variables, an inventory, output) illustrates; only what cannot be read at all is told.
        let mut found = Report::new();
        let document = match read_part(source, fenced.range.clone(), is_module, &mut found) {
            Ok(document) => Ok(document),
            Err(_) if !is_yaml || is_yaml_of_another_kind(source, &fenced.range) => continue,
            Err(error) => Err(error),
        };
        let entity =
            super::clipboard::first_entity(text).map(|at| fenced.range.start + at.start..fenced.range.start + at.end);
        let document = document.map_err(|error| match entity {
            Some(_) => error.hint("the page has HTML entities in this block; write the characters themselves"),
            None => error,
        });
        if let (Ok(_), Some(at)) = (&document, entity) {
            let span = source.span(at);
            let summary = format!("`{}` is an HTML entity and stays as it is", span.text());
            found.push(Diagnostic::warning(summary).at(&span, "").hint("write the character itself"));
        }
        warnings.append(&mut found);
        let first = fenced.range.start + text.len() - text.trim_start().len();
        blocks.push(MarkdownBlock {
            number: blocks.len() + 1,
            line: source.span(first..first).position().line,
            language: fenced.language,
            heading: fenced.heading,
            what: document.as_ref().map_or_else(|error| error.summary.clone(), summarize_document),
            document,
        });
    }
    if blocks.is_empty() {
        return Err(Diagnostic::error(format!("`{}` has no block of plays or tasks", source.name()))
            .hint("runnable blocks are between lines ```` ```yaml ```` and ```` ``` ````"));
    }
    Ok(Intake { document: InputDocument::Page(blocks), warnings })
}

/// Whether a block is YAML as such, so that its failure means that it holds something else than plays or tasks.
fn is_yaml_of_another_kind(source: &Arc<Source>, range: &Range<usize>) -> bool {
    crate::yaml::load_part(source, range.clone()).is_ok()
}

/// `2 tasks: Create a token, Delete it`.
fn summarize_document(document: &InputDocument) -> String {
    let (nodes, one, many) = match document {
        InputDocument::Playbook(list) => (list.items().unwrap_or_default(), "play", "plays"),
        InputDocument::Tasks(tasks) => (tasks.as_slice(), "task", "tasks"),
        InputDocument::Page(_) => (&[][..], "block", "blocks"),
    };
    let names: Vec<String> = nodes.iter().map(name_of).collect();
    format!("{} {}: {}", nodes.len(), if nodes.len() == 1 { one } else { many }, names.join(", "))
}

fn name_of(node: &YamlNode) -> String {
    let own = node.get("name").and_then(|name| name.scalar()).filter(|name| !name.is_null());
    if let Some(name) = own {
        return crate::value::python::str(name);
    }
    let entries = node.entries().unwrap_or_default();
    let keys = || entries.iter().filter_map(|entry| entry.key.as_str());
    keys().find(|key| !super::stack::is_keyword(key)).or_else(|| keys().next()).unwrap_or("?").to_owned()
}

/// All fenced blocks in their order; one that is not closed reaches to the end of the text.
fn find_fences(text: &str) -> Vec<Fenced> {
    let mut found = Vec::new();
    let mut heading: Option<String> = None;
    let mut open: Option<(char, usize, Fenced)> = None;
    let mut before = "";
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let content = line.trim();
        if let Some((mark, length, _)) = &open {
            let closes = content.chars().all(|c| c == *mark) && content.len() >= *length;
            if closes && let Some((.., mut fenced)) = open.take() {
                fenced.range.end = start;
                found.push(fenced);
            }
            before = "";
            continue;
        }
        if let Some((mark, length, info)) = parse_opening(content) {
            let language =
                info.trim_matches(['{', '}', '.', ' ']).split([' ', ',', '{', '}', ':']).next().unwrap_or("");
            let fenced =
                Fenced { range: at..text.len(), language: language.to_ascii_lowercase(), heading: heading.clone() };
            open = Some((mark, length, fenced));
            continue;
        }
        let underlined = content.len() >= 3 && (content.chars().all(|c| c == '=') || content.chars().all(|c| c == '-'));
        if let Some(title) = content.strip_prefix('#').map(|rest| rest.trim_start_matches('#')) {
            heading = title.starts_with([' ', '\t']).then(|| plain_heading(title)).or(heading);
        } else if underlined && !before.is_empty() {
            heading = Some(plain_heading(before));
        }
        before = content;
    }
    found.extend(open.map(|(.., fenced)| fenced));
    found
}

/// The mark of an opening fence, its length, and what stands after it.
fn parse_opening(content: &str) -> Option<(char, usize, &str)> {
    let mark = content.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let info = content.trim_start_matches(mark);
    let length = content.len() - info.len();
    (length >= 3 && !(mark == '`' && info.contains('`'))).then_some((mark, length, info.trim()))
}

/// A heading without marks of emphasis and code, backslashes and closing hashes.
fn plain_heading(heading: &str) -> String {
    heading.trim().trim_end_matches('#').trim_end().chars().filter(|c| !matches!(c, '*' | '`' | '\\')).collect()
}
