//! Host patterns: `web:&prod:!old`, `~regex`, `db*`, `web[0]`, `web[1:]`.

use crate::diagnostic::Diagnostic;
use fancy_regex::Regex;

/// A text of patterns split into its parts.
pub fn split_patterns(text: &str) -> Vec<&str> {
    let parts: Vec<&str> = if text.contains(',') {
        text.split(',').collect()
    } else if is_whole_pattern(text) {
        vec![text]
    } else {
        split_colons(text)
    };
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// An address, or a host with a port, is one pattern in spite of its colons.
fn is_whole_pattern(text: &str) -> bool {
    let (host, port) = super::range::split_port(text);
    super::range::is_address(host) || (port.is_some() && !host.contains(['!', '&', ':']))
}

/// Splits at colons and blanks outside brackets. A bracket without its other half separates, too.
fn split_colons(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut at) = (Vec::new(), 0, 0);
    while let Some(c) = text[at..].chars().next() {
        let after = at + c.len_utf8();
        at = match c {
            '[' if text[at..].contains(']') => at + text[at..].find(']').unwrap_or_default() + 1,
            c if matches!(c, '[' | ']' | ':') || c.is_whitespace() => {
                parts.push(&text[start..at]);
                start = after;
                after
            }
            _ => after,
        };
    }
    parts.push(&text[start..]);
    parts
}

/// Effect of a pattern part on the hosts found so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PatternEffect {
    /// They are joined.
    Join,
    /// Only those in it stay (`&`).
    Keep,
    /// Those in it go (`!`).
    Drop,
}

/// The parts in the order in which they count: joins, then `&`, then `!`. Without any join, and so without any part,
/// `all` is where it starts.
pub fn order_parts<'a>(parts: &[&'a str]) -> Vec<(PatternEffect, &'a str)> {
    let mut ordered: Vec<(PatternEffect, &str)> = parts
        .iter()
        .map(|part| match part.as_bytes().first() {
            Some(b'&') => (PatternEffect::Keep, &part[1..]),
            Some(b'!') => (PatternEffect::Drop, &part[1..]),
            _ => (PatternEffect::Join, *part),
        })
        .collect();
    ordered.sort_by_key(|(effect, _)| *effect);
    if ordered.first().is_none_or(|(effect, _)| *effect != PatternEffect::Join) {
        ordered.insert(0, (PatternEffect::Join, super::model::ALL));
    }
    ordered
}

/// Which of the hosts a part takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subscript {
    /// One, from the front or (negative) from the back.
    One(i64),
    /// From one to another, both included; to the last if there is no end.
    Range(i64, Option<i64>),
}

impl Subscript {
    /// The hosts that are taken.
    pub fn select_hosts<T: Clone>(self, hosts: &[T]) -> Vec<T> {
        let length = hosts.len();
        let at = |index: i64| {
            let steps = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
            if index < 0 { length.checked_sub(steps) } else { Some(steps) }
        };
        match self {
            Self::One(index) => at(index).and_then(|index| hosts.get(index)).cloned().into_iter().collect(),
            Self::Range(first, last) => {
                let first = at(first).unwrap_or(0);
                let end = last.map_or(length, |last| at(last).map_or(0, |last| last.saturating_add(1))).min(length);
                hosts.get(first..end.max(first)).unwrap_or_default().to_vec()
            }
        }
    }
}

/// A part without its subscript, and the subscript. A regular expression has none.
pub fn split_subscript(part: &str) -> (&str, Option<Subscript>) {
    let parsed = (|| {
        let (name, inside) = part.strip_suffix(']')?.rsplit_once('[')?;
        if name.is_empty() || part.starts_with('~') {
            return None;
        }
        if let Some((first, last)) = inside.split_once([':', '-']).filter(|(first, _)| !first.is_empty()) {
            let last = if last.is_empty() { None } else { Some(last.parse().ok().filter(|n: &i64| *n >= 0)?) };
            return Some((name, Subscript::Range(first.parse().ok()?, last)));
        }
        Some((name, Subscript::One(inside.parse().ok()?)))
    })();
    parsed.map_or((part, None), |(name, subscript)| (name, Some(subscript)))
}

/// A name, a glob, or a regular expression after `~`.
pub enum NameMatcher<'a> {
    /// The name itself.
    Name(&'a str),
    /// An expression that must match from the beginning.
    Expression(Regex),
}

impl<'a> NameMatcher<'a> {
    /// Understands a part.
    ///
    /// # Errors
    /// With one sentence, if the regular expression is not one.
    pub fn new(part: &'a str) -> Result<Self, Diagnostic> {
        let expression = match part.strip_prefix('~') {
            Some(expression) => format!("^(?:{expression})"),
            None if part.contains(['*', '?', '[']) => glob_to_regex(part),
            None => return Ok(Self::Name(part)),
        };
        match Regex::new(&expression) {
            Ok(regex) => Ok(Self::Expression(regex)),
            Err(why) => Err(Diagnostic::error(format!("`{part}` is not a regular expression: {why}"))),
        }
    }

