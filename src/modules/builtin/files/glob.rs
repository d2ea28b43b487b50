//! Names with `*`, `?` and brackets.

use crate::template::python::regex::{Pattern, RegexFlags};

/// A glob as a regular expression: `*`, `?`, `[abc]`, `[!abc]`; the whole name has to match.
pub fn to_regex(pattern: &str) -> String {
    let mut regex = String::from("(?s:");
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '[' => {
                let negated = rest.starts_with('!');
                let from = usize::from(negated);
                // A bracket right at the beginning is a member.
                let search = from + usize::from(rest[from..].starts_with(']'));
                match rest[search..].find(']') {
                    Some(end) => {
                        let members = rest[from..search + end].replace('\\', "\\\\").replace('[', "\\[");
                        let members = members.strip_prefix(']').map_or(members.clone(), |m| format!("\\]{m}"));
                        let members =
                            if members.starts_with('^') && !negated { format!("\\{members}") } else { members };
                        regex.push_str(if negated { "[^" } else { "[" });
                        regex.push_str(&members);
                        regex.push(']');
                        rest = &rest[search + end + 1..];
                    }
                    None => regex.push_str("\\["),
                }
            }
            c if c.is_ascii_punctuation() => regex.extend(['\\', c]),
            c => regex.push(c),
        }
    }
    regex + ")\\Z"
}

/// Whether a whole name fits one of several globs.
pub fn any_fits(globs: &[String], name: &str) -> bool {
    globs.iter().any(|glob| {
        let pattern = Pattern::compile(&to_regex(glob), RegexFlags::default());
        pattern.is_ok_and(|pattern| pattern.match_start(name).is_ok_and(|found| found.is_some()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn matches(glob: &str, name: &str, expected: bool) {
        assert_eq!(any_fits(&[glob.to_owned()], name), expected, "{glob} {name}");
    }

    #[test]
    fn globs() {
        matches("*.t?t", "a.txt", true);
        matches("*.txt", "a.txt.bak", false);
        matches("[ab]", "b", true);
        matches("[!ab]", "b", false);
        matches("[]x]", "]", true);
        matches("[^a]", "^", true);
        matches("a[", "a[", true);
        matches("a+b(c)", "a+b(c)", true);
    }
}
