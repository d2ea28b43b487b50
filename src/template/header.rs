//! Template files: their options, the `#jinja2:` line that may set them, and how their ends of lines are kept.

use super::error::TemplateError;
use super::plugin::{Context, RenderOptions};
use crate::source::Source;
use crate::value::{Text, Value};

/// The first line of a template begins with this if it sets options.
const HEADER: &str = "#jinja2:";

/// The options that a task, a lookup or the first line of a file may set.
pub const FILE_OPTIONS: [&str; 10] = [
    "block_start_string",
    "block_end_string",
    "variable_start_string",
    "variable_end_string",
    "comment_start_string",
    "comment_end_string",
    "newline_sequence",
    "trim_blocks",
    "lstrip_blocks",
    "keep_trailing_newline",
];

/// How a template file is read: delimiters, blanks and ends of lines.
#[derive(Debug, Clone)]
pub struct FileOptions(RenderOptions);

impl Default for FileOptions {
    fn default() -> Self {
        // Backslashes in the string literals of files are escapes; in playbooks they are not.
        Self(RenderOptions { escape_backslashes: false, ..RenderOptions::default() })
    }
}

impl FileOptions {
    /// Sets an option by its name.
    ///
    /// # Errors
    /// For an unknown name, or an invalid line end.
    pub fn set_option(&mut self, name: &str, value: &Value) -> Result<(), TemplateError> {
        let text = || value.as_str().unwrap_or_default().to_owned();
        let options = &mut self.0;
        match name {
            "block_start_string" => options.block.0 = text(),
            "block_end_string" => options.block.1 = text(),
            "variable_start_string" => options.variable.0 = text(),
            "variable_end_string" => options.variable.1 = text(),
            "comment_start_string" => options.comment.0 = text(),
            "comment_end_string" => options.comment.1 = text(),
            "trim_blocks" => options.trim_blocks = value.is_true(),
            "lstrip_blocks" => options.lstrip_blocks = value.is_true(),
            // The line breaks at the end come back in any case.
            "keep_trailing_newline" => {}
            "newline_sequence" => {
                options.newline = match text().as_str() {
                    "\n" | "\\n" => "\n",
                    "\r" | "\\r" => "\r",
                    "\r\n" | "\\r\\n" => "\r\n",
                    _ => return Err(TemplateError::value("newline_sequence needs to be one of: \n, \r or \r\n")),
                };
            }
            _ => {
                let fault = TemplateError::value(format!("Invalid '#jinja2:' override key '{name}'."));
                return Err(fault.suggest_name(name, FILE_OPTIONS.iter()));
            }
        }
        Ok(())
    }

    /// Takes over what the first line of a file says, and gives the offset of the text below it.
    fn read_header(&mut self, content: &str) -> Result<usize, TemplateError> {
        let Some(rest) = content.strip_prefix(HEADER) else { return Ok(0) };
        let Some((line, body)) = rest.split_once('\n') else {
            return Err(TemplateError::value("Missing newline after '#jinja2:' override."));
        };
        for pair in line.split(',') {
            if pair.trim().is_empty() {
                return Err(TemplateError::value("Empty '#jinja2:' override pair not allowed."));
            }
            let Some((key, value)) = pair.split_once(':') else {
                let message = format!("Missing key-value separator `:` in '#jinja2:' override pair '{pair}'.");
                return Err(TemplateError::value(message));
            };
            let value = parse_literal(value.trim())
                .ok_or_else(|| TemplateError::value(format!("Invalid '#jinja2:' override value {}.", value.trim())))?;
            self.set_option(key.trim(), &value)?;
        }
        Ok(content.len() - body.len())
    }

    /// Renders a template file. A file of one expression keeps the type of that expression.
    ///
    /// # Errors
    /// If the first line is not a list of options, or the template fails.
    pub fn render_file(
        mut self,
        context: &dyn Context,
        name: &str,
        content: &str,
        vars: Vec<(String, Value)>,
    ) -> Result<Value, TemplateError> {
        let start = self.read_header(content)?;
        let span = Source::new(name, content).span(start..content.len());
        self.0.vars = vars;
        context.render_text(&Text::from_source(&content[start..], span), &self.0)
    }
}

/// A Python literal as far as options need one: text, a boolean, or nothing.
fn parse_literal(text: &str) -> Option<Value> {
    match text {
        "True" => return Some(true.into()),
        "False" => return Some(false.into()),
        "None" => return Some(Value::Null),
        _ => {}
    }
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let inner = text[1..].strip_suffix(quote)?;
    let mut out = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.push(match chars.next()? {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                other => other,
            }),
            c if c == quote => return None,
            c => out.push(c),
        }
    }
    Some(out.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_sets_options() {
        let text = "#jinja2: trim_blocks: False, variable_start_string: '<<', variable_end_string:\">>\"\nbody\n";
        let mut found = FileOptions::default();
        let start = found.read_header(text).unwrap();
        assert_eq!(&text[start..], "body\n");
        assert!(!found.0.trim_blocks && !found.0.escape_backslashes);
        assert_eq!(found.0.variable, ("<<".to_owned(), ">>".to_owned()));
        assert_eq!(found.0.block, ("{%".to_owned(), "%}".to_owned()));
    }

    #[track_caller]
    fn refused(text: &str, message: &str) {
        assert_eq!(FileOptions::default().read_header(text).unwrap_err().message, message);
    }

    #[test]
    fn bad_first_lines() {
        refused("#jinja2: x", "Missing newline after '#jinja2:' override.");
        refused("#jinja2: trim_blocks: True,\n", "Empty '#jinja2:' override pair not allowed.");
        refused("#jinja2: trim\n", "Missing key-value separator `:` in '#jinja2:' override pair ' trim'.");
        refused("#jinja2: trim: True\n", "Invalid '#jinja2:' override key 'trim'.");
        refused("#jinja2: trim_blocks: maybe\n", "Invalid '#jinja2:' override value maybe.");
    }

    #[test]
    fn line_ends_follow_newline_sequence() {
        let mut options = FileOptions::default();
        for (written, meant) in [("\r\n", "\r\n"), ("\\r", "\r"), ("\n", "\n")] {
            options.set_option("newline_sequence", &Value::text(written)).unwrap();
            assert_eq!(options.0.newline, meant);
        }
        let fault = options.set_option("newline_sequence", &Value::text("x")).unwrap_err();
        assert_eq!(fault.message, "newline_sequence needs to be one of: \n, \r or \r\n");
    }
}
