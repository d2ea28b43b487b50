//! A task as it is written: the action, its keywords, and what surrounds it.

use std::cell::OnceCell;
use std::path::Path;
use std::rc::Rc;

use super::action::{RawArgs, TaskAction};
use super::frame::{self, Frame, add_tags};
use super::keyword::{Keyword, Keywords};
use crate::source::Span;
use crate::value::{Dict, Value};
use crate::yaml::YamlNode;

/// A task or handler.
#[derive(Debug, Clone)]
pub struct Task {
    /// The name as written, if there is one.
    pub name: Option<Value>,
    /// Action of the task.
    pub action: TaskAction,
    /// The arguments before templating.
    pub args: RawArgs,
    /// Keywords of the task.
    pub keywords: Keywords,
    /// `vars` of the task.
    pub vars: Option<Rc<Dict>>,
    /// Enclosing block, role and play.
    pub frame: Rc<Frame>,
    /// How its loop is written.
    pub looping: Option<Loop>,
    /// The variable that keeps the result.
    pub register: Option<Rc<str>>,
    /// Whether it is a handler.
    pub handler: bool,
    /// The topics a handler listens to, as written.
    pub listen: Vec<Value>,
    /// Added by the engine (gathering facts, flushing handlers, checking role arguments), not by the user.
    pub implicit: bool,
    /// Where it stands.
    pub span: Span,
    tags: OnceCell<Vec<Value>>,
}

/// The loop of a task.
#[derive(Debug, Clone)]
pub enum Loop {
    /// `loop: LIST`
    List(YamlNode),
    /// `with_LOOKUP: TERMS`
    With(String, YamlNode),
}

impl Loop {
    /// The node that gives the list.
    pub fn node(&self) -> &YamlNode {
        match self {
            Self::List(node) | Self::With(_, node) => node,
        }
    }
}

impl Task {
    /// Puts a task together.
    pub fn new(action: TaskAction, args: RawArgs, frame: Rc<Frame>, span: Span) -> Self {
        Self {
            name: None,
            action,
            args,
            keywords: Keywords::default(),
            vars: None,
            frame,
            looping: None,
            register: None,
            handler: false,
            listen: Vec::new(),
            implicit: false,
            span,
            tags: OnceCell::new(),
        }
    }

    /// The value of a keyword: the task's own, or the one it inherits.
    pub fn find_keyword(&self, keyword: Keyword) -> Option<&YamlNode> {
        frame::effective_value(&self.keywords, &self.frame, keyword)
    }

    /// All values of a keyword that adds up, the outermost first and the task's own last.
    pub fn keyword_all(&self, keyword: Keyword) -> Vec<&YamlNode> {
        let mut nodes = self.frame.all_values(keyword);
        nodes.extend(self.keywords.node(keyword));
        nodes
    }

    /// The tags as written, inherited ones first.
    pub fn tags(&self) -> &[Value] {
        self.tags.get_or_init(|| {
            let mut tags = self.frame.tags().to_vec();
            if let Some(own) = self.keywords.value(Keyword::Tags) {
                add_tags(&mut tags, own);
            }
            tags
        })
    }

    /// The role whose task it is.
    pub fn role(&self) -> Option<&Rc<super::Role>> {
        self.frame.role()
    }

    /// The folder of the file it stands in.
    pub fn folder(&self) -> Option<&Rc<Path>> {
        self.frame.folder()
    }
}
