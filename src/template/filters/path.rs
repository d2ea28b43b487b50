//! Paths and the files they name.

use std::path::{Path, PathBuf};

use crate::template::error::TemplateError;
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::coerce::{input_members, require_defined, to_text};
use crate::template::python::path;
use crate::value::Value;

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new("basename", basename, "Returns the last part of a path."),
    FilterPlugin::new("commonpath", commonpath, "Returns the longest common parent of paths."),
    FilterPlugin::new("dirname", dirname, "Returns a path without its last part."),
    FilterPlugin::new("expanduser", expanduser, "Replaces a leading `~` with the home folder."),
    FilterPlugin::new("expandvars", expandvars, "Replaces `$NAME` with environment variables."),
    FilterPlugin::new("fileglob", fileglob, "Returns the files that match a pattern."),
    FilterPlugin::new("normpath", normpath, "Removes `.`, `..` and doubled slashes from a path."),
    FilterPlugin::new("path_join", path_join, "Joins the parts of a path."),
    FilterPlugin::new("realpath", realpath, "Resolves the links in a path."),
    FilterPlugin::new("relpath", relpath, "Returns a path relative to a folder."),
    FilterPlugin::new("splitext", splitext, "Splits a path into root and extension."),
    FilterPlugin::new("win_basename", win_basename, "Returns the last part of a Windows path."),
    FilterPlugin::new("win_dirname", win_dirname, "Returns a Windows path without its last part."),
    FilterPlugin::new("win_splitdrive", win_splitdrive, "Splits a Windows path into drive and rest."),
];

/// The input as a path.
fn read_input(call: &PluginCall<'_>) -> Result<String, TemplateError> {
    path_text(&call.input)
}

fn path_text(value: &Value) -> Result<String, TemplateError> {
    match require_defined(value)? {
        Value::Str(path) => Ok(path.as_str().to_owned()),
        Value::Sealed(_) => to_text(value),
        other => {
            let kind = other.type_name();
            Err(TemplateError::value(format!("expected str, bytes or os.PathLike object, not {kind}")))
        }
    }
}

fn basename(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(Value::text(path::basename(&read_input(call)?)))
}

fn dirname(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(Value::text(path::dirname(&read_input(call)?)))
}

fn normpath(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(Value::text(path::normpath(&read_input(call)?)))
}

fn splitext(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    let whole = read_input(call)?;
    let (root, extension) = path::splitext(&whole);
    Ok(Value::tuple([Value::text(root), Value::text(extension)]))
}

fn relpath(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [start] = call.args.bind(["start"])?;
    let start = start.filter(|start| !start.is_null()).map_or_else(|| Ok(".".to_owned()), |start| path_text(&start))?;
    let input = read_input(call)?;
    if input.is_empty() {
        return Err(TemplateError::value("no path specified"));
    }
    Ok(Value::text(path::relpath(&input, &start, &current_folder())))
}

fn current_folder() -> String {
    std::env::current_dir().map_or_else(|_| "/".to_owned(), |folder| folder.to_string_lossy().into_owned())
}

fn path_join(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    let parts: Vec<String> = match &call.input {
        Value::Str(part) => vec![part.as_str().to_owned()],
        Value::List(parts) | Value::Tuple(parts) => parts.iter().map(path_text).collect::<Result<_, _>>()?,
        other => {
            let kind = other.type_name();
            return Err(TemplateError::value(format!(
                "|path_join expects string or sequence, got <class '{kind}'> instead."
            )));
        }
    };
    let joined = parts.into_iter().reduce(|base, part| path::join(&base, &part));
    joined.map(Value::text).ok_or_else(|| TemplateError::value("path_join needs at least one part"))
}

fn commonpath(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    if !matches!(call.input, Value::List(_) | Value::Tuple(_)) {
        let got = call.input.type_name();
        return Err(TemplateError::value(format!("|commonpath expects sequence, got <class '{got}'> instead.")));
    }
    let paths: Vec<String> = input_members(call)?.iter().map(path_text).collect::<Result<_, _>>()?;
    if paths.is_empty() {
        return Err(TemplateError::value("commonpath() arg is an empty sequence"));
    }
    path::commonpath(&paths)
        .map(Value::text)
        .ok_or_else(|| TemplateError::value("Can't mix absolute and relative paths"))
}

fn expanduser(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(Value::text(home_expanded(&read_input(call)?)))
}

/// A leading `~` or `~user` replaced by the home folder; unchanged if the user is unknown.
pub fn home_expanded(path: &str) -> String {
    let Some(after) = path.strip_prefix('~') else { return path.to_owned() };
    let (user, rest) = after.split_at(after.find('/').unwrap_or(after.len()));
    let home = match user {
        "" => std::env::var("HOME").ok().or_else(|| home_of(None)),
        user => home_of(Some(user)),
    };
    home.map_or_else(|| path.to_owned(), |home| format!("{}{rest}", home.trim_end_matches('/')))
}

