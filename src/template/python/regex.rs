//! Python's `re`: search, match, findall, sub, with Python's rules for empty matches and for replacement texts.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use fancy_regex::{Regex, RegexBuilder};

use super::regex_syntax;
pub use super::regex_syntax::RegexFlags;
use crate::template::budget;
use crate::template::error::TemplateError;

/// The groups of a match.
pub type Captures<'t> = fancy_regex::Captures<'t, str>;

/// How many patterns are kept compiled; a playbook has a few dozen.
const KEPT: usize = 256;

thread_local! {
    static COMPILED: RefCell<HashMap<(String, RegexFlags), Rc<Pattern>>> = RefCell::new(HashMap::new());
}

/// A compiled pattern.
pub struct Pattern {
    regex: Regex,
    /// The same, but never matching the empty text; compiled when an empty match asks for it.
    not_empty: std::cell::OnceCell<Option<Regex>>,
    source: String,
    flags: RegexFlags,
}

impl Pattern {
    /// Compiles a pattern in Python's syntax, or takes it from those that are compiled already.
    ///
    /// # Errors
    /// If it is not a pattern.
    pub fn compile(pattern: &str, flags: RegexFlags) -> Result<Rc<Self>, TemplateError> {
        let key = (pattern.to_owned(), flags);
        if let Some(known) = COMPILED.with_borrow(|kept| kept.get(&key).cloned()) {
            return Ok(known);
        }
        let mut flags = flags;
        let source = regex_syntax::translate_pattern(pattern, &mut flags);
        let regex = build_regex(&source, flags, false).map_err(|error| {
            TemplateError::value(format!("`{pattern}` is not a regular expression: {}", one_line(&error)))
        })?;
        let compiled = Rc::new(Self { regex, not_empty: std::cell::OnceCell::new(), source, flags });
        COMPILED.with_borrow_mut(|kept| {
            if kept.len() >= KEPT {
                kept.clear();
            }
            kept.insert(key, Rc::clone(&compiled));
        });
        Ok(compiled)
    }

    /// The number of groups.
    pub fn groups(&self) -> usize {
        self.regex.captures_len() - 1
    }

    /// The names of the groups by number.
    pub fn names(&self) -> Vec<Option<&str>> {
        self.regex.capture_names().collect()
    }

