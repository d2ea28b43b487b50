//! Regular expressions, in Python's syntax.

use std::rc::Rc;

use crate::template::error::TemplateError;
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::coerce::{flag_or, integer_or, require_arg, text_or, to_text};
use crate::template::python::regex::{Captures, Pattern};
use crate::template::python::regex_syntax::{self, RegexFlags};
use crate::value::Value;

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new("regex_escape", regex_escape, "Escapes the special characters of regular expressions."),
    FilterPlugin::new("regex_findall", regex_findall, "Returns all matches of a regular expression."),
    FilterPlugin::new("regex_replace", regex_replace, "Replaces the matches of a regular expression."),
    FilterPlugin::new("regex_search", regex_search, "Returns the first match of a regular expression, or its groups."),
];

/// Compiles a pattern with the flags that regex filters and tests take.
///
/// # Errors
/// If it is not a pattern.
pub fn compile_pattern(
    pattern: &str,
    ignorecase: Option<&Value>,
    multiline: Option<&Value>,
) -> Result<Rc<Pattern>, TemplateError> {
    let flags = RegexFlags {
        ignore_case: flag_or(ignorecase, false),
        multi_line: flag_or(multiline, false),
        ..RegexFlags::default()
    };
    Pattern::compile(pattern, flags)
}

fn regex_escape(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [kind] = call.args.bind(["re_type"])?;
    let input = to_text(&call.input)?;
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
        "posix_extended" => Err(TemplateError::value("Regex type (posix_extended) not yet implemented")),
        other => Err(TemplateError::value(format!("Invalid regex type ({other})"))
            .suggest_name(other, ["python", "posix_basic"])),
    }
}

fn regex_findall(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [pattern, multiline, ignorecase] = call.args.bind(["regex", "multiline", "ignorecase"])?;
    let pattern = compile_pattern(&to_text(&require_arg(pattern, "regex")?)?, ignorecase.as_ref(), multiline.as_ref())?;
    let input = to_text(&call.input)?;
    let found = pattern.find_all(&input)?;
    let or_empty = |captures: &Captures<'_>, group| Value::text(captures.get(group).map_or("", |group| group.as_str()));
    Ok(Value::list(found.iter().map(|captures| match pattern.groups() {
        0 => or_empty(captures, 0),
        1 => or_empty(captures, 1),
        groups => Value::tuple((1..=groups).map(|group| or_empty(captures, group))),
    })))
}

fn regex_replace(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [pattern, replacement, ignorecase, multiline, count, mandatory_count] =
        call.args.bind(["pattern", "replacement", "ignorecase", "multiline", "count", "mandatory_count"])?;
    let pattern_text = text_or(pattern.as_ref(), "")?;
    let pattern = compile_pattern(&pattern_text, ignorecase.as_ref(), multiline.as_ref())?;
    let input = to_text(&call.input)?;
    let count = usize::try_from(integer_or(count.as_ref(), 0)?).unwrap_or(0);
    let (replaced, times) = pattern.replace(&input, &text_or(replacement.as_ref(), "")?, count)?;
    let mandatory = integer_or(mandatory_count.as_ref(), 0)?;
    if mandatory != 0 && usize::try_from(mandatory) != Ok(times) {
        return Err(TemplateError::value(format!(
            "'{pattern_text}' should match {mandatory} times, but matches {times} times in '{input}'"
        )));
    }
    Ok(Value::text(replaced))
}

fn regex_search(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let (pattern, wanted) = match (call.args.positional.split_first(), call.args.get_named("regex")) {
        (Some((pattern, wanted)), None) => (pattern, wanted),
        (None, Some(pattern)) => (pattern, &[][..]),
        (Some(_), Some(_)) => {
            return Err(TemplateError::value("regex_search() got multiple values for argument 'regex'"));
        }
        (None, None) => {
            return Err(TemplateError::value("regex_search() missing 1 required positional argument: 'regex'"));
        }
    };
    let (ignorecase, multiline) = (call.args.get_named("ignorecase"), call.args.get_named("multiline"));
    let pattern = compile_pattern(&to_text(pattern)?, ignorecase, multiline)?;
    let mut groups = Vec::new();
    for reference in wanted {
        let reference = to_text(reference)?;
        let name = match reference.strip_prefix("\\g<").and_then(|rest| rest.strip_suffix('>')) {
            Some(name) => name,
            None => match reference.strip_prefix('\\') {
                Some(digits) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => digits,
                _ => return Err(TemplateError::value("Unknown argument").hint("a group is `\\1` or `\\g<name>`")),
            },
        };
        groups.push(name.to_owned());
    }
    let input = to_text(&call.input)?;
    let Some(found) = pattern.search(&input, 0)? else { return Ok(Value::Null) };
    if groups.is_empty() {
        return Ok(Value::text(found.get(0).map_or("", |whole| whole.as_str())));
    }
    let taken: Result<Vec<_>, TemplateError> = groups
        .iter()
        .map(|name| Ok(found.get(pattern.group_number(name)?).map_or(Value::Null, |group| Value::text(group.as_str()))))
        .collect();
    taken.map(Value::list)
}
