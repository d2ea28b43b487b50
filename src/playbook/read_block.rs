//! Reading lists of tasks, blocks and their variables.

use std::rc::Rc;

use super::LoadResult;
use super::block::{BlockItem, TaskBlock};
use super::frame::{Frame, Surroundings};
use super::import;
use super::keyword::{Keyword, KeywordPlace, Keywords, allowed_keyword};
use super::loader::Loader;
use super::read_task::read_task;
use crate::diagnostic::Diagnostic;
use crate::yaml::{YamlKind, YamlNode};

impl Loader {
    /// Reads a list of tasks; null is an empty list.
    ///
    /// # Errors
    /// If it is not a list, or something in it is not understood.
    pub fn task_list(&self, node: &YamlNode, section: &str, around: &Surroundings) -> LoadResult<Vec<BlockItem>> {
        match node.kind() {
            _ if node.is_null() => Ok(Vec::new()),
            YamlKind::List(nodes) => {
                let mut items = Vec::with_capacity(nodes.len());
                for node in nodes {
                    // An error in one task must not hide an error in the next.
                    if let Err(problem) = self.task_item(node, around, &mut items) {
                        self.complain_of(*problem);
                    }
                }
                Ok(items)
            }
            _ => Err(Diagnostic::error(format!(
                "A malformed block was encountered while loading {section}: {} should be a list or None",
                node.span().text()
            ))
            .at(node.span(), "")
            .hint("put a dash before each task: `- name: ...`")
            .into()),
        }
    }

    fn task_item(&self, node: &YamlNode, around: &Surroundings, items: &mut Vec<BlockItem>) -> LoadResult<()> {
        let Some(entries) = node.entries() else {
            if node.is_null() {
                self.add_warning(
                    Diagnostic::warning("there is an empty entry in the list of tasks, which is passed over")
                        .at(node.span(), "")
                        .hint("remove the dash, or write a task after it"),
                );
                return Ok(());
            }
            return Err(Diagnostic::error(format!("a task must be a mapping, not {}", node.description()))
                .at(node.span(), "")
                .hint("write the module and its arguments: `- debug: msg=hello`")
                .into());
        };
        let is_block = entries.iter().any(|e| matches!(e.key.as_str(), Some("block" | "rescue" | "always")));
        if is_block {
            items.push(BlockItem::Block(Rc::new(self.read_block(node, around)?)));
            return Ok(());
        }
        let task = read_task(self, node, around)?;
        if import::is_import(&task) {
            items.push(BlockItem::Block(Rc::new(import::import_tasks(self, task, around)?)));
        } else {
            items.push(BlockItem::Task(Rc::new(task)));
        }
        Ok(())
    }

    fn read_block(&self, node: &YamlNode, around: &Surroundings) -> LoadResult<TaskBlock> {
        let entries = node.entries().unwrap_or_default();
        let empty =
            node.get("block").is_none_or(|list| list.is_null() || list.items().is_some_and(<[YamlNode]>::is_empty));
        let cleaning = |e: &&crate::yaml::MappingEntry| matches!(e.key.as_str(), Some("rescue" | "always"));
        if let Some(section) = entries.iter().find(cleaning).filter(|_| empty) {
            let name = section.key.as_str().unwrap_or_default();
            return Err(Diagnostic::error(format!("`{name}` needs a `block` with tasks beside it"))
                .at(section.key.span(), "")
                .into());
        }
        let mut keywords = Keywords::default();
        for entry in entries {
            let Some(keyword) = allowed_keyword(entry, KeywordPlace::Block)? else { continue };
            if !matches!(keyword, Keyword::Block | Keyword::Rescue | Keyword::Always | Keyword::Vars) {
                keywords.add(keyword, entry)?;
            }
        }
        super::keyword_checks::check_structures(&keywords)?;
        super::keyword_checks::check_debugger(self, &keywords);
        if around.handlers {
            let lists = ["block", "rescue", "always"].iter().filter_map(|name| node.get(name)?.items()).flatten();
            if let Some(nested) = lists.filter_map(|item| item.entry("block")).next() {
                return Err(Diagnostic::error("Using a block as a handler is not supported.")
                    .at(nested.key.span(), "")
                    .hint("list the handlers themselves, or notify one that includes a file of tasks")
                    .into());
            }
        }
        let vars = self.read_vars(node.get("vars"), "a block")?;
        let frame = Rc::new(Frame { keywords, vars, ..Frame::new_inside(&around.frame) });
        let inside = around.inside(Rc::clone(&frame));
        let section = |name: &str| -> LoadResult<Rc<[BlockItem]>> {
            match node.get(name) {
                Some(list) if list.is_null() => Err(Diagnostic::error(format!("`{name}` must be a list of tasks"))
                    .at(list.span(), "")
                    .hint("write `[]` if there are none")
                    .into()),
                Some(list) => match list.items().unwrap_or_default().iter().find(|item| item.is_null()) {
                    Some(empty) => Err(Diagnostic::error(format!("there is an empty entry in the list of `{name}`"))
                        .at(empty.span(), "")
                        .hint("remove the dash, or write a task after it")
                        .into()),
                    None => Ok(self.task_list(list, name, &inside)?.into()),
                },
                None => Ok(Rc::new([])),
            }
        };
        Ok(TaskBlock {
            main: section("block")?,
            rescue: section("rescue")?,
            always: section("always")?,
            frame,
            ends_role: None,
        })
    }
}