/// The home folder in the user database; of the first administrator where no user is given.
fn home_of(user: Option<&str>) -> Option<String> {
    let database = std::fs::read_to_string("/etc/passwd").ok()?;
    let entry = database.lines().find(|line| line.split(':').next() == Some(user.unwrap_or("root")))?;
    entry.split(':').nth(5).map(str::to_owned)
}

fn expandvars(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(Value::text(path::expandvars(&read_input(call)?, |name| std::env::var(name).ok())))
}

fn realpath(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(Value::text(resolve_links(&path::join(&current_folder(), &read_input(call)?))))
}

/// Follows links part by part; parts that do not exist stay as they are.
pub fn resolve_links(absolute: &str) -> String {
    /// As many links as Linux follows.
    const MOST: usize = 40;
    let mut done = PathBuf::from("/");
    let mut todo: Vec<String> = absolute.split('/').rev().map(str::to_owned).collect();
    let mut followed = 0;
    while let Some(part) = todo.pop() {
        match part.as_str() {
            "" | "." => continue,
            ".." => {
                done.pop();
                continue;
            }
            _ => done.push(&part),
        }
        let Ok(target) = std::fs::read_link(&done) else { continue };
        followed += 1;
        if followed > MOST {
            continue;
        }
        done.pop();
        let target = target.to_string_lossy().into_owned();
        if target.starts_with('/') {
            done = PathBuf::from("/");
        }
        todo.extend(target.split('/').rev().map(str::to_owned));
    }
    done.to_string_lossy().into_owned()
}

fn fileglob(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    let mut found: Vec<String> =
        expand_glob(&read_input(call)?).into_iter().filter(|path| Path::new(path).is_file()).collect();
    found.sort();
    Ok(Value::list(found.into_iter().map(Value::text)))
}

/// The paths that match a pattern with `*`, `?` and `[..]`; names with a leading dot need one in the pattern.
pub fn expand_glob(pattern: &str) -> Vec<String> {
    let mut found = vec![if pattern.starts_with('/') { "/".to_owned() } else { String::new() }];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let mut next = Vec::new();
        for base in found {
            if !part.contains(['*', '?', '[']) {
                let path = path::join(&base, part);
                if std::fs::symlink_metadata(&path).is_ok() {
                    next.push(path);
                }
                continue;
            }
            let folder = if base.is_empty() { "." } else { base.as_str() };
            let Ok(entries) = std::fs::read_dir(folder) else { continue };
            let wanted: Vec<char> = part.chars().collect();
            let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
            for name in names.filter(|name| part.starts_with('.') || !name.starts_with('.')) {
                if is_glob_match(&wanted, &name.chars().collect::<Vec<_>>()) {
                    next.push(path::join(&base, &name));
                }
            }
        }
        found = next;
    }
    found
}

/// Whether a name matches a pattern of shell wildcards.
pub fn is_glob_match(pattern: &[char], name: &[char]) -> bool {
    let Some((first, rest)) = pattern.split_first() else { return name.is_empty() };
    match first {
        '*' => (0..=name.len()).any(|skipped| is_glob_match(rest, &name[skipped..])),
        '?' => !name.is_empty() && is_glob_match(rest, &name[1..]),
        '[' => {
            let from = usize::from(rest.first() == Some(&'!'));
            // A bracket that comes first is a member, not the end.
            let close = rest.iter().skip(from + 1).position(|c| *c == ']').map(|at| at + from + 1);
            let (Some(close), Some(c)) = (close, name.first()) else {
                return name.first() == Some(&'[') && close.is_none() && is_glob_match(rest, &name[1..]);
            };
            in_class(&rest[from..close], *c) != (from == 1) && is_glob_match(&rest[close + 1..], &name[1..])
        }
        c => name.first() == Some(c) && is_glob_match(rest, &name[1..]),
    }
}

fn in_class(class: &[char], wanted: char) -> bool {
    let mut at = 0;
    while at < class.len() {
        if at + 2 < class.len() && class[at + 1] == '-' {
            if (class[at]..=class[at + 2]).contains(&wanted) {
                return true;
            }
            at += 3;
        } else {
            if class[at] == wanted {
                return true;
            }
            at += 1;
        }
    }
    false
}

fn win_basename(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(Value::text(path::win_split(&read_input(call)?).1))
}

fn win_dirname(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(Value::text(path::win_split(&read_input(call)?).0))
}

fn win_splitdrive(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    let whole = read_input(call)?;
    let (drive, rest) = path::win_splitdrive(&whole);
    Ok(Value::tuple([Value::text(drive), Value::text(rest)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(pattern: &str, name: &str, expected: bool) {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        assert_eq!(is_glob_match(&chars(pattern), &chars(name)), expected, "{pattern} {name}");
    }

    #[test]
    fn wildcards() {
        case("*.txt", "a.txt", true);
        case("*.txt", "a.txt2", false);
        case("a?c", "abc", true);
        case("[a-c]x", "bx", true);
        case("[!a-c]x", "bx", false);
        case("[]]", "]", true);
        case("[", "[", true);
    }
}
