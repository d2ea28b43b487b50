//! How taint travels: what filters, methods, functions and lookups make of a secret is secret, too.

use std::collections::HashSet;
use std::sync::Arc;

use super::error::TemplateError;
use super::plugin::PluginArgs;
use crate::value::{Dict, Value};

/// The taint that the result of a call takes over from its input and its arguments.
///
/// Whatever is computed from a secret text or number is tainted whole. What is computed from a collection that holds a
/// secret beside other things is tainted unless it was there in the clear before: `to_json` of the collection is
/// tainted, the name that `first` picks from it is not.
pub(super) struct Taint(Option<Sources>);

/// Inputs of a result, at least some of them secret.
struct Sources {
    /// The input itself is secret.
    whole: bool,
    values: Vec<Value>,
}

impl Taint {
    /// Returns the taint of what a filter, test or method makes of its input and arguments.
    pub(super) fn from_inputs(input: &Value, args: &PluginArgs) -> Self {
        let whole = input.is_tainted();
        if !whole && !input.holds_secret() && !args.all_values().any(Value::holds_secret) {
            return Self(None);
        }
        let values = std::iter::once(input).chain(args.all_values()).cloned().collect();
        Self(Some(Sources { whole, values }))
    }

    /// Returns the taint of what a lookup or function finds by its arguments: all of it, if any of them is secret.
    pub(super) fn of_arguments(args: &PluginArgs) -> Self {
        if !args.all_values().any(Value::holds_secret) {
            return Self(None);
        }
        Self(Some(Sources { whole: true, values: args.all_values().cloned().collect() }))
    }

    /// Marks a result.
    #[allow(clippy::mutable_key_type, reason = "only kinds of values are in it that cannot change")]
    pub(super) fn taint_result(self, result: Value) -> Value {
        match self.0 {
            None => result,
            Some(sources) if sources.whole => result.into_tainted(),
            Some(sources) => {
                let mut clear = HashSet::new();
                sources.values.iter().for_each(|value| collect_clear(value, &mut clear));
                mark_new(&result, &clear).unwrap_or(result)
            }
        }
    }

    /// Takes the secrets out of the message of a failure.
    pub(super) fn clean_message(&self, mut fault: TemplateError) -> TemplateError {
        if let Some(sources) = &self.0 {
            fault.message = Value::list(sources.values.iter().cloned()).mask_in(&fault.message);
        }
        fault
    }
}

/// Collects the texts, numbers, bytes and dates in a value that are not secret.
#[allow(clippy::mutable_key_type, reason = "none of these kinds of values can change")]
fn collect_clear(value: &Value, clear: &mut HashSet<Value>) {
    match value {
        Value::Str(text) if !text.is_secret() => _ = clear.insert(value.clone()),
        Value::Int(_) | Value::Big(_) | Value::Float(_) | Value::Bytes(_) | Value::Time(_) => {
            clear.insert(value.clone());
        }
        Value::List(items) | Value::Tuple(items) | Value::Set(items) => {
            items.iter().for_each(|item| collect_clear(item, clear));
        }
        Value::Dict(dict) => dict.iter().for_each(|(key, value)| {
            collect_clear(key, clear);
            collect_clear(value, clear);
        }),
        Value::Object(object) if !object.holds_secret() => {
            object.members().unwrap_or_default().iter().for_each(|item| collect_clear(item, clear));
        }
        _ => {}
    }
}

/// Returns the value with everything tainted that was not there in the clear; `None` if that is nothing.
#[allow(clippy::mutable_key_type, reason = "only kinds of values are in it that cannot change")]
fn mark_new(value: &Value, clear: &HashSet<Value>) -> Option<Value> {
    let all = |items: &[Value]| {
        let marked: Vec<Option<Value>> = items.iter().map(|item| mark_new(item, clear)).collect();
        let any = marked.iter().any(Option::is_some);
        any.then(|| Arc::new(marked.into_iter().zip(items).map(|(new, old)| new.unwrap_or(old.clone())).collect()))
    };
    match value {
        Value::Str(text) if text.is_secret() || text.is_empty() || clear.contains(value) => None,
        Value::Str(_) | Value::Int(_) | Value::Big(_) | Value::Float(_) | Value::Bytes(_) | Value::Time(_) => {
            (!clear.contains(value)).then(|| value.clone().into_tainted())
        }
        Value::List(items) => all(items).map(Value::List),
        Value::Tuple(items) => all(items).map(Value::Tuple),
        Value::Set(items) => all(items).map(Value::Set),
        Value::Dict(dict) => {
            let mut copy: Option<Dict> = None;
            for (key, old) in dict.iter() {
                if let Some(new) = mark_new(old, clear) {
                    copy.get_or_insert_with(|| (**dict).clone()).insert(key.clone(), new);
                }
            }
            copy.map(Value::from)
        }
        _ => None,
    }
}
