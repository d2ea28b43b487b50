//! Documentation of a module, read from the text of its file: nothing of it is run.
//!
//! Python modules have it as the text `DOCUMENTATION`; modules of other languages in a YAML file of the same name. Parts
//! that several modules share are in files of their own (`doc_fragments`).

use std::path::{Path, PathBuf};

use super::interpreter;
use super::search::{FoundModule, ModuleSearch};
use crate::source::Source;
use crate::value::{Dict, Value};
use crate::yaml;

/// Documentation of a module.
#[derive(Debug, Clone, Default)]
pub struct ModuleDocumentation {
    /// One sentence.
    pub summary: String,
    /// The options by name, those of fragments among them.
    pub options: Dict,
    /// Whether it says that check mode is supported.
    pub check_mode: Option<bool>,
    /// All of the options are known: it has documentation, and all fragments were found.
    pub is_complete: bool,
    /// A list of tasks that shows how it is used.
    pub examples: String,
    /// Options that the text of the file marks with `no_log=True`.
    pub secrets: Vec<String>,
}

/// Reads the documentation of a module. What cannot be read is left out.
pub fn read_documentation(found: &FoundModule, search: &ModuleSearch) -> ModuleDocumentation {
    let Ok(bytes) = crate::input::read_file(&found.path) else { return ModuleDocumentation::default() };
    let text = String::from_utf8_lossy(&bytes);
    let literal = python_literal(&text, "DOCUMENTATION");
    let mut is_complete = literal.as_ref().is_none_or(|literal| literal.is_whole);
    let written = literal.map(|literal| literal.text).or_else(|| read_sidecar(&found.path));
    let secrets = find_secret_options(&text);
    let Some(document) = written.and_then(|written| parse_yaml(&found.path, &written)) else {
        return ModuleDocumentation { secrets, ..ModuleDocumentation::default() };
    };
    let document = document.get("DOCUMENTATION").cloned().unwrap_or(document);
    let mut options = options_of(&document);
    let mut check_mode = check_support(&document);
    for name in fragment_names(&document) {
        let Some(fragment) = read_fragment(&name, search) else {
            is_complete = false;
            continue;
        };
        check_mode = check_mode.or_else(|| check_support(&fragment));
        for (key, option) in options_of(&fragment).iter() {
            if options.get_value(key).is_none() {
                options.insert(key.clone(), option.clone());
            }
        }
    }
    let summary = document.get("short_description").and_then(Value::as_str).unwrap_or_default();
    ModuleDocumentation {
        summary: plain_markup(summary),
        options,
        check_mode,
        is_complete,
        examples: python_text(&text, "EXAMPLES").map(|text| text.trim_matches('\n').to_owned()).unwrap_or_default(),
        secrets,
    }
}