    /// The first match anywhere at or after a byte offset.
    ///
    /// # Errors
    /// If the pattern takes too many steps.
    pub fn search<'t>(&self, text: &'t str, from: usize) -> Result<Option<Captures<'t>>, TemplateError> {
        self.regex.captures_from_pos(text, from).map_err(too_hard)
    }

    /// A match at the beginning of the text.
    ///
    /// # Errors
    /// If the pattern takes too many steps.
    pub fn match_start<'t>(&self, text: &'t str) -> Result<Option<Captures<'t>>, TemplateError> {
        self.search_anchored(text, r"\A(?:", ")")
    }

    /// A match of the whole text.
    ///
    /// # Errors
    /// If the pattern takes too many steps.
    pub fn full_match<'t>(&self, text: &'t str) -> Result<Option<Captures<'t>>, TemplateError> {
        self.search_anchored(text, r"\A(?:", r")\z")
    }

    fn search_anchored<'t>(
        &self,
        text: &'t str,
        before: &str,
        after: &str,
    ) -> Result<Option<Captures<'t>>, TemplateError> {
        let source = format!("{before}{}{after}", self.source);
        let regex = build_regex(&source, self.flags, false).map_err(too_hard)?;
        regex.captures(text).map_err(too_hard)
    }

    /// All matches from left to right that do not overlap, empty ones next to others included.
    ///
    /// # Errors
    /// If the pattern takes too many steps.
    pub fn find_all<'t>(&self, text: &'t str) -> Result<Vec<Captures<'t>>, TemplateError> {
        let mut found = Vec::new();
        let mut at = 0;
        let mut after_empty = false;
        loop {
            let next = if after_empty { self.past_empty(text, at)? } else { self.search(text, at)? };
            let Some(captures) = next else { break };
            let (start, end) = group_range(&captures, 0).unwrap_or((at, at));
            after_empty = start == end;
            at = end;
            found.push(captures);
        }
        Ok(found)
    }

    /// The next match after an empty one at `at`: one that is longer at the same place, or any further on.
    fn past_empty<'t>(&self, text: &'t str, at: usize) -> Result<Option<Captures<'t>>, TemplateError> {
        let longer = self.not_empty.get_or_init(|| build_regex(&self.source, self.flags, true).ok());
        if let Some(longer) = longer
            && let Some(captures) = longer.captures_from_pos(text, at).map_err(too_hard)?
            && group_range(&captures, 0).is_some_and(|(start, _)| start == at)
        {
            return Ok(Some(captures));
        }
        match text[at..].chars().next() {
            Some(c) => self.search(text, at + c.len_utf8()),
            None => Ok(None),
        }
    }

    /// Replaces matches (all, or the first `count`), and says how many there were.
    ///
    /// # Errors
    /// For a bad replacement (a group that is not there) or a pattern that takes too many steps.
    pub fn replace(&self, text: &str, replacement: &str, count: usize) -> Result<(String, usize), TemplateError> {
        let pieces = self.parse_replacement(replacement)?;
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        let mut replaced = 0;
        for captures in self.find_all(text)? {
            if count != 0 && replaced == count {
                break;
            }
            let Some((start, end)) = group_range(&captures, 0) else { continue };
            out.push_str(&text[at..start]);
            expand_pieces(&pieces, &captures, &mut out);
            if out.len() > budget::LARGEST {
                budget::reserve_bytes(out.len())?;
            }
            at = end;
            replaced += 1;
        }
        out.push_str(&text[at..]);
        Ok((out, replaced))
    }

    /// Fills a replacement text with the groups of a match.
    ///
    /// # Errors
    /// For a group that is not there.
    pub fn expand(&self, replacement: &str, captures: &Captures<'_>) -> Result<String, TemplateError> {
        let mut out = String::new();
        expand_pieces(&self.parse_replacement(replacement)?, captures, &mut out);
        Ok(out)
    }

    /// Splits a replacement text into literal parts and references to groups.
    fn parse_replacement(&self, text: &str) -> Result<Vec<Piece>, TemplateError> {
        let chars: Vec<char> = text.chars().collect();
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut at = 0;
        while let Some(c) = chars.get(at) {
            at += 1;
            let escaped = if *c == '\\' { chars.get(at).copied() } else { None };
            let Some(escaped) = escaped else {
                literal.push(*c);
                continue;
            };
            at += 1;
            match escaped {
                'g' => {
                    let close = chars[at..].iter().position(|c| *c == '>');
                    let (Some('<'), Some(close)) = (chars.get(at), close) else {
                        return Err(TemplateError::value("missing group name in the replacement after `\\g`"));
                    };
                    let name: String = chars[at + 1..at + close].iter().collect();
                    at += close + 1;
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                    pieces.push(Piece::Group(self.group_number(&name)?));
                }
                '0' => {
                    let digits: String = chars[at..].iter().take(2).take_while(|c| ('0'..='7').contains(*c)).collect();
                    at += digits.len();
                    let code = u32::from_str_radix(&digits, 8).unwrap_or(0);
                    literal.push(char::from_u32(code).unwrap_or('\0'));
                }
                '1'..='9' => {
                    let mut number = escaped.to_string();
                    if let Some(second) = chars.get(at).filter(|c| c.is_ascii_digit()) {
                        number.push(*second);
                        at += 1;
                    }
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                    pieces.push(Piece::Group(self.group_number(&number)?));
                }
                'n' => literal.push('\n'),
                't' => literal.push('\t'),
                'r' => literal.push('\r'),
                'a' => literal.push('\u{7}'),
                'b' => literal.push('\u{8}'),
                'f' => literal.push('\u{c}'),
                'v' => literal.push('\u{b}'),
                '\\' => literal.push('\\'),
                c if c.is_ascii_alphabetic() => {
                    return Err(TemplateError::value(format!("bad escape `\\{c}` in the replacement")));
                }
                c => {
                    literal.push('\\');
                    literal.push(c);
                }
            }
        }
        pieces.push(Piece::Literal(literal));
        Ok(pieces)
    }

    /// The number of a group that is named by number or name.
    ///
    /// # Errors
    /// If there is no such group.
    pub fn group_number(&self, name: &str) -> Result<usize, TemplateError> {
        if let Ok(number) = name.parse::<usize>() {
            return if number <= self.groups() {
                Ok(number)
            } else {
                Err(TemplateError::value(format!("invalid group reference {number}")))
            };
        }
        let known = self.names();
        known.iter().position(|known| *known == Some(name)).ok_or_else(|| {
            TemplateError::value(format!("unknown group name `{name}`"))
                .suggest_name(name, known.iter().flatten().copied())
        })
    }
}

