//! Text.

use std::sync::Arc;

use crate::template::budget;
use crate::template::error::TemplateError;
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::coerce::{
    flag_or, integer_or, only_text, optional_text, require_arg, require_defined, text_of, text_or, to_integer, to_text,
};
use crate::template::python::percent::{self, Fillings};
use crate::template::python::text::{capitalize as capitalized, char_count, replace_text, split_lines, take_chars};
use crate::value::Value;

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new(
        "capitalize",
        capitalize,
        "Converts the first letter to upper case and the others to lower case.",
    ),
    FilterPlugin::new("center", center, "Centers text in a given width."),
    FilterPlugin::new("format", format, "Inserts values into a `%` format.").unknown(),
    FilterPlugin::new("indent", indent, "Indents the lines of text."),
    FilterPlugin::new("lower", lower, "Converts text to lower case."),
    FilterPlugin::new("quote", quote, "Quotes text for a shell."),
    FilterPlugin::new("replace", replace, "Replaces one text with another."),
    FilterPlugin::new("split", split, "Splits text at a separator or at white space."),
    FilterPlugin::new("string", string, "Converts the input to text."),
    FilterPlugin::new("title", title, "Converts the first letter of every word to upper case."),
    FilterPlugin::new("trim", trim, "Removes white space, or other characters, from both ends."),
    FilterPlugin::new("truncate", truncate, "Truncates text to a length."),
    FilterPlugin::new("upper", upper, "Converts text to upper case."),
    FilterPlugin::new("wordcount", wordcount, "Counts words."),
    FilterPlugin::new("wordwrap", wordwrap, "Wraps text into lines of a given width."),
];

fn read_input(call: &PluginCall<'_>) -> Result<String, TemplateError> {
    to_text(&call.input)
}

fn capitalize(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(Value::text(capitalized(&read_input(call)?)))
}

fn lower(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(Value::text(read_input(call)?.to_lowercase()))
}

fn upper(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(Value::text(read_input(call)?.to_uppercase()))
}

fn string(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    match &call.input {
        Value::Str(text) if text.is_quoted() => Ok(call.input.clone()),
        Value::Str(text) => Ok(Value::Str(text.clone().into_data())),
        _ => Ok(Value::text(read_input(call)?)),
    }
}

fn center(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [width] = call.args.bind(["width"])?;
    let input = read_input(call)?;
    let width = usize::try_from(integer_or(width.as_ref(), 80)?).unwrap_or(0);
    let missing = width.saturating_sub(char_count(&input));
    // Python's rule for the odd blank.
    let left = missing / 2 + (missing & width & 1);
    let blanks = |count: usize| budget::repeat_text(" ", count);
    Ok(Value::text(format!("{}{input}{}", blanks(left)?, blanks(missing - left)?)))
}

fn format(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let (row, named) = (&call.args.positional, &call.args.named);
    if call.input.is_unknown() {
        return Ok(call.input.new_computed());
    }
    let pattern = read_input(call)?;
    if !row.is_empty() && !named.is_empty() {
        return Err(TemplateError::value("can't handle positional and keyword arguments at the same time"));
    }
    if named.is_empty() {
        return percent::format_percent(&pattern, &Fillings::from_row(row)).map(|text| text_of(text, row));
    }
    let entries = named.iter().map(|(name, value)| (Value::text(Arc::clone(name)), value.clone())).collect();
    let text = percent::format_percent(&pattern, &Fillings::from_named(&entries))?;
    Ok(text_of(text, named.iter().map(|(_, value)| value)))
}

fn indent(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [width, first, blank] = call.args.bind(["width", "first", "blank"])?;
    let indention = match width {
        Some(Value::Str(text)) => text.as_str().to_owned(),
        width => budget::repeat_text(" ", usize::try_from(integer_or(width.as_ref(), 4)?).unwrap_or(0))?,
    };
    let blank = flag_or(blank.as_ref(), false);
    let input = format!("{}\n", only_text(&call.input)?);
    let mut out = if flag_or(first.as_ref(), false) { indention.clone() } else { String::new() };
    let lines = split_lines(&input);
    budget::reserve_bytes(input.len().saturating_add(lines.len().saturating_mul(indention.len())))?;
    for (index, line) in lines.into_iter().enumerate() {
        if index > 0 {
            out.push('\n');
            if blank || !line.is_empty() {
                out.push_str(&indention);
            }
        }
        out.push_str(line);
    }
    Ok(Value::text(out))
}

