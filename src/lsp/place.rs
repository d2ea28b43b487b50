//! Place of the cursor in the structure of a text: at a key, in a value, or at a member of a list.

use super::document::Document;
use super::outline::{NodeKind, Notation};

/// Place of the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CursorPlace {
    /// A key is being typed, of the mapping that this node holds (`None`: of the whole text).
    Key(Option<usize>),
    /// The value of an entry.
    Value(usize),
    /// A member of a list, which may become a mapping or stay a text.
    Item(usize),
}

impl Document {
    /// Returns the place of an offset and where the word before it begins.
    pub fn cursor_place(&self, offset: usize) -> (CursorPlace, usize) {
        let line = self.line_around(offset);
        let before = self.slice(&(line.start..offset));
        let outline = self.outline();
        // An entry without a value ends at its colon; blanks behind it are the place of the value all the same.
        let last = outline.nodes.partition_point(|node| node.start <= offset).checked_sub(1);
        let last = last.filter(|index| {
            let node = &outline.nodes[*index];
            node.start >= line.start && node.notation == Notation::Block && self.holds_value(*index, offset)
        });
        let found = last.or_else(|| outline.find_node(offset));
        let is_flow_key = |index: &usize| {
            let node = &outline.nodes[*index];
            node.notation == Notation::Flow && node.kind == NodeKind::Entry && !self.holds_value(*index, offset)
        };
        if let Some(index) = found.filter(is_flow_key) {
            return (CursorPlace::Key(outline.nodes[index].parent), outline.nodes[index].key.start.min(offset));
        }
        if let Some(index) = found.filter(|index| self.holds_value(*index, offset)) {
            let node = &outline.nodes[index];
            let inside = self.slice(&(node.value.start.min(offset)..offset));
            if node.value.start < offset && inside.starts_with(['{', '[']) {
                return self.flow_place(index, offset);
            }
            let start = word_start(before, line.start);
            // A word below its key is the beginning of a mapping.
            if node.kind == NodeKind::Entry
                && node.notation == Notation::Block
                && self.line_of(node.value.start) > self.line_of(node.start)
            {
                return (CursorPlace::Key(Some(index)), start);
            }
            let is_value = node.kind == NodeKind::Entry;
            return (if is_value { CursorPlace::Value(index) } else { CursorPlace::Item(index) }, start);
        }
        let trimmed = before.trim_start();
        let word = trimmed.rsplit("- ").next().unwrap_or(trimmed);
        let start = offset - word.len();
        let column = start - line.start;
        let nodes = &outline.nodes;
        if let Some(item) =
            nodes.iter().rposition(|node| node.start < start && node.start >= line.start && node.kind == NodeKind::Item)
        {
            return (CursorPlace::Item(item), start);
        }
        let last = nodes.partition_point(|node| node.start < line.start).checked_sub(1);
        let holder = outline
            .ancestors(last)
            .find(|index| nodes[*index].notation == Notation::Block && nodes[*index].column < column);
        // A value on a line of its own.
        let list = holder.filter(|index| {
            nodes[*index].kind == NodeKind::Entry
                && outline.children(Some(*index)).any(|child| nodes[child].kind == NodeKind::Item)
        });
        (if list.is_some() { CursorPlace::Value(holder.unwrap_or_default()) } else { CursorPlace::Key(holder) }, start)
    }

    /// Whether an offset lies behind the colon or dash of a node, on its line or in its value.
    fn holds_value(&self, index: usize, offset: usize) -> bool {
        let node = &self.outline().nodes[index];
        let after_sign = match node.kind {
            NodeKind::Entry => {
                offset > node.key.end && (node.notation == Notation::Block || offset >= node.value.start)
            }
            NodeKind::Item => offset > node.start || node.notation == Notation::Flow,
        };
        let on_line = self.line_of(offset) == self.line_of(node.start);
        let in_value = !node.value.is_empty() && (node.value.start..=node.value.end).contains(&offset);
        after_sign && (in_value || on_line)
    }

    /// Inside of braces or brackets.
    fn flow_place(&self, index: usize, offset: usize) -> (CursorPlace, usize) {
        let node = &self.outline().nodes[index];
        let inside = self.slice(&(node.value.start..offset));
        let word = inside.rsplit(['{', '[', ',', ' ', '"', '\'']).next().unwrap_or_default();
        let start = offset - word.len();
        let place = if inside.starts_with('[') { CursorPlace::Value(index) } else { CursorPlace::Key(Some(index)) };
        (place, start)
    }
}

/// Where the word at the end of a line begins: after a blank, a quote or a sign of a collection.
fn word_start(before: &str, line_start: usize) -> usize {
    let word = before.rsplit([' ', '\t', '"', '\'', '[', '{', ',']).next().unwrap_or_default();
    line_start + before.len() - word.len()
}
