//! `replace`: all matches of a pattern in a file.

use std::path::Path;

use super::edit::{self, Edited};
use super::files::COMMON;
use super::files::attributes::{self, AttributeChanges};
use super::files::text::Coding;
use crate::modules::spec::{HandsOn, Param};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::template::python::regex::{self, Pattern};
use crate::template::python::regex_syntax::RegexFlags;

static SPEC: Spec = Spec::new("ansible.builtin.replace", "Replaces all matches of a pattern in a file.")
    .examples(include_str!("examples/replace.yml"))
    .hands_on(HandsOn::InFile)
    .params(&[
        &[
            Param::path("path", "Path of the file.").aliases(&["dest", "destfile", "name"]).required(),
            Param::str("regexp", "Regular expression; `^` and `$` match at every line.").required(),
            Param::str("replace", "Replacement; may refer to groups.").default(""),
            Param::str("after", "Replace only after a match of this."),
            Param::str("before", "Replace only before a match of this."),
            Param::bool("backup", "Keep a backup of the changed file.").default("false"),
            Param::str("validate", "Command that validates the new file; `%s` is its name."),
            Param::str("encoding", "Encoding of the file.").default("utf-8"),
        ],
        COMMON,
    ]);

/// The module.
pub struct Replace;

impl TaskModule for Replace {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(run_replace(args, context))
    }
}

async fn run_replace(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<ModuleOutcome, Failure> {
    let host = context.host;
    let path = Path::new(args.str("path").unwrap_or_default());
    edit::refuse_folder(host, path)?;
    let Some(content) = edit::read_file(host, path)? else {
        return Err(Failure::new(format!("Path {} does not exist !", path.display())).with("rc", 257));
    };
    let coding = Coding::from_name(args.str("encoding").unwrap_or("utf-8"), &content)?;
    let old = coding.decode(&content);
    let text = |name: &str| args.str(name).map(|text| coding.adopt_text(text)).filter(|text| !text.is_empty());
    let section = match find_section(&old, text("after").as_deref(), text("before").as_deref())? {
        Section::At(start, end) => start..end,
        Section::NotFound(pattern) => {
            let message = format!("Pattern for before/after params did not match the given file: {pattern}");
            return Ok(ModuleOutcome::default().with("msg", message).with("rc", 0));
        }
    };
    let pattern = coding.adopt_text(args.str("regexp").unwrap_or_default());
    let replacement = coding.adopt_text(args.str("replace").unwrap_or_default());
    let (new, count) = replace_matches(&old[section.clone()], &pattern, &replacement)?;
    let changed = count > 0 && new != old[section.clone()];
    let message = if changed { format!("{count} replacements made") } else { String::new() };
    let new = coding.encode(&format!("{}{new}{}", &old[..section.start], &old[section.end..]))?;
    let mut edited = Edited { old: Some(content), new, changed, message };
    let mut outcome = ModuleOutcome::default();
    if changed {
        let before = edited.old.as_deref().unwrap_or_default();
        outcome.diff.push(edit::content_diff(&attributes::display_path(path), before, &edited.new));
        if let Some(kept) = edit::write_edited(args, host, path, &edited).await?.filter(|_| !host.is_dry_run()) {
            outcome.data.set("backup_file", kept.into());
        }
    }
    edit::set_attributes(args, host, path, &mut edited, &mut AttributeChanges::default())?;
    outcome.changed = edited.changed;
    Ok(outcome.with("msg", edited.message).with("rc", 0))
}

enum Section {
    At(usize, usize),
    NotFound(String),
}

/// The part of a text between matches of two patterns.
fn find_section(text: &str, after: Option<&str>, before: Option<&str>) -> Result<Section, Failure> {
    let pattern = match (after, before) {
        (Some(after), Some(before)) => format!("{after}(?P<subsection>.*?){before}"),
        (Some(after), None) => format!("{after}(?P<subsection>.*)"),
        (None, Some(before)) => format!("(?P<subsection>.*){before}"),
        (None, None) => return Ok(Section::At(0, text.len())),
    };
    let compiled = Pattern::compile(&pattern, RegexFlags { dot_all: true, ..RegexFlags::default() })?;
    let group = compiled.group_number("subsection")?;
    let matched = compiled.search(text, 0)?;
    Ok(match matched.as_ref().and_then(|captures| regex::group_range(captures, group)) {
        Some((start, end)) => Section::At(start, end),
        None => Section::NotFound(pattern),
    })
}

/// The text with all matches replaced, and how many there were.
fn replace_matches(text: &str, pattern: &str, replacement: &str) -> Result<(String, usize), Failure> {
    let compiled = Pattern::compile(pattern, RegexFlags { multi_line: true, ..RegexFlags::default() })?;
    compiled
        .replace(text, replacement, 0)
        .map_err(|fault| Failure::new(format!("Unable to process replace due to error: {fault}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(text: &str, pattern: &str, replacement: &str, expected: &str, count: usize) {
        assert_eq!(replace_matches(text, pattern, replacement).unwrap(), (expected.to_owned(), count));
    }

    #[test]
    fn matches_are_replaced() {
        case("one two\none\n", "one", "uno", "uno two\nuno\n", 2);
        case("a=1\nb=2\n", r"^(\w)=(\d)$", r"\2=\g<1>", "1=a\n2=b\n", 2);
        case("x\n", "y", "z", "x\n", 0);
        assert!(
            replace_matches("b", "b", r"\2")
                .unwrap_err()
                .message
                .starts_with("Unable to process replace due to error: ")
        );
    }

    #[track_caller]
    fn between(text: &str, after: Option<&str>, before: Option<&str>, expected: Option<&str>) {
        let found = match find_section(text, after, before).unwrap() {
            Section::At(start, end) => Some(&text[start..end]),
            Section::NotFound(_) => None,
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn sections_lie_between_matches() {
        let text = "[a]\nx\n[b]\nx\n[c]\n";
        between(text, None, None, Some(text));
        between(text, Some(r"\[a\]"), Some(r"\[b\]"), Some("\nx\n"));
        between(text, Some(r"\[b\]"), None, Some("\nx\n[c]\n"));
        between(text, None, Some(r"\[b\]"), Some("[a]\nx\n"));
        between(text, Some("zz"), None, None);
    }
}