fn replace(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [old, new, count] = call.args.bind(["old", "new", "count"])?;
    let (old, new) = (to_text(&require_arg(old, "old")?)?, to_text(&require_arg(new, "new")?)?);
    let input = read_input(call)?;
    let count = count.filter(|count| !count.is_null()).map(|count| to_integer(&count)).transpose()?;
    replace_text(&input, &old, &new, count.and_then(|count| usize::try_from(count).ok())).map(Value::text)
}

fn split(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [separator, most] = call.args.bind(["sep", "maxsplit"])?;
    let Value::Str(_) = &call.input else {
        let kind = call.input.type_name();
        return Err(TemplateError::value(format!(
            "descriptor 'split' for 'str' objects doesn't apply to a '{kind}' object"
        )));
    };
    let input = read_input(call)?;
    let most = usize::try_from(integer_or(most.as_ref(), -1)?).unwrap_or(usize::MAX - 1);
    let parts: Vec<&str> = match optional_text(separator.as_ref())? {
        Some(separator) if separator.is_empty() => return Err(TemplateError::value("empty separator")),
        Some(separator) => input.splitn(most.saturating_add(1), &separator).map(|part| part as &str).collect(),
        None => split_blanks(&input, most),
    };
    Ok(Value::list(parts.into_iter().map(Value::text)))
}

/// Python's `split()`: at runs of blanks, none at the ends; the rest after the last split keeps its own.
fn split_blanks(text: &str, most: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if parts.len() == most {
            parts.push(rest.trim_end());
            break;
        }
        let (word, after) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
        parts.push(word);
        rest = after.trim_start();
    }
    parts
}

fn title(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    let mut out = String::new();
    let mut starts = true;
    for c in read_input(call)?.chars() {
        if c.is_whitespace() || "-({[<".contains(c) {
            starts = true;
            out.push(c);
        } else if std::mem::take(&mut starts) {
            out.extend(c.to_uppercase());
        } else {
            out.extend(c.to_lowercase());
        }
    }
    Ok(Value::text(out))
}

fn trim(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [signs] = call.args.bind(["chars"])?;
    let input = read_input(call)?;
    Ok(Value::text(match optional_text(signs.as_ref())? {
        Some(signs) => input.trim_matches(|c| signs.contains(c)).to_owned(),
        None => input.trim().to_owned(),
    }))
}

fn truncate(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [width, kill_words, end, leeway] = call.args.bind(["length", "killwords", "end", "leeway"])?;
    let (width, end) = (integer_or(width.as_ref(), 255)?, text_or(end.as_ref(), "...")?);
    let leeway = match leeway.filter(|leeway| !leeway.is_null()) {
        Some(leeway) => to_integer(&leeway)?,
        None => 5,
    };
    let end_length = char_count(&end) as i64;
    if width < end_length {
        return Err(TemplateError::value(format!("expected length >= {end_length}, got {width}")));
    }
    if leeway < 0 {
        return Err(TemplateError::value(format!("expected leeway >= 0, got {leeway}")));
    }
    let input = match &call.input {
        Value::Str(text) => text.as_str(),
        // What is short enough is not looked into.
        Value::List(items) | Value::Tuple(items) | Value::Set(items)
            if items.len() as i64 <= width.saturating_add(leeway) =>
        {
            return Ok(call.input.clone());
        }
        Value::Dict(dict) if dict.len() as i64 <= width.saturating_add(leeway) => return Ok(call.input.clone()),
        other => only_text(other)?,
    };
    if char_count(input) as i64 <= width.saturating_add(leeway) {
        return Ok(Value::text(input));
    }
    let cut = take_chars(input, (width - end_length) as usize);
    let whole_words =
        if flag_or(kill_words.as_ref(), false) { cut } else { cut.rsplit_once(' ').map_or(cut, |(head, _)| head) };
    Ok(Value::text(format!("{whole_words}{end}")))
}

fn wordcount(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    let input = read_input(call)?;
    let words = input.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    Ok(Value::from(words.count()))
}

