//! From text to [`Template`]: minijinja's parser, and what it cannot do.
//!
//! The parser works on a *masked* copy of the text that has the same length: what it would refuse or read differently
//! from Jinja2 (backslashes, huge integers, unary plus) is replaced by something harmless, and literals and raw text are
//! then read from the original at the same offsets.

mod expression;
mod statement;

use std::cell::Cell;
use std::sync::Arc;

use minijinja::machinery::{Span, ast, parse, parse_expr};
use minijinja::syntax::SyntaxConfig;

use super::ast::{At, ExprNode, ParsedTemplate};
use super::error::{TemplateError, TemplateErrorKind};
use super::mutation;
use super::plugin::RenderOptions;
use super::preprocess;
use crate::diagnostic::characters::explain_odd_character;

/// Reads a template. A fault's place is given as offsets.
///
/// # Errors
/// If the text is not a template.
pub fn parse_template(text: &str, options: &RenderOptions) -> Result<ParsedTemplate, (TemplateError, At)> {
    let syntax = build_syntax(options).map_err(|fault| (fault, 0..0))?;
    if let Some(at) = preprocess::find_overlong(text, options, MAX_LENGTH) {
        return Err((TemplateError::new(TemplateErrorKind::Limit, "this expression is too long"), at));
    }
    let whole = |body| ParsedTemplate { body, changes: mutation::may_change(text) };
    let masked = preprocess::mask_unparsable(text);
    let reader = Reader {
        text,
        masked: &masked,
        literal_backslashes: options.escape_backslashes,
        newline: options.newline,
        in_output: Cell::new(false),
        depth: Cell::new(0),
    };
    match parse(&masked, "template", syntax.clone()) {
        Ok(ast::Stmt::Template(root)) => reader.parse_body(&root.children).map(whole),
        Ok(_) => Err((TemplateError::new(TemplateErrorKind::Syntax, "this is not a template"), 0..text.len())),
        Err(error) => {
            // A bare tuple (`{{ a, b }}`) needs brackets for the parser; they take the place of blanks.
            let Some(bracketed) = preprocess::bracket_tuples(&masked, options) else {
                return Err(reader.syntax_error(&error));
            };
            let reader = Reader { masked: &bracketed, ..reader };
            match parse(&bracketed, "template", syntax) {
                Ok(ast::Stmt::Template(root)) => reader.parse_body(&root.children).map(whole),
                _ => Err(reader.syntax_error(&error)),
            }
        }
    }
}

/// Reads a bare expression (`when`, `debug: var`).
///
/// # Errors
/// If the text is not an expression.
pub fn parse_expression(text: &str) -> Result<ExprNode, (TemplateError, At)> {
    if text.len() > MAX_LENGTH {
        return Err((TemplateError::new(TemplateErrorKind::Limit, "this expression is too long"), 0..MAX_LENGTH));
    }
    let masked = preprocess::mask_unparsable(text);
    let reader = Reader {
        text,
        masked: &masked,
        literal_backslashes: false,
        newline: "\n",
        in_output: Cell::new(false),
        depth: Cell::new(0),
    };
    match parse_expr(&masked) {
        Ok(expr) => reader.parse_node(&expr),
        Err(error) => Err(reader.syntax_error(&error)),
    }
}

fn build_syntax(options: &RenderOptions) -> Result<SyntaxConfig, TemplateError> {
    SyntaxConfig::builder()
        .block_delimiters(options.block.0.clone(), options.block.1.clone())
        .variable_delimiters(options.variable.0.clone(), options.variable.1.clone())
        .comment_delimiters(options.comment.0.clone(), options.comment.1.clone())
        .trim_blocks(options.trim_blocks)
        .lstrip_blocks(options.lstrip_blocks)
        .build()
        .map_err(|error| {
            TemplateError::new(TemplateErrorKind::Syntax, format!("the delimiters are not usable: {error}"))
        })
}

/// How deep expressions may nest, not counting rows of operators.
const MAX_DEPTH: usize = 200;
/// How many operators may stand in a row.
const MAX_ROW: usize = 5000;
/// The longest expression or statement, in bytes.
const MAX_LENGTH: usize = 32 << 10;

struct Reader<'t> {
    text: &'t str,
    masked: &'t str,
    literal_backslashes: bool,
    newline: &'static str,
    /// Inside `{{ }}`; in statements and bare expressions escapes hold in playbooks too.
    in_output: Cell<bool>,
    depth: Cell<usize>,
}

