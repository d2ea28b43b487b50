//! What surrounds a task: the chain of blocks, includes, roles and the play, with their keywords and variables.

use std::cell::OnceCell;
use std::rc::Rc;

use super::keyword::{Inherit, Keyword, Keywords};
use super::role::Role;
use crate::value::{Dict, Value};
use crate::yaml::YamlNode;

/// One layer of what surrounds a task.
#[derive(Debug, Default)]
pub struct Frame {
    /// Enclosing layer.
    pub parent: Option<Rc<Frame>>,
    /// The keywords of the layer.
    pub keywords: Keywords,
    /// `vars` of a block.
    pub vars: Option<Rc<Dict>>,
    /// `vars` of an include or import, and parameters of a role entry: they beat `set_fact`.
    pub params: Option<Rc<Dict>>,
    /// The role whose tasks these are.
    pub role: Option<Rc<Role>>,
    /// The role that needs the role inside; its variables are there, too.
    pub needed_by: Option<Rc<Role>>,
    /// The layer is the boundary of a dynamic include: names of tasks and search paths change here.
    pub folder: Option<Rc<std::path::Path>>,
    pub(crate) tags: OnceCell<Vec<Value>>,
}

impl Frame {
    /// A layer inside another one.
    pub fn new_inside(parent: &Rc<Frame>) -> Self {
        Self { parent: Some(Rc::clone(parent)), ..Self::default() }
    }

    /// This layer and all around it, innermost first.
    pub fn chain(&self) -> impl Iterator<Item = &Frame> {
        std::iter::successors(Some(self), |frame| frame.parent.as_deref())
    }

    /// Whether the layer is an include, whose variables are parameters of what is inside.
    pub fn is_include(&self) -> bool {
        self.params.is_some() && self.role.is_none() && self.needed_by.is_none()
    }

    /// The innermost value of a keyword.
    pub fn nearest_value(&self, keyword: Keyword) -> Option<&YamlNode> {
        self.chain().find_map(|frame| frame.keywords.node(keyword))
    }

    /// All values of a keyword, the outermost first.
    pub fn all_values(&self, keyword: Keyword) -> Vec<&YamlNode> {
        let mut nodes: Vec<_> = self.chain().filter_map(|frame| frame.keywords.node(keyword)).collect();
        nodes.reverse();
        nodes
    }

    /// The innermost role.
    pub fn role(&self) -> Option<&Rc<Role>> {
        self.chain().find_map(|frame| frame.role.as_ref())
    }

    /// The roles around, innermost first, each once.
    pub fn roles(&self) -> Vec<&Rc<Role>> {
        let mut roles: Vec<&Rc<Role>> = Vec::new();
        for role in self.chain().filter_map(|frame| frame.role.as_ref()) {
            if !roles.iter().any(|known| Rc::ptr_eq(known, role)) {
                roles.push(role);
            }
        }
        roles
    }

    /// The folder of the file that the task stands in.
    pub fn folder(&self) -> Option<&Rc<std::path::Path>> {
        self.chain().find_map(|frame| frame.folder.as_ref())
    }

    /// The tags of this layer and all around it as written, outermost first, flattened one level.
    pub fn tags(&self) -> &[Value] {
        self.tags.get_or_init(|| {
            let mut tags = self.parent.as_ref().map(|parent| parent.tags().to_vec()).unwrap_or_default();
            if let Some(own) = self.keywords.value(Keyword::Tags) {
                add_tags(&mut tags, own);
            }
            tags
        })
    }
}

/// Adds tags as written: a list, or a text that is split at commas unless it is a template.
pub fn add_tags(tags: &mut Vec<Value>, written: Value) {
    match written {
        Value::List(items) => items.iter().for_each(|item| add_tags(tags, item.clone())),
        Value::Str(text) if text.is_template() => tags.push(Value::Str(text)),
        Value::Str(text) => {
            tags.extend(text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(Value::from));
        }
        Value::Null => {}
        other => tags.push(other),
    }
}

/// The value of a keyword for a task: its own, or what it inherits by the keyword's rule.
pub fn effective_value<'a>(own: &'a Keywords, frame: &'a Frame, keyword: Keyword) -> Option<&'a YamlNode> {
    own.node(keyword).or_else(|| match keyword.row().inherit {
        Inherit::Nearest => frame.nearest_value(keyword),
        Inherit::No | Inherit::Extend => None,
    })
}

/// Where a list of tasks stands, which decides what may be in it.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The layer around the list.
    pub frame: Rc<Frame>,
    /// The list holds handlers.
    pub handlers: bool,
}

impl Surroundings {
    /// The same list one layer further in.
    pub fn inside(&self, frame: Rc<Frame>) -> Self {
        Self { frame, ..self.clone() }
    }
}
