//! Tags of the command line that no task has.

use std::collections::BTreeSet;

use super::is_open;
use crate::diagnostic::Diagnostic;
use crate::playbook::{BlockItem, Playbook, Task};
use crate::value::python;

/// Words of `--tags` with a meaning of their own.
const SPECIAL: &[&str] = &["all", "always", "never", "tagged", "untagged"];

/// Warnings about tags that were asked for and that nothing has. Included files may have any.
pub fn check_tags(playbooks: &[Playbook], wanted: &[String]) -> Vec<Diagnostic> {
    let mut known = Some(BTreeSet::new());
    for play in playbooks.iter().flat_map(|playbook| &playbook.plays) {
        let sections = [&play.pre_tasks, &play.role_blocks, &play.tasks, &play.post_tasks];
        sections.into_iter().for_each(|items| collect_tags(items, &mut known));
    }
    let Some(known) = known else { return Vec::new() };
    let wanted = wanted.iter().flat_map(|tags| tags.split(',')).map(str::trim);
    let missing = wanted.filter(|tag| !tag.is_empty() && !SPECIAL.contains(tag) && !known.contains(*tag));
    missing.map(|tag| Diagnostic::warning(format!("no task has the tag `{tag}`")).suggest(tag, &known)).collect()
}

fn collect_tags(items: &[BlockItem], known: &mut Option<BTreeSet<String>>) {
    for item in items {
        match item {
            BlockItem::Task(task) => collect_of(task, known),
            BlockItem::Block(block) => {
                [&block.main, &block.rescue, &block.always].into_iter().for_each(|items| collect_tags(items, known))
            }
        }
    }
}

fn collect_of(task: &Task, known: &mut Option<BTreeSet<String>>) {
    if task.action.short_name().starts_with("include_") || task.tags().iter().any(is_open) {
        *known = None;
    }
    if let Some(known) = known {
        known.extend(
            task.tags()
                .iter()
                .map(python::str)
                .flat_map(|tags| tags.split(',').map(|tag| tag.trim().to_owned()).collect::<Vec<_>>()),
        );
    }
}
