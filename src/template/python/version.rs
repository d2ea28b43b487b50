//! Versions: loose and strict as in distutils, semantic versions, PEP 440.

use std::cmp::Ordering;

use crate::template::error::TemplateError;

/// The rules by which two versions are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionRules {
    /// Numbers and letters as they come.
    Loose,
    /// `1.2`, `1.2.3`, `1.2a1`.
    Strict,
    /// `1.2.3-rc.1+build`.
    Semantic,
    /// Python packages.
    Pep440,
}

/// Compares two versions.
///
/// # Errors
/// If one is not a version by these rules, or a number meets a word.
pub fn compare_versions(a: &str, b: &str, rules: VersionRules) -> Result<Ordering, TemplateError> {
    match rules {
        VersionRules::Loose => compare_loose(&parse_loose(a), &parse_loose(b)),
        VersionRules::Strict => Ok(parse_strict(a)?.cmp(&parse_strict(b)?)),
        VersionRules::Semantic => Ok(parse_semantic(a)?.cmp(&parse_semantic(b)?)),
        VersionRules::Pep440 => Ok(parse_pep440(a)?.cmp(&parse_pep440(b)?)),
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Number(u128),
    Word(String),
}

/// Runs of digits, runs of small letters, and whatever stands between; dots only separate.
fn parse_loose(version: &str) -> Vec<Part> {
    let class = |c: char| match c {
        '0'..='9' => 0,
        'a'..='z' => 1,
        '.' => 2,
        _ => 3,
    };
    let mut parts = Vec::new();
    let mut rest = version;
    while let Some(first) = rest.chars().next() {
        let end = match class(first) {
            2 => 1,
            kind => rest.find(|c| class(c) != kind).unwrap_or(rest.len()),
        };
        let (part, after) = rest.split_at(end);
        rest = after;
        match class(first) {
            0 => parts.push(part.parse().map_or_else(|_| Part::Word(part.to_owned()), Part::Number)),
            2 => {}
            _ => parts.push(Part::Word(part.to_owned())),
        }
    }
    parts
}

fn compare_loose(a: &[Part], b: &[Part]) -> Result<Ordering, TemplateError> {
    for (x, y) in a.iter().zip(b) {
        let order = match (x, y) {
            (Part::Number(x), Part::Number(y)) => x.cmp(y),
            (Part::Word(x), Part::Word(y)) => x.cmp(y),
            (Part::Number(_), Part::Word(_)) => return Err(no_order("int", "str")),
            (Part::Word(_), Part::Number(_)) => return Err(no_order("str", "int")),
        };
        if order.is_ne() {
            return Ok(order);
        }
    }
    Ok(a.len().cmp(&b.len()))
}

fn no_order(a: &str, b: &str) -> TemplateError {
    TemplateError::value(format!("'<' not supported between instances of '{a}' and '{b}'"))
        .hint("one version has a word where the other has a number; try `version_type='semver'` or `'pep440'`")
}

/// The three numbers, and the pre-release: letter (`~` for none, which is last) and number.
type Strict = ([u64; 3], (char, u64));

fn parse_strict(version: &str) -> Result<Strict, TemplateError> {
    let bad = || TemplateError::value(format!("invalid version number '{version}'"));
    let (numbers, pre) = match version.find(['a', 'b']) {
        Some(at) => {
            let (numbers, pre) = version.split_at(at);
            let letter = if pre.starts_with('a') { 'a' } else { 'b' };
            (numbers, (letter, parse_digits(&pre[1..]).ok_or_else(bad)?))
        }
        None => (version, ('~', 0)),
    };
    let parts: Vec<u64> = numbers.split('.').map(parse_digits).collect::<Option<_>>().ok_or_else(bad)?;
    match parts[..] {
        [major, minor] => Ok(([major, minor, 0], pre)),
        [major, minor, patch] => Ok(([major, minor, patch], pre)),
        _ => Err(bad()),
    }
}

fn parse_digits(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// The three numbers, whether it is final, and the identifiers of the pre-release: numbers come before words.
type Semantic = ([u64; 3], bool, Vec<(bool, u64, String)>);

fn parse_semantic(version: &str) -> Result<Semantic, TemplateError> {
    let bad = || TemplateError::value(format!("invalid semantic version '{version}'"));
    let (version_part, build) = version.split_once('+').map_or((version, None), |(v, build)| (v, Some(build)));
    let (core, pre) = version_part.split_once('-').map_or((version_part, None), |(core, pre)| (core, Some(pre)));
    let plain = |number: &str| if number.len() > 1 && number.starts_with('0') { None } else { parse_digits(number) };
    let numbers: Vec<u64> = core.split('.').map(plain).collect::<Option<_>>().ok_or_else(bad)?;
    let core: [u64; 3] = numbers.try_into().map_err(|_| bad())?;
    let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !build.is_none_or(|build| build.split('.').all(word)) {
        return Err(bad());
    }
    let mut identifiers = Vec::new();
    for identifier in pre.into_iter().flat_map(|pre| pre.split('.')) {
        if !word(identifier) {
            return Err(bad());
        }
        identifiers.push(match identifier.bytes().all(|b| b.is_ascii_digit()) {
            true => (false, plain(identifier).ok_or_else(bad)?, String::new()),
            false => (true, 0, identifier.to_owned()),
        });
    }
    Ok((core, pre.is_none(), identifiers))
}

/// Epoch, release, pre, post, dev, local: in the order in which they count.
type Pep440 = (u64, Vec<u64>, (i8, u64), (i8, u64), (i8, u64), Vec<(bool, u64, String)>);

fn parse_pep440(version: &str) -> Result<Pep440, TemplateError> {
    let bad = || TemplateError::value(format!("Invalid version: '{version}'"));
    let lower = version.trim().to_lowercase();
    let text = lower.strip_prefix('v').unwrap_or(&lower);
    let (public, local) = text.split_once('+').map_or((text, None), |(public, local)| (public, Some(local)));
    let (epoch, rest) = match public.split_once('!') {
        Some((epoch, rest)) => (parse_digits(epoch).ok_or_else(bad)?, rest),
        None => (0, public),
    };
    let mut reader = Reader { rest };
    let mut release = vec![reader.read_number().ok_or_else(bad)?];
    while reader.rest.strip_prefix('.').is_some_and(|after| after.starts_with(|c: char| c.is_ascii_digit())) {
        reader.rest = &reader.rest[1..];
        release.push(reader.read_number().ok_or_else(bad)?);
    }
    while release.len() > 1 && release.last() == Some(&0) {
        release.pop();
    }
    const PRE: [(&str, i8); 8] =
        [("alpha", 1), ("a", 1), ("beta", 2), ("b", 2), ("preview", 3), ("pre", 3), ("rc", 3), ("c", 3)];
    let pre = reader.read_tagged(&PRE);
    let post = match reader.rest.strip_prefix('-').filter(|after| after.starts_with(|c: char| c.is_ascii_digit())) {
        Some(after) => {
            reader.rest = after;
            reader.read_number().map(|number| (1, number))
        }
        None => reader.read_tagged(&[("post", 1), ("rev", 1), ("r", 1)]),
    };
    let dev = reader.read_tagged(&[("dev", 1)]);
    if !reader.rest.is_empty() {
        return Err(bad());
    }
    let mut locals = Vec::new();
    for part in local.into_iter().flat_map(|local| local.split(['.', '-', '_'])) {
        if part.is_empty() || !part.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(bad());
        }
        // Numbers count for more than words.
        locals.push(
            parse_digits(part).map_or_else(|| (false, 0, part.to_owned()), |number| (true, number, String::new())),
        );
    }
    // A development release of the version itself comes before its pre-releases, the final version after them.
    let pre = pre.unwrap_or(if post.is_none() && dev.is_some() { (0, 0) } else { (9, 0) });
    Ok((epoch, release, pre, post.unwrap_or((0, 0)), dev.map_or((9, 0), |(_, number)| (0, number)), locals))
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn read_number(&mut self) -> Option<u64> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let number = parse_digits(&self.rest[..end])?;
        self.rest = &self.rest[end..];
        Some(number)
    }

    /// `.tag-5`, `tag5`, `-tag`: separators may stand before and after the tag; no number is 0.
    fn read_tagged(&mut self, tags: &[(&str, i8)]) -> Option<(i8, u64)> {
        let start = self.rest.strip_prefix(['.', '-', '_']).unwrap_or(self.rest);
        let (tag, rank) = tags.iter().find(|(tag, _)| start.starts_with(tag))?;
        self.rest = &start[tag.len()..];
        let after = self.rest.strip_prefix(['.', '-', '_']).unwrap_or(self.rest);
        if after.starts_with(|c: char| c.is_ascii_digit()) {
            self.rest = after;
        }
        Some((*rank, self.read_number().unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn less(rules: VersionRules, versions: &[&str]) {
        for pair in versions.windows(2) {
            assert_eq!(compare_versions(pair[0], pair[1], rules).unwrap(), Ordering::Less, "{pair:?}");
        }
    }

    #[test]
    fn orders() {
        less(VersionRules::Loose, &["1.0", "1.0.0", "1.2", "1.10", "1.10a", "2"]);
        less(VersionRules::Strict, &["0.4", "0.5a1", "0.5b3", "0.5", "1.0.4a3", "1.0.4"]);
        less(
            VersionRules::Semantic,
            &["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-rc.1", "1.0.0", "1.0.1"],
        );
        less(
            VersionRules::Pep440,
            &[
                "1.0.dev1",
                "1.0a1.dev2",
                "1.0a1",
                "1.0b2",
                "1.0rc1",
                "1.0",
                "1.0+abc",
                "1.0+5",
                "1.0.post1",
                "1.1",
                "1!0.1",
            ],
        );
    }

    #[test]
    fn equals_and_errors() {
        assert_eq!(compare_versions("1.0", "1.0.0", VersionRules::Pep440).unwrap(), Ordering::Equal);
        assert_eq!(compare_versions("1.0.0+a", "1.0.0+b", VersionRules::Semantic).unwrap(), Ordering::Equal);
        assert!(compare_versions("1.2", "1.x", VersionRules::Loose).is_err());
        assert!(compare_versions("1", "1.0", VersionRules::Strict).is_err());
        assert!(compare_versions("1.2", "1.2.0", VersionRules::Semantic).is_err());
        assert!(compare_versions("x", "1", VersionRules::Pep440).is_err());
    }
}
