//! Methods of text.

use super::{integer_arg, require_arg};
use crate::template::budget;
use crate::template::engine::TemplateEngine;
use crate::template::error::TemplateError;
use crate::template::plugin::PluginArgs;
use crate::template::python::charset::Encoding;
use crate::template::python::text::replace_text;
use crate::value::{Dict, Value};

pub const NAMES: &[&str] = &[
    "capitalize",
    "casefold",
    "center",
    "count",
    "encode",
    "endswith",
    "expandtabs",
    "find",
    "format",
    "format_map",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "maketrans",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "translate",
    "upper",
    "zfill",
];

pub fn call(engine: &TemplateEngine<'_>, text: &str, name: &str, args: &PluginArgs) -> Result<Value, TemplateError> {
    let done = |text: String| Ok(Value::text(text));
    let lonely =
        name.starts_with("is") || ["lower", "casefold", "upper", "swapcase", "capitalize", "title"].contains(&name);
    if lonely {
        let [] = args.bind([])?;
    }
    match name {
        "lower" => done(text.to_lowercase()),
        // The one letter whose folding is not its small form, apart from rare ligatures.
        "casefold" => done(text.to_lowercase().replace('ß', "ss")),
        "upper" => done(text.to_uppercase()),
        "swapcase" => done(swap_case(text)),
        "capitalize" => done(capitalize(text)),
        "title" => done(title(text)),
        "strip" | "lstrip" | "rstrip" => {
            let [chars] = args.bind(["chars"])?;
            let chars = optional_text(chars.as_ref())?;
            let gone = |c: char| chars.map_or_else(|| c.is_whitespace(), |chars| chars.contains(c));
            done(
                match name {
                    "strip" => text.trim_matches(gone),
                    "lstrip" => text.trim_start_matches(gone),
                    _ => text.trim_end_matches(gone),
                }
                .to_owned(),
            )
        }
        "split" | "rsplit" => {
            let [separator, most] = args.bind(["sep", "maxsplit"])?;
            let most = integer_arg(most)?.and_then(|most| usize::try_from(most).ok());
            split(text, optional_text(separator.as_ref())?, most, name == "rsplit")
        }
        "splitlines" => {
            let [keep] = args.bind(["keepends"])?;
            Ok(Value::list(split_lines(text, keep.is_some_and(|keep| keep.is_true())).into_iter().map(Value::text)))
        }
        "partition" | "rpartition" => {
            let [separator] = args.bind(["sep"])?;
            let separator = require_arg(separator, name, "sep")?;
            let separator = plain_text(&separator)?;
            if separator.is_empty() {
                return Err(TemplateError::value("empty separator"));
            }
            let parts = match (name, if name == "partition" { text.find(separator) } else { text.rfind(separator) }) {
                (_, Some(at)) => [&text[..at], separator, &text[at + separator.len()..]],
                ("partition", None) => [text, "", ""],
                _ => ["", "", text],
            };
            Ok(Value::tuple(parts.map(Value::text)))
        }
        "join" => {
            let [items] = args.bind(["iterable"])?;
            let items = engine.members_of(&require_arg(items, name, "iterable")?)?;
            let length: usize = items.iter().filter_map(Value::as_str).map(str::len).sum();
            budget::reserve_bytes(length.saturating_add(items.len().saturating_mul(text.len())))?;
            let mut out = String::new();
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push_str(text);
                }
                match item {
                    Value::Str(item) => out.push_str(item),
                    Value::Unknown(_) => return Ok(item.new_computed()),
                    Value::Undefined(why) => return Err(TemplateError::from_undefined(why)),
                    other => {
                        let kind = other.type_name();
                        return Err(TemplateError::value(format!(
                            "sequence item {at}: expected str instance, {kind} found"
                        )));
                    }
                }
            }
            done(out)
        }
        "replace" => {
            let [old, new, count] = args.bind(["old", "new", "count"])?;
            let (old, new) = (require_arg(old, name, "old")?, require_arg(new, name, "new")?);
            let (old, new) = (plain_text(&old)?, plain_text(&new)?);
            let count = integer_arg(count)?.and_then(|count| usize::try_from(count).ok());
            done(replace_text(text, old, new, count)?)
        }
        "startswith" | "endswith" => {
            let [affix, start, end] = args.bind(["prefix", "start", "end"])?;
            let part = slice_chars(text, integer_arg(start)?, integer_arg(end)?).unwrap_or("");
            let affix = require_arg(affix, name, "prefix")?;
            let fits = |affix: &str| if name == "startswith" { part.starts_with(affix) } else { part.ends_with(affix) };
            match &affix {
                Value::Str(affix) => Ok(Value::Bool(fits(affix))),
                Value::Tuple(all) => Ok(Value::Bool(all.iter().filter_map(Value::as_str).any(fits))),
                other => Err(TemplateError::value(format!(
                    "{name} first arg must be str or a tuple of str, not {}",
                    other.type_name()
                ))),
            }
        }
        "find" | "rfind" | "index" | "rindex" | "count" => {
            let [wanted, start, end] = args.bind(["sub", "start", "end"])?;
            let wanted = require_arg(wanted, name, "sub")?;
            let wanted = plain_text(&wanted)?;
            let (start, end) = (integer_arg(start)?, integer_arg(end)?);
            let Some(within) = slice_chars(text, start, end) else {
                return Ok(Value::Int(if name == "count" { 0 } else { -1 }));
            };
            if name == "count" {
                let count = if wanted.is_empty() { within.chars().count() + 1 } else { within.matches(wanted).count() };
                return Ok(Value::from(count));
            }
            let found = if name.starts_with('r') { within.rfind(wanted) } else { within.find(wanted) };
            match found {
                Some(at) => {
                    let before = (within.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
                    Ok(Value::from(text[..before + at].chars().count()))
                }
                None if name.ends_with("find") => Ok(Value::Int(-1)),
                None => Err(TemplateError::value("substring not found")),
            }
        }
        "center" | "ljust" | "rjust" => {
            let [width, fill] = args.bind(["width", "fillchar"])?;
            let width = integer_arg(Some(require_arg(width, name, "width")?))?;
            let width = width.and_then(|width| usize::try_from(width).ok()).unwrap_or(0);
            let fill = optional_text(fill.as_ref())?.unwrap_or(" ");
            if fill.chars().count() != 1 {
                return Err(TemplateError::value("The fill character must be exactly one character long"));
            }
            let missing = width.saturating_sub(text.chars().count());
            let left = match name {
                "ljust" => 0,
                "rjust" => missing,
                // Python puts the odd one to the left if the width is odd.
                _ => missing / 2 + (missing & width & 1),
            };
            let filled = |count: usize| budget::repeat_text(fill, count);
            done(format!("{}{text}{}", filled(left)?, filled(missing - left)?))
        }
        "zfill" => {
            let [width] = args.bind(["width"])?;
            let width = integer_arg(width)?.and_then(|width| usize::try_from(width).ok()).unwrap_or(0);
            let zeros = budget::repeat_text("0", width.saturating_sub(text.chars().count()))?;
            match text.strip_prefix(['+', '-']) {
                Some(rest) => done(format!("{}{zeros}{rest}", &text[..1])),
                None => done(format!("{zeros}{text}")),
            }
        }
        "removeprefix" | "removesuffix" => {
            let [affix] = args.bind(["prefix"])?;
            let affix = require_arg(affix, name, "prefix")?;
            let affix = plain_text(&affix)?;
            let cut = if name == "removeprefix" { text.strip_prefix(affix) } else { text.strip_suffix(affix) };
            done(cut.unwrap_or(text).to_owned())
        }
        "expandtabs" => {
            let [size] = args.bind(["tabsize"])?;
            let size = integer_arg(size)?.and_then(|size| usize::try_from(size).ok()).unwrap_or(8);
            budget::reserve_bytes(text.len().saturating_add(text.matches('\t').count().saturating_mul(size)))?;
            done(expand_tabs(text, size))
        }
        "encode" => {
            let [encoding, _errors] = args.bind(["encoding", "errors"])?;
            let encoding = Encoding::from_name(optional_text(encoding.as_ref())?.unwrap_or("utf-8"))?;
            Ok(Value::Bytes(encoding.encode(text)?.into()))
        }
        "format" => super::format::format_text(engine, text, args),
        "format_map" => match args.positional.first() {
            Some(Value::Dict(dict)) => {
                let named = dict.iter().filter_map(|(k, v)| Some((k.as_str()?.into(), v.clone()))).collect();
                super::format::format_text(engine, text, &PluginArgs { positional: Vec::new(), named })
            }
            _ => Err(TemplateError::value("format_map() needs a mapping")),
        },
        "maketrans" => make_table(args),
        "translate" => match args.positional.first() {
            Some(Value::Dict(table)) => {
                let longest = table.values().filter_map(Value::as_str).map(str::len).max().unwrap_or(0);
                budget::reserve_bytes(text.len().saturating_mul(longest.max(1)))?;
                done(translate(text, table))
            }
            _ => Err(TemplateError::value("translate() needs a table")),
        },
        _ => evaluate_predicate(text, name).map(Value::Bool),
    }
}

