//! INI text that is edited in place: comments, blank lines and the order of sections stay.

use std::collections::HashSet;

/// A condition on a section: it has this option, with one of these values if there are any.
#[derive(Debug, Clone)]
pub struct IniCondition {
    /// Name of the option.
    pub option: String,
    /// Values, one of which it must have.
    pub values: Vec<String>,
}

/// How assignments are written.
#[derive(Debug, Clone, Copy)]
pub struct IniStyle {
    /// No blanks round the equals sign.
    pub tight: bool,
    /// A line that differs in blanks only stays as it is.
    pub ignore_blanks: bool,
    /// An option may stand without a value.
    pub allow_no_value: bool,
    /// A commented assignment counts as the place of the option.
    pub use_inactive: bool,
}

/// Section and option that an edit is about.
#[derive(Debug, Clone)]
pub struct IniTarget {
    /// Name of the section; without one, the lines before the first section.
    pub section: Option<String>,
    /// The section must fulfil these, if several have the name.
    pub conditions: Vec<IniCondition>,
    /// Name of the option; without one, the section itself.
    pub option: Option<String>,
    /// Values of the option, each on a line of its own.
    pub values: Vec<String>,
    /// No other values may stay.
    pub exclusive: bool,
    /// Style of new lines.
    pub style: IniStyle,
}

/// Text after an edit.
#[derive(Debug, PartialEq, Eq)]
pub struct IniEdit {
    /// The text.
    pub text: String,
    /// Whether it differs.
    pub changed: bool,
    /// Summary, in the words of the collection.
    pub message: &'static str,
}

/// A section among the lines of a file.
struct SectionLines {
    lines: Vec<String>,
    /// The first line is its header.
    has_header: bool,
}

/// One line as an assignment of an option.
struct Assignment {
    active: bool,
    value: String,
}

/// Reads a line as an assignment of this option.
fn parse_assignment(line: &str, option: &str, allow_inactive: bool) -> Option<Assignment> {
    let blanks = [' ', '\t'];
    let line = line.trim_end_matches('\n').trim_start_matches(blanks);
    let inactive = line.strip_prefix(['#', ';']);
    if inactive.is_some() && !allow_inactive {
        return None;
    }
    let rest = inactive.unwrap_or(line).trim_start_matches(blanks).strip_prefix(option)?.trim_start_matches(blanks);
    let value = match rest.strip_prefix('=') {
        Some(value) => value.trim_start_matches(blanks),
        None if rest.is_empty() => "",
        None => return None,
    };
    Some(Assignment { active: inactive.is_none(), value: value.to_owned() })
}

/// Splits a text into lines that keep their ends; the last line gets one. Returns whether it had none.
fn split_lines(text: &str) -> (Vec<String>, bool) {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    if lines.is_empty() {
        lines.push("\n".to_owned());
    }
    let is_open = lines.last().is_some_and(|line| !line.ends_with('\n'));
    if let Some(last) = lines.last_mut().filter(|_| is_open) {
        last.push('\n');
    }
    (lines, is_open)
}

fn is_header_of(line: &str, section: &str) -> bool {
    let inside = line.strip_prefix('[').map(str::trim_start).and_then(|rest| rest.strip_prefix(section.trim()));
    inside.is_some_and(|rest| rest.trim_start().starts_with(']'))
}

fn is_blank_or_comment(line: &str) -> bool {
    let line = line.trim_matches([' ', '\t', '\n']);
    line.is_empty() || line.starts_with(['#', ';'])
}

impl IniTarget {
    /// Makes sure that the option has the values, or that the section is there.
    pub fn set(&self, text: &str) -> IniEdit {
        let (lines, completed) = split_lines(text);
        let Some(range) = self.find_section(&lines) else { return self.append_section(lines) };
        let mut section = self.take_section(&lines, &range);
        let mut message = "OK";
        if let Some(option) = &self.option {
            self.set_option(option, &mut section, &mut message);
        }
        IniEdit { text: join_lines(&lines, range, section), changed: completed || message != "OK", message }
    }

    /// Makes sure that the option, some of its values, or the section is not there.
    pub fn remove(&self, text: &str) -> IniEdit {
        let (lines, completed) = split_lines(text);
        let Some(range) = self.find_section(&lines) else {
            return IniEdit { text: lines.concat(), changed: completed, message: "OK" };
        };
        let mut section = self.take_section(&lines, &range);
        let before = section.lines.len();
        let message = match &self.option {
            None => {
                section.lines.clear();
                "section removed"
            }
            Some(option) => {
                section.lines.retain(|line| match parse_assignment(line, option, false) {
                    Some(found) => !self.exclusive && !self.values.contains(&found.value),
                    None => true,
                });
                "option changed"
            }
        };
        let message = if section.lines.len() == before { "OK" } else { message };
        IniEdit { text: join_lines(&lines, range, section), changed: completed || message != "OK", message }
    }

