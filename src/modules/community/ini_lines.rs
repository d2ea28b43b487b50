//! Edits of the lines of an INI text. Order of the steps and messages are those of `community.general.ini_file`.

use std::rc::Rc;

use crate::modules::Failure;
use crate::template::python::regex::{Pattern, RegexFlags};

/// Head that stands for the part before the first section; no file has it.
const TOP: &str = "ionplay: options before the first section";

/// An option that a section must have.
pub struct Condition {
    /// Name of the option.
    pub option: String,
    /// Values of which it must have one; empty for any.
    pub values: Vec<String>,
}

/// What is to be done to an INI text.
pub struct IniEdit {
    /// Name of the section; empty for the options before the first section.
    pub section: String,
    /// What the section must have to be the one that is meant.
    pub conditions: Vec<Condition>,
    /// Name of the option; nothing for the section itself.
    pub option: Option<String>,
    /// Values, each once.
    pub values: Vec<String>,
    /// Whether they are to be there.
    pub present: bool,
    /// Whether other lines with the option are removed.
    pub exclusive: bool,
    /// Between an option and its value.
    pub separator: &'static str,
    /// Whether a line that differs in blanks alone stays.
    pub ignore_spaces: bool,
    /// Whether the option may stand alone.
    pub allow_no_value: bool,
    /// Whether lines that are commented out are used.
    pub use_inactive: bool,
}

/// An edited text.
pub struct EditedIni {
    /// The new text.
    pub text: String,
    /// Whether it differs.
    pub changed: bool,
    /// What was done.
    pub message: &'static str,
}

/// Patterns of the lines with an option.
struct OptionPattern {
    active: Rc<Pattern>,
    any: Rc<Pattern>,
}

/// A line with the option.
struct OptionLine {
    inactive: bool,
    value: String,
}

impl OptionPattern {
    fn new(option: &str) -> Result<Self, Failure> {
        let option = fancy_regex::escape(option);
        let compile = |head: &str| {
            Pattern::compile(&format!("{head}[ \\t]*{option}[ \\t]*(?:=|$)[ \\t]*(.*)"), RegexFlags::default())
        };
        Ok(Self { active: compile("()")?, any: compile("[ \\t]*([#;]?)")? })
    }

    fn read_line(pattern: &Pattern, line: &str) -> Result<Option<OptionLine>, Failure> {
        let group = |captures: &crate::template::python::regex::Captures<'_>, number| {
            captures.get(number).map_or(String::new(), |found| found.as_str().to_owned())
        };
        Ok(pattern
            .match_start(line)?
            .map(|captures| OptionLine { inactive: !group(&captures, 1).is_empty(), value: group(&captures, 2) }))
    }

    fn read_any(&self, line: &str) -> Result<Option<OptionLine>, Failure> {
        Self::read_line(&self.any, line)
    }

    fn read_active(&self, line: &str) -> Result<Option<OptionLine>, Failure> {
        Self::read_line(&self.active, line)
    }
}

/// Lines of the section while they are edited.
struct SectionEdit<'e> {
    edit: &'e IniEdit,
    /// Lines, each with whether it has been dealt with.
    lines: Vec<(String, bool)>,
    values: Vec<String>,
    changed: bool,
    message: &'static str,
}

impl IniEdit {
    /// Returns the edited text.
    ///
    /// # Errors
    /// If a name cannot be looked for.
    pub fn apply_to_text(&self, before: &str) -> Result<EditedIni, Failure> {
        let mut text = if before.is_empty() { "\n".to_owned() } else { before.to_owned() };
        let mut changed = false;
        if !text.ends_with('\n') {
            text.push('\n');
            changed = true;
        }
        let section = if self.section.is_empty() { TOP } else { &self.section };
        let mut lines = vec![format!("[{TOP}]")];
        lines.extend(text.split_inclusive('\n').map(str::to_owned));
        lines.push("[".to_owned());
        let (start, end, found) = self.find_section(&lines, section)?;
        let (after, own) = (lines.split_off(end), lines.split_off(start));
        let mut job = SectionEdit {
            edit: self,
            lines: own.into_iter().map(|line| (line, false)).collect(),
            values: self.values.clone(),
            changed,
            message: "OK",
        };
        job.edit_section()?;
        lines.extend(job.lines.into_iter().map(|(line, _)| line));
        lines.extend(after);
        lines.remove(0);
        lines.pop();
        let (mut changed, mut message) = (job.changed, job.message);
        if !found && self.present {
            message = self.append_section(&mut lines, job.values);
            changed = true;
        }
        Ok(EditedIni { text: lines.concat(), changed, message })
    }

    /// Start and end of the section among the lines, and whether it is there.
    fn find_section(&self, lines: &[String], section: &str) -> Result<(usize, usize, bool), Failure> {
        let name = fancy_regex::escape(section.trim()).into_owned();
        let head = Pattern::compile(&format!("^\\[\\s*{name}\\s*]"), RegexFlags::default())?;
        let mut start = None;
        for (index, line) in lines.iter().enumerate() {
            if let Some(from) = start.filter(|_| line.starts_with('[')) {
                if self.fits_conditions(&lines[from..index])? {
                    return Ok((from, index, true));
                }
                start = None;
            }
            if head.match_start(line)?.is_some() {
                start = Some(index);
            }
        }
        Ok((0, 0, false))
    }