fn plain_text(value: &Value) -> Result<&str, TemplateError> {
    value.as_str().ok_or_else(|| TemplateError::value(format!("must be str, not {}", value.type_name())))
}

fn optional_text(value: Option<&Value>) -> Result<Option<&str>, TemplateError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(value) => plain_text(value).map(Some),
    }
}

/// `text[start:end]` in characters; `None` if the start lies behind the end.
fn slice_chars(text: &str, start: Option<i64>, end: Option<i64>) -> Option<&str> {
    let length = i64::try_from(text.chars().count()).ok()?;
    let at = |index: i64| if index < 0 { index.saturating_add(length).max(0) } else { index };
    let (start, end) = (at(start.unwrap_or(0)), at(end.unwrap_or(length)).min(length));
    if start > end {
        return None;
    }
    let byte = |index: i64| {
        let index = usize::try_from(index).unwrap_or(0);
        text.char_indices().nth(index).map_or(text.len(), |(at, _)| at)
    };
    Some(&text[byte(start)..byte(end)])
}

fn split(text: &str, separator: Option<&str>, most: Option<usize>, from_right: bool) -> Result<Value, TemplateError> {
    let mut parts: Vec<&str> = match (separator, most) {
        (Some(""), _) => return Err(TemplateError::value("empty separator")),
        (Some(separator), None) => text.split(separator).collect(),
        (Some(separator), Some(most)) if from_right => text.rsplitn(most.saturating_add(1), separator).collect(),
        (Some(separator), Some(most)) => text.splitn(most.saturating_add(1), separator).collect(),
        (None, None) => text.split_whitespace().collect(),
        (None, Some(most)) => {
            let mut parts = Vec::new();
            let mut rest = if from_right { text.trim_end() } else { text.trim_start() };
            while parts.len() < most && !rest.is_empty() {
                let at = if from_right { rest.rfind(char::is_whitespace) } else { rest.find(char::is_whitespace) };
                let Some(at) = at else { break };
                if from_right {
                    let blank = rest[at..].chars().next().map_or(1, char::len_utf8);
                    parts.push(&rest[at + blank..]);
                    rest = rest[..at].trim_end();
                } else {
                    parts.push(&rest[..at]);
                    rest = rest[at..].trim_start();
                }
            }
            if !rest.is_empty() {
                parts.push(rest);
            }
            parts
        }
    };
    if from_right && most.is_some() {
        parts.reverse();
    }
    Ok(Value::list(parts.into_iter().map(Value::text)))
}

