//! Scalars in their five styles.

use super::analysis::{Allowed, analyse_text, is_blank_or_end, is_break, is_printable};
use super::{Context, Emitter};
use crate::yaml::styled::Scalar;

impl Emitter {
    pub(super) fn write_scalar(&mut self, scalar: &Scalar, context: Context) {
        let allowed = analyse_text(&scalar.text, self.unicode);
        let key = context == Context::SimpleKey;
        let style = self.choose_style(scalar, allowed, key);
        match scalar.tag {
            Some(tag) => self.write_indicator(tag, true, false, false),
            None if style.is_some() && !scalar.implicit.1 => self.write_indicator("!", true, false, false),
            None => {}
        }
        self.write_deeper(true, false, |at| match style {
            None => at.write_plain(&scalar.text, !key),
            Some('\'') => at.single_quoted(&scalar.text, !key),
            Some('|') => at.write_literal(&scalar.text),
            Some('>') => at.write_folded(&scalar.text),
            Some(_) => at.double_quoted(&scalar.text, !key),
        });
    }

    /// The style that a scalar gets; `None` is plain.
    fn choose_style(&self, scalar: &Scalar, allowed: Allowed, key: bool) -> Option<char> {
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

    fn write_plain(&mut self, text: &str, fold: bool) {
        if !self.whitespace && !text.is_empty() {
            self.put_char(' ');
        }
        let mut blank = false;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if c == ' ' && fold && !blank && self.column > self.width && chars.peek() != Some(&' ') {
                self.begin_line();
            } else {
                self.put_char(c);
            }
            blank = c == ' ';
        }
        (self.whitespace, self.indention) = (false, false);
    }

    fn single_quoted(&mut self, text: &str, fold: bool) {
        self.write_indicator("'", true, false, false);
        let (mut blank, mut broken) = (false, false);
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().map(|(_, next)| *next);
            if c == ' ' {
                let inside = at > 0 && next.is_some();
                if fold && !blank && self.column > self.width && inside && next != Some(' ') {
                    self.begin_line();
                } else {
                    self.put_char(c);
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
                    self.begin_line();
                }
                if c == '\'' {
                    self.put_char(c);
                }
                self.put_char(c);
                (self.indention, blank, broken) = (false, false, false);
            }
        }
        if broken {
            self.begin_line();
        }
        self.write_indicator("'", false, false, false);
        (self.whitespace, self.indention) = (false, false);
    }

    fn double_quoted(&mut self, text: &str, fold: bool) {
        self.write_indicator("\"", true, false, false);
        let mut blank = false;
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().map(|(_, next)| *next);
            if !is_printable(c) || !c.is_ascii() && !self.unicode || is_break(c) || matches!(c, '"' | '\\') {
                escape_char(c).chars().for_each(|c| self.put_char(c));
                blank = false;
            } else if c == ' ' {
                if fold && !blank && self.column > self.width && at > 0 && next.is_some() {
                    self.begin_line();
                    if next == Some(' ') {
                        self.put_char('\\');
                    }
                } else {
                    self.put_char(c);
                }
                blank = true;
            } else {
                self.put_char(c);
                blank = false;
            }
        }
        self.write_indicator("\"", false, false, false);
        (self.whitespace, self.indention) = (false, false);
    }

    /// `|` or `>` and what says how the text begins and ends.
    fn block_header(&mut self, mark: &str, text: &str) {
        self.write_indicator(mark, true, false, false);
        if text.starts_with(|c| c == ' ' || is_break(c)) {
            self.write_indicator(&self.best_indent.to_string(), false, false, false);
        }
        let mut last = text.chars().rev();
        if !last.next().is_some_and(is_break) {
            self.write_indicator("-", false, false, false);
        } else if last.next().is_none_or(is_break) {
            self.write_indicator("+", false, false, false);
            self.open_ended = true;
        }
        self.new_line();
        (self.whitespace, self.indention) = (true, true);
    }

    fn write_literal(&mut self, text: &str) {
        self.block_header("|", text);
        let mut broken = true;
        for c in text.chars() {
            if is_break(c) {
                self.text_break(c);
                (self.indention, broken) = (true, true);
            } else {
                if broken {
                    self.begin_line();
                }
                self.put_char(c);
                (self.indention, broken) = (false, false);
            }
        }
    }

    fn write_folded(&mut self, text: &str) {
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
                    self.begin_line();
                    leading = matches!(c, ' ' | '\t');
                }
                if !broken && c == ' ' && !rest.starts_with(' ') && self.column > self.width {
                    self.begin_line();
                } else {
                    self.put_char(c);
                }
                (self.indention, broken) = (false, false);
            }
        }
    }
}

fn escape_char(c: char) -> String {
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
