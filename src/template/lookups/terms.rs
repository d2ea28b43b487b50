//! Terms with options in them: `key file=x.csv col=2`.

use super::call::lookup_error;
use crate::template::error::TemplateError;
use crate::template::plugin::PluginCall;
use crate::value::{Value, python};

/// The options of one term: what is written in it wins over what was given by name.
pub struct TermOptions<'a> {
    call: &'a PluginCall<'a>,
    written: Vec<(String, String)>,
}

impl<'a> TermOptions<'a> {
    /// Takes a term apart: its plain words, and its options.
    ///
    /// # Errors
    /// If an option in the term is none of these.
    pub fn from_term(call: &'a PluginCall<'a>, term: &str, known: &[&str]) -> Result<(String, Self), TemplateError> {
        let (plain, written) = parse_term(term);
        match written.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => {
                Err(lookup_error(format!("'{name}' is not a valid option")).suggest_name(name, known.iter()))
            }
            None => Ok((plain, Self { call, written })),
        }
    }

    /// An option, if it was given.
    pub fn get(&self, name: &str) -> Option<Value> {
        let written = self.written.iter().rev().find(|(known, _)| known == name);
        written.map(|(_, value)| Value::text(value.as_str())).or_else(|| self.call.args.get_named(name).cloned())
    }

    /// An option as text.
    pub fn read_text(&self, name: &str, default: &str) -> String {
        self.get(name).map_or_else(|| default.to_owned(), |value| python::str(&value))
    }

    /// An option that is a switch.
    ///
    /// # Errors
    /// If it is neither true nor false.
    pub fn read_switch(&self, name: &str, default: bool) -> Result<bool, TemplateError> {
        self.get(name).map_or(Ok(default), |value| super::call::parse_boolean(name, &value))
    }

    /// An option that is a number.
    ///
    /// # Errors
    /// If it is none.
    pub fn read_number<T: std::str::FromStr>(&self, name: &str, default: T) -> Result<T, TemplateError> {
        let Some(value) = self.get(name) else { return Ok(default) };
        python::str(&value).trim().parse().map_err(|_| {
            lookup_error(format!("the option `{name}` has an invalid value: {} is not a number", python::repr(&value)))
        })
    }
}

/// Splits a term into its plain words (joined by blanks) and its `name=value` options; quotes keep blanks together, and
/// are kept where they are around plain words.
pub fn parse_term(term: &str) -> (String, Vec<(String, String)>) {
    let (mut plain, mut options) = (Vec::new(), Vec::new());
    for word in split_words(term) {
        match word.split_once('=') {
            Some((name, value)) if is_name(name) => options.push((name.to_owned(), strip_quotes(value).to_owned())),
            _ => plain.push(word),
        }
    }
    (plain.join(" "), options)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn split_words(term: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in term.chars() {
        match quote {
            None if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
            None if c == '"' || c == '\'' => quote = Some(c),
            Some(open) if c == open => quote = None,
            _ => {}
        }
        word.push(c);
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

fn strip_quotes(text: &str) -> &str {
    ['"', '\''].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(term: &str, plain: &str, options: &[(&str, &str)]) {
        let options = options.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(parse_term(term), (plain.to_owned(), options));
    }

    #[test]
    fn terms() {
        case("Li file=e.csv delimiter=,", "Li", &[("file", "e.csv"), ("delimiter", ",")]);
        case("two words col=1", "two words", &[("col", "1")]);
        case("x a='b c' d=\"\"", "x", &[("a", "b c"), ("d", "")]);
        case("'quoted key' k==", "'quoted key'", &[("k", "=")]);
        case("", "", &[]);
    }
}
