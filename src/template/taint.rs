//! What is made of secret values is secret too: whoever sees a piece, or another spelling, sees the secret.

use std::sync::Arc;

use super::plugin::Args;
use crate::value::{Dict, Value, json};

/// A result, not to be shown: the text, and the texts in it.
pub(super) fn secret(value: Value) -> Value {
    let all = |items: &[Value]| Arc::new(items.iter().cloned().map(secret).collect());
    match value {
        Value::Str(text) => Value::Str(text.into_secret()),
        Value::List(items) => Value::List(all(&items)),
        Value::Tuple(items) => Value::Tuple(all(&items)),
        Value::Dict(dict) => {
            dict.iter().map(|(key, value)| (key.clone(), secret(value.clone()))).collect::<Dict>().into()
        }
        other => other,
    }
}

/// Whether a value is secret text.
pub(super) fn is_secret(value: &Value) -> bool {
    matches!(value, Value::Str(text) if text.is_secret())
}

/// Taint that the result of a filter or method inherits from its input and arguments.
///
/// Whatever is made of secret text is secret. Text that is made of a collection is secret if a secret of the collection
/// is in it (`to_json`, `join`); text that was picked from the collection is what it was before.
pub(super) struct Debt {
    whole: bool,
    parts: Vec<Arc<str>>,
}

/// Shorter secrets turn up in other text by chance.
const SHORTEST: usize = 4;

impl Debt {
    /// Collects the taint of input and arguments.
    pub(super) fn of(input: &Value, args: &Args) -> Self {
        let mut debt = Self { whole: is_secret(input), parts: Vec::new() };
        let values = args.positional.iter().chain(args.named.iter().map(|(_, value)| value));
        for value in std::iter::once(input).chain(values) {
            value.each_secret(&mut |secret| debt.add(secret));
        }
        debt
    }

    /// Collects the taint of a lookup's arguments.
    pub(super) fn of_arguments(args: &Args) -> Self {
        let mut values = args.positional.iter().chain(args.named.iter().map(|(_, value)| value));
        Self { whole: values.any(is_secret), parts: Vec::new() }
    }

    fn add(&mut self, secret: &str) {
        if secret.chars().count() < SHORTEST {
            return;
        }
        let quoted = json::to_string(&Value::text(secret), json::Style::PYTHON);
        self.parts.extend([secret.into(), quoted[1..quoted.len() - 1].into()]);
    }

    /// The result, with what it owes.
    pub(super) fn pay(self, result: Value) -> Value {
        match &result {
            _ if self.whole => secret(result),
            Value::Str(text) if self.parts.iter().any(|part| text.contains(&**part)) => secret(result),
            _ => result,
        }
    }
}