    fn fits_conditions(&self, lines: &[String]) -> Result<bool, Failure> {
        for condition in &self.conditions {
            let pattern = OptionPattern::new(&condition.option)?;
            let mut fits = false;
            for line in lines {
                fits |= pattern
                    .read_any(line)?
                    .is_some_and(|found| condition.values.is_empty() || condition.values.contains(&found.value));
            }
            if !fits {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn assignment(&self, option: &str, value: &str) -> String {
        format!("{option}{}{value}\n", self.separator)
    }

    /// Adds the section at the end, with all that it must have.
    fn append_section(&self, lines: &mut Vec<String>, mut values: Vec<String>) -> &'static str {
        lines.push(format!("[{}]\n", self.section));
        for condition in &self.conditions {
            if self.option.as_ref() != Some(&condition.option) {
                if condition.values.is_empty() && self.allow_no_value {
                    lines.push(format!("{}\n", condition.option));
                }
                lines.extend(condition.values.iter().map(|value| self.assignment(&condition.option, value)));
            } else if !self.exclusive {
                let new: Vec<_> = condition.values.iter().filter(|value| !values.contains(value)).cloned().collect();
                values.extend(new);
            }
        }
        match &self.option {
            Some(option) if !values.is_empty() => {
                lines.extend(values.iter().map(|value| self.assignment(option, value)));
                "section and option added"
            }
            Some(option) if self.allow_no_value => {
                lines.push(format!("{option}\n"));
                "section and option added"
            }
            _ => "only section added",
        }
    }
}

impl SectionEdit<'_> {
    fn edit_section(&mut self) -> Result<(), Failure> {
        let Some(option) = &self.edit.option else {
            if !self.edit.present && !self.lines.is_empty() {
                self.lines.clear();
                self.note_change("section removed");
            }
            return Ok(());
        };
        let pattern = OptionPattern::new(option)?;
        if !self.edit.present {
            return self.remove_option(&pattern);
        }
        let alone = self.use_lines_with_values(option, &pattern)?;
        if self.edit.exclusive && !self.edit.allow_no_value {
            self.override_lines(option, &pattern)?;
        }
        self.insert_missing(option, alone);
        Ok(())
    }

    fn note_change(&mut self, message: &'static str) {
        self.changed = true;
        self.message = message;
    }

    fn find_option(&self, pattern: &OptionPattern, index: usize) -> Result<Option<OptionLine>, Failure> {
        let line = &self.lines[index].0;
        if self.edit.use_inactive { pattern.read_any(line) } else { pattern.read_active(line) }
    }

    fn update_line(&mut self, pattern: &OptionPattern, index: usize, new: String) -> Result<(), Failure> {
        let old = &self.lines[index].0;
        let mut differs = *old != new;
        if self.edit.ignore_spaces
            && let Some(found) = pattern.read_any(old)?
            && !found.inactive
        {
            differs = pattern.read_any(&new)?.is_none_or(|made| made.value != found.value);
        }
        if differs {
            self.lines[index].0 = new;
            self.note_change("option changed");
        }
        self.lines[index].1 = true;
        Ok(())
    }

    /// Takes over lines that have one of the values; says whether the option stands alone in one.
    fn use_lines_with_values(&mut self, option: &str, pattern: &OptionPattern) -> Result<bool, Failure> {
        let mut alone = false;
        for index in 0..self.lines.len() {
            let Some(found) = self.find_option(pattern, index)? else { continue };
            if let Some(at) = self.values.iter().position(|value| *value == found.value) {
                let single = found.value.is_empty() && self.edit.allow_no_value;
                let new = if single { format!("{option}\n") } else { self.edit.assignment(option, &found.value) };
                alone |= single;
                self.update_line(pattern, index, new)?;
                self.values.remove(at);
            } else if self.values.is_empty() && self.edit.allow_no_value {
                self.update_line(pattern, index, format!("{option}\n"))?;
                alone = true;
                break;
            }
        }
        Ok(alone)
    }

    /// Uses the other lines with the option for the values that are left, and removes the rest of them.
    fn override_lines(&mut self, option: &str, pattern: &OptionPattern) -> Result<(), Failure> {
        for index in 0..self.lines.len() {
            if self.values.is_empty() {
                break;
            }
            if !self.lines[index].1 && self.find_option(pattern, index)?.is_some() {
                let new = self.edit.assignment(option, &self.values.remove(0));
                self.update_line(pattern, index, new)?;
            }
        }
        for index in (1..self.lines.len()).rev() {
            if !self.lines[index].1 && self.find_option(pattern, index)?.is_some() {
                self.lines.remove(index);
                self.note_change("option changed");
            }
        }
        Ok(())
    }

    /// Adds what is missing behind the last line that is neither blank nor a comment.
    fn insert_missing(&mut self, option: &str, alone: bool) {
        let says_something = |line: &str| {
            let line = line.trim_end_matches('\n').trim_start_matches([' ', '\t']);
            !line.is_empty() && !line.starts_with(['#', ';'])
        };
        let Some(last) = self.lines.iter().rposition(|(line, _)| says_something(line)) else { return };
        let new: Vec<String> = if !self.values.is_empty() {
            self.values.iter().map(|value| self.edit.assignment(option, value)).collect()
        } else if self.edit.allow_no_value && !alone {
            vec![format!("{option}\n")]
        } else {
            return;
        };
        self.lines.splice(last + 1..last + 1, new.into_iter().map(|line| (line, true)));
        self.note_change("option added");
    }

    fn remove_option(&mut self, pattern: &OptionPattern) -> Result<(), Failure> {
        let mut kept = Vec::new();
        for (line, done) in std::mem::take(&mut self.lines) {
            let gone = pattern
                .read_active(&line)?
                .is_some_and(|found| self.edit.exclusive || self.values.contains(&found.value));
            if gone {
                self.note_change("option changed");
            } else {
                kept.push((line, done));
            }
        }
        self.lines = kept;
        Ok(())
    }
}
