//! The page: where lines break, what is quoted and how, as libyaml lays it out.

mod analysis;
mod scalar;

use analysis::analyse_text;

use super::styled::{DumpOptions, Styled};

/// Keys beyond this many bytes are written with `?`.
const MAX_SIMPLE_KEY: usize = 128;

/// Writes a document.
pub(super) fn write_document(root: &Styled, options: &DumpOptions) -> String {
    let best_indent = if (2..=9).contains(&options.indent) { options.indent } else { 2 };
    let width = if options.width <= best_indent * 2 { 80 } else { options.width };
    let mut emitter = Emitter {
        out: String::new(),
        column: 0,
        whitespace: true,
        indention: true,
        indent: None,
        flow: 0,
        open_ended: false,
        best_indent,
        width,
        unicode: options.unicode,
        canonical: options.canonical,
    };
    if options.explicit_start || options.canonical {
        emitter.write_indicator("---", true, false, false);
    }
    if options.canonical {
        emitter.begin_line();
    }
    emitter.write_node(root, Context::Root);
    emitter.begin_line();
    if options.explicit_end || emitter.open_ended {
        emitter.write_indicator("...", true, false, false);
        emitter.begin_line();
    }
    emitter.out
}

/// Position of a node within its parent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    Root,
    List,
    Value,
    /// A key on the line of its value.
    SimpleKey,
    Key,
}

struct Emitter {
    out: String,
    column: usize,
    /// Whether the last character was blank, and whether only indentation stands on the line so far.
    whitespace: bool,
    indention: bool,
    indent: Option<usize>,
    flow: usize,
    /// Whether the text so far ends in a block whose empty lines count.
    open_ended: bool,
    best_indent: usize,
    width: usize,
    unicode: bool,
    canonical: bool,
}

impl Emitter {
    fn put_char(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    fn new_line(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }

    /// A line break of a text, whichever it is.
    fn text_break(&mut self, c: char) {
        self.out.push(c);
        self.column = 0;
    }

    /// Begins a line at the present depth, unless one has just begun.
    fn begin_line(&mut self) {
        let indent = self.indent.unwrap_or(0);
        if !self.indention || self.column > indent || self.column == indent && !self.whitespace {
            self.new_line();
        }
        while self.column < indent {
            self.put_char(' ');
        }
        (self.whitespace, self.indention) = (true, true);
    }

    fn write_indicator(&mut self, mark: &str, needs_blank: bool, is_blank: bool, is_indention: bool) {
        if needs_blank && !self.whitespace {
            self.put_char(' ');
        }
        mark.chars().for_each(|c| self.put_char(c));
        self.whitespace = is_blank;
        self.indention &= is_indention;
        self.open_ended = false;
    }

    /// Does something one level deeper.
    fn write_deeper(&mut self, flow: bool, indentless: bool, write: impl FnOnce(&mut Self)) {
        let before = self.indent;
        self.indent = match before {
            None if flow => Some(self.best_indent),
            None => Some(0),
            Some(indent) if indentless => Some(indent),
            Some(indent) => Some(indent + self.best_indent),
        };
        write(self);
        self.indent = before;
    }

    fn write_node(&mut self, node: &Styled, context: Context) {
        match node {
            Styled::Scalar(scalar) => self.write_scalar(scalar, context),
            Styled::Tagged(tag, node) => {
                self.write_indicator(tag, true, false, false);
                self.write_node(node, context);
            }
            Styled::List { items, flow } if self.flow > 0 || *flow || items.is_empty() => self.flow_list(items),
            Styled::List { items, .. } => {
                let indentless = matches!(context, Context::Value | Context::Key) && !self.indention;
                self.write_deeper(false, indentless, |at| {
                    for item in items {
                        at.begin_line();
                        at.write_indicator("-", true, false, true);
                        at.write_node(item, Context::List);
                    }
                });
            }
            Styled::Map { entries, flow, tag } => {
                if let Some(tag) = tag {
                    self.write_indicator(tag, true, false, false);
                }
                if self.flow > 0 || *flow || entries.is_empty() {
                    self.flow_map(entries);
                } else {
                    self.write_deeper(false, false, |at| at.block_map(entries));
                }
            }
        }
    }

    fn flow_list(&mut self, items: &[Styled]) {
        self.write_indicator("[", true, true, false);
        self.flow += 1;
        self.write_deeper(true, false, |at| {
            for (index, item) in items.iter().enumerate() {
                at.flow_item(index);
                at.write_node(item, Context::List);
            }
        });
        self.flow -= 1;
        self.flow_end(items.is_empty());
        self.write_indicator("]", false, false, false);
    }

    fn flow_item(&mut self, index: usize) {
        if index > 0 {
            self.write_indicator(",", false, false, false);
        }
        if self.canonical || self.column > self.width {
            self.begin_line();
        }
    }

    fn flow_end(&mut self, empty: bool) {
        if self.canonical && !empty {
            self.write_indicator(",", false, false, false);
            self.begin_line();
        }
    }

    fn flow_map(&mut self, entries: &[(Styled, Styled)]) {
        self.write_indicator("{", true, true, false);
        self.flow += 1;
        self.write_deeper(true, false, |at| {
            for (index, (key, value)) in entries.iter().enumerate() {
                at.flow_item(index);
                if !at.canonical && is_simple_key(key, at.unicode) {
                    at.write_node(key, Context::SimpleKey);
                    at.write_indicator(":", false, false, false);
                } else {
                    at.write_indicator("?", true, false, false);
                    at.write_node(key, Context::Key);
                    if at.canonical || at.column > at.width {
                        at.begin_line();
                    }
                    at.write_indicator(":", true, false, false);
                }
                at.write_node(value, Context::Value);
            }
        });
        self.flow -= 1;
        self.flow_end(entries.is_empty());
        self.write_indicator("}", false, false, false);
    }

    fn block_map(&mut self, entries: &[(Styled, Styled)]) {
        for (key, value) in entries {
            self.begin_line();
            if is_simple_key(key, self.unicode) {
                self.write_node(key, Context::SimpleKey);
                self.write_indicator(":", false, false, false);
            } else {
                self.write_indicator("?", true, false, true);
                self.write_node(key, Context::Key);
                self.begin_line();
                self.write_indicator(":", true, false, true);
            }
            self.write_node(value, Context::Value);
        }
    }
}

fn is_simple_key(key: &Styled, unicode: bool) -> bool {
    match key {
        Styled::Scalar(scalar) => {
            let length = scalar.text.len() + scalar.tag.map_or(0, str::len);
            length <= MAX_SIMPLE_KEY && !analyse_text(&scalar.text, unicode).multiline
        }
        Styled::List { items, .. } => items.is_empty(),
        Styled::Map { entries, .. } => entries.is_empty(),
        Styled::Tagged(..) => false,
    }
}
