//! Tags by version: numbers count as numbers, and a pre-release comes before its release.

use std::cmp::Ordering;

/// Returns the newest of some tags.
pub(super) fn newest_tag<'a>(tags: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    tags.max_by(|a, b| compare_tags(a, b))
}

fn compare_tags(a: &str, b: &str) -> Ordering {
    let (a_core, a_pre) = split_version(a);
    let (b_core, b_pre) = split_version(b);
    compare_parts(a_core, b_core).then_with(|| match (a_pre, b_pre) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(a), Some(b)) => compare_parts(a, b),
    })
}

/// The version, and its pre-release part. What comes after a plus sign does not count.
fn split_version(tag: &str) -> (&str, Option<&str>) {
    let tag = tag.split('+').next().unwrap_or(tag);
    // The dash of a prefix (`release-1.2`) comes before the first digit.
    let digit = tag.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
    match tag[digit..].find('-') {
        Some(dash) => (&tag[..digit + dash], Some(&tag[digit + dash + 1..])),
        None => (tag, None),
    }
}

fn compare_parts(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (split_chunks(a), split_chunks(b));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => match (a.parse::<u128>(), b.parse::<u128>()) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => a.cmp(b),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Runs of digits, and runs of anything else; dots only separate.
fn split_chunks(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches('.');
        let first = rest.chars().next()?;
        let end = rest.find(|c: char| c == '.' || c.is_ascii_digit() != first.is_ascii_digit()).unwrap_or(rest.len());
        let (chunk, after) = rest.split_at(end);
        rest = after;
        Some(chunk)
    })
}

#[cfg(test)]
mod tests {
    use super::newest_tag;

    #[test]
    fn newest_tag_is_that_of_the_highest_version() {
        for (tags, wanted) in [
            (vec!["v1.9.0", "v1.10.0", "v1.2.0"], "v1.10.0"),
            (vec!["v2.0.0-rc.1", "v1.9.9", "v2.0.0-rc.2"], "v2.0.0-rc.2"),
            (vec!["v2.0.0-rc.1", "v2.0.0", "v2.0.0-beta"], "v2.0.0"),
            (vec!["v2", "v2.1", "v2.0.9"], "v2.1"),
            (vec!["release-3", "release-20"], "release-20"),
        ] {
            assert_eq!(newest_tag(tags.iter().copied()), Some(wanted), "{tags:?}");
        }
        assert_eq!(newest_tag(std::iter::empty()), None);
    }
}
