//! How a template is read: what the task says, and what the template's first line says on top.

use crate::modules::{Args, Failure};
use crate::template::call::RenderOptions;
use crate::value::Value;

/// The first line of a template begins with this if it sets options.
const HEADER: &str = "#jinja2:";

/// Delimiters, blanks and line ends.
#[derive(Debug, Clone)]
pub struct Settings {
    options: RenderOptions,
    newline: String,
}

impl Settings {
    /// What the arguments say.
    ///
    /// # Errors
    /// For a line end that is none.
    pub fn of(args: &Args) -> Result<Self, Failure> {
        let options = RenderOptions {
            keep_trailing_newline: true,
            escape_backslashes: false,
            native: false,
            ..RenderOptions::default()
        };
        let mut settings = Self { options, newline: "\n".to_owned() };
        for name in [
            "block_start_string",
            "block_end_string",
            "variable_start_string",
            "variable_end_string",
            "comment_start_string",
            "comment_end_string",
            "newline_sequence",
            "trim_blocks",
            "lstrip_blocks",
        ] {
            if let Some(value) = args.get(name) {
                settings.set(name, value)?;
            }
        }
        Ok(settings)
    }

    /// The settings with those of the template's first line, and the text below it.
    ///
    /// # Errors
    /// For a first line that is no list of settings.
    pub fn with_header(mut self, text: &str) -> Result<(Self, &str), Failure> {
        let Some(rest) = text.strip_prefix(HEADER) else { return Ok((self, text)) };
        let Some((line, body)) = rest.split_once('\n') else {
            return Err(Failure::new("Missing newline after '#jinja2:' override."));
        };
        for pair in line.split(',') {
            if pair.trim().is_empty() {
                return Err(Failure::new("Empty '#jinja2:' override pair not allowed."));
            }
            let Some((key, value)) = pair.split_once(':') else {
                let message = format!("Missing key-value separator `:` in '#jinja2:' override pair '{pair}'.");
                return Err(Failure::new(message));
            };
            let value = literal(value.trim())
                .ok_or_else(|| Failure::new(format!("Invalid '#jinja2:' override value {}.", value.trim())))?;
            self.set(key.trim(), &value)?;
        }
        Ok((self, body))
    }

    fn set(&mut self, name: &str, value: &Value) -> Result<(), Failure> {
        let text = || value.as_str().unwrap_or_default().to_owned();
        let options = &mut self.options;
        match name {
            "block_start_string" => options.block.0 = text(),
            "block_end_string" => options.block.1 = text(),
            "variable_start_string" => options.variable.0 = text(),
            "variable_end_string" => options.variable.1 = text(),
            "comment_start_string" => options.comment.0 = text(),
            "comment_end_string" => options.comment.1 = text(),
            "trim_blocks" => options.trim_blocks = value.is_true(),
            "lstrip_blocks" => options.lstrip_blocks = value.is_true(),
            "keep_trailing_newline" => options.keep_trailing_newline = value.is_true(),
            "newline_sequence" => {
                self.newline = match text().as_str() {
                    "\n" | "\\n" => "\n",
                    "\r" | "\\r" => "\r",
                    "\r\n" | "\\r\\n" => "\r\n",
                    _ => return Err(Failure::new("newline_sequence needs to be one of: \n, \r or \r\n")),
                }
                .to_owned();
            }
            _ => return Err(Failure::new(format!("Invalid '#jinja2:' override key '{name}'."))),
        }
        Ok(())
    }

    /// The text with the line ends that the result is to have; those of variables stay as they are.
    pub fn with_line_ends(&self, text: &str) -> String {
        let unix = text.replace("\r\n", "\n").replace('\r', "\n");
        if self.newline == "\n" { unix } else { unix.replace('\n', &self.newline) }
    }

    /// For the engine.
    pub fn into_options(self) -> RenderOptions {
        self.options
    }
}

/// A Python literal as far as settings need one: text, a boolean, or nothing.
fn literal(text: &str) -> Option<Value> {
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
    use crate::value::Dict;

    fn settings(options: &[(&str, &str)]) -> Result<Settings, Failure> {
        let values: Dict = options.iter().map(|(name, text)| (Value::text(*name), (*text).into())).collect();
        Settings::of(&Args::new(values))
    }

    #[test]
    fn the_first_line_sets_options() {
        let text = "#jinja2: trim_blocks: False, variable_start_string: '<<', variable_end_string:\">>\"\nbody\n";
        let (found, body) = settings(&[]).unwrap().with_header(text).unwrap();
        let options = found.into_options();
        assert_eq!(body, "body\n");
        assert!(!options.trim_blocks && options.keep_trailing_newline);
        assert_eq!(options.variable, ("<<".to_owned(), ">>".to_owned()));
        assert_eq!(options.block, ("{%".to_owned(), "%}".to_owned()));
    }

    #[track_caller]
    fn refused(text: &str, message: &str) {
        assert_eq!(settings(&[]).unwrap().with_header(text).unwrap_err().message, message);
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
    fn lines_end_as_asked() {
        assert_eq!(settings(&[("newline_sequence", "\r\n")]).unwrap().with_line_ends("a\nb\r\n"), "a\r\nb\r\n");
        assert_eq!(settings(&[("newline_sequence", "\\r")]).unwrap().with_line_ends("a\n"), "a\r");
        assert_eq!(settings(&[]).unwrap().with_line_ends("a\r\n"), "a\n");
        let failure = settings(&[("newline_sequence", "x")]).unwrap_err();
        assert_eq!(failure.message, "newline_sequence needs to be one of: \n, \r or \r\n");
    }
}
