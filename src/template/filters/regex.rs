//! Regular expressions, in Python's syntax.

use std::rc::Rc;

use crate::template::error::Fault;
use crate::template::plugin::{Call, Filter};
use crate::template::python::coerce::{flag, integer_or, required, text, text_or};
use crate::template::python::regex::{Captures, Pattern};
use crate::template::python::regex_syntax::{self, Flags};
use crate::value::Value;

/// The family.
pub const TABLE: &[Filter] = &[
    Filter::new("regex_escape", regex_escape, "Escapes what is special in a regular expression."),
    Filter::new("regex_findall", regex_findall, "Gives all matches of a regular expression."),
    Filter::new("regex_replace", regex_replace, "Replaces the matches of a regular expression."),
    Filter::new("regex_search", regex_search, "Gives the first match of a regular expression, or groups of it."),
];

/// Compiles a pattern with the flags that regex filters and tests take.
///
/// # Errors
/// If it is no pattern.
pub fn compile(pattern: &str, ignorecase: Option<&Value>, multiline: Option<&Value>) -> Result<Rc<Pattern>, Fault> {
    let flags = Flags { ignore_case: flag(ignorecase, false), multi_line: flag(multiline, false), ..Flags::default() };
    Pattern::compile(pattern, flags)
}

fn regex_escape(call: &Call<'_>) -> Result<Value, Fault> {
    let [kind] = call.args.bind(["re_type"])?;
    let input = text(&call.input)?;
    match text_or(kind.as_ref(), "python")?.as_str() {
        "python" => Ok(Value::text(regex_syntax::escape(&input))),
        "posix_basic" => {
            let mut out = String::new();
            for c in input.chars() {
                if "[].^$*\\".contains(c) {
                    out.push('\\');
                }
                out.push(c);
            }
            Ok(Value::text(out))
        }
        "posix_extended" => Err(Fault::value("Regex type (posix_extended) not yet implemented")),
        other => Err(Fault::value(format!("Invalid regex type ({other})")).suggest(other, ["python", "posix_basic"])),
    }
}

fn regex_findall(call: &Call<'_>) -> Result<Value, Fault> {
    let [pattern, multiline, ignorecase] = call.args.bind(["regex", "multiline", "ignorecase"])?;
    let pattern = compile(&text(&required(pattern, "regex")?)?, ignorecase.as_ref(), multiline.as_ref())?;
    let input = text(&call.input)?;
    let found = pattern.find_all(&input)?;
    let or_empty = |captures: &Captures<'_>, group| Value::text(captures.get(group).map_or("", |group| group.as_str()));
    Ok(Value::list(found.iter().map(|captures| match pattern.groups() {
        0 => or_empty(captures, 0),
        1 => or_empty(captures, 1),
        groups => Value::tuple((1..=groups).map(|group| or_empty(captures, group))),
    })))
}

fn regex_replace(call: &Call<'_>) -> Result<Value, Fault> {
    let [pattern, replacement, ignorecase, multiline, count, mandatory_count] =
        call.args.bind(["pattern", "replacement", "ignorecase", "multiline", "count", "mandatory_count"])?;
    let pattern_text = text_or(pattern.as_ref(), "")?;
    let pattern = compile(&pattern_text, ignorecase.as_ref(), multiline.as_ref())?;
    let input = text(&call.input)?;
    let count = usize::try_from(integer_or(count.as_ref(), 0)?).unwrap_or(0);
    let (replaced, times) = pattern.replace(&input, &text_or(replacement.as_ref(), "")?, count)?;
    let mandatory = integer_or(mandatory_count.as_ref(), 0)?;
    if mandatory != 0 && usize::try_from(mandatory) != Ok(times) {
        return Err(Fault::value(format!(
            "'{pattern_text}' should match {mandatory} times, but matches {times} times in '{input}'"
        )));
    }
    Ok(Value::text(replaced))
}

fn regex_search(call: &Call<'_>) -> Result<Value, Fault> {
    let Some((pattern, wanted)) = call.args.positional.split_first() else {
        return Err(Fault::value("regex_search() missing 1 required positional argument: 'regex'"));
    };
    let (ignorecase, multiline) = (call.args.named("ignorecase"), call.args.named("multiline"));
    let pattern = compile(&text(pattern)?, ignorecase, multiline)?;
    let mut groups = Vec::new();
    for reference in wanted {
        let reference = text(reference)?;
        let name = match reference.strip_prefix("\\g<").and_then(|rest| rest.strip_suffix('>')) {
            Some(name) => name,
            None => match reference.strip_prefix('\\') {
                Some(digits) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => digits,
                _ => return Err(Fault::value("Unknown argument").hint("a group is `\\1` or `\\g<name>`")),
            },
        };
        groups.push(name.to_owned());
    }
    let input = text(&call.input)?;
    let Some(found) = pattern.search(&input, 0)? else { return Ok(Value::Null) };
    if groups.is_empty() {
        return Ok(Value::text(found.get(0).map_or("", |whole| whole.as_str())));
    }
    let taken: Result<Vec<_>, Fault> = groups
        .iter()
        .map(|name| Ok(found.get(pattern.group(name)?).map_or(Value::Null, |group| Value::text(group.as_str()))))
        .collect();
    taken.map(Value::list)
}
