//! Names of `notify` that no handler has.

use std::rc::Rc;

use indexmap::IndexSet;

use super::{Lint, is_open};
use crate::diagnostic::Diagnostic;
use crate::playbook::{BlockItem, Keyword, Play, Task};
use crate::value::{Value, python};

impl Lint<'_> {
    /// Handlers may also come in while the play runs; where one may, nothing is certain.
    pub(super) fn check_notifications(&mut self, task: &Task) {
        let (Some(play), Some(node)) = (self.play, task.keywords.node(Keyword::Notify)) else { return };
        let known = Rc::clone(self.handlers.get_or_insert_with(|| Rc::new(HandlerNames::of_play(play))));
        if known.open || self.is_partial {
            return;
        }
        for part in node.items().unwrap_or(std::slice::from_ref(node)) {
            let value = part.to_value();
            if value.is_null() || is_open(&value) {
                continue;
            }
            let name = python::str(&value);
            if !known.names.contains(&name) {
                let message = Diagnostic::error(format!("no handler is called `{name}`, and none listens to it"));
                let message = message.at(part.span(), "").suggest(&name, &known.names);
                self.report_message(if known.names.is_empty() {
                    message.hint("the play has no handlers")
                } else {
                    message
                });
            }
        }
    }
}

/// The names that handlers of a play answer to.
#[derive(Default)]
pub(super) struct HandlerNames {
    names: IndexSet<String>,
    /// Whether there may be more: names that are templates, and includes that bring in handlers.
    open: bool,
}

impl HandlerNames {
    fn of_play(play: &Play) -> Self {
        let sections = [&play.pre_tasks, &play.role_blocks, &play.tasks, &play.post_tasks];
        let mut names = Self { open: sections.into_iter().any(|items| includes_role(items)), ..Self::default() };
        play.handlers.iter().for_each(|items| names.add_handlers(items));
        names
    }

    fn add_handlers(&mut self, items: &[BlockItem]) {
        for item in items {
            match item {
                BlockItem::Block(block) => self.add_handlers(&block.main),
                BlockItem::Task(handler) => {
                    self.open |= handler.action.short_name().starts_with("include_");
                    handler.name.iter().chain(&handler.listen).for_each(|name| self.add(name, handler));
                }
            }
        }
    }

    fn add(&mut self, name: &Value, handler: &Task) {
        self.open |= is_open(name);
        let name = python::str(name);
        if let Some(role) = handler.role() {
            self.names.insert(format!("{} : {name}", role.name));
            self.names.insert(format!("{} : {name}", role.full_name()));
        }
        self.names.insert(name);
    }
}

fn includes_role(items: &[BlockItem]) -> bool {
    items.iter().any(|item| match item {
        BlockItem::Task(task) => {
            matches!(task.action.short_name(), "include_role" | "include_tasks") || task.action.full.is_empty()
        }
        BlockItem::Block(block) => {
            [&block.main, &block.rescue, &block.always].into_iter().any(|items| includes_role(items))
        }
    })
}
