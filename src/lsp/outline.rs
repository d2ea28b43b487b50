//! The structure of a YAML text: keys, dashes and values, each with its place.

use std::ops::Range;

/// Kind of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeKind {
    /// A member of a list.
    Item,
    /// A key with its value.
    Entry,
}

/// Notation of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    /// By lines and indentation.
    Block,
    /// In brackets or braces.
    Flow,
}

/// A member of a list, or a key with its value.
#[derive(Debug, Clone)]
pub struct OutlineNode {
    /// Kind of the node.
    pub kind: NodeKind,
    /// Notation of the node.
    pub notation: Notation,
    /// Index of the node around it; `None` at the top.
    pub parent: Option<usize>,
    /// Column of the dash or key, in bytes.
    pub column: usize,
    /// Offset of the dash or key.
    pub start: usize,
    /// Key without quotes; empty for a member of a list.
    pub key: Range<usize>,
    /// Value that is not a block collection, without a comment; empty where there is none.
    pub value: Range<usize>,
    /// End of the node and everything below it.
    pub end: usize,
    /// Next node with the same parent.
    pub(super) next: Option<usize>,
}

/// All nodes of a text, each before those below it.
#[derive(Debug, Default)]
pub struct Outline {
    /// Nodes in the order of the text.
    pub nodes: Vec<OutlineNode>,
}

impl Outline {
    /// Adds a node and returns its index.
    pub(super) fn push(&mut self, node: OutlineNode) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Lets every node end where the last one below it ends, and links those with the same parent.
    pub(super) fn close_nodes(&mut self) {
        let mut first_child: Vec<Option<usize>> = vec![None; self.nodes.len() + 1];
        let top = self.nodes.len();
        for index in (0..self.nodes.len()).rev() {
            let slot = &mut first_child[self.nodes[index].parent.unwrap_or(top)];
            self.nodes[index].next = slot.replace(index);
        }
        for index in (0..self.nodes.len()).rev() {
            let node = &self.nodes[index];
            let end = node.end.max(node.value.end).max(node.key.end);
            self.nodes[index].end = end;
            if let Some(parent) = self.nodes[index].parent {
                self.nodes[parent].end = self.nodes[parent].end.max(end);
            }
        }
    }

    /// Returns the nodes directly below one, or at the top.
    pub fn children(&self, parent: Option<usize>) -> impl Iterator<Item = usize> + Clone + '_ {
        let first = parent.map_or(0, |index| index + 1);
        let first = self.nodes.get(first).filter(|node| node.parent == parent).map(|_| first);
        std::iter::successors(first, |index| self.nodes[*index].next)
    }

    /// Returns the entry of a mapping by its key.
    pub fn find_entry(&self, text: &str, mapping: Option<usize>, key: &str) -> Option<usize> {
        self.children(mapping).find(|index| text.get(self.nodes[*index].key.clone()) == Some(key))
    }

    /// Returns the node and those around it, from the inside.
    pub fn ancestors(&self, index: Option<usize>) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(index, |index| self.nodes[*index].parent)
    }

    /// Returns the innermost node around an offset.
    pub fn find_node(&self, offset: usize) -> Option<usize> {
        let last = self.nodes.partition_point(|node| node.start <= offset).checked_sub(1)?;
        self.ancestors(Some(last)).find(|index| offset <= self.nodes[*index].end)
    }
}
