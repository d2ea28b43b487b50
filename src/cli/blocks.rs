//! The blocks of a page: what each would do, and which of them the user means.

use std::collections::BTreeSet;

use super::args::RunArgs;
use super::terminal;
use crate::diagnostic::Diagnostic;
use crate::intake::{InputDocument, MarkdownBlock};
use crate::modules;
use crate::playbook::{LoadError, LoadResult, action};
use crate::yaml::YamlNode;

/// The blocks that a run is for. A page with several runnable blocks is a question: on a terminal the user answers it.
///
/// # Errors
/// If a number is none of a block, or it is not clear which block is meant.
pub fn choose_blocks(args: &RunArgs, page: &str, blocks: Vec<MarkdownBlock>) -> LoadResult<Vec<MarkdownBlock>> {
    if args.all_blocks || args.block.is_empty() && blocks.len() == 1 {
        return Ok(blocks);
    }
    let numbers = match args.block.is_empty() {
        false => args.block.clone(),
        true => ask_blocks(page, &blocks)?,
    };
    let count = blocks.len();
    if let Some(number) = numbers.iter().find(|number| **number == 0 || **number > count) {
        return Err(Box::new(LoadError::from_general(no_such_block(page, *number, count))));
    }
    Ok(blocks.into_iter().filter(|block| numbers.contains(&block.number)).collect())
}

fn no_such_block(page: &str, number: usize, count: usize) -> Diagnostic {
    let blocks = if count == 1 { "1 block".to_owned() } else { format!("{count} blocks, 1 to {count}") };
    Diagnostic::error(format!("`{page}` has no block {number}: it has {blocks}")).hint("`--list-blocks` lists them")
}

/// Asks which blocks are meant.
fn ask_blocks(page: &str, blocks: &[MarkdownBlock]) -> LoadResult<Vec<usize>> {
    let listing: Vec<String> = blocks.iter().map(describe_block).collect();
    if terminal::is_there() {
        terminal::show_text(&format!("`{page}` has {} runnable blocks:\n\n{}\n\n", blocks.len(), listing.join("\n")));
        loop {
            let question =
                format!("Which do you want to run? (1 to {}, several with commas, or `all`): ", blocks.len());
            let Some(answer) = terminal::ask_line(&question) else { break };
            if answer.is_empty() || matches!(answer.as_str(), "q" | "none") {
                break;
            }
            if let Some(numbers) = parse_answer(&answer, blocks.len()) {
                return Ok(numbers);
            }
            terminal::show_text(&format!("`{answer}` is not a number from 1 to {}.\n", blocks.len()));
        }
        let message = Diagnostic::error("no block was chosen, so nothing was run");
        return Err(Box::new(LoadError::from_general(message)));
    }
    let options = |words: &[&str]| terminal::command_with(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
    let message = Diagnostic::error(format!("`{page}` has {} runnable blocks; choose the ones to run", blocks.len()))
        .note(listing.join("\n"))
        .hint(format!("run one block: `{}`", options(&["--block", "1"])))
        .hint("`--block N` may be given several times; `--all-blocks` runs all of them in order");
    Err(Box::new(LoadError::from_general(message)))
}

/// The numbers of an answer such as `1,3` or `all`.
fn parse_answer(answer: &str, count: usize) -> Option<Vec<usize>> {
    if answer.eq_ignore_ascii_case("all") {
        return Some((1..=count).collect());
    }
    let words = answer.split([',', ' ']).filter(|word| !word.is_empty());
    let numbers: Option<Vec<usize>> = words.map(|word| word.parse().ok()).collect();
    numbers.filter(|numbers| !numbers.is_empty() && numbers.iter().all(|n| (1..=count).contains(n)))
}

/// A block in one or two lines: where it stands, its tasks, and what they would do.
pub fn describe_block(block: &MarkdownBlock) -> String {
    let heading = block.heading.as_deref().map(|heading| format!(" under \"{heading}\"")).unwrap_or_default();
    let effects = match &block.document {
        Ok(document) => describe_effects(document),
        Err(_) => " (cannot be read)".to_owned(),
    };
    format!("{}: line {}{heading}: {}{effects}", block.number, block.line, block.what)
}

/// Effects of the tasks of a block on registry objects, and the modules they need that are not included.
#[derive(Default)]
struct Effects {
    verbs: BTreeSet<&'static str>,
    objects: BTreeSet<String>,
    missing: BTreeSet<String>,
}

/// ` (creates and deletes Registry Tokens)`.
fn describe_effects(document: &InputDocument) -> String {
    let mut found = Effects::default();
    match document {
        InputDocument::Playbook(list) => list.items().unwrap_or_default().iter().for_each(|play| found.add_play(play)),
        InputDocument::Tasks(tasks) => tasks.iter().for_each(|task| found.add_task(task)),
        InputDocument::Page(_) => {}
    }
    let order = ["creates", "updates", "deletes", "manages", "reads"];
    let verbs: Vec<&str> = order.into_iter().filter(|verb| found.verbs.contains(verb)).collect();
    let mut parts = Vec::new();
    if !verbs.is_empty() {
        let objects: Vec<&str> = found.objects.iter().map(String::as_str).collect();
        parts.push(format!("{} {}", verbs.join(", "), objects.join(", ")));
    }
    if !found.missing.is_empty() {
        let names: Vec<&str> = found.missing.iter().map(String::as_str).collect();
        parts.push(format!("cannot run: `{}` not included in ionplay", names.join("`, `")));
    }
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join("; ")) }
}

impl Effects {
    fn add_play(&mut self, play: &YamlNode) {
        for section in ["pre_tasks", "tasks", "post_tasks", "handlers"] {
            self.add_tasks(play.get(section));
        }
    }

    fn add_tasks(&mut self, list: Option<&YamlNode>) {
        list.and_then(YamlNode::items).unwrap_or_default().iter().for_each(|task| self.add_task(task));
    }

    fn add_task(&mut self, task: &YamlNode) {
        for section in ["block", "rescue", "always"] {
            self.add_tasks(task.get(section));
        }
        for entry in task.entries().unwrap_or_default() {
            let Some(name) = entry.key.as_str() else { continue };
            if action::is_missing(name) {
                self.missing.insert(name.to_owned());
            }
            let Some(spec) =
                modules::find_module(name).map(modules::TaskModule::module_spec).filter(|spec| spec.is_of_registry())
            else {
                continue;
            };
            let state = match entry.value.get("state").map(YamlNode::to_value) {
                None => spec.states.first().copied(),
                Some(state) => spec.states.iter().copied().find(|known| state.as_str() == Some(*known)).or(Some("?")),
            };
            self.verbs.insert(match state {
                None => "reads",
                Some("present") => "creates",
                Some("update") => "updates",
                Some("absent") => "deletes",
                Some(_) => "manages",
            });
            self.objects.insert(if spec.label.ends_with('s') {
                spec.label.to_owned()
            } else {
                format!("{}s", spec.label)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_numbers_of_blocks() {
        assert_eq!(parse_answer("2", 3), Some(vec![2]));
        assert_eq!(parse_answer("1, 3", 3), Some(vec![1, 3]));
        assert_eq!(parse_answer("ALL", 2), Some(vec![1, 2]));
        for wrong in ["0", "4", "one", ",", "1-2"] {
            assert_eq!(parse_answer(wrong, 3), None, "{wrong}");
        }
    }
}
