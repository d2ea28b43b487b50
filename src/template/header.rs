//! The `#jinja2:` line at the top of a template file.

use super::call::RenderOptions;
use super::fault::Fault;
use crate::value::json;

impl RenderOptions {
    /// The settings of a template file: its last line break stays, string literals have escapes.
    pub fn for_file() -> Self {
        Self { keep_trailing_newline: true, escape_backslashes: false, ..Self::default() }
    }

    /// Reads `#jinja2: trim_blocks: false, variable_start_string: '[%'` if the text begins so, and gives what is left
    /// of the text.
    ///
    /// # Errors
    /// For a setting nobody knows, or a value of the wrong type.
    pub fn from_header(text: &str) -> Result<(Self, &str), Fault> {
        let mut options = Self::for_file();
        let Some(line_and_rest) = text.strip_prefix("#jinja2:") else { return Ok((options, text)) };
        let (line, rest) = line_and_rest.split_once('\n').unwrap_or((line_and_rest, ""));
        for setting in split(line) {
            let Some((name, value)) = setting.split_once(':') else {
                return Err(Fault::value(format!("`{}` in the `#jinja2:` line is not `name: value`", setting.trim())));
            };
            options.set(name.trim(), value.trim())?;
        }
        Ok((options, rest))
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Fault> {
        let flag = || match value {
            "True" | "true" | "1" => Ok(true),
            "False" | "false" | "0" => Ok(false),
            other => Err(Fault::value(format!("`{name}` in the `#jinja2:` line must be True or False, not `{other}`"))),
        };
        let text = || {
            let quoted = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
            let quoted = quoted.map(str::to_owned);
            quoted.or_else(|| json::from_str(value).ok()?.as_str().map(str::to_owned)).ok_or_else(|| {
                Fault::value(format!("`{name}` in the `#jinja2:` line must be text in quotes, not `{value}`"))
            })
        };
        match name {
            "trim_blocks" => self.trim_blocks = flag()?,
            "lstrip_blocks" => self.lstrip_blocks = flag()?,
            "keep_trailing_newline" => self.keep_trailing_newline = flag()?,
            "variable_start_string" => self.variable.0 = text()?,
            "variable_end_string" => self.variable.1 = text()?,
            "block_start_string" => self.block.0 = text()?,
            "block_end_string" => self.block.1 = text()?,
            "comment_start_string" => self.comment.0 = text()?,
            "comment_end_string" => self.comment.1 = text()?,
            other => {
                let known = [
                    "trim_blocks",
                    "lstrip_blocks",
                    "keep_trailing_newline",
                    "variable_start_string",
                    "variable_end_string",
                    "block_start_string",
                    "block_end_string",
                    "comment_start_string",
                    "comment_end_string",
                ];
                let fault = Fault::value(format!("`{other}` in the `#jinja2:` line is no setting of templates"));
                return Err(fault.suggest(other, known.iter()));
            }
        }
        Ok(())
    }
}

/// Splits at commas outside of quotes.
fn split(line: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quote) = (Vec::new(), 0, None);
    for (at, c) in line.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c == ',' => {
                parts.push(&line[start..at]);
                start = at + 1;
            }
            None => {}
        }
    }
    parts.push(&line[start..]);
    parts.retain(|part| !part.trim().is_empty());
    parts
}