enum Piece {
    Literal(String),
    Group(usize),
}

fn expand_pieces(pieces: &[Piece], captures: &Captures<'_>, out: &mut String) {
    for piece in pieces {
        match piece {
            Piece::Literal(text) => out.push_str(text),
            Piece::Group(number) => out.push_str(captures.get(*number).map_or("", |group| group.as_str())),
        }
    }
}

/// The byte range of a group; `None` if it took no part in the match.
pub fn group_range(captures: &Captures<'_>, group: usize) -> Option<(usize, usize)> {
    captures.get(group).map(|found| (found.start(), found.end()))
}

fn build_regex(source: &str, flags: RegexFlags, not_empty: bool) -> fancy_regex::Result<Regex> {
    RegexBuilder::new(source).case_insensitive(flags.ignore_case).find_not_empty(not_empty).build()
}

fn too_hard(error: fancy_regex::Error) -> TemplateError {
    TemplateError::value(format!("the regular expression failed: {}", one_line(&error)))
}

/// The engine draws the pattern with a caret under it; one line has to do.
fn one_line(error: &fancy_regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or(&text);
    let said = last.trim().trim_start_matches("error: ");
    // Where Python has words for it that playbooks look for, in these.
    if said.contains("Target of repeat operator is invalid") { "nothing to repeat".to_owned() } else { said.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn sub(pattern: &str, replacement: &str, text: &str, expected: &str) {
        let pattern = Pattern::compile(pattern, RegexFlags::default()).unwrap();
        assert_eq!(pattern.replace(text, replacement, 0).unwrap().0, expected);
    }

    #[test]
    fn replacements_are_pythons() {
        sub("x*", "-", "abxd", "-a-b--d-");
        sub("(?P<k>\\w)=(\\w)", r"\2:\g<k>\g<0>", "a=b", "b:aa=b");
        sub("a", r"\\n\n", "a", "\\n\n");
        sub("$", "!", "a\n", "a!\n!");
        sub("(a)|b", r"[\1]", "ab", "[a][]");
        sub(r"(\w)\1", "=", "aabbc", "==c");
    }

    #[test]
    fn bad_patterns_and_groups_are_reported() {
        assert!(Pattern::compile("(", RegexFlags::default()).is_err());
        let pattern = Pattern::compile("(?P<name>a)", RegexFlags::default()).unwrap();
        let fault = pattern.replace("a", r"\g<nam>", 0).unwrap_err();
        assert_eq!(fault.hints, ["did you mean `name`?"]);
        assert_eq!(pattern.replace("a", r"\2", 0).unwrap_err().message, "invalid group reference 2");
    }

    #[test]
    fn match_is_anchored_and_fullmatch_whole() {
        let pattern = Pattern::compile("a|ab", RegexFlags::default()).unwrap();
        assert!(pattern.match_start("ba").unwrap().is_none());
        assert!(pattern.full_match("ab").unwrap().is_some());
        assert!(pattern.full_match("abc").unwrap().is_none());
    }
}