fn split_lines(text: &str, keep: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let ends = matches!(
            c,
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}' | '\u{1d}' | '\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        );
        if !ends {
            line.push(c);
            continue;
        }
        if keep {
            line.push(c);
        }
        if c == '\r' && chars.peek() == Some(&'\n') {
            chars.next();
            if keep {
                line.push('\n');
            }
        }
        lines.push(std::mem::take(&mut line));
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

fn swap_case(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_uppercase() { out.extend(c.to_lowercase()) } else { out.extend(c.to_uppercase()) }
    }
    out
}

fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars.as_str().to_lowercase().chars()).collect(),
        None => String::new(),
    }
}

fn title(text: &str) -> String {
    let (mut out, mut inside) = (String::new(), false);
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase())
        } else {
            out.extend(c.to_uppercase())
        }
        inside = c.is_alphabetic();
    }
    out
}

fn expand_tabs(text: &str, size: usize) -> String {
    let (mut out, mut column) = (String::new(), 0);
    for c in text.chars() {
        match c {
            '\t' if size == 0 => {}
            '\t' => {
                let blanks = size - column % size;
                out.extend(std::iter::repeat_n(' ', blanks));
                column += blanks;
            }
            '\n' | '\r' => {
                out.push(c);
                column = 0;
            }
            c => {
                out.push(c);
                column += 1;
            }
        }
    }
    out
}

