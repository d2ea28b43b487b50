//! `blockinfile`: a block of lines between two markers in a file.

use std::path::Path;
use std::rc::Rc;

use super::edit::{self, Edited};
use super::files::COMMON;
use super::files::text::{self, Coding};
use crate::modules::spec::{HandsOn, Param};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::template::python::regex::{self, Pattern};
use crate::template::python::regex_syntax::RegexFlags;

static SPEC: Spec = Spec {
    mutually_exclusive: &[&["insertbefore", "insertafter"]],
    ..Spec::new("ansible.builtin.blockinfile", "Adds, updates or removes a marked block of lines in a file.")
        .examples(include_str!("examples/blockinfile.yml"))
        .hands_on(HandsOn::InFile)
        .params(&[
            &[
                Param::path("path", "Path of the file.").aliases(&["dest", "destfile", "name"]).required(),
                Param::str("state", "Whether the block must exist.").default("present").choices(&["absent", "present"]),
                Param::str("marker", "Marker lines around the block; `{mark}` is replaced in each.")
                    .default("# {mark} ANSIBLE MANAGED BLOCK"),
                Param::str("block", "Lines of the block; an empty block is removed.").default("").aliases(&["content"]),
                Param::str("insertafter", "Insert a new block after the last line that matches this, or at `EOF`."),
                Param::str("insertbefore", "Insert a new block before the last line that matches this, or at `BOF`."),
                Param::bool("create", "Create the file if it does not exist.").default("false"),
                Param::bool("backup", "Keep a backup of the changed file.").default("false"),
                Param::str("validate", "Command that validates the new file; `%s` is its name."),
                Param::str("marker_begin", "Replaces `{mark}` before the block.").default("BEGIN"),
                Param::str("marker_end", "Replaces `{mark}` after the block.").default("END"),
                Param::bool("append_newline", "Add an empty line after the block, unless the file ends there.")
                    .default("false"),
                Param::bool("prepend_newline", "Add an empty line before the block, unless the file begins there.")
                    .default("false"),
            ],
            COMMON,
        ])
};

/// The module.
pub struct BlockInFile;

impl TaskModule for BlockInFile {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(run_blockinfile(args, context))
    }
}

