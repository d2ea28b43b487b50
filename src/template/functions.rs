//! The functions that every template knows.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::engine::TemplateEngine;
use super::error::{TemplateError, TemplateErrorKind};
use super::objects::{Cycler, Function, Joiner, Namespace};
use super::plugin::PluginArgs;
use super::range::Range;
use super::sequence;
use super::taint::Taint;
use crate::value::{Dict, Time, Undefined, UndefinedCause, Value};

/// The functions with a sentence for the reference page.
pub const ABOUT: &[(&str, &str)] = &[
    ("lookup", "Runs a lookup; joins several results with commas, or returns a list with `wantlist=true`."),
    ("query", "Runs a lookup and returns the list of its results."),
    ("q", "Same as `query`."),
    ("range", "Returns numbers from a start up to, but not including, an end, by a step."),
    ("dict", "Returns a mapping of named arguments or pairs."),
    ("lipsum", "Returns filler text."),
    ("cycler", "Returns an object that cycles through items, one for each `next()`."),
    ("joiner", "Returns an object that is empty at its first call, then the separator."),
    ("namespace", "Returns a mapping whose attributes `set` can change inside of loops."),
    ("now", "Returns the current time; `utc=true` chooses UTC, `fmt='%Y-%m-%d'` a format."),
    ("undef", "Returns an undefined value with a custom message."),
];

/// Default message of `undef()`.
const NO_HINT: &str = "Mandatory variable has not been overridden";

/// Returns the built-in meaning of a name that no variable has.
pub fn find_global(name: &str) -> Option<Value> {
    if name == "omit" {
        return Some(Value::Omit);
    }
    let known = ABOUT.iter().map(|(known, _)| known).find(|known| **known == name)?;
    Some(Value::Object(Arc::new(Function(known))))
}

/// Calls a function.
pub(super) fn call(engine: &TemplateEngine<'_>, name: &str, args: PluginArgs) -> Result<Value, TemplateError> {
    match name {
        "lookup" => lookup(engine, args, false),
        "query" | "q" => lookup(engine, args, true),
        "range" if args.all_values().any(Value::is_tainted) => {
            Ok(Value::list(sequence::list_members(&range(&args.without_taint())?)?).into_tainted())
        }
        "range" => range(&args),
        "dict" => dict(engine, args),
        "namespace" => match dict(engine, args)? {
            Value::Dict(values) => Ok(Value::Object(Arc::new(Namespace::new((*values).clone())))),
            other => Ok(other),
        },
        "cycler" if args.positional.is_empty() => {
            Err(TemplateError::value("cycler: at least one item has to be provided"))
        }
        "cycler" => Ok(Value::Object(Arc::new(Cycler { items: args.positional, at: AtomicUsize::new(0) }))),
        "joiner" => {
            let [separator] = args.bind(["sep"])?;
            let separator = separator.unwrap_or_else(|| Value::text(", "));
            Ok(Value::Object(Arc::new(Joiner { separator, calls: AtomicUsize::new(0) })))
        }
        "now" => now(&args.without_taint()),
        "undef" => {
            let [hint] = args.bind(["hint"])?;
            let why = match &hint {
                Some(Value::Str(hint)) => Undefined::new(hint.as_str()),
                _ => Undefined::new(NO_HINT).caused_by(UndefinedCause::NoHint),
            };
            Ok(Value::Undefined(Arc::new(why)))
        }
        "lipsum" => lipsum(&args),
        other => Err(TemplateError::new(TemplateErrorKind::UnknownName, format!("no function named `{other}`"))),
    }
}

