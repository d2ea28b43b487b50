//! Host names with ranges: `web[01:03]`, `db-[a:c]`, `n[1:9:4]`, several in one name; and the port after a name.

use crate::diagnostic::Diagnostic;

/// More hosts than this in one name is a slip of the finger, and would fill the memory.
const LIMIT: usize = 100_000;

/// The names that a pattern stands for.
///
/// # Errors
/// With one sentence, if a range is badly written.
pub fn expand_range(pattern: &str) -> Result<Vec<String>, Diagnostic> {
    let Some((head, range, tail)) = first_range(pattern) else {
        return match pattern.contains('[') {
            true => Err(Diagnostic::error(format!("`{pattern}` has a bracket but no range `[begin:end]`"))),
            false => Ok(vec![pattern.to_owned()]),
        };
    };
    let (members, tails) = (range_members(range)?, expand_range(tail)?);
    if members.len().saturating_mul(tails.len()) > LIMIT {
        return Err(Diagnostic::error(format!("`{pattern}` contains more than {LIMIT} hosts")));
    }
    Ok(members.iter().flat_map(|m| tails.iter().map(move |tail| format!("{head}{m}{tail}"))).collect())
}

/// Takes `:22` off a name; an address of version 6 wants brackets for that.
pub fn split_port(name: &str) -> (&str, Option<u16>) {
    let whole = (name, None);
    if let Some(rest) = name.strip_prefix('[')
        && let Some((inside, after)) = rest.split_once(']')
        && is_address(inside)
    {
        return match after.strip_prefix(':').map(str::parse) {
            Some(Ok(port)) => (inside, Some(port)),
            None if after.is_empty() => (inside, None),
            _ => whole,
        };
    }
    match name.rsplit_once(':') {
        Some((host, port))
            if !port.is_empty()
                && !host.is_empty()
                && port.bytes().all(|b| b.is_ascii_digit())
                && has_balanced_brackets(host) =>
        {
            if host.contains(':') && first_range(host).is_none() {
                whole
            } else {
                (host, port.parse().ok())
            }
        }
        _ => whole,
    }
}

/// Whether a text is an address of version 6.
pub fn is_address(text: &str) -> bool {
    text.parse::<std::net::Ipv6Addr>().is_ok()
}

fn has_balanced_brackets(text: &str) -> bool {
    text.matches('[').count() == text.matches(']').count()
}

/// Splits a pattern around the first bracket that contains a colon.
fn first_range(pattern: &str) -> Option<(&str, &str, &str)> {
    let open = pattern.find('[')?;
    let close = open + pattern[open..].find(']')?;
    let range = &pattern[open + 1..close];
    range.contains(':').then(|| (&pattern[..open], range, &pattern[close + 1..]))
}

fn range_members(range: &str) -> Result<Vec<String>, Diagnostic> {
    let parts: Vec<&str> = range.split(':').collect();
    let (first, last, step) = match parts[..] {
        [first, last] => (first, last, "1"),
        [first, last, step] => (first, last, step),
        _ => {
            return Err(Diagnostic::error(format!(
                "the range `[{range}]` must be `[begin:end]` or `[begin:end:step]`"
            )));
        }
    };
    let first = if first.is_empty() { "0" } else { first };
    if last.is_empty() {
        return Err(Diagnostic::error(format!("the range `[{range}]` has no end")));
    }
    let step: usize = match step.parse() {
        Ok(step) if step > 0 => step,
        _ => return Err(Diagnostic::error(format!("the step of the range `[{range}]` must be a number above 0"))),
    };
    if let (Some(first), Some(last)) = (letter_index(first), letter_index(last)) {
        if first > last {
            return Err(Diagnostic::error(format!("the range `[{range}]` runs backwards")));
        }
        return Ok((first..=last).step_by(step).map(|index| LETTERS[index..=index].to_owned()).collect());
    }
    let (Ok(low), Ok(high)) = (first.parse::<usize>(), last.parse::<usize>()) else {
        return Err(Diagnostic::error(format!("the range `[{range}]` needs two numbers or two letters")));
    };
    let width = if first.len() > 1 && first.starts_with('0') { first.len() } else { 0 };
    if width > 0 && width != last.len() {
        return Err(Diagnostic::error(format!(
            "begin and end of the range `[{range}]` must have the same number of digits"
        )));
    }
    if high.saturating_sub(low) / step >= LIMIT {
        return Err(Diagnostic::error(format!("the range `[{range}]` contains more than {LIMIT} hosts")));
    }
    Ok((low..=high).step_by(step).map(|n| format!("{n:0width$}")).collect())
}

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

fn letter_index(text: &str) -> Option<usize> {
    if text.len() == 1 { LETTERS.find(text) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn case(pattern: &str, names: &str) {
        assert_eq!(expand_range(pattern).unwrap().join(" "), names);
    }

    #[test]
    fn ranges() {
        case("web[01:03].ex", "web01.ex web02.ex web03.ex");
        case("[a:c]", "a b c");
        case("n[1:9:4]", "n1 n5 n9");
        case("r[:2]", "r0 r1 r2");
        case("[a:b][1:2]", "a1 a2 b1 b2");
        case("[8:11]", "8 9 10 11");
        case("[5:1]", "");
        for bad in ["[1:2:3:4]", "[1:]", "[01:100]", "[1:9:0]", "[c:a]", "[a:9]", "[0:99999999]", "plain[0]", "[web"] {
            assert!(expand_range(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ports() {
        for (name, host, port) in [
            ("h:22", "h", Some(22)),
            ("h", "h", None),
            ("::1", "::1", None),
            ("[::1]:22", "::1", Some(22)),
            ("h[1:3]", "h[1:3]", None),
            ("h[1:3]:22", "h[1:3]", Some(22)),
            ("a:b", "a:b", None),
        ] {
            assert_eq!(split_port(name), (host, port), "{name}");
        }
    }

    proptest! {
        #[test]
        fn numbers_count_up(low in 0usize..500, span in 0usize..500, step in 1usize..9) {
            let names = expand_range(&format!("h[{low}:{}:{step}]", low + span)).unwrap();
            prop_assert_eq!(names.len(), span / step + 1);
            prop_assert_eq!(&names[0], &format!("h{low}"));
        }

        #[test]
        fn any_text_is_answered(text in ".{0,30}") {
            let _ = expand_range(&text);
            let _ = split_port(&text);
        }
    }
}