/// The innermost statement that is opened and never closed.
fn unclosed_statement(text: &str) -> Option<&str> {
    let mut open = Vec::new();
    for part in text.split("{%").skip(1) {
        let word = part
            .trim_start_matches(['-', '+', ' ', '\n'])
            .split(|c: char| !c.is_ascii_alphabetic())
            .next()
            .unwrap_or("");
        match word {
            "if" | "for" | "macro" | "call" | "filter" | "raw" | "with" | "block" => open.push(word),
            _ => {
                if let Some(name) = word.strip_prefix("end")
                    && let Some(at) = open.iter().rposition(|known| *known == name)
                {
                    open.truncate(at);
                }
            }
        }
    }
    open.pop()
}

type Read<T> = Result<T, (TemplateError, At)>;

fn fail_at<T>(message: impl Into<String>, at: At) -> Read<T> {
    Err((TemplateError::new(TemplateErrorKind::Syntax, message), at))
}

impl Reader<'_> {
    fn syntax_error(&self, error: &minijinja::Error) -> (TemplateError, At) {
        let detail = error.detail().unwrap_or("this is not a valid template").to_owned();
        let at = match error.range() {
            Some(range) => self.clamp_token(range),
            None => self.line_range(error.line().unwrap_or(1)),
        };
        let fault = TemplateError::new(TemplateErrorKind::Syntax, format!("syntax error in template: {detail}"));
        (self.with_remedy(fault, &at), at)
    }

    /// Adds what to write instead, where the text tells what was meant.
    fn with_remedy(&self, fault: TemplateError, at: &At) -> TemplateError {
        let before = self.text.get(..at.start).unwrap_or_default().trim_end();
        let token = self.text.get(at.clone()).unwrap_or_default().trim();
        let assigns = token.starts_with('=') && !token.starts_with("==")
            || before.strip_suffix('=').is_some_and(|rest| !rest.ends_with(['=', '!', '<', '>']));
        if assigns {
            return fault.hint("`=` does not compare; write `==`");
        }
        if let Some(quote) = self.text.chars().find(|c| matches!(c, '“' | '”' | '„' | '‘' | '’' | '‚' | '«' | '»'))
        {
            return fault.hint(format!("`{quote}` is a typographic quote; write `'` or `\"`"));
        }
        let rest = self.text.get(at.start..).unwrap_or_default();
        let entity = rest.strip_prefix('&').and_then(|rest| rest.split_once(';')).map(|(name, _)| name);
        if let Some(name) = entity.filter(|name| name.len() < 8 && !name.contains(char::is_whitespace)) {
            return fault.hint(format!("`&{name};` is an HTML entity; write the character itself"));
        }
        if let Some(remedy) = rest.chars().next().and_then(|c| explain_odd_character(&c.to_string())) {
            return fault.hint(remedy);
        }
        match unclosed_statement(self.text) {
            Some(name) => fault.hint(format!("`{{% {name} %}}` is never closed; add `{{% end{name} %}}`")),
            None => fault,
        }
    }

    /// The token at which reading broke off; where the text ended too early, its end.
    fn clamp_token(&self, range: At) -> At {
        let whole = self.text.trim_end().len();
        let start = range.start.min(whole);
        let end = range.end.clamp(start, self.text.len());
        let ok = self.text.is_char_boundary(start) && self.text.is_char_boundary(end);
        if ok { start..end } else { 0..self.text.len() }
    }

    fn line_range(&self, number: usize) -> At {
        let mut start = 0;
        for (index, line) in self.text.split_inclusive('\n').enumerate() {
            if index + 1 == number {
                return start..start + line.trim_end().len();
            }
            start += line.len();
        }
        0..self.text.len()
    }

    fn span_range(&self, span: Span) -> At {
        let start = (span.start_offset as usize).min(self.text.len());
        let end = (span.end_offset as usize).clamp(start, self.text.len());
        if self.text.is_char_boundary(start) && self.text.is_char_boundary(end) {
            start..end
        } else {
            0..self.text.len()
        }
    }

    /// Where a slice of the masked text stands.
    fn slice_range(&self, part: &str) -> At {
        let start = (part.as_ptr() as usize).saturating_sub(self.masked.as_ptr() as usize).min(self.text.len());
        start..(start + part.len()).min(self.text.len())
    }

    /// A name, from the original text: a masked backslash must not become part of one.
    fn original_name(&self, part: &str) -> Read<Arc<str>> {
        let at = self.slice_range(part);
        match self.text.get(at.clone()) {
            Some(original) if original.contains('\\') => fail_at("syntax error in template: unexpected `\\`", at),
            Some(original) if original.len() == part.len() => Ok(original.into()),
            _ => Ok(part.into()),
        }
    }
}