/// `lookup` and `query`: what a lookup gives, joined or as a list.
fn lookup(engine: &TemplateEngine<'_>, args: PluginArgs, as_list: bool) -> Result<Value, TemplateError> {
    let mut terms = args.positional.into_iter();
    let name = match terms.next() {
        Some(Value::Str(name)) => name,
        Some(Value::Undefined(why)) => return Err(engine.suggest_variable(TemplateError::from_undefined(&why))),
        Some(unknown @ Value::Unknown(_)) => return Ok(unknown.new_computed()),
        Some(other) => {
            return Err(TemplateError::value(format!("a lookup's name must be text, not {}", other.type_name())));
        }
        None => {
            return Err(
                TemplateError::value("`lookup` needs the name of a lookup").hint("as in `lookup('env', 'HOME')`")
            );
        }
    };
    let mut named = args.named;
    let mut take = |key: &str| named.iter().position(|(known, _)| **known == *key).map(|at| named.remove(at).1);
    let want_list = take("wantlist").map_or(as_list, |value| value.is_true());
    let errors = take("errors").unwrap_or_else(|| Value::text("strict"));
    let policy = errors.as_str().unwrap_or("strict");
    if !matches!(policy, "strict" | "warn" | "ignore") {
        return Err(TemplateError::value(format!("`errors` must be strict, warn or ignore, not `{policy}`")));
    }
    let args = engine.resolve_args_deep(PluginArgs { positional: terms.map(unquote_terms).collect(), named })?;
    if !super::registry::find_lookup(&name).is_some_and(|lookup| lookup.takes_undefined)
        && let Some(undefined) = super::eval::find_first(&Value::Null, &args, Value::is_undefined)
    {
        return Ok(undefined);
    }
    let taint = Taint::of_arguments(&args);
    let results = match engine.run_lookup(&name, args.without_taint(), None).map_err(|fault| taint.clean_message(fault))
    {
        Ok(results) => results,
        Err(fault) if fault.kind == TemplateErrorKind::Unknown => return Ok(Value::unknown(fault.message)),
        Err(fault) if fault.kind == TemplateErrorKind::Undefined => return Ok(fault.into_undefined()),
        Err(fault)
            if policy != "strict" && matches!(fault.kind, TemplateErrorKind::Lookup | TemplateErrorKind::Value) =>
        {
            if policy == "warn" {
                engine.globals.add_warning(format!("the lookup `{}` failed: {}", name.as_str(), fault.message));
            }
            return Ok(if want_list { Value::list([]) } else { Value::Null });
        }
        Err(mut fault) => {
            if matches!(fault.kind, TemplateErrorKind::Lookup | TemplateErrorKind::Value) {
                fault.message = format!("the lookup `{}` failed: {}", name.as_str(), fault.message);
            }
            return Err(fault);
        }
    };
    let result = if want_list { Value::list(results) } else { join_results(results) };
    Ok(taint.taint_result(result))
}

/// Text in quotes among the terms of a lookup is a template too, at any depth.
fn unquote_terms(term: Value) -> Value {
    match term {
        other if !has_quoted(&other) => other,
        Value::Str(text) => Value::Str(text.into_template()),
        Value::List(items) => Value::list(items.iter().cloned().map(unquote_terms)),
        Value::Tuple(items) => Value::tuple(items.iter().cloned().map(unquote_terms)),
        Value::Dict(entries) => {
            let entries = entries.iter().map(|(key, value)| (key.clone(), unquote_terms(value.clone())));
            Value::Dict(Arc::new(entries.collect()))
        }
        other => other,
    }
}

fn has_quoted(value: &Value) -> bool {
    match value {
        Value::Str(text) => text.is_quoted(),
        Value::List(items) | Value::Tuple(items) => items.iter().any(has_quoted),
        Value::Dict(entries) => entries.values().any(has_quoted),
        _ => false,
    }
}

/// Texts with commas between, one result as it is, anything else as a list.
fn join_results(mut results: Vec<Value>) -> Value {
    if results.len() == 1
        && let Some(only) = results.pop()
    {
        return only;
    }
    let all: Option<Vec<&str>> = results.iter().map(Value::as_str).collect();
    match all {
        Some(texts) if !texts.is_empty() => {
            let text = Value::text(texts.join(","));
            if results.iter().any(Value::is_tainted) { text.into_tainted() } else { text }
        }
        _ => Value::list(results),
    }
}