fn quote(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    let input = if require_defined(&call.input)?.is_null() { String::new() } else { read_input(call)? };
    Ok(Value::text(shell_quoted(&input)))
}

/// Python's `shlex.quote`.
pub fn shell_quoted(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !text.is_empty() && text.chars().all(safe) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\"'\"'"))
}

fn wordwrap(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [width, break_words, wrap, hyphens] =
        call.args.bind(["width", "break_long_words", "wrapstring", "break_on_hyphens"])?;
    let width = usize::try_from(integer_or(width.as_ref(), 79)?).unwrap_or(0);
    if width == 0 {
        return Err(TemplateError::value("invalid width 0 (must be > 0)"));
    }
    let wrap = optional_text(wrap.as_ref())?.unwrap_or_else(|| "\n".to_owned());
    let (break_words, hyphens) = (flag_or(break_words.as_ref(), true), flag_or(hyphens.as_ref(), true));
    let input = only_text(&call.input)?;
    // Every piece of a line may be a line of its own.
    budget::reserve_bytes(input.len().saturating_mul(wrap.len().max(1)))?;
    let lines = split_lines(input).into_iter();
    let wrapped: Vec<String> = lines.map(|line| wrap_line(line, width, break_words, hyphens).join(&wrap)).collect();
    Ok(Value::text(wrapped.join(&wrap)))
}

/// Python's `textwrap.wrap` of one line, blanks kept inside lines.
fn wrap_line(line: &str, width: usize, break_words: bool, hyphens: bool) -> Vec<String> {
    let mut chunks: std::collections::VecDeque<String> = split_chunks(line, hyphens).into();
    let mut lines: Vec<String> = Vec::new();
    while !chunks.is_empty() {
        if !lines.is_empty() && chunks.front().is_some_and(|chunk| chunk.trim().is_empty()) {
            chunks.pop_front();
        }
        let mut current = Vec::new();
        let mut used = 0;
        while let Some(chunk) = chunks.front() {
            let size = char_count(chunk);
            if used + size > width {
                break;
            }
            used += size;
            current.extend(chunks.pop_front());
        }
        if let Some(long) = chunks.front().filter(|chunk| char_count(chunk) > width).cloned() {
            if break_words {
                let mut room = width.saturating_sub(used);
                // A long word with a hyphen is broken behind it, where that is allowed.
                if hyphens
                    && let Some(at) =
                        take_chars(&long, room).rfind('-').filter(|at| *at > 0 && long[..*at].contains(|c| c != '-'))
                {
                    room = char_count(&long[..=at]);
                }
                let part = take_chars(&long, room).to_owned();
                chunks[0] = long[part.len()..].to_owned();
                current.push(part);
            } else if current.is_empty() {
                current.extend(chunks.pop_front());
            }
        }
        if current.last().is_some_and(|chunk| chunk.trim().is_empty()) {
            // An empty piece of a long word counts too, and then keeps the blank before it; so in Python.
            current.pop();
        }
        if !current.is_empty() {
            lines.push(current.concat());
        }
    }
    lines
}

/// Words and the blanks between them; words with hyphens in pieces that end with one.
fn split_chunks(line: &str, hyphens: bool) -> Vec<String> {
    let mut chunks: Vec<String> = Vec::new();
    let mut was_blank = None;
    for c in line.chars() {
        let blank = c.is_whitespace();
        if was_blank != Some(blank) {
            chunks.push(String::new());
        }
        was_blank = Some(blank);
        if let Some(last) = chunks.last_mut() {
            last.push(c);
        }
    }
    if !hyphens {
        return chunks;
    }
    chunks.iter().flat_map(|chunk| split_hyphens(chunk)).collect()
}

/// `aa-bb` as `aa-`, `bb`: at a hyphen with two letters before it and a letter after it.
fn split_hyphens(word: &str) -> Vec<String> {
    let chars: Vec<char> = word.chars().collect();
    let mut pieces = Vec::new();
    let mut start = 0;
    for at in 2..chars.len() {
        let letter = |at: usize| chars.get(at).is_some_and(|c| c.is_alphabetic());
        if chars[at] == '-' && letter(at - 1) && letter(at - 2) && letter(at + 1) {
            pieces.push(chars[start..=at].iter().collect());
            start = at + 1;
        }
    }
    pieces.push(chars[start..].iter().collect());
    pieces
}
