//! Lists of tasks and blocks.

use std::rc::Rc;

use super::frame::{Frame, Surroundings};
use super::import;
use super::keyword::{Keyword, Keywords, Place, allowed_keyword};
use super::loader::Loader;
use super::task::Task;
use super::{Loaded, Problem, read_task::read_task};
use crate::diagnostic::Diagnostic;
use crate::value::{Dict, is_variable_name};
use crate::yaml::{Kind, Node};

/// A member of a list of tasks.
#[derive(Debug, Clone)]
pub enum Item {
    /// A task.
    Task(Rc<Task>),
    /// A block, or what came from an import.
    Block(Rc<Block>),
}

/// A block with its three sections.
#[derive(Debug)]
pub struct Block {
    /// The tasks.
    pub main: Rc<[Item]>,
    /// What runs after a failure.
    pub rescue: Rc<[Item]>,
    /// What runs in any case.
    pub always: Rc<[Item]>,
    /// Keywords and variables of the block.
    pub frame: Rc<Frame>,
    /// The end of a role's tasks on a host; the role counts as run from there on.
    pub ends_role: Option<Rc<super::Role>>,
}

impl Block {
    /// Tasks that belong together for the engine's own reasons.
    pub fn implicit(items: Vec<Item>, frame: Rc<Frame>) -> Self {
        Self { main: items.into(), rescue: Rc::new([]), always: Rc::new([]), frame, ends_role: None }
    }
}

/// All tasks of a list, those inside blocks included, in order.
pub fn flatten(items: &[Item], each: &mut dyn FnMut(&Rc<Task>)) {
    for item in items {
        match item {
            Item::Task(task) => each(task),
            Item::Block(block) => {
                for section in [&block.main, &block.rescue, &block.always] {
                    flatten(section, each);
                }
            }
        }
    }
}

impl Loader {
    /// Reads a list of tasks; null is an empty list.
    ///
    /// # Errors
    /// If it is no list, or something in it is not understood.
    pub fn task_list(&self, node: &Node, section: &str, around: &Surroundings) -> Loaded<Vec<Item>> {
        match node.kind() {
            _ if node.is_null() => Ok(Vec::new()),
            Kind::List(nodes) => {
                let mut items = Vec::with_capacity(nodes.len());
                for node in nodes {
                    self.task_item(node, around, &mut items)?;
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

    fn task_item(&self, node: &Node, around: &Surroundings, items: &mut Vec<Item>) -> Loaded<()> {
        let Some(entries) = node.entries() else {
            if node.is_null() {
                self.warn(
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
            items.push(Item::Block(Rc::new(self.block(node, around)?)));
            return Ok(());
        }
        let task = read_task(self, node, around)?;
        if import::is_import(&task) {
            items.push(Item::Block(Rc::new(import::tasks(self, task, around)?)));
        } else {
            items.push(Item::Task(Rc::new(task)));
        }
        Ok(())
    }

    /// The `vars` of a play, a block or a task, with a warning for names that are taken.
    ///
    /// # Errors
    /// As [`read_vars`].
    pub(super) fn vars(&self, node: Option<&Node>, owner: &str) -> Loaded<Option<Rc<Dict>>> {
        let vars = read_vars(node, owner)?;
        for entry in node.and_then(Node::entries).unwrap_or_default() {
            let warning = entry.key.as_str().and_then(|name| super::reserved::warning(name, entry.key.span()));
            warning.into_iter().for_each(|warning| self.warn(warning));
        }
        Ok(vars)
    }

    fn block(&self, node: &Node, around: &Surroundings) -> Loaded<Block> {
        let entries = node.entries().unwrap_or_default();
        let empty = node.get("block").is_none_or(|list| list.is_null() || list.items().is_some_and(<[Node]>::is_empty));
        let cleaning = |e: &&crate::yaml::Entry| matches!(e.key.as_str(), Some("rescue" | "always"));
        if let Some(section) = entries.iter().find(cleaning).filter(|_| empty) {
            let name = section.key.as_str().unwrap_or_default();
            return Err(Diagnostic::error(format!("`{name}` needs a `block` with tasks beside it"))
                .at(section.key.span(), "")
                .into());
        }
        let mut keywords = Keywords::default();
        for entry in entries {
            let Some(keyword) = allowed_keyword(entry, Place::Block)? else { continue };
            if !matches!(keyword, Keyword::Block | Keyword::Rescue | Keyword::Always | Keyword::Vars) {
                keywords.add(keyword, entry)?;
            }
        }
        super::task_checks::tags(&keywords)?;
        super::task_checks::debugger(self, &keywords);
        let vars = self.vars(node.get("vars"), "a block")?;
        let frame = Rc::new(Frame { keywords, vars, ..Frame::inside(&around.frame) });
        let inside = around.inside(Rc::clone(&frame));
        let section = |name: &str| -> Loaded<Rc<[Item]>> {
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
        Ok(Block {
            main: section("block")?,
            rescue: section("rescue")?,
            always: section("always")?,
            frame,
            ends_role: None,
        })
    }
}

/// Reads a `vars` mapping and checks the names.
///
/// # Errors
/// If it is no mapping (exit 4), or a name cannot be a variable's (exit 1).
pub fn read_vars(node: Option<&Node>, owner: &str) -> Loaded<Option<Rc<Dict>>> {
    let Some(node) = node.filter(|node| !node.is_null()) else { return Ok(None) };
    let Some(entries) = node.entries() else {
        return Err(Diagnostic::error(format!("`vars` of {owner} must be a mapping, not {}", node.description()))
            .at(node.span(), "")
            .hint("write `name: value` pairs without dashes")
            .into());
    };
    for entry in entries {
        check_variable_name(&entry.key)?;
    }
    match node.to_value() {
        crate::value::Value::Dict(dict) => Ok(Some(Rc::new((*dict).clone()))),
        _ => Ok(None),
    }
}

/// Complains about a key that cannot be a variable's name.
///
/// # Errors
/// If it is no text, or not made of ASCII letters, digits and underscores.
pub fn check_variable_name(key: &Node) -> Loaded<()> {
    let message = match key.as_str() {
        Some(name) if is_variable_name(name) => return Ok(()),
        Some(name) => Diagnostic::error(format!("`{name}` cannot be the name of a variable"))
            .at(key.span(), "")
            .hint("use letters, digits and underscores, not beginning with a digit, and none of `true`, `false`, `none`, `not`"),
        None => Diagnostic::error(format!("the name of a variable must be text, not {}", key.description()))
            .at(key.span(), "")
            .hint(format!("quote it if it is meant as a name: '{}'", key.span().text())),
    };
    Err(Box::new(Problem::general(message)))
}
