//! Parameters that a documentation page leaves empty: one message for all of them, with the command that fills them.

use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// An empty value of a parameter that needs one.
#[derive(Debug, Clone)]
pub struct Placeholder {
    /// The name of the parameter.
    pub param: &'static str,
    /// One sentence about it.
    pub about: &'static str,
    /// The sentence that Ansible's module fails with.
    pub reason: String,
    /// Where it stands.
    pub place: Span,
}

/// The names of the parameters, each once, in the order in which they were met.
pub fn parameter_names(found: &[Placeholder]) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = Vec::new();
    for placeholder in found {
        if !names.contains(&placeholder.param) {
            names.push(placeholder.param);
        }
    }
    names
}

/// One message for all empty parameters; `command` is the command line of this run with further options in it.
pub fn describe_placeholders(found: &[Placeholder], command: &dyn Fn(&[String]) -> String) -> Option<Diagnostic> {
    let (first, others) = found.split_first()?;
    let names = parameter_names(found);
    let fill: Vec<String> = names.iter().flat_map(|name| ["--fill".to_owned(), format!("{name}=VALUE")]).collect();
    let mut message = Diagnostic::error(first.reason.clone()).at(&first.place, "put a value here");
    message.also.extend(others.iter().map(|other| other.place.clone()));
    message.also.sort_by_key(|place| place.position().line);
    if !others.is_empty() {
        message = message.note(format!("empty placeholders: {}", count_names(found, &names).join(", ")));
    }
    Some(message.hint(format!("or give the values on the command line: `{}`", command(&fill))))
}

/// `` `registry` (3 times) ``.
fn count_names(found: &[Placeholder], names: &[&str]) -> Vec<String> {
    let count = |name: &str| found.iter().filter(|placeholder| placeholder.param == name).count();
    let times = |name: &str| match count(name) {
        1 => format!("`{name}` (once)"),
        2 => format!("`{name}` (twice)"),
        n => format!("`{name}` ({n} times)"),
    };
    names.iter().map(|name| times(name)).collect()
}