    /// The lines of the section; those before the first header where no section is named.
    fn find_section(&self, lines: &[String]) -> Option<std::ops::Range<usize>> {
        let end_from = |start: usize| {
            let next = lines[start..].iter().position(|line| line.starts_with('['));
            next.map_or(lines.len(), |at| start + at)
        };
        let Some(section) = self.section.as_deref().filter(|section| !section.is_empty()) else {
            return Some(0..end_from(0));
        };
        let headers = (0..lines.len()).filter(|index| is_header_of(&lines[*index], section));
        headers.map(|start| start..end_from(start + 1)).find(|range| self.is_meant(&lines[range.clone()]))
    }

    fn is_meant(&self, lines: &[String]) -> bool {
        self.conditions.iter().all(|condition| {
            lines
                .iter()
                .filter_map(|line| parse_assignment(line, &condition.option, true))
                .any(|found| condition.values.is_empty() || condition.values.contains(&found.value))
        })
    }

    fn take_section(&self, lines: &[String], range: &std::ops::Range<usize>) -> SectionLines {
        let has_header = self.section.as_deref().is_some_and(|section| !section.is_empty());
        SectionLines { lines: lines[range.clone()].to_vec(), has_header }
    }

    fn write_assignment(&self, option: &str, value: &str) -> String {
        let sign = if self.style.tight { "=" } else { " = " };
        format!("{option}{sign}{value}\n")
    }

    /// Puts the option into a section that is there.
    fn set_option(&self, option: &str, section: &mut SectionLines, message: &mut &'static str) {
        let mut left: Vec<String> = self.values.clone();
        let mut settled = HashSet::new();
        let mut is_there_alone = false;
        let first = usize::from(section.has_header);
        let parse = |line: &str| parse_assignment(line, option, self.style.use_inactive);
        // Lines that have one of the values already keep their place.
        for index in first..section.lines.len() {
            let Some(found) = parse(&section.lines[index]) else { continue };
            if let Some(at) = left.iter().position(|value| *value == found.value) {
                let value = left.remove(at);
                let is_alone = value.is_empty() && self.style.allow_no_value;
                is_there_alone |= is_alone;
                let line = if is_alone { format!("{option}\n") } else { self.write_assignment(option, &value) };
                self.update_line(section, index, line, message);
                settled.insert(index);
            } else if self.values.is_empty() && self.style.allow_no_value {
                is_there_alone = true;
                self.update_line(section, index, format!("{option}\n"), message);
                settled.insert(index);
                break;
            }
        }
        if self.exclusive && !self.style.allow_no_value {
            let others = (first..section.lines.len())
                .filter(|index| !settled.contains(index) && parse(&section.lines[*index]).is_some())
                .collect::<Vec<_>>();
            let (reused, surplus) = others.split_at(left.len().min(others.len()));
            for (index, value) in reused.iter().zip(left.drain(..reused.len()).collect::<Vec<_>>()) {
                let line = self.write_assignment(option, &value);
                self.update_line(section, *index, line, message);
            }
            for index in surplus.iter().rev() {
                section.lines.remove(*index);
                *message = "option changed";
            }
        }
        let mut added: Vec<String> = left.iter().map(|value| self.write_assignment(option, value)).collect();
        if self.values.is_empty() && self.style.allow_no_value && !is_there_alone {
            added.push(format!("{option}\n"));
        }
        if !added.is_empty() {
            let last = section.lines.iter().rposition(|line| !is_blank_or_comment(line));
            let at = last.map_or(0, |last| last + 1);
            section.lines.splice(at..at, added);
            *message = "option added";
        }
    }

    /// Replaces a line of the option, unless it says the same already.
    fn update_line(&self, section: &mut SectionLines, index: usize, line: String, message: &mut &'static str) {
        let old = &mut section.lines[index];
        let is_same_value = || {
            let value = |line: &str| parse_assignment(line, self.option.as_deref()?, true);
            match (value(old), value(&line)) {
                (Some(old), Some(new)) => old.active && old.value == new.value,
                _ => false,
            }
        };
        if *old == line || (self.style.ignore_blanks && is_same_value()) {
            return;
        }
        *old = line;
        *message = "option changed";
    }

