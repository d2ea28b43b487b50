//! Python's `posixpath` and the parts of `ntpath` that filters use. Nothing here looks at a disk.

/// `basename`: what stands after the last slash.
pub fn basename(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// `dirname`: what stands before the last slash.
pub fn dirname(path: &str) -> &str {
    let Some(slash) = path.rfind('/') else { return "" };
    let head = &path[..=slash];
    let trimmed = head.trim_end_matches('/');
    if trimmed.is_empty() { head } else { trimmed }
}

/// `normpath`: without `.`, `..` and doubled slashes. Two leading slashes stay, as POSIX allows them a meaning.
pub fn normpath(path: &str) -> String {
    let slashes = match path.bytes().take_while(|b| *b == b'/').count() {
        2 => 2,
        0 => 0,
        _ => 1,
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if slashes == 0 && parts.last().is_none_or(|last| *last == "..") => parts.push(part),
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    let normal = format!("{}{}", "/".repeat(slashes), parts.join("/"));
    if normal.is_empty() { ".".to_owned() } else { normal }
}

/// `join` of two: an absolute second part replaces the first.
pub fn join(base: &str, part: &str) -> String {
    match base {
        _ if part.starts_with('/') => part.to_owned(),
        "" => part.to_owned(),
        base if base.ends_with('/') => format!("{base}{part}"),
        base => format!("{base}/{part}"),
    }
}

/// `abspath` with the current folder given.
pub fn abspath(path: &str, current: &str) -> String {
    normpath(&join(current, path))
}

/// `relpath`, with the current folder given for relative parts.
pub fn relpath(path: &str, start: &str, current: &str) -> String {
    let (path, start) = (abspath(path, current), abspath(start, current));
    let split = |path: &str| path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (path, start) = (split(&path), split(&start));
    let common = path.iter().zip(&start).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", start.len() - common);
    let parts: Vec<&str> = up.chain(path[common..].iter().map(String::as_str)).collect();
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

/// `splitext`: the root and the extension with its dot; leading dots of a name belong to the root.
pub fn splitext(path: &str) -> (&str, &str) {
    let name_start = path.rfind('/').map_or(0, |slash| slash + 1);
    let name = &path[name_start..];
    let lead = name.len() - name.trim_start_matches('.').len();
    match name[lead..].rfind('.') {
        Some(dot) => path.split_at(name_start + lead + dot),
        None => (path, ""),
    }
}

/// `commonpath`; `None` if absolute and relative paths are mixed.
pub fn commonpath(paths: &[String]) -> Option<String> {
    let absolute = paths.first().is_some_and(|path| path.starts_with('/'));
    if paths.iter().any(|path| path.starts_with('/') != absolute) {
        return None;
    }
    let split: Vec<Vec<&str>> =
        paths.iter().map(|path| path.split('/').filter(|part| !matches!(*part, "" | ".")).collect()).collect();
    let first = split.first()?;
    let common = (0..first.len()).take_while(|at| split.iter().all(|path| path.get(*at) == first.get(*at))).count();
    Some(format!("{}{}", if absolute { "/" } else { "" }, first[..common].join("/")))
}

/// `ntpath.splitdrive`: `C:` or `\\host\share`, and the rest.
pub fn win_splitdrive(path: &str) -> (&str, &str) {
    let chars: Vec<(usize, char)> = path.char_indices().collect();
    let is_slash = |at: usize| chars.get(at).is_some_and(|(_, c)| matches!(c, '\\' | '/'));
    let next_slash = |from: usize| (from..chars.len()).find(|at| is_slash(*at));
    let byte = |at: usize| chars.get(at).map_or(path.len(), |(byte, _)| *byte);
    if is_slash(0) && is_slash(1) {
        let share = next_slash(2);
        let end = share.map(|share| next_slash(share + 1));
        return match end {
            None | Some(None) => (path, ""),
            Some(Some(end)) => path.split_at(byte(end)),
        };
    }
    if chars.get(1).is_some_and(|(_, c)| *c == ':') {
        return path.split_at(byte(2));
    }
    ("", path)
}

/// `ntpath.split`: folder and name.
pub fn win_split(path: &str) -> (String, &str) {
    let (drive, rest) = win_splitdrive(path);
    let at = rest.rfind(['\\', '/']).map_or(0, |slash| slash + 1);
    let (head, name) = rest.split_at(at);
    let trimmed = head.trim_end_matches(['\\', '/']);
    (format!("{drive}{}", if trimmed.is_empty() { head } else { trimmed }), name)
}

/// `expandvars`: `$NAME` and `${NAME}` of known variables.
pub fn expandvars(path: &str, variable: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some(dollar) = rest.find('$') {
        out.push_str(&rest[..dollar]);
        let after = &rest[dollar + 1..];
        let (name, length) = match after.strip_prefix('{') {
            Some(braced) => match braced.find('}') {
                Some(close) => (&braced[..close], close + 2),
                None => ("", 0),
            },
            None => {
                let length = after.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
                (&after[..length], length)
            }
        };
        match variable(name).filter(|_| !name.is_empty()) {
            Some(value) => out.push_str(&value),
            None => out.push_str(&rest[dollar..=dollar + length]),
        }
        rest = &after[length..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posix_paths() {
        assert_eq!((basename("/a/b/"), dirname("/a/b/"), dirname("/")), ("", "/a/b", "/"));
        for (path, normal) in [("a/../../b", "../b"), ("//a///b", "//a/b"), ("///a", "/a"), ("", "."), ("/..", "/")] {
            assert_eq!(normpath(path), normal);
        }
        assert_eq!(relpath("/a/b", "/a/c/d", "/"), "../../b");
        assert_eq!(relpath("a", "b", "/x"), "../a");
        assert_eq!(splitext("x.tar.gz"), ("x.tar", ".gz"));
        assert_eq!(splitext(".bashrc"), (".bashrc", ""));
        assert_eq!(splitext("a.b/c"), ("a.b/c", ""));
        assert_eq!(commonpath(&["/a/b".into(), "/a/c".into()]).as_deref(), Some("/a"));
        assert_eq!(commonpath(&["a".into(), "/b".into()]), None);
    }

    #[test]
    fn windows_paths() {
        assert_eq!(win_splitdrive(r"C:\a\b"), ("C:", r"\a\b"));
        assert_eq!(win_splitdrive(r"\\host\share\x"), (r"\\host\share", r"\x"));
        assert_eq!(win_split(r"C:\a\b.txt"), (r"C:\a".to_owned(), "b.txt"));
        assert_eq!(win_split(r"C:\"), (r"C:\".to_owned(), ""));
    }

    #[test]
    fn variables() {
        let env = |name: &str| (name == "HOME").then(|| "/home/me".to_owned());
        assert_eq!(expandvars("$HOME/x ${HOME} $NOPE ${NOPE} $", env), "/home/me/x /home/me $NOPE ${NOPE} $");
    }
}