    /// Whether a name matches. An expression that gives up (it went back and forth too often) does not match.
    pub fn matches_name(&self, name: &str) -> bool {
        match self {
            Self::Name(wanted) => *wanted == name,
            Self::Expression(regex) => regex.is_match(name).unwrap_or(false),
        }
    }
}

/// A shell pattern as a regular expression for the whole name.
pub fn glob_to_regex(pattern: &str) -> String {
    let mut out = String::from("(?s)^");
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match c {
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            '[' => match read_set(rest.as_str()) {
                Some((read_set, after)) => {
                    out.push_str(&read_set);
                    rest = after.chars();
                }
                None => out.push_str("\\["),
            },
            c => out.push_str(&fancy_regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    out.push('$');
    out
}

/// `abc]..` as a set, and what comes after it; nothing if it is not closed.
fn read_set(text: &str) -> Option<(String, &str)> {
    let (negated, body) = match text.strip_prefix('!') {
        Some(body) => ("^", body),
        None => ("", text),
    };
    // A closing bracket that comes first is a member.
    let first = usize::from(body.starts_with(']'));
    let close = first + body.get(first..)?.find(']')?;
    let members: String = body[..close]
        .chars()
        .map(|c| if matches!(c, '\\' | '[' | ']' | '^' | '&' | '~') { format!("\\{c}") } else { c.to_string() })
        .collect();
    Some((format!("[{negated}{members}]"), &body[close + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn splitting() {
        assert_eq!(split_patterns("a:&b:!c"), ["a", "&b", "!c"]);
        assert_eq!(split_patterns("a, b:c ,"), ["a", "b:c"]);
        assert_eq!(split_patterns("a[0:2]:b"), ["a[0:2]", "b"]);
        assert_eq!(split_patterns("::1"), ["::1"]);
        assert_eq!(split_patterns("h:22"), ["h:22"]);
        assert_eq!(split_patterns(""), [""; 0]);
    }

    #[test]
    fn exclusions_come_last() {
        use PatternEffect::{Drop, Join, Keep};
        assert_eq!(order_parts(&["!a", "&b", "c"]), [(Join, "c"), (Keep, "b"), (Drop, "a")]);
        assert_eq!(order_parts(&["!a"]), [(Join, "all"), (Drop, "a")]);
    }

    #[track_caller]
    fn subscript(part: &str, taken: &[i32]) {
        let (name, subscript) = split_subscript(part);
        assert_eq!((name, subscript.unwrap().select_hosts(&[0, 1, 2, 3])), ("g", taken.to_vec()), "{part}");
    }

    #[test]
    fn subscripts() {
        subscript("g[0]", &[0]);
        subscript("g[-1]", &[3]);
        subscript("g[1:]", &[1, 2, 3]);
        subscript("g[0:2]", &[0, 1, 2]);
        subscript("g[1-2]", &[1, 2]);
        subscript("g[9]", &[]);
        subscript("g[-9]", &[]);
        subscript("g[2:1]", &[]);
        assert_eq!(split_subscript("web[ab]"), ("web[ab]", None));
        assert_eq!(split_subscript("~h[1]"), ("~h[1]", None));
    }

    #[track_caller]
    fn matches(pattern: &str, name: &str, expected: bool) {
        assert_eq!(NameMatcher::new(pattern).unwrap().matches_name(name), expected, "{pattern} {name}");
    }

    #[test]
    fn globs_and_expressions() {
        matches("web*", "web1", true);
        matches("*", "", true);
        matches("w?b", "wb", false);
        matches("h[13]", "h3", true);
        matches("h[!13]", "h3", false);
        matches("a.c", "abc", false);
        matches("~h[13]", "h1x", true);
        matches("~h[13]$", "xh1", false);
        assert!(NameMatcher::new("~(").is_err());
    }

    proptest! {
        #[test]
        fn any_pattern_is_answered(text in "[a-z0-9*?!&:~,\\[\\]. -]{0,20}", hosts in 0usize..5) {
            for (_, part) in order_parts(&split_patterns(&text)) {
                let (name, subscript) = split_subscript(part);
                if let Ok(matcher) = NameMatcher::new(name) {
                    matcher.matches_name("web1");
                }
                if let Some(subscript) = subscript {
                    prop_assert!(subscript.select_hosts(&vec![0; hosts]).len() <= hosts);
                }
            }
        }

        #[test]
        fn a_plain_name_matches_only_itself(name in "[a-z0-9.-]{1,12}", other in "[a-z0-9.-]{1,12}") {
            prop_assert_eq!(NameMatcher::new(&name).unwrap().matches_name(&other), name == other);
        }
    }
}
