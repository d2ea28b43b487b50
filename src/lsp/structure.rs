//! Meaning of the nodes of a text: plays, tasks, arguments of modules, variables.

use std::ops::Range;

use super::document::{Document, FileKind};
use super::outline::{NodeKind, Outline};
use super::outline_reader::read_outline;
use crate::modules::spec::Param;
use crate::modules::{self, Spec};
use crate::playbook::keyword::{Keyword, KeywordPlace};
use crate::playbook::{action, keyword};

/// Kind of a mapping, which decides about its keys.
#[derive(Debug, Clone, Copy)]
pub enum MappingKind {
    /// A play.
    Play,
    /// A task or handler.
    Task(KeywordPlace),
    /// A block.
    Block,
    /// An entry of `roles`.
    RoleEntry,
    /// Arguments of a module.
    Arguments(&'static Spec),
    /// Arguments of an action of the executor, such as `include_role`.
    ActionArguments,
    /// Members of a parameter.
    Members(&'static [Param]),
    /// Variables by name.
    Variables,
    /// `loop_control`.
    LoopControl,
    /// Arguments by module.
    ModuleDefaults,
    /// Anything else.
    Other,
}

/// Keys of plays that hold tasks.
pub const TASK_LISTS: &[&str] = &["tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always"];

/// Keys that make a mapping a play.
const PLAY_KEYS: &[&str] = &[
    "hosts",
    "import_playbook",
    "ansible.builtin.import_playbook",
    "tasks",
    "roles",
    "pre_tasks",
    "post_tasks",
    "handlers",
];

/// Keys of `loop_control`.
pub const LOOP_CONTROL: &[(&str, &str)] = &[
    ("loop_var", "Name of the loop variable, instead of `item`."),
    ("index_var", "Name of a variable with the number of the item, from 0."),
    ("label", "Text that stands for the item in the output."),
    ("pause", "Seconds between two items."),
    ("extended", "Whether `ansible_loop` has more, such as `first` and `last`."),
    ("extended_allitems", "Whether `ansible_loop` has all items."),
    ("break_when", "Conditions that end the loop."),
];

/// Size of the beginning of a text that usually shows what it is, in bytes.
const HEAD_SIZE: usize = 2048;

/// Returns the whole lines at the beginning of a text that fit into a size.
fn first_lines(text: &str, size: usize) -> &str {
    let head = &text[..text.floor_char_boundary(size)];
    if head.len() == text.len() { text } else { &head[..head.rfind('\n').map_or(0, |end| end + 1)] }
}

/// Whether an item of the outermost list is a play.
fn has_play(outline: &Outline, text: &str) -> bool {
    let key = |index: usize| text.get(outline.nodes[index].key.clone()).unwrap_or_default();
    let is_play = |index: usize| outline.children(Some(index)).any(|child| PLAY_KEYS.contains(&key(child)));
    outline.children(None).any(|index| outline.nodes[index].kind == NodeKind::Item && is_play(index))
}

impl Document {
    /// Returns the kind of the file.
    pub fn file_kind(&self) -> FileKind {
        *self.kind.get_or_init(|| self.find_kind())
    }

    /// Finds the kind of the file by its place and its contents.
    fn find_kind(&self) -> FileKind {
        // Most playbooks show in their first lines what they are; a check need not wait for the outline of the rest.
        let is_yaml = self.path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml");
        let head = first_lines(&self.text, HEAD_SIZE);
        if is_yaml && has_play(&read_outline(head), head) {
            return FileKind::Playbook;
        }
        let outline = self.outline();
        if has_play(outline, &self.text) {
            return FileKind::Playbook;
        }
        let mut roots = outline.children(None).peekable();
        let folders: Vec<&str> = self.path.iter().filter_map(|part| part.to_str()).collect();
        let above = folders.len().checked_sub(2).map_or("", |index| folders[index]);
        let of_variables = ["vars", "defaults", "group_vars", "host_vars"];
        match above {
            "tasks" => return FileKind::Tasks,
            "handlers" => return FileKind::Handlers,
            _ if folders.iter().rev().skip(1).take(2).any(|folder| of_variables.contains(folder)) => {
                return FileKind::Variables;
            }
            _ => {}
        }
        match roots.peek().map(|index| outline.nodes[*index].kind) {
            None => FileKind::Playbook,
            Some(NodeKind::Item) => FileKind::Tasks,
            Some(NodeKind::Entry) if roots.any(|index| action::resolve_name(self.key(index)).is_some()) => {
                FileKind::Tasks
            }
            Some(NodeKind::Entry) => FileKind::Other,
        }
    }

    /// Returns the key of a node.
    pub fn key(&self, index: usize) -> &str {
        self.slice(&self.outline().nodes[index].key)
    }

    /// Returns the value of a node without its quotes.
    pub fn scalar(&self, index: usize) -> &str {
        self.slice(&self.scalar_range(index))
    }

    /// Returns the place of the value of a node without its quotes.
    pub fn scalar_range(&self, index: usize) -> Range<usize> {
        let range = self.outline().nodes[index].value.clone();
        let text = self.slice(&range);
        let quoted = text.len() > 1 && text.starts_with(['"', '\'']) && text.ends_with(['"', '\'']);
        if quoted { range.start + 1..range.end - 1 } else { range }
    }

    /// Returns the value under a key of a mapping.
    pub fn value_of(&self, mapping: usize, key: &str) -> Option<usize> {
        self.outline().find_entry(&self.text, Some(mapping), key)
    }

    /// Returns the kind of the mapping that a node holds; of the whole text where there is none.
    pub fn mapping_kind(&self, holder: Option<usize>) -> MappingKind {
        let outline = self.outline();
        let Some(index) = holder else {
            return match self.file_kind() {
                FileKind::Variables => MappingKind::Variables,
                FileKind::Tasks => MappingKind::Task(KeywordPlace::Task),
                FileKind::Handlers => MappingKind::Task(KeywordPlace::Handler),
                FileKind::Playbook | FileKind::Other => MappingKind::Other,
            };
        };
        let parent = outline.nodes[index].parent;
        match outline.nodes[index].kind {
            NodeKind::Item => self.item_kind(index, parent),
            NodeKind::Entry => self.entry_kind(index, self.mapping_kind(parent)),
        }
    }

    /// The kind of a mapping that is a member of a list.
    fn item_kind(&self, item: usize, parent: Option<usize>) -> MappingKind {
        let has_block = || self.value_of(item, "block").is_some();
        let Some(list) = parent else {
            return match self.file_kind() {
                FileKind::Playbook
                    if self
                        .outline()
                        .children(Some(item))
                        .any(|child| action::resolve_name(self.key(child)).is_some()) =>
                {
                    MappingKind::Task(KeywordPlace::Task)
                }
                FileKind::Playbook => MappingKind::Play,
                FileKind::Variables | FileKind::Other => MappingKind::Other,
                FileKind::Tasks | FileKind::Handlers if has_block() => MappingKind::Block,
                FileKind::Tasks => MappingKind::Task(KeywordPlace::Task),
                FileKind::Handlers => MappingKind::Task(KeywordPlace::Handler),
            };
        };
        let key = self.key(list);
        let around = self.mapping_kind(self.outline().nodes[list].parent);
        match around {
            MappingKind::Play | MappingKind::Block | MappingKind::Task(_) if TASK_LISTS.contains(&key) => {
                match (has_block(), key) {
                    (true, _) => MappingKind::Block,
                    (false, "handlers") => MappingKind::Task(KeywordPlace::Handler),
                    (false, _) => MappingKind::Task(KeywordPlace::Task),
                }
            }
            MappingKind::Play if key == "roles" => MappingKind::RoleEntry,
            MappingKind::Arguments(_) | MappingKind::Members(_) => self.entry_kind(list, around),
            _ => MappingKind::Other,
        }
    }

    /// The kind of a mapping under a key.
    fn entry_kind(&self, entry: usize, around: MappingKind) -> MappingKind {
        let key = self.key(entry);
        let members = |param: Option<&'static Param>| match param.map(Param::member_params) {
            Some(rows) if !rows.is_empty() => MappingKind::Members(rows),
            _ => MappingKind::Other,
        };
        match around {
            MappingKind::Play | MappingKind::Task(_) | MappingKind::Block | MappingKind::RoleEntry if key == "vars" => {
                MappingKind::Variables
            }
            MappingKind::Play | MappingKind::Task(_) | MappingKind::Block if key == "module_defaults" => {
                MappingKind::ModuleDefaults
            }
            MappingKind::Task(_) if key == "loop_control" => MappingKind::LoopControl,
            MappingKind::Task(_) if key == "args" => {
                let task = self.outline().nodes[entry].parent;
                task.and_then(|task| self.module_of(task))
                    .map_or(MappingKind::Other, |(_, spec)| MappingKind::Arguments(spec))
            }
            MappingKind::Task(_) | MappingKind::ModuleDefaults => match modules::find_module(key) {
                Some(module) if Keyword::from_name(key).is_none() => MappingKind::Arguments(module.module_spec()),
                _ if action::resolve_name(key).is_some() => MappingKind::ActionArguments,
                _ => MappingKind::Other,
            },
            MappingKind::ActionArguments if key == "vars" => MappingKind::Variables,
            MappingKind::Arguments(spec) => members(spec.find_param(key)),
            MappingKind::Members(rows) => {
                members(rows.iter().find(|row| row.name == key || row.aliases.contains(&key)))
            }
            _ => MappingKind::Other,
        }
    }

    /// Returns the node and the parameters of the module of a task.
    pub fn module_of(&self, task: usize) -> Option<(usize, &'static Spec)> {
        self.outline().children(Some(task)).find_map(|child| {
            let key = self.key(child);
            let spec = modules::find_module(key)?.module_spec();
            Keyword::from_name(key).is_none().then_some((child, spec))
        })
    }

    /// Returns the node and the short name of the action of a task, be it a module or not.
    pub fn action_of(&self, task: usize) -> Option<(usize, String)> {
        self.outline().children(Some(task)).find_map(|child| {
            let key = self.key(child);
            let full = action::resolve_name(key).filter(|_| Keyword::from_name(key).is_none())?;
            Some((child, full.strip_prefix("ansible.builtin.").unwrap_or(&full).to_owned()))
        })
    }

    /// Returns the mapping around a node that is a task, a handler or a block.
    pub fn task_around(&self, index: Option<usize>) -> Option<usize> {
        let is_task =
            |index: &usize| matches!(self.mapping_kind(Some(*index)), MappingKind::Task(_) | MappingKind::Block);
        self.outline().ancestors(index).find(is_task)
    }

    /// Returns the play around an offset, as the range of its text; the whole text where there are no plays.
    pub fn play_range(&self, offset: usize) -> Range<usize> {
        let outline = self.outline();
        let is_list = |index: &usize| outline.nodes[*index].kind == NodeKind::Item;
        let roots: Vec<usize> = outline.children(None).filter(is_list).collect();
        if self.file_kind() != FileKind::Playbook || roots.is_empty() {
            return 0..self.text.len();
        }
        let after = roots.partition_point(|index| outline.nodes[*index].start <= offset);
        let start = after.checked_sub(1).map_or(0, |index| outline.nodes[roots[index]].start);
        start..roots.get(after).map_or(self.text.len(), |index| outline.nodes[*index].start)
    }
}

impl MappingKind {
    /// Returns the keywords that may stand in such a mapping.
    pub fn keywords(self) -> impl Iterator<Item = &'static keyword::Row> {
        let places: &[KeywordPlace] = match self {
            Self::Play => &[KeywordPlace::Play],
            Self::Task(KeywordPlace::Handler) => &[KeywordPlace::Task, KeywordPlace::Handler],
            Self::Task(_) => &[KeywordPlace::Task],
            Self::Block => &[KeywordPlace::Block],
            Self::RoleEntry => &[KeywordPlace::Block],
            _ => &[],
        };
        keyword::TABLE.iter().filter(move |row| places.iter().any(|place| row.is_allowed(*place)))
    }

    /// Returns the parameters that such a mapping takes.
    pub fn params(self) -> Vec<&'static Param> {
        match self {
            Self::Arguments(spec) => spec.all_params().collect(),
            Self::Members(rows) => rows.iter().collect(),
            _ => Vec::new(),
        }
    }

    /// Returns a parameter by its name or an alias.
    pub fn find_param(self, name: &str) -> Option<&'static Param> {
        self.params().into_iter().find(|param| param.name == name || param.aliases.contains(&name))
    }
}
