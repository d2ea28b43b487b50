//! The kinds of module files, told apart by their content as Ansible does.

/// The kind of a module file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModuleKind {
    /// A Python module that is built on `ansible.module_utils`.
    AnsiblePython,
    /// A Python program that reads its arguments itself.
    PythonScript(ArgumentStyle),
    /// A script of another language, with the words of its first line.
    Script(Vec<String>, ArgumentStyle),
    /// A program.
    Binary,
    /// A file with documentation only: the work is done by an action plugin of the same name.
    Stub,
    /// A script whose first line does not name an interpreter.
    NoInterpreter,
}

/// How a module that is not built on `ansible.module_utils` is given its arguments: in a file, whose path is its only
/// argument on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgumentStyle {
    /// One JSON object.
    Json,
    /// `key=value` words, quoted as for a shell.
    Pairs,
}

/// The mark of modules that want JSON.
const WANTS_JSON: &str = "WANT_JSON";

/// The mark that Ansible replaces by the arguments as a JSON text.
pub const JSON_ARGUMENTS_MARK: &str = "<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>";

/// How much of a file decides whether it is text.
const PROBED: usize = 1024;

impl ModuleKind {
    /// Tells the kind of a module file by its content; `is_python` says that its name ends in `.py`.
    pub fn of_content(content: &[u8], has_python_name: bool) -> Self {
        if is_binary(content) {
            return Self::Binary;
        }
        let text = String::from_utf8_lossy(content);
        let words = interpreter_words(&text);
        let is_python = match words.as_slice() {
            [] => has_python_name,
            words => words.iter().any(|word| word.rsplit('/').next().is_some_and(|name| name.starts_with("python"))),
        };
        let style = if text.contains(WANTS_JSON) { ArgumentStyle::Json } else { ArgumentStyle::Pairs };
        if !is_python {
            return if words.is_empty() { Self::NoInterpreter } else { Self::Script(words, style) };
        }
        if text.lines().any(imports_module_utils) {
            return Self::AnsiblePython;
        }
        if is_documentation_only(&text) { Self::Stub } else { Self::PythonScript(style) }
    }

    /// Whether Python is needed to run it.
    pub fn needs_python(&self) -> bool {
        matches!(self, Self::AnsiblePython | Self::PythonScript(_))
    }
}

/// Whether a line imports from `ansible.module_utils`, or from those of a collection.
fn imports_module_utils(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let (Some("from" | "import"), Some(module)) = (words.next(), words.next()) else { return false };
    module.starts_with("ansible.module_utils")
        || (module.starts_with("ansible_collections.") && module.contains(".module_utils"))
        || (module.starts_with('.') && module.contains("module_utils"))
}

/// Whether a Python file does nothing: its lines are comments, imports of `__future__`, and texts with names.
fn is_documentation_only(text: &str) -> bool {
    let mut rest = text;
    let mut code = String::new();
    while let Some(start) = rest.find(['"', '\'']) {
        let quote = rest[start..].get(..3).filter(|quote| matches!(*quote, "'''" | "\"\"\""));
        let Some(quote) = quote else {
            code.push_str(&rest[..=start]);
            rest = &rest[start + 1..];
            continue;
        };
        code.push_str(&rest[..start]);
        let body = &rest[start + 3..];
        rest = body.find(quote).map_or("", |end| &body[end + 3..]);
    }
    code.push_str(rest);
    code.lines().map(str::trim).all(|line| {
        line.is_empty()
            || line.starts_with('#')
            || line.starts_with("from __future__")
            || ["DOCUMENTATION", "EXAMPLES", "RETURN", "__metaclass__", "ANSIBLE_METADATA"]
                .iter()
                .any(|name| line.starts_with(name))
    })
}

/// The words of the first line, if it names an interpreter.
fn interpreter_words(text: &str) -> Vec<String> {
    let first = text.lines().next().and_then(|line| line.strip_prefix("#!"));
    first.unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

/// Whether a file is a program: control characters in its first bytes that no text has.
fn is_binary(content: &[u8]) -> bool {
    let is_text = |byte: &u8| matches!(byte, 7..=13 | 27 | 32..=126 | 128..=255);
    !content.iter().take(PROBED).all(is_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(content: &str, python_name: bool, kind: ModuleKind) {
        assert_eq!(ModuleKind::of_content(content.as_bytes(), python_name), kind, "{content}");
    }

    #[test]
    fn kinds_are_told_by_content() {
        let bash = || vec!["/bin/bash".to_owned()];
        case("#!/bin/bash\nsource $1\n", false, ModuleKind::Script(bash(), ArgumentStyle::Pairs));
        case("#!/bin/bash\n# WANT_JSON\n", false, ModuleKind::Script(bash(), ArgumentStyle::Json));
        case("from ansible.module_utils.basic import AnsibleModule\n", true, ModuleKind::AnsiblePython);
        case("from ..module_utils.k8s import x\n", true, ModuleKind::AnsiblePython);
        case("#!/usr/bin/python\n# WANT_JSON\nimport sys\n", false, ModuleKind::PythonScript(ArgumentStyle::Json));
        case("DOCUMENTATION = r'''\nmodule: x\n'''\n", true, ModuleKind::Stub);
        case("echo hi\n", false, ModuleKind::NoInterpreter);
        case("\u{7f}ELF\0\0", false, ModuleKind::Binary);
    }
}