async fn run_blockinfile(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<ModuleOutcome, Failure> {
    let host = context.host;
    let path = Path::new(args.str("path").unwrap_or_default());
    edit::refuse_folder(host, path)?;
    let old = edit::read_file(host, path)?;
    let present = args.str("state") != Some("absent");
    if old.is_none() {
        if !args.bool("create") {
            return Err(Failure::new(format!("Path {} does not exist !", path.display())).with("rc", 257));
        }
        if !present {
            return Ok(ModuleOutcome::default().with("msg", format!("File {} not present", path.display())));
        }
    }
    let content = old.clone().unwrap_or_default();
    let coding = Coding::from_content(&content);
    let block = Block::from_args(args, coding)?;
    let new = coding.encode(&block.apply_to_text(&coding.decode(&content))?)?;
    let (changed, message) = match &old {
        Some(old) if *old == new => (false, ""),
        None => (true, "File created"),
        Some(_) if block.lines.is_empty() => (true, "Block removed"),
        Some(_) => (true, "Block inserted"),
    };
    let edited = Edited { old, new, changed, message: message.to_owned() };
    edit::finish_edit(args, context, path, edited, None).await
}

/// Where a new block goes.
enum Place {
    Beginning,
    End,
    After(Rc<Pattern>),
    Before(Rc<Pattern>),
}

/// A block that is to be in a text.
struct Block {
    begin: String,
    end: String,
    /// Markers and lines; nothing if the block is to go.
    lines: Vec<String>,
    place: Place,
    /// The pattern for the place spans lines.
    spans_lines: bool,
    append_newline: bool,
    prepend_newline: bool,
}

impl Block {
    fn from_args(args: &ModuleArgs, coding: Coding) -> Result<Self, Failure> {
        let text = |name: &str| coding.adopt_text(args.str(name).unwrap_or_default());
        let present = args.str("state") != Some("absent");
        let marker = text("marker");
        let marked = |mark: &str| format!("{}\n", marker.replace("{mark}", mark));
        let (begin, end) = (marked(&text("marker_begin")), marked(&text("marker_end")));
        let mut block = text("block");
        let mut lines = Vec::new();
        if present && !block.is_empty() {
            if !block.ends_with('\n') {
                block.push('\n');
            }
            lines.push(begin.clone());
            lines.extend(text::all_lines(&block));
            lines.push(end.clone());
        }
        let (place, spans_lines) = match (args.str("insertafter"), args.str("insertbefore")) {
            (Some("EOF"), _) | (None, None) => (Place::End, false),
            (None, Some("BOF")) => (Place::Beginning, false),
            (Some(pattern), _) => (Place::After(compile_pattern(pattern, coding)?), is_multi_line(pattern)),
            (None, Some(pattern)) => (Place::Before(compile_pattern(pattern, coding)?), is_multi_line(pattern)),
        };
        let (append_newline, prepend_newline) =
            (present && args.bool("append_newline"), present && args.bool("prepend_newline"));
        Ok(Self { begin, end, lines, place, spans_lines, append_newline, prepend_newline })
    }

    /// The text with the block in it, or without it.
    fn apply_to_text(&self, text: &str) -> Result<String, Failure> {
        let mut lines = text::all_lines(text);
        let last = |marker: &String| lines.iter().rposition(|line| line == marker);
        let mut at = match (last(&self.begin), last(&self.end)) {
            (Some(begin), Some(end)) => {
                let (first, last) = (begin.min(end), begin.max(end));
                lines.drain(first..=last);
                first
            }
            _ => self.place_in(text, &lines)?,
        };
        if let Some(before) = at.checked_sub(1).and_then(|index| lines.get_mut(index)) {
            if !before.ends_with('\n') {
                before.push('\n');
            }
            if self.prepend_newline && before != "\n" {
                lines.insert(at, "\n".to_owned());
                at += 1;
            }
        }
        lines.splice(at..at, self.lines.iter().cloned());
        let after = at + self.lines.len();
        if self.append_newline && lines.get(after).is_some_and(|line| line != "\n") {
            lines.insert(after, "\n".to_owned());
        }
        Ok(lines.concat())
    }

    /// The index of the line before which a new block goes.
    fn place_in(&self, text: &str, lines: &[String]) -> Result<usize, Failure> {
        let (pattern, after) = match &self.place {
            Place::Beginning => return Ok(0),
            Place::End => return Ok(lines.len()),
            Place::After(pattern) => (pattern, true),
            Place::Before(pattern) => (pattern, false),
        };
        let mut found = None;
        if self.spans_lines {
            let matched = pattern.search(text, 0)?;
            if let Some((start, end)) = matched.as_ref().and_then(|captures| regex::group_range(captures, 0)) {
                let until = if after { end } else { start };
                found = Some(text[..until].matches('\n').count());
            }
        } else {
            for (index, line) in lines.iter().enumerate() {
                if pattern.search(line, 0)?.is_some() {
                    found = Some(index);
                }
            }
        }
        Ok(found.map_or(lines.len(), |index| (index + usize::from(after)).min(lines.len())))
    }
}

fn compile_pattern(pattern: &str, coding: Coding) -> Result<Rc<Pattern>, Failure> {
    Ok(Pattern::compile(&coding.adopt_text(pattern), RegexFlags::default())?)
}

/// Whether a pattern begins with flags that make `^` and `$` match at lines (`(?m)`, `(?is-m)` does not count).
fn is_multi_line(pattern: &str) -> bool {
    let flags = pattern.strip_prefix("(?").and_then(|rest| rest.split_once(')'));
    flags.is_some_and(|(flags, _)| flags.contains('m') && flags.chars().all(|flag| "aiLmsux".contains(flag)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Dict, Value};

    #[track_caller]
    fn case(before: &str, options: &[(&str, &str)], after: &str) {
        let mut values: Dict = [("marker", "# {mark}"), ("marker_begin", "BEGIN"), ("marker_end", "END")]
            .into_iter()
            .map(|(name, text)| (Value::text(name), text.into()))
            .collect();
        for (name, text) in options {
            values.set(*name, if *text == "true" { Value::Bool(true) } else { (*text).into() });
        }
        let block = Block::from_args(&ModuleArgs::new(values), Coding::Utf8).unwrap();
        assert_eq!(block.apply_to_text(before).unwrap(), after);
    }

    #[test]
    fn blocks_are_inserted() {
        case("", &[("block", "x")], "# BEGIN\nx\n# END\n");
        case("a", &[("block", "x\ny\n")], "a\n# BEGIN\nx\ny\n# END\n");
        case("a\n", &[("block", "x"), ("insertbefore", "BOF")], "# BEGIN\nx\n# END\na\n");
        case("a\nb\n", &[("block", "x"), ("insertafter", "^a")], "a\n# BEGIN\nx\n# END\nb\n");
        case("a\nb\n", &[("block", "x"), ("insertbefore", "^b")], "a\n# BEGIN\nx\n# END\nb\n");
        case("a\nb\n", &[("block", "x"), ("insertbefore", "zz")], "a\nb\n# BEGIN\nx\n# END\n");
        case("a\nb\nc\n", &[("block", "x"), ("insertafter", r"(?m)^a\nb$")], "a\nb\n# BEGIN\nx\n# END\nc\n");
        case("a\nb\nc\n", &[("block", "x"), ("insertbefore", r"(?m)^b\nc$")], "a\n# BEGIN\nx\n# END\nb\nc\n");
    }

    #[test]
    fn blocks_are_replaced_and_removed() {
        let old = "a\n# BEGIN\nold\n# END\nb\n";
        case(old, &[("block", "new")], "a\n# BEGIN\nnew\n# END\nb\n");
        case(old, &[("block", "")], "a\nb\n");
        case(old, &[("block", "x"), ("state", "absent")], "a\nb\n");
        case(old, &[("block", "new"), ("insertbefore", "BOF")], "a\n# BEGIN\nnew\n# END\nb\n");
        case("# END\nx\n# BEGIN\n", &[("block", "new")], "# BEGIN\nnew\n# END\n");
        case("a\n", &[("state", "absent")], "a\n");
    }

    #[test]
    fn markers_can_be_chosen() {
        let options = [("block", "x"), ("marker", "<!-- {mark} -->"), ("marker_begin", "on"), ("marker_end", "off")];
        case("", &options, "<!-- on -->\nx\n<!-- off -->\n");
    }

    #[test]
    fn empty_lines_around() {
        let both = [("block", "x"), ("append_newline", "true"), ("prepend_newline", "true"), ("insertafter", "a")];
        case("a\nb\n", &both, "a\n\n# BEGIN\nx\n# END\n\nb\n");
        case("a\n\n# BEGIN\nx\n# END\n\nb\n", &both, "a\n\n# BEGIN\nx\n# END\n\nb\n");
        case("a\n", &both, "a\n\n# BEGIN\nx\n# END\n");
    }
}
