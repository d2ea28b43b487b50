//! Scalars in their five styles.

use super::analysis::{Allowed, analyse, is_blank_or_end, is_break, is_printable};
use super::{Context, Emitter};
use crate::yaml::styled::Scalar;

impl Emitter {
    pub(super) fn scalar(&mut self, scalar: &Scalar, context: Context) {
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
