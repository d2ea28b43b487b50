//! `a.b` and `a['b']`.

use std::sync::Arc;

use super::engine::TemplateEngine;
use super::error::TemplateError;
use super::index::index;
use super::methods;
use super::objects::Method;
use crate::value::{Undefined, UndefinedCause, Value, python};

impl TemplateEngine<'_> {
    /// `of.name`: the method first, then the key.
    pub(super) fn get_attribute(&self, of: &Value, name: &str) -> Result<Value, TemplateError> {
        if let Some(value) = methods::get_property(of.below_taint(), name)
            && of.is_tainted()
        {
            return Ok(value.into_tainted());
        }
        match of {
            Value::Undefined(_) | Value::Unknown(_) => return Ok(of.member_of_unknown()),
            _ if !name.starts_with('_') && methods::has_method(of, name) => {
                return Ok(Value::Object(Arc::new(Method { of: of.clone(), name: name.into() })));
            }
            _ => {}
        }
        if let Some(value) = methods::get_property(of, name) {
            return Ok(value);
        }
        match self.get_current(of, &Value::text(name)) {
            Some(value) => self.resolve_value(value, Some(name)),
            None => Ok(missing_member(of, name)),
        }
    }

    /// `of[key]`: the key first, then the method.
    pub(super) fn get_item(&self, of: &Value, key: &Value) -> Result<Value, TemplateError> {
        if key.is_tainted() {
            // What a secret picks tells of the secret.
            return self.item_by(of, key.below_taint()).map(Value::into_tainted);
        }
        self.item_by(of, key)
    }

    fn item_by(&self, of: &Value, key: &Value) -> Result<Value, TemplateError> {
        match (of, key) {
            (Value::Undefined(_) | Value::Unknown(_), _) => return Ok(of.member_of_unknown()),
            (_, Value::Unknown(_) | Value::Undefined(_)) => return Ok(key.member_of_unknown()),
            _ => {}
        }
        if let Some(value) = self.get_current(of, key) {
            return self.resolve_value(value, key.as_str());
        }
        match key {
            Value::Str(name) => {
                if !name.starts_with('_') && methods::has_method(of, name) {
                    return Ok(Value::Object(Arc::new(Method { of: of.clone(), name: name.shared() })));
                }
                match methods::get_property(of, name) {
                    Some(value) => Ok(value),
                    None => Ok(missing_member(of, name.as_str())),
                }
            }
            Value::Int(at) if of.as_slice().is_some() => {
                Ok(Value::undefined(format!("{} object has no element {at}", of.type_name())))
            }
            key => Ok(Value::undefined(format!(
                "object of type '{}' has no attribute {}",
                of.type_name(),
                python::repr(key)
            ))),
        }
    }

    /// A member by its key or index, raw, as it is now.
    fn get_current(&self, of: &Value, key: &Value) -> Option<Value> {
        if !self.changes.is_open() {
            return get_keyed(of, key);
        }
        let now = self.changes.current_value(of.clone());
        if let (Value::List(items), true) = (&now, matches!(key, Value::Int(_)))
            && let Some(at) = index(key, items.len())
        {
            self.changes.look_at(of, at..at + 1);
        }
        get_keyed(&now, key)
    }
}

/// A member by its key or index, raw.
fn get_keyed(of: &Value, key: &Value) -> Option<Value> {
    match of {
        Value::Dict(dict) if key.is_hashable() => dict.get_value(key).cloned(),
        Value::List(items) | Value::Tuple(items) => items.get(index(key, items.len())?).cloned(),
        Value::Str(text) => {
            let at = index(key, text.chars().count())?;
            let character = text.chars().nth(at).map(|c| Value::text(c.to_string()));
            if text.is_secret() { character.map(Value::into_tainted) } else { character }
        }
        Value::Bytes(bytes) => Some(Value::Int(i64::from(bytes[index(key, bytes.len())?]))),
        Value::Object(object) => object.get(key),
        Value::Tainted(inner) => get_keyed(inner, key).map(Value::into_tainted),
        _ => None,
    }
}

/// The undefined value of a member that is not there.
fn missing_member(of: &Value, name: &str) -> Value {
    let message = format!("object of type '{}' has no attribute '{name}'", of.type_name());
    let member = matches!(of, Value::Dict(_)).then(|| (of.clone(), name.into()));
    let why = Undefined::new(message).caused_by(UndefinedCause::Member(name.into()));
    Value::Undefined(Arc::new(Undefined { member, ..why }))
}