/// A text without the markup of Ansible's documentation: `C(name)`, `O(name)`, `M(module)`, `L(text,address)`.
pub fn plain_markup(text: &str) -> String {
    const MARKS: &[&str] = &["B", "C", "E", "I", "L", "M", "O", "P", "R", "RV", "U", "V"];
    let (mut plain, mut rest) = (String::new(), text);
    while let Some(open) = rest.find('(') {
        let before = &rest[..open];
        let mark = MARKS.iter().rev().find(|mark| {
            before.strip_suffix(**mark).is_some_and(|left| !left.ends_with(|c: char| c.is_ascii_alphanumeric()))
        });
        let close = rest[open..].find(')').map(|end| open + end);
        match (mark, close) {
            (Some(mark), Some(close)) => {
                plain.push_str(&before[..before.len() - mark.len()]);
                let inner = &rest[open + 1..close];
                let inner = if matches!(*mark, "L" | "R") { inner.split(',').next().unwrap_or(inner) } else { inner };
                let quote = if matches!(*mark, "B" | "I" | "L" | "R" | "U") { "" } else { "`" };
                plain.push_str(&format!("{quote}{inner}{quote}"));
                rest = &rest[close + 1..];
            }
            _ => {
                plain.push_str(&rest[..=open]);
                rest = &rest[open + 1..];
            }
        }
    }
    plain.push_str(rest);
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn parse_yaml(path: &Path, text: &str) -> Option<Value> {
    let source = Source::new(path.display().to_string(), text);
    let document = yaml::load_document(&source).ok()?.root?.to_value();
    document.as_dict().is_some().then_some(document)
}

/// The YAML file next to a module that has the same name.
fn read_sidecar(path: &Path) -> Option<String> {
    ["yml", "yaml"].iter().find_map(|ending| crate::input::read_text(&path.with_extension(ending)).ok())
}

fn options_of(document: &Value) -> Dict {
    document.get("options").and_then(Value::as_dict).cloned().unwrap_or_default()
}

/// Reads the attribute `check_mode` of a module or a fragment.
fn check_support(document: &Value) -> Option<bool> {
    let support = document.get("attributes")?.get("check_mode")?.get("support")?;
    Some(matches!(support.as_str(), Some("full" | "partial")) || support.as_bool() == Some(true))
}

fn fragment_names(document: &Value) -> Vec<String> {
    let written = document.get("extends_documentation_fragment");
    match written {
        Some(Value::Str(text)) => text.split(',').map(|name| name.trim().to_owned()).collect(),
        Some(Value::List(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// Reads a fragment: `files`, `files.part`, `NAMESPACE.COLLECTION.NAME` or `NAMESPACE.COLLECTION.NAME.PART`.
fn read_fragment(name: &str, search: &ModuleSearch) -> Option<Value> {
    let parts: Vec<&str> = name.split('.').collect();
    let (path, part) = match parts.as_slice() {
        [file] | ["ansible", "builtin", file] => (core_fragment(file, search)?, "DOCUMENTATION"),
        [file, part] | ["ansible", "builtin", file, part] => (core_fragment(file, search)?, *part),
        [namespace, collection, file, rest @ ..] => {
            let inside = Path::new("ansible_collections").join(namespace).join(collection);
            let file = inside.join("plugins/doc_fragments").join(format!("{file}.py"));
            let mut paths = search.collection_folders().into_iter().map(|folder| folder.join(&file));
            (paths.find(|path| path.is_file())?, rest.first().copied().unwrap_or("DOCUMENTATION"))
        }
        [] => return None,
    };
    let text = crate::input::read_text(&path).ok()?;
    parse_yaml(&path, &python_text(&text, &part.to_uppercase())?)
}

fn core_fragment(file: &str, search: &ModuleSearch) -> Option<PathBuf> {
    let packages = interpreter::package_folders(search.python.as_deref()?);
    let name = format!("ansible/plugins/doc_fragments/{file}.py");
    packages.into_iter().map(|folder| folder.join(&name)).find(|path| path.is_file())
}

/// A text between triple quotes that a Python file gives a name.
struct PythonLiteral {
    text: String,
    /// Nothing is joined to it: what follows is the end of the line.
    is_whole: bool,
}

/// The text that a Python file gives a name, if all of it is written between triple quotes.
fn python_text(text: &str, name: &str) -> Option<String> {
    python_literal(text, name).filter(|literal| literal.is_whole).map(|literal| literal.text)
}

/// The first text between triple quotes that a Python file gives a name.
fn python_literal(text: &str, name: &str) -> Option<PythonLiteral> {
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let Some(rest) = line.trim_start().strip_prefix(name) else { continue };
        let Some(rest) = rest.trim_start().strip_prefix('=') else { continue };
        let rest = rest.trim_start();
        let prefix = rest.len() - rest.trim_start_matches(['r', 'R', 'u', 'U', 'b', 'B']).len();
        let is_raw = rest[..prefix].contains(['r', 'R']);
        let quote = rest[prefix..].get(..3).filter(|quote| matches!(*quote, "'''" | "\"\"\""))?;
        let begin = start + (line.len() - rest.len()) + prefix + 3;
        let body = &text[begin..];
        let end = find_unescaped(body, quote)?;
        let after = body[end + quote.len()..].trim_start_matches([' ', '\t', '\r']);
        let is_whole = after.is_empty() || after.starts_with(['\n', '#', ';']);
        let body = &body[..end];
        return Some(PythonLiteral { text: if is_raw { body.to_owned() } else { unescape(body) }, is_whole });
    }
    None
}

/// Where a text ends: at the first quote that no backslash stands before.
fn find_unescaped(body: &str, quote: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + body[from..].find(quote)?;
        let backslashes = body[..at].bytes().rev().take_while(|byte| *byte == b'\\').count();
        if backslashes % 2 == 0 {
            return Some(at);
        }
        from = at + 1;
    }
}

/// A text with the commonest escapes of Python replaced.
fn unescape(body: &str) -> String {
    let (mut plain, mut signs) = (String::new(), body.chars());
    while let Some(sign) = signs.next() {
        if sign != '\\' {
            plain.push(sign);
            continue;
        }
        match signs.next() {
            Some('\n') | None => {}
            Some('n') => plain.push('\n'),
            Some('t') => plain.push('\t'),
            Some(quote @ ('\\' | '\'' | '"')) => plain.push(quote),
            Some(other) => plain.extend(['\\', other]),
        }
    }
    plain
}

/// Names of options whose line, or call of `dict`, has `no_log=True` in it.
fn find_secret_options(text: &str) -> Vec<String> {
    let compact: String = text.chars().filter(|sign| !matches!(sign, ' ' | '\n' | '\t' | '"' | '\'')).collect();
    let mut names = Vec::new();
    for mark in ["no_log=True", "no_log:True"] {
        for (at, _) in compact.match_indices(mark) {
            if let Some(name) = option_around(&compact[..at])
                && !names.contains(&name)
            {
                names.push(name);
            }
        }
    }
    names
}

/// The name of the option whose specification the text has begun: `name=dict(`, `name:dict(` or `name:{`.
fn option_around(before: &str) -> Option<String> {
    let mut depth = 0;
    let open = before.char_indices().rev().find_map(|(at, sign)| {
        match sign {
            ')' | '}' | ']' => depth += 1,
            '(' | '{' | '[' if depth > 0 => depth -= 1,
            '(' | '{' => return Some(at),
            _ => {}
        }
        None
    })?;
    let head = before[..open].strip_suffix("dict").unwrap_or(&before[..open]);
    let head = head.strip_suffix(['=', ':'])?;
    let start = head.rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).map_or(0, |at| at + 1);
    (start < head.len()).then(|| head[start..].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULE: &str = r#"#!/usr/bin/python
DOCUMENTATION = r'''
module: thing
short_description: Manages C(things), see L(the page,https://example.com)
attributes: {check_mode: {support: full}}
extends_documentation_fragment: [a.b.common, a.b.common.more]
options:
  name: {type: str, required: true}
'''
EXAMPLES = """
- a.b.thing: {name: x}
"""
spec = dict(name=dict(required=True), password=dict(type='str', no_log=True),
            token={"type": "str", "no_log": True}, nested=dict(options=dict(key=dict(no_log=True))))
"#;

    #[test]
    fn documentation_is_read_with_its_fragments() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("ansible_collections/a/b/plugins");
        std::fs::create_dir_all(root.join("modules")).unwrap();
        std::fs::create_dir_all(root.join("doc_fragments")).unwrap();
        std::fs::write(root.join("modules/thing.py"), MODULE).unwrap();
        let fragment = "class ModuleDocFragment(object):\n    DOCUMENTATION = '''\n    options:\n      name: {}\n      \
                        host: {type: str}\n    '''\n    MORE = r'''\noptions:\n  port: {type: int}\n'''\n";
        std::fs::write(root.join("doc_fragments/common.py"), fragment).unwrap();
        let search = ModuleSearch { collections: vec![folder.path().to_path_buf()], ..ModuleSearch::default() };
        let found = search.find_module("a.b.thing").unwrap();
        let docs = read_documentation(&found, &search);
        let names: Vec<_> = docs.options.keys().filter_map(Value::as_str).collect();
        assert_eq!(names, ["name", "host", "port"]);
        assert_eq!(docs.options.get("name").unwrap().get("required"), Some(&true.into()));
        assert_eq!((docs.summary.as_str(), docs.check_mode), ("Manages `things`, see the page", Some(true)));
        assert_eq!((docs.examples.as_str(), docs.is_complete), ("- a.b.thing: {name: x}", true));
        assert_eq!(docs.secrets, ["password", "key", "token"]);
    }

    #[test]
    fn texts_end_at_their_quotes() {
        assert_eq!(python_text("X = '''a\\'''b\\\\'''\n", "X").as_deref(), Some("a'''b\\"));
        assert_eq!(python_text("XY = '''a'''\nX = r\"\"\"b\\n\"\"\"\n", "X").as_deref(), Some("b\\n"));
        assert_eq!(python_text("X = '''open\n", "X"), None);
        assert_eq!(python_text("X = '''a''' # b\n", "X").as_deref(), Some("a"));
        assert_eq!(python_text("X = '''a''' + dump()\n", "X"), None);
    }
}