fn range(args: &PluginArgs) -> Result<Value, TemplateError> {
    let mut numbers = Vec::new();
    for value in &args.positional {
        match value {
            Value::Int(i) => numbers.push(*i),
            Value::Bool(b) => numbers.push(i64::from(*b)),
            Value::Unknown(_) => return Ok(value.new_computed()),
            Value::Undefined(_) => return Ok(value.clone()),
            other => {
                let message = format!("'{}' object cannot be interpreted as an integer", other.type_name());
                return Err(TemplateError::value(message));
            }
        }
    }
    if !args.named.is_empty() {
        return Err(TemplateError::value("range() takes no keyword arguments"));
    }
    let (start, stop, step) = match numbers[..] {
        [stop] => (0, stop, 1),
        [start, stop] => (start, stop, 1),
        [start, stop, step] => (start, stop, step),
        _ => {
            let count = numbers.len();
            return Err(TemplateError::value(format!("range expected 1 to 3 arguments, got {count}")));
        }
    };
    if step == 0 {
        return Err(TemplateError::value("range() arg 3 must not be zero"));
    }
    let range = Range { start, stop, step };
    Ok(Value::Object(Arc::new(range)))
}

/// The mapping that `dict` makes of its arguments.
pub(super) fn dict(engine: &TemplateEngine<'_>, args: PluginArgs) -> Result<Value, TemplateError> {
    let mut dict = Dict::new();
    if args.positional.len() > 1 {
        return Err(TemplateError::value(format!("dict expected at most 1 argument, got {}", args.positional.len())));
    }
    match args.positional.into_iter().next() {
        None => {}
        Some(unknown @ Value::Unknown(_)) => return Ok(unknown.new_computed()),
        Some(from) => match sequence::list_entries(&engine.changes.current_value(from.clone())) {
            Some(entries) => dict.extend(&entries),
            None => {
                for pair in engine.members_of(&from)? {
                    let pair = engine.members_of(&pair)?;
                    let [key, value] = &pair[..] else {
                        let message =
                            format!("dictionary update sequence element has length {}; 2 is required", pair.len());
                        return Err(TemplateError::value(message));
                    };
                    if !key.is_hashable() {
                        return Err(TemplateError::value(format!("unhashable type: '{}'", key.type_name())));
                    }
                    dict.insert(key.clone(), value.clone());
                }
            }
        },
    }
    for (name, value) in args.named {
        dict.set(name, value);
    }
    Ok(dict.into())
}

fn now(args: &PluginArgs) -> Result<Value, TemplateError> {
    let [utc, format] = args.bind(["utc", "fmt"])?;
    let zone =
        if utc.is_some_and(|utc| utc.is_true()) { jiff::tz::TimeZone::UTC } else { jiff::tz::TimeZone::system() };
    let now = jiff::Timestamp::now().to_zoned(zone);
    let local = now.datetime();
    let micros = local.subsec_nanosecond() / 1000 * 1000;
    let local = Time::Naive(local.with().subsec_nanosecond(micros).build().unwrap_or(local));
    match format {
        Some(Value::Str(format)) if !format.is_empty() => super::methods::time::strftime(local, &format),
        _ => Ok(Value::Time(local)),
    }
}

const WORDS: &[&str] = &[
    "lorem",
    "ipsum",
    "dolor",
    "sit",
    "amet",
    "consectetur",
    "adipiscing",
    "elit",
    "sed",
    "do",
    "eiusmod",
    "tempor",
    "incididunt",
    "ut",
    "labore",
    "et",
    "dolore",
    "magna",
    "aliqua",
];

fn lipsum(args: &PluginArgs) -> Result<Value, TemplateError> {
    let [count, html, least, most] = args.bind(["n", "html", "min", "max"])?;
    let number = |value: Option<Value>, default: usize| {
        value.and_then(|value| value.as_int()).and_then(|n| usize::try_from(n).ok()).unwrap_or(default).min(10_000)
    };
    let (count, least, most) = (number(count, 5), number(least, 20), number(most, 100));
    let html = html.is_none_or(|html| html.is_true());
    static TURN: AtomicUsize = AtomicUsize::new(0);
    let paragraphs = (0..count).map(|_| {
        let turn = TURN.fetch_add(1, Ordering::Relaxed);
        let length = (least + turn * 7 % most.saturating_sub(least).max(1)).max(1);
        let words: Vec<&str> = (0..length).map(|at| WORDS[(turn + at) % WORDS.len()]).collect();
        let mut text = words.join(" ");
        if let Some(first) = text.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        if html { format!("<p>{text}.</p>") } else { format!("{text}.") }
    });
    let paragraphs: Vec<String> = paragraphs.collect();
    Ok(Value::text(paragraphs.join(if html { "\n" } else { "\n\n" })))
}
