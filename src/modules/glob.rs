//! Shell patterns over the files of a host.

use std::path::Path;

use crate::host::HostApi;

/// Returns the paths that a pattern matches, part by part; a leading dot is only matched by a dot.
pub fn expand_glob(host: &dyn HostApi, pattern: &str) -> Vec<String> {
    let mut found = vec![if pattern.starts_with('/') { "/".to_owned() } else { String::new() }];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let join = |folder: &str, name: &str| match folder {
            "" => name.to_owned(),
            folder => format!("{}/{name}", folder.trim_end_matches('/')),
        };
        let expand = |folder: String| -> Vec<String> {
            if !part.contains(['*', '?', '[']) {
                return vec![join(&folder, part)];
            }
            let names = host.list_folder(Path::new(if folder.is_empty() { "." } else { &folder })).unwrap_or_default();
            let is_match =
                |name: &String| (part.starts_with('.') || !name.starts_with('.')) && is_glob_match(part, name);
            names.iter().filter(|name| is_match(name)).map(|name| join(&folder, name)).collect()
        };
        found = found.into_iter().flat_map(expand).filter(|path| host.lstat(Path::new(path)).is_some()).collect();
    }
    found
}

/// Returns whether a name matches a shell pattern. A pattern that is not one matches nothing.
pub fn is_glob_match(pattern: &str, name: &str) -> bool {
    let mut regex = String::from("^(?s:");
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '[' => {
                let inside: String = chars.by_ref().take_while(|&c| c != ']').collect();
                regex.push_str(&format!("[{}]", inside.replacen('!', "^", usize::from(inside.starts_with('!')))));
            }
            c => regex.push_str(&fancy_regex::escape(&c.to_string())),
        }
    }
    regex.push_str(")$");
    fancy_regex::Regex::new(&regex).is_ok_and(|regex| regex.is_match(name).unwrap_or(false))
}
