//! `scopes`: a list of mappings with `name`, `type` and `actions`, checked before any request.
//!
//! Unknown types and actions are warned about and sent: the service declares no fixed words for
//! either, and is known to take others.

use crate::diagnostic::Diagnostic;
use crate::ionos::Deferred;
use crate::ionos::model::TokenScope;
use crate::modules::TaskContext;
use crate::modules::resource::options::find_origin;
use crate::modules::spec::{Param, ParamKind};
use crate::suggest;
use crate::value::{Dict, Value};

/// The keys of a scope.
const KEYS: [&str; 3] = ["name", "type", "actions"];

/// Types that the console and the vendor's tools know.
const TYPES: &[&str] = &["repository", "registry", "namespace"];

/// Actions that the console and the vendor's tools know.
const ACTIONS: &[&str] = &["pull", "push", "delete", "*", "read", "write", "list"];

/// The members of a scope, for the reference and for editors.
pub(super) const MEMBERS: &[Param] = &[
    Param::str("name", "Name of the repository; `*` stands for any characters.").required(),
    Param::str("type", "Type of what is named.").required().usual_values(TYPES),
    Param::list("actions", &ParamKind::Str, "What the token may do.").required().usual_values(ACTIONS),
];

/// Reads the scopes of a task.
///
/// Where any part is known only later, so is the whole list.
///
/// # Errors
/// With the place and the remedy of the first thing that is wrong.
pub(super) fn read_scopes(
    value: &Value,
    context: &TaskContext<'_>,
) -> Result<Deferred<Vec<TokenScope>>, Box<Diagnostic>> {
    if let Some(unknown) = first_unknown(value) {
        return Ok(Deferred::Unknown(unknown));
    }
    let Some(items) = value.as_slice() else {
        return Err(scope_error(
            value,
            context,
            "`scopes` must be a list",
            "write each scope as a list item with `- `",
        ));
    };
    // Text where a list belongs has been split at its commas, so the parts mean nothing to the author.
    if let Some(text @ Value::Str(written)) = context.raw_arg("scopes")
        && !written.is_template()
    {
        let said = "`scopes` must be a list of mappings, not text";
        return Err(scope_error(text, context, said, "take the quotes away, or use `\"{{ .. | from_json }}\"`"));
    }
    let scopes: Result<Vec<TokenScope>, _> =
        items.iter().enumerate().map(|(index, item)| read_scope(item, &format!("scopes[{index}]"), context)).collect();
    scopes.map(Deferred::Known)
}

fn read_scope(item: &Value, place: &str, context: &TaskContext<'_>) -> Result<TokenScope, Box<Diagnostic>> {
    let Some(dict) = item.as_dict() else {
        let said = format!("`{place}` must be a mapping, not {}", describe_value(item));
        return Err(scope_error(item, context, &said, "give it the keys `name`, `type` and `actions`"));
    };
    let strange: Vec<&Value> = dict.keys().filter(|key| !key.as_str().is_some_and(|key| KEYS.contains(&key))).collect();
    for key in KEYS {
        if !dict.contains(key) {
            let said = format!("`{place}` has no `{key}`");
            let meant = strange.iter().find(|k| k.as_str().and_then(|k| suggest::find_nearest(k, &KEYS)) == Some(key));
            return Err(match meant {
                Some(odd) => {
                    scope_error(odd, context, &said, &format!("is {} meant to be `{key}`?", describe_value(odd)))
                }
                None => scope_error(item, context, &said, "every scope needs `name`, `type` and `actions`"),
            });
        }
    }
    for key in strange {
        context.warn(format!("`{place}` has a key {} that scopes do not have; it is not sent", describe_value(key)));
    }
    let kind = required_text(dict, "type", place, context)?;
    odd_word(&kind, TYPES, &format!("{place}.type"), context);
    Ok(TokenScope {
        actions: read_actions(dict, place, context)?,
        name: required_text(dict, "name", place, context)?,
        kind,
    })
}

fn required_text(dict: &Dict, key: &str, place: &str, context: &TaskContext<'_>) -> Result<String, Box<Diagnostic>> {
    let value = dict.get(key).unwrap_or(&Value::Null);
    match value.as_str() {
        Some("") => Err(scope_error(value, context, &format!("`{place}.{key}` is empty"), "give it a value")),
        Some(text) => Ok(text.to_owned()),
        None => {
            let said = format!("`{place}.{key}` must be text, not {}", describe_value(value));
            Err(scope_error(value, context, &said, "put it in quotes if it is meant as text"))
        }
    }
}

fn read_actions(dict: &Dict, place: &str, context: &TaskContext<'_>) -> Result<Vec<String>, Box<Diagnostic>> {
    let value = dict.get("actions").unwrap_or(&Value::Null);
    let Some(items) = value.as_slice() else {
        let said = format!("`{place}.actions` must be a list, not {}", describe_value(value));
        let remedy = value.as_str().map_or_else(
            || "write it as a list, such as `[pull, push]`".to_owned(),
            |text| format!("write `actions: [{text}]`"),
        );
        return Err(scope_error(value, context, &said, &remedy));
    };
    let mut actions = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let place = format!("{place}.actions[{index}]");
        let Some(word) = item.as_str() else {
            let said = format!("`{place}` must be text, not {}", describe_value(item));
            return Err(scope_error(item, context, &said, "actions are words such as `pull`"));
        };
        odd_word(word, ACTIONS, &place, context);
        actions.push(word.to_owned());
    }
    Ok(actions)
}

/// Warns about a word that is close to a known one, and so probably mistyped.
fn odd_word(word: &str, known: &[&str], place: &str, context: &TaskContext<'_>) {
    if known.contains(&word) {
        return;
    }
    // Longer words that only begin alike, such as the `repo1` of the documentation, are not slips of a finger.
    match suggest::find_nearest(word, known).filter(|meant| word.len().abs_diff(meant.len()) <= 2) {
        Some(meant) => context.warn(format!("`{place}` is `{word}`, which is sent as it is; did you mean `{meant}`?")),
        None if context.verbosity > 0 => {
            context.warn(format!("`{place}` is `{word}`, which is none of the known words ({})", known.join(", ")));
        }
        None => {}
    }
}

fn describe_value(value: &Value) -> String {
    match value {
        Value::Str(text) => format!("`{}`", text.as_str()),
        Value::Null => "null".to_owned(),
        Value::Dict(_) => "a mapping".to_owned(),
        Value::List(_) | Value::Tuple(_) | Value::Set(_) => "a list".to_owned(),
        other => format!("`{}`", crate::value::python::str(other)),
    }
}

/// The place of a value: its own, or that of the first text in it, or of all arguments.
fn scope_error(value: &Value, context: &TaskContext<'_>, said: &str, remedy: &str) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(said).at(find_origin(value).unwrap_or(context.span), "").hint(remedy))
}

fn first_unknown(value: &Value) -> Option<std::sync::Arc<crate::value::Unknown>> {
    match value {
        Value::Unknown(unknown) => Some(unknown.clone()),
        Value::List(items) | Value::Tuple(items) | Value::Set(items) => items.iter().find_map(first_unknown),
        Value::Dict(dict) => dict.iter().find_map(|(_, value)| first_unknown(value)),
        _ => None,
    }
}
