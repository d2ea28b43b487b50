//! The page: where lines break, what is quoted and how, as libyaml lays it out.

use super::styled::{DumpOptions, Scalar, Styled};

/// Keys beyond this many bytes are written with `?`.
const MAX_SIMPLE_KEY: usize = 128;

/// Writes a document.
pub(super) fn document(root: &Styled, options: &DumpOptions) -> String {
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
        emitter.indicator("---", true, false, false);
    }
    if options.canonical {
        emitter.line();
    }
    emitter.node(root, Context::Root);
    emitter.line();
    if options.explicit_end || emitter.open_ended {
        emitter.indicator("...", true, false, false);
        emitter.line();
    }
    emitter.out
}

/// What a node stands in.
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

fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_blank_or_end(c: Option<char>) -> bool {
    c.is_none_or(|c| matches!(c, ' ' | '\t' | '\0') || is_break(c))
}

fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

/// In which styles a text can be written.
#[derive(Debug, Clone, Copy)]
struct Allowed {
    multiline: bool,
    flow_plain: bool,
    block_plain: bool,
    single: bool,
    block: bool,
}

fn analyse(text: &str, unicode: bool) -> Allowed {
    if text.is_empty() {
        return Allowed { multiline: false, flow_plain: false, block_plain: true, single: true, block: false };
    }
    let marker = text.starts_with("---") || text.starts_with("...");
    let (mut flow_mark, mut block_mark) = (marker, marker);
    let (mut breaks, mut special, mut break_space, mut space_break) = (false, false, false, false);
    let mut before: Option<char> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let followed = is_blank_or_end(chars.peek().copied());
        match (before, c) {
            (None, '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`') => {
                (flow_mark, block_mark) = (true, true);
            }
            (None, '?') | (_, ':') => {
                flow_mark = true;
                block_mark |= followed;
            }
            (None, '-') if followed => (flow_mark, block_mark) = (true, true),
            (Some(_), ',' | '?' | '[' | ']' | '{' | '}') => flow_mark = true,
            (Some(_), '#') if is_blank_or_end(before) => (flow_mark, block_mark) = (true, true),
            _ => {}
        }
        special |= !is_printable(c) || !c.is_ascii() && !unicode;
        breaks |= is_break(c);
        break_space |= c == ' ' && before.is_some_and(is_break);
        space_break |= is_break(c) && before == Some(' ');
        before = Some(c);
    }
    let edge = |c: Option<char>| c.is_some_and(|c| c == ' ' || is_break(c));
    let edges = edge(text.chars().next()) || edge(before);
    let plain = !edges && !break_space && !space_break && !special && !breaks;
    Allowed {
        multiline: breaks,
        flow_plain: plain && !flow_mark,
        block_plain: plain && !block_mark,
        single: !break_space && !space_break && !special,
        block: before != Some(' ') && !space_break && !special,
    }
}

