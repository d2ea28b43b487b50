//! `lineinfile`: a line that is, or is not, in a file.

use std::path::Path;

use super::edit::{self, Edited};
use super::files::COMMON;
use super::files::text::{self, Coding};
use crate::modules::spec::{HandsOn, Param};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::template::python::regex::Pattern;
use crate::template::python::regex_syntax::RegexFlags;

static SPEC: Spec = Spec {
    mutually_exclusive: &[
        &["insertbefore", "insertafter"],
        &["regexp", "search_string"],
        &["backrefs", "search_string"],
    ],
    ..Spec::new("ansible.builtin.lineinfile", "Adds, replaces or removes a line in a file.")
        .examples(include_str!("examples/lineinfile.yml"))
        .hands_on(HandsOn::InFile)
        .params(&[
            &[
                Param::str("state", "Whether the line must exist.").default("present").choices(&["absent", "present"]),
                Param::path("path", "Path of the file.").aliases(&["dest", "destfile", "name"]).required(),
                Param::str("regexp", "Regular expression of the line to replace or remove.").aliases(&["regex"]),
                Param::str("search_string", "Literal text in the line to replace or remove."),
                Param::str("line", "The line.").aliases(&["value"]),
                Param::bool("backrefs", "`line` may refer to groups of `regexp`; no line is added without a match.")
                    .default("false"),
                Param::str(
                    "insertafter",
                    "Insert a new line after the last line that matches this, or at `EOF` or `BOF`.",
                ),
                Param::str("insertbefore", "Insert a new line before the last line that matches this, or at `BOF`."),
                Param::bool("create", "Create the file if it does not exist.").default("false"),
                Param::bool("backup", "Keep a backup of the changed file.").default("false"),
                Param::bool("firstmatch", "Use the first matching line instead of the last.").default("false"),
                Param::str("validate", "Command that validates the new file; `%s` is its name."),
            ],
            COMMON,
        ])
};

/// The module.
pub struct LineInFile;

impl TaskModule for LineInFile {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(run_lineinfile(args, context))
    }
}