    /// Adds the section with its conditions and the option at the end.
    fn append_section(&self, mut lines: Vec<String>) -> IniEdit {
        lines.push(format!("[{}]\n", self.section.as_deref().unwrap_or_default()));
        let mut values = self.values.clone();
        for condition in &self.conditions {
            if Some(&condition.option) == self.option.as_ref() {
                let more = condition.values.iter().filter(|value| !self.exclusive && !self.values.contains(value));
                values.extend(more.cloned());
            } else if condition.values.is_empty() && self.style.allow_no_value {
                lines.push(format!("{}\n", condition.option));
            } else {
                lines.extend(condition.values.iter().map(|value| self.write_assignment(&condition.option, value)));
            }
        }
        let message = match &self.option {
            Some(option) if !values.is_empty() => {
                lines.extend(values.iter().map(|value| self.write_assignment(option, value)));
                "section and option added"
            }
            Some(option) if self.style.allow_no_value => {
                lines.push(format!("{option}\n"));
                "section and option added"
            }
            _ => "only section added",
        };
        IniEdit { text: lines.concat(), changed: true, message }
    }
}

/// The text with a section in the place of the lines it was taken from.
fn join_lines(lines: &[String], range: std::ops::Range<usize>, section: SectionLines) -> String {
    [&lines[..range.start], &section.lines, &lines[range.end..]].concat().concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(section: &str, option: &str, values: &[&str]) -> IniTarget {
        IniTarget {
            section: Some(section.to_owned()).filter(|section| !section.is_empty()),
            conditions: Vec::new(),
            option: Some(option.to_owned()).filter(|option| !option.is_empty()),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
            exclusive: true,
            style: IniStyle { tight: false, ignore_blanks: false, allow_no_value: false, use_inactive: true },
        }
    }

    #[track_caller]
    fn sets(target: &IniTarget, text: &str, expected: &str, message: &'static str) {
        let changed = message != "OK";
        let first = target.set(text);
        assert_eq!(first, IniEdit { text: expected.to_owned(), changed, message });
        assert!(!target.set(expected).changed, "a second edit changes nothing");
    }

    #[test]
    fn option_is_added_changed_and_uncommented_in_its_section() {
        sets(&target("a", "x", &["1"]), "", "\n[a]\nx = 1\n", "section and option added");
        sets(&target("a", "x", &["1"]), "[a]\ny=2\n\n# end\n[b]\n", "[a]\ny=2\nx = 1\n\n# end\n[b]\n", "option added");
        sets(&target("a", "x", &["1"]), "[a]\nx=2\n[b]\nx=3\n", "[a]\nx = 1\n[b]\nx=3\n", "option changed");
        sets(&target("a", "x", &["1"]), "[a]\n#x = 2\n", "[a]\nx = 1\n", "option changed");
        sets(&target("", "top", &["1"]), "[a]\nx=2\n", "top = 1\n[a]\nx=2\n", "option added");
        sets(&target("a", "x", &["1", "2"]), "[a]\nx = 3\nx = 2\nx = 4\n", "[a]\nx = 1\nx = 2\n", "option changed");
        sets(&target("a", "x", &["1"]), "[a]\nxy = 3\nx = 1\n", "[a]\nxy = 3\nx = 1\n", "OK");
    }

    #[test]
    fn values_may_stand_beside_others_and_options_alone() {
        let beside = IniTarget { exclusive: false, ..target("a", "x", &["1"]) };
        sets(&beside, "[a]\nx = 2\n", "[a]\nx = 2\nx = 1\n", "option added");
        let mut alone = target("a", "flag", &[]);
        alone.style.allow_no_value = true;
        sets(&alone, "[a]\n", "[a]\nflag\n", "option added");
        sets(&alone, "[a]\nflag = 1\n", "[a]\nflag\n", "option changed");
    }

    #[test]
    fn options_values_and_sections_are_removed() {
        let text = "[a]\nx = 1\nx = 2\n[b]\ny = 1\n";
        assert_eq!(target("a", "x", &[]).remove(text).text, "[a]\n[b]\ny = 1\n");
        let one = IniTarget { exclusive: false, ..target("a", "x", &["2"]) };
        assert_eq!(one.remove(text).text, "[a]\nx = 1\n[b]\ny = 1\n");
        assert_eq!(target("a", "", &[]).remove(text).text, "[b]\ny = 1\n");
        assert_eq!(target("c", "", &[]).remove(text).message, "OK");
    }

    #[test]
    fn section_that_has_the_values_is_meant() {
        let mut chosen = target("i", "color", &["red"]);
        chosen.conditions = vec![IniCondition { option: "id".to_owned(), values: vec!["2".to_owned()] }];
        sets(&chosen, "[i]\nid=1\n[i]\nid=2\n", "[i]\nid=1\n[i]\nid=2\ncolor = red\n", "option added");
        sets(&chosen, "[i]\nid=1\n", "[i]\nid=1\n[i]\nid = 2\ncolor = red\n", "section and option added");
    }
}