/// A table from code points to code points, text or null.
fn make_table(args: &PluginArgs) -> Result<Value, TemplateError> {
    let code = |c: char| Value::Int(i64::from(u32::from(c)));
    let mut table = Dict::new();
    match &args.positional[..] {
        [Value::Dict(map)] => {
            for (key, value) in map.iter() {
                let key = match key.as_str().map(|key| key.chars().collect::<Vec<_>>()) {
                    Some(chars) if chars.len() == 1 => code(chars[0]),
                    Some(_) => return Err(TemplateError::value("string keys in translate table must be of length 1")),
                    None => key.clone(),
                };
                table.insert(key, value.clone());
            }
        }
        [Value::Str(from), Value::Str(to), rest @ ..] => {
            if from.chars().count() != to.chars().count() {
                return Err(TemplateError::value("the first two maketrans arguments must have equal length"));
            }
            for (a, b) in from.chars().zip(to.chars()) {
                table.insert(code(a), code(b));
            }
            for gone in rest.first().and_then(Value::as_str).unwrap_or("").chars() {
                table.insert(code(gone), Value::Null);
            }
        }
        _ => return Err(TemplateError::value("maketrans() needs a mapping or two texts")),
    }
    Ok(table.into())
}

fn translate(text: &str, table: &Dict) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match table.get_value(&Value::Int(i64::from(u32::from(c)))) {
            None => out.push(c),
            Some(Value::Str(text)) => out.push_str(text),
            Some(Value::Int(code)) => out.extend(u32::try_from(*code).ok().and_then(char::from_u32)),
            Some(_) => {}
        }
    }
    out
}

fn evaluate_predicate(text: &str, name: &str) -> Result<bool, TemplateError> {
    let all = |test: fn(char) -> bool| !text.is_empty() && text.chars().all(test);
    let cased = |good: fn(char) -> bool, bad: fn(char) -> bool| text.chars().any(good) && !text.chars().any(bad);
    Ok(match name {
        "isalnum" => all(char::is_alphanumeric),
        "isalpha" => all(char::is_alphabetic),
        "isascii" => text.is_ascii(),
        "isdecimal" | "isdigit" => all(|c| c.is_ascii_digit() || (!c.is_ascii() && c.is_numeric())),
        "isnumeric" => all(char::is_numeric),
        "isidentifier" => {
            let mut chars = text.chars();
            chars.next().is_some_and(|c| c == '_' || c.is_alphabetic())
                && chars.all(|c| c == '_' || c.is_alphanumeric())
        }
        "islower" => cased(char::is_lowercase, char::is_uppercase),
        "isupper" => cased(char::is_uppercase, char::is_lowercase),
        "isprintable" => !text.chars().any(char::is_control),
        "isspace" => all(char::is_whitespace),
        "istitle" => text.chars().any(char::is_alphabetic) && title(text) == text,
        other => return Err(TemplateError::value(format!("'str' object has no attribute '{other}'"))),
    })
}