impl Emitter {
    fn put(&mut self, c: char) {
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
    fn line(&mut self) {
        let indent = self.indent.unwrap_or(0);
        if !self.indention || self.column > indent || self.column == indent && !self.whitespace {
            self.new_line();
        }
        while self.column < indent {
            self.put(' ');
        }
        (self.whitespace, self.indention) = (true, true);
    }

    fn indicator(&mut self, mark: &str, needs_blank: bool, is_blank: bool, is_indention: bool) {
        if needs_blank && !self.whitespace {
            self.put(' ');
        }
        mark.chars().for_each(|c| self.put(c));
        self.whitespace = is_blank;
        self.indention &= is_indention;
        self.open_ended = false;
    }

    /// Does something one level deeper.
    fn deeper(&mut self, flow: bool, indentless: bool, write: impl FnOnce(&mut Self)) {
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

    fn node(&mut self, node: &Styled, context: Context) {
        match node {
            Styled::Scalar(scalar) => self.scalar(scalar, context),
            Styled::Tagged(tag, node) => {
                self.indicator(tag, true, false, false);
                self.node(node, context);
            }
            Styled::List { items, flow } if self.flow > 0 || *flow || items.is_empty() => self.flow_list(items),
            Styled::List { items, .. } => {
                let indentless = matches!(context, Context::Value | Context::Key) && !self.indention;
                self.deeper(false, indentless, |at| {
                    for item in items {
                        at.line();
                        at.indicator("-", true, false, true);
                        at.node(item, Context::List);
                    }
                });
            }
            Styled::Map { entries, flow, tag } => {
                if let Some(tag) = tag {
                    self.indicator(tag, true, false, false);
                }
                if self.flow > 0 || *flow || entries.is_empty() {
                    self.flow_map(entries);
                } else {
                    self.deeper(false, false, |at| at.block_map(entries));
                }
            }
        }
    }

    fn flow_list(&mut self, items: &[Styled]) {
        self.indicator("[", true, true, false);
        self.flow += 1;
        self.deeper(true, false, |at| {
            for (index, item) in items.iter().enumerate() {
                at.flow_item(index);
                at.node(item, Context::List);
            }
        });
        self.flow -= 1;
        self.flow_end(items.is_empty());
        self.indicator("]", false, false, false);
    }

    fn flow_item(&mut self, index: usize) {
        if index > 0 {
            self.indicator(",", false, false, false);
        }
        if self.canonical || self.column > self.width {
            self.line();
        }
    }

    fn flow_end(&mut self, empty: bool) {
        if self.canonical && !empty {
            self.indicator(",", false, false, false);
            self.line();
        }
    }

    fn flow_map(&mut self, entries: &[(Styled, Styled)]) {
        self.indicator("{", true, true, false);
        self.flow += 1;
        self.deeper(true, false, |at| {
            for (index, (key, value)) in entries.iter().enumerate() {
                at.flow_item(index);
                if !at.canonical && is_simple_key(key, at.unicode) {
                    at.node(key, Context::SimpleKey);
                    at.indicator(":", false, false, false);
                } else {
                    at.indicator("?", true, false, false);
                    at.node(key, Context::Key);
                    if at.canonical || at.column > at.width {
                        at.line();
                    }
                    at.indicator(":", true, false, false);
                }
                at.node(value, Context::Value);
            }
        });
        self.flow -= 1;
        self.flow_end(entries.is_empty());
        self.indicator("}", false, false, false);
    }

    fn block_map(&mut self, entries: &[(Styled, Styled)]) {
        for (key, value) in entries {
            self.line();
            if is_simple_key(key, self.unicode) {
                self.node(key, Context::SimpleKey);
                self.indicator(":", false, false, false);
            } else {
                self.indicator("?", true, false, true);
                self.node(key, Context::Key);
                self.line();
                self.indicator(":", true, false, true);
            }
            self.node(value, Context::Value);
        }
    }

    fn scalar(&mut self, scalar: &Scalar, context: Context) {
        let allowed = analyse(&scalar.text, self.unicode);
        let key = context == Context::SimpleKey;
        let style = self.style(scalar, allowed, key);
        match scalar.tag {
            Some(tag) => self.indicator(tag, true, false, false),
            None if style.is_some() && !scalar.implicit.1 => self.indicator("!", true, false, false),
            None => {}
        }
        self.deeper(true, false, |at| match style {
            None => at.plain(&scalar.text, !key),
            Some('\'') => at.single_quoted(&scalar.text, !key),
            Some('|') => at.literal(&scalar.text),
            Some('>') => at.folded(&scalar.text),
            Some(_) => at.double_quoted(&scalar.text, !key),
        });
    }

    /// The style that a scalar gets; `None` is plain.
    fn style(&self, scalar: &Scalar, allowed: Allowed, key: bool) -> Option<char> {
        let mut style = if key && allowed.multiline { Some('"') } else { scalar.style };
        if style.is_none() {
            let plain = if self.flow > 0 { allowed.flow_plain } else { allowed.block_plain };
            let empty = scalar.text.is_empty() && (self.flow > 0 || key);
            if !plain || empty || scalar.tag.is_none() && !scalar.implicit.0 {
                style = Some('\'');
            }
        }
        match style {
            Some('\'') if !allowed.single => Some('"'),
            Some('|' | '>') if !allowed.block || self.flow > 0 || key => Some('"'),
            other => other,
        }
    }

    fn plain(&mut self, text: &str, fold: bool) {
        if !self.whitespace && !text.is_empty() {
            self.put(' ');
        }
        let mut blank = false;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if c == ' ' && fold && !blank && self.column > self.width && chars.peek() != Some(&' ') {
                self.line();
            } else {
                self.put(c);
            }
            blank = c == ' ';
        }
        (self.whitespace, self.indention) = (false, false);
    }

    fn single_quoted(&mut self, text: &str, fold: bool) {
        self.indicator("'", true, false, false);
        let (mut blank, mut broken) = (false, false);
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().map(|(_, next)| *next);
            if c == ' ' {
                let inside = at > 0 && next.is_some();
                if fold && !blank && self.column > self.width && inside && next != Some(' ') {
                    self.line();
                } else {
                    self.put(c);
                }
                blank = true;
            } else if is_break(c) {
                if !broken && c == '\n' {
                    self.new_line();
                }
                self.text_break(c);
                (self.indention, broken) = (true, true);
            } else {
                if broken {
                    self.line();
                }
                if c == '\'' {
                    self.put(c);
                }
                self.put(c);
                (self.indention, blank, broken) = (false, false, false);
            }
        }
        if broken {
            self.line();
        }
        self.indicator("'", false, false, false);
        (self.whitespace, self.indention) = (false, false);
    }