async fn run_lineinfile(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<ModuleOutcome, Failure> {
    let host = context.host;
    let path = Path::new(args.str("path").unwrap_or_default());
    warn_of_empty_patterns(args, context);
    edit::refuse_folder(host, path)?;
    if args.str("state") == Some("absent") {
        remove_lines(args, context, path).await
    } else {
        insert_line(args, context, path).await
    }
}

fn warn_of_empty_patterns(args: &ModuleArgs, context: &TaskContext<'_>) {
    let warn = |what: &str, more: &str| {
        context.warn(format!(
            "The {what} is an empty string, which will match every line in the file. This may have unintended \
             consequences, such as replacing the last line in the file rather than appending.{more}"
        ));
    };
    if args.str("regexp") == Some("") {
        warn(
            "regular expression",
            " If this is desired, use '^' to match every line in the file and avoid this warning.",
        );
    } else if args.str("search_string") == Some("") {
        warn("search string", "");
    }
}

async fn insert_line(args: &ModuleArgs, context: &TaskContext<'_>, path: &Path) -> Result<ModuleOutcome, Failure> {
    let backrefs = args.bool("backrefs");
    if backrefs && args.str("regexp").is_none() {
        return Err(Failure::new("regexp is required with backrefs=true"));
    }
    let Some(line) = args.str("line") else { return Err(Failure::new("line is required with state=present")) };
    let host = context.host;
    let old = edit::read_file(host, path)?;
    if old.is_none() && !args.bool("create") {
        return Err(Failure::new(format!("Destination {} does not exist !", path.display())).with("rc", 257));
    }
    let content = old.clone().unwrap_or_default();
    let coding = Coding::from_content(&content);
    let task = Insertion {
        finder: Finder::from_args(args, coding)?,
        line: coding.adopt_text(line),
        place: Place::from_args(args, coding)?,
        backrefs,
        first_match: args.bool("firstmatch"),
    };
    let (text, message) = task.apply_to_text(&coding.decode(&content))?;
    let edited = Edited { new: coding.encode(&text)?, old, changed: !message.is_empty(), message };
    edit::finish_edit(args, context, path, edited, Some("backup")).await
}

async fn remove_lines(args: &ModuleArgs, context: &TaskContext<'_>, path: &Path) -> Result<ModuleOutcome, Failure> {
    let host = context.host;
    if ["regexp", "search_string", "line"].iter().all(|name| args.str(name).is_none()) {
        return Err(Failure::new("one of line, search_string, or regexp is required with state=absent"));
    }
    let Some(content) = edit::read_file(host, path)? else {
        return Ok(ModuleOutcome::default().with("msg", "file not present"));
    };
    let coding = Coding::from_content(&content);
    let finder = Finder::from_args(args, coding)?;
    let line = coding.adopt_text(args.str("line").unwrap_or_default());
    let (text, found) = drop_lines(&coding.decode(&content), finder.as_ref(), &line)?;
    let message = if found == 0 { String::new() } else { format!("{found} line(s) removed") };
    let edited = Edited { new: coding.encode(&text)?, old: Some(content), changed: found > 0, message };
    Ok(edit::finish_edit(args, context, path, edited, Some("backup")).await?.with("found", found))
}

/// The text without the lines that are found, or that are `line` if there is nothing to find by; and their number.
fn drop_lines(text: &str, finder: Option<&Finder>, line: &str) -> Result<(String, usize), Failure> {
    let (mut kept, mut found) = (String::new(), 0);
    for current in text::split_lines(text) {
        let matches = match finder {
            Some(finder) => finder.is_match(&current)?,
            None => text::trim_line_end(&current) == line,
        };
        if matches {
            found += 1;
        } else {
            kept.push_str(&current);
        }
    }
    Ok((kept, found))
}

/// Way to find the line.
enum Finder {
    Pattern(std::rc::Rc<Pattern>),
    Literal(String),
}

impl Finder {
    fn from_args(args: &ModuleArgs, coding: Coding) -> Result<Option<Self>, Failure> {
        Ok(match (args.str("regexp"), args.str("search_string")) {
            (Some(pattern), _) => Some(Self::Pattern(compile_pattern(pattern, coding)?)),
            (None, Some(literal)) => Some(Self::Literal(coding.adopt_text(literal))),
            (None, None) => None,
        })
    }

    fn is_match(&self, line: &str) -> Result<bool, Failure> {
        match self {
            Self::Pattern(pattern) => Ok(pattern.search(line, 0)?.is_some()),
            Self::Literal(literal) => Ok(line.contains(literal.as_str())),
        }
    }
}

fn compile_pattern(pattern: &str, coding: Coding) -> Result<std::rc::Rc<Pattern>, Failure> {
    Ok(Pattern::compile(&coding.adopt_text(pattern), RegexFlags::default())?)
}

/// Where a new line goes.
enum Place {
    Beginning,
    End,
    After(std::rc::Rc<Pattern>),
    Before(std::rc::Rc<Pattern>),
}

impl Place {
    fn from_args(args: &ModuleArgs, coding: Coding) -> Result<Self, Failure> {
        Ok(match (args.str("insertafter"), args.str("insertbefore")) {
            (Some("BOF"), _) | (None, Some("BOF")) => Self::Beginning,
            (Some("EOF"), _) | (None, None) => Self::End,
            (Some(pattern), _) => Self::After(compile_pattern(pattern, coding)?),
            (None, Some(pattern)) => Self::Before(compile_pattern(pattern, coding)?),
        })
    }
}

/// A line that is to be in a text.
struct Insertion {
    finder: Option<Finder>,
    line: String,
    place: Place,
    backrefs: bool,
    first_match: bool,
}

impl Insertion {
    /// The new text, and what was done; nothing was if that is empty.
    fn apply_to_text(&self, text: &str) -> Result<(String, String), Failure> {
        let mut lines = text::split_lines(text);
        let message = self.edit_lines(&mut lines)?;
        Ok((lines.concat(), message.to_owned()))
    }

    fn edit_lines(&self, lines: &mut Vec<String>) -> Result<&'static str, Failure> {
        if let Some(index) = self.find_line(lines)? {
            let new = self.expand_line(&lines[index])?;
            return Ok(replace_line(lines, index, new));
        }
        let (same, anchor) = self.look_around(lines)?;
        if let Some(index) = same {
            return Ok(replace_line(lines, index, self.line.clone()));
        }
        if self.backrefs {
            return Ok("");
        }
        let new = format!("{}\n", self.line);
        match (&self.place, anchor) {
            (Place::Beginning, _) => lines.insert(0, new),
            (Place::End, _) | (_, None) => {
                if lines.last().is_some_and(|last| !last.ends_with(['\n', '\r'])) {
                    lines.push("\n".to_owned());
                }
                lines.push(new);
            }
            (Place::After(_), Some(at)) => {
                // Behind the last line of a file nothing looks at whether that line has an end.
                let neighbour = lines.get(at).or(lines.last());
                if neighbour.is_some_and(|line| text::trim_line_end(line) == self.line) {
                    return Ok("");
                }
                lines.insert(at, new);
            }
            (Place::Before(_), Some(at)) => lines.insert(at, new),
        }
        Ok("line added")
    }

    /// The last line (or the first) that the finder finds.
    fn find_line(&self, lines: &[String]) -> Result<Option<usize>, Failure> {
        let Some(finder) = &self.finder else { return Ok(None) };
        let mut found = None;
        for (index, line) in lines.iter().enumerate() {
            if finder.is_match(line)? {
                found = Some(index);
                if self.first_match {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// The line itself, if it is there, and the place for a new one.
    fn look_around(&self, lines: &[String]) -> Result<(Option<usize>, Option<usize>), Failure> {
        let (mut same, mut anchor) = (None, None);
        for (index, line) in lines.iter().enumerate() {
            if text::trim_line_end(line) == self.line {
                same = Some(index);
                continue;
            }
            let (pattern, at) = match &self.place {
                Place::After(pattern) => (pattern, index + 1),
                Place::Before(pattern) => (pattern, index),
                Place::Beginning | Place::End => continue,
            };
            if pattern.search(line, 0)?.is_some() {
                anchor = Some(at);
                if self.first_match {
                    break;
                }
            }
        }
        Ok((same, anchor))
    }

    /// The line with references to groups filled in, where it may have them.
    fn expand_line(&self, found: &str) -> Result<String, Failure> {
        match &self.finder {
            Some(Finder::Pattern(pattern)) if self.backrefs => match pattern.search(found, 0)? {
                Some(captures) => Ok(pattern.expand(&self.line, &captures)?),
                None => Ok(self.line.clone()),
            },
            _ => Ok(self.line.clone()),
        }
    }
}

fn replace_line(lines: &mut [String], index: usize, mut new: String) -> &'static str {
    if !new.ends_with('\n') {
        new.push('\n');
    }
    if lines[index] == new {
        return "";
    }
    lines[index] = new;
    "line replaced"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Dict, Value};

    fn args(options: &[(&str, &str)]) -> ModuleArgs {
        let values: Dict = options
            .iter()
            .map(|(name, text)| {
                let value = match *text {
                    "true" => Value::Bool(true),
                    text => text.into(),
                };
                (Value::text(*name), value)
            })
            .collect();
        ModuleArgs::new(values)
    }

    fn insert(before: &str, options: &[(&str, &str)]) -> Result<(String, String), Failure> {
        let args = args(options);
        Insertion {
            finder: Finder::from_args(&args, Coding::Utf8)?,
            line: args.str("line").unwrap().to_owned(),
            place: Place::from_args(&args, Coding::Utf8)?,
            backrefs: args.bool("backrefs"),
            first_match: args.bool("firstmatch"),
        }
        .apply_to_text(before)
    }

    #[track_caller]
    fn case(before: &str, options: &[(&str, &str)], after: &str, message: &str) {
        let found = insert(before, options).unwrap();
        assert_eq!(found, (after.to_owned(), message.to_owned()));
    }

    #[test]
    fn lines_are_added() {
        case("", &[("line", "x")], "x\n", "line added");
        case("a\nb", &[("line", "x")], "a\nb\nx\n", "line added");
        case("a\nx\nb\n", &[("line", "x")], "a\nx\nb\n", "");
        case("a\n", &[("line", "x"), ("insertbefore", "BOF")], "x\na\n", "line added");
        case("a\n", &[("line", "x"), ("insertafter", "BOF")], "x\na\n", "line added");
        case("a\n", &[("line", "x"), ("insertafter", "EOF")], "a\nx\n", "line added");
        case("a1\na2\nb\n", &[("line", "x"), ("insertafter", "^a")], "a1\na2\nx\nb\n", "line added");
        case("a1\na2\nb\n", &[("line", "x"), ("insertbefore", "^a")], "a1\nx\na2\nb\n", "line added");
        case("a1\na2\n", &[("line", "x"), ("insertafter", "^a"), ("firstmatch", "true")], "a1\nx\na2\n", "line added");
        case("a1\na2\n", &[("line", "x"), ("insertbefore", "^a"), ("firstmatch", "true")], "x\na1\na2\n", "line added");
        case("a\n", &[("line", "x"), ("insertafter", "zzz")], "a\nx\n", "line added");
        case("a\nb", &[("line", "x"), ("insertafter", "b")], "a\nbx\n", "line added");
    }

    #[test]
    fn lines_are_replaced() {
        case("k=1\nk=2\n", &[("line", "k=3"), ("regexp", "^k=")], "k=1\nk=3\n", "line replaced");
        case(
            "k=1\nk=2\n",
            &[("line", "k=3"), ("regexp", "^k="), ("firstmatch", "true")],
            "k=3\nk=2\n",
            "line replaced",
        );
        case("k=3\n", &[("line", "k=3"), ("regexp", "^k=")], "k=3\n", "");
        case("k=3", &[("line", "k=3"), ("regexp", "^k=")], "k=3\n", "line replaced");
        case("a.b\naxb\n", &[("line", "c"), ("search_string", "a.b")], "c\naxb\n", "line replaced");
        case("a\n", &[("line", "c"), ("search_string", "zz"), ("insertbefore", "a")], "c\na\n", "line added");
        case("a\r\n", &[("line", "a")], "a\n", "line replaced");
    }

    #[test]
    fn groups_are_filled_in() {
        let options = [("regexp", "^(k)=(.*)$"), ("line", r"\1 = \2"), ("backrefs", "true")];
        case("k=v\n", &options, "k = v\n", "line replaced");
        case("other\n", &options, "other\n", "");
        case("k=v\n", &[("regexp", "^(k)=.*"), ("line", r"\1")], "\\1\n", "line replaced");
        let bad = [("regexp", "k"), ("line", r"\2"), ("backrefs", "true")];
        assert!(insert("k\n", &bad).unwrap_err().message.contains("invalid group reference 2"));
    }

    #[track_caller]
    fn removed(before: &str, options: &[(&str, &str)], after: &str, count: usize) {
        let args = args(options);
        let finder = Finder::from_args(&args, Coding::Utf8).unwrap();
        let found = drop_lines(before, finder.as_ref(), args.str("line").unwrap_or_default()).unwrap();
        assert_eq!(found, (after.to_owned(), count));
    }

    #[test]
    fn lines_are_removed() {
        removed("a\nb\na\n", &[("line", "a")], "b\n", 2);
        removed("a\nb\na\n", &[("line", "c")], "a\nb\na\n", 0);
        removed("ab\ncd\n", &[("regexp", "^a")], "cd\n", 1);
        removed("a.c\nabc\n", &[("search_string", "a.c")], "abc\n", 1);
        removed("ab\ncd\n", &[("regexp", "^a"), ("line", "cd")], "cd\n", 1);
    }
}