    fn double_quoted(&mut self, text: &str, fold: bool) {
        self.indicator("\"", true, false, false);
        let mut blank = false;
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().map(|(_, next)| *next);
            if !is_printable(c) || !c.is_ascii() && !self.unicode || is_break(c) || matches!(c, '"' | '\\') {
                escape(c).chars().for_each(|c| self.put(c));
                blank = false;
            } else if c == ' ' {
                if fold && !blank && self.column > self.width && at > 0 && next.is_some() {
                    self.line();
                    if next == Some(' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(c);
                }
                blank = true;
            } else {
                self.put(c);
                blank = false;
            }
        }
        self.indicator("\"", false, false, false);
        (self.whitespace, self.indention) = (false, false);
    }

    /// `|` or `>` and what says how the text begins and ends.
    fn block_header(&mut self, mark: &str, text: &str) {
        self.indicator(mark, true, false, false);
        if text.starts_with(|c| c == ' ' || is_break(c)) {
            self.indicator(&self.best_indent.to_string(), false, false, false);
        }
        let mut last = text.chars().rev();
        if !last.next().is_some_and(is_break) {
            self.indicator("-", false, false, false);
        } else if last.next().is_none_or(is_break) {
            self.indicator("+", false, false, false);
            self.open_ended = true;
        }
        self.new_line();
        (self.whitespace, self.indention) = (true, true);
    }

    fn literal(&mut self, text: &str) {
        self.block_header("|", text);
        let mut broken = true;
        for c in text.chars() {
            if is_break(c) {
                self.text_break(c);
                (self.indention, broken) = (true, true);
            } else {
                if broken {
                    self.line();
                }
                self.put(c);
                (self.indention, broken) = (false, false);
            }
        }
    }

    fn folded(&mut self, text: &str) {
        self.block_header(">", text);
        let (mut broken, mut leading) = (true, true);
        for (at, c) in text.char_indices() {
            let rest = &text[at + c.len_utf8()..];
            if is_break(c) {
                if !broken
                    && !leading
                    && c == '\n'
                    && !is_blank_or_end(rest.trim_start_matches(is_break).chars().next())
                {
                    self.new_line();
                }
                self.text_break(c);
                (self.indention, broken) = (true, true);
            } else {
                if broken {
                    self.line();
                    leading = matches!(c, ' ' | '\t');
                }
                if !broken && c == ' ' && !rest.starts_with(' ') && self.column > self.width {
                    self.line();
                } else {
                    self.put(c);
                }
                (self.indention, broken) = (false, false);
            }
        }
    }
}

fn is_simple_key(key: &Styled, unicode: bool) -> bool {
    match key {
        Styled::Scalar(scalar) => {
            let length = scalar.text.len() + scalar.tag.map_or(0, str::len);
            length <= MAX_SIMPLE_KEY && !analyse(&scalar.text, unicode).multiline
        }
        Styled::List { items, .. } => items.is_empty(),
        Styled::Map { entries, .. } => entries.is_empty(),
        Styled::Tagged(..) => false,
    }
}

fn escape(c: char) -> String {
    let short = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        _ => {
            let code = u32::from(c);
            return match code {
                0..=0xff => format!("\\x{code:02X}"),
                0x100..=0xffff => format!("\\u{code:04X}"),
                _ => format!("\\U{code:08X}"),
            };
        }
    };
    format!("\\{short}")
}
