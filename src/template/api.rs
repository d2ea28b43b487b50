//! What the rest of the program asks of the engine: values, texts, expressions, conditions.

use std::sync::Arc;

use super::ast::StmtKind;
use super::budget;
use super::engine::Engine;
use super::error::{Fault, FaultKind};
use super::eval::{Cx, NO_ELSE};
use super::locals::Locals;
use super::objects::Module;
use super::parse;
use super::plugin::{Args, RenderOptions};
use super::range::Range;
use super::source_map::Place;
use crate::value::{Dict, Object, Text, Time, Undefined, Unknown, Value, python};

/// Verdict on a condition.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It depends on what is known only later.
    Unknown(Arc<Unknown>),
}

impl Engine<'_> {
    /// Templates a value deeply into plain data. `omit` stays as [`Value::Omit`] at the top and vanishes inside.
    ///
    /// # Errors
    /// If any template in it fails, or anything in it is undefined.
    pub fn value(&self, value: &Value) -> Result<Value, Fault> {
        let _evaluation = self.begin();
        let value = match value {
            // A failure of the whole keeps its kind and its hints.
            Value::Str(text) if text.is_template() => self.eval_text(text, None)?,
            other => other.clone(),
        };
        self.finish(value)
    }

    /// Returns a name for the screen: parts that fail are shown as `<< error 1 - 'x' is undefined >>`, parts derived from
    /// a secret as `show` has them.
    pub fn text(&self, text: &Text, show: &dyn Fn(&Value) -> String) -> String {
        let _evaluation = self.begin();
        if !text.is_template() {
            return text.as_str().to_owned();
        }
        if let Ok(value) = self.value(&Value::Str(text.clone()))
            && !value.holds_secret()
        {
            return if matches!(value, Value::Null | Value::Omit) { String::new() } else { python::str(&value) };
        }
        let parsed = match self.globals.template(text) {
            Ok(parsed) => parsed,
            Err((fault, _)) => return mark(1, &fault),
        };
        let cx = Cx { locals: Locals::root(), place: Arc::new(Place::of(text)), blocks: Arc::default() };
        let (mut shown, mut errors) = (String::new(), 0);
        for stmt in &parsed.body {
            let part = match &stmt.kind {
                StmtKind::Raw(raw) => Ok(Value::text(Arc::clone(raw))),
                StmtKind::Emit(node) => self.guarded(text, None, || self.node(node, &cx)).and_then(|v| self.finish(v)),
                _ => self.body(std::slice::from_ref(stmt), &cx).and_then(|v| self.finish(v)),
            };
            match part {
                Ok(Value::Null | Value::Omit) => {}
                Ok(value) => shown.push_str(&show(&value)),
                Err(fault) => {
                    errors += 1;
                    shown.push_str(&mark(errors, &fault));
                }
            }
        }
        shown
    }

    /// The value of a bare expression (`debug: var`), as plain data.
    ///
    /// # Errors
    /// If the text is no expression, is data, or fails.
    pub fn expression(&self, text: &Text) -> Result<Value, Fault> {
        let _evaluation = self.begin();
        let value = self.raw_expression(text, Place::of(text))?;
        self.finish(value)
    }

    /// The value of a bare expression for showing; what is undefined stays as [`Value::Undefined`] in its place.
    ///
    /// # Errors
    /// If the text is no expression, is data, or fails otherwise.
    pub fn expression_lenient(&self, text: &Text) -> Result<Value, Fault> {
        let _evaluation = self.begin();
        match self.raw_expression(text, Place::of(text)).and_then(|value| self.deep(value)) {
            Ok(value) => plain_leniently(&value),
            Err(fault) if fault.kind == FaultKind::Undefined => Ok(fault.poisoned()),
            Err(fault) => Err(fault),
        }
    }

    fn raw_expression(&self, text: &Text, place: Place) -> Result<Value, Fault> {
        let _evaluation = self.begin();
        if !text.is_trusted() {
            return Err(untrusted());
        }
        let parsed = self.globals.parsed_expression(text);
        let parsed = parsed.map_err(|(fault, at)| fault.or_at(place.span(&at).as_ref()))?;
        let cx = Cx { locals: Locals::root(), place: Arc::new(place), blocks: Arc::default() };
        self.guarded(text, None, || self.node(&parsed, &cx))
    }

    /// Whether a condition (`when`, `that`, `until`, ..) holds.
    ///
    /// # Errors
    /// If it fails, or gives anything but a boolean.
    pub fn condition(&self, condition: &Value) -> Result<Verdict, Fault> {
        let _evaluation = self.begin();
        match condition {
            Value::Bool(b) => Ok(Verdict::from(*b)),
            Value::Null => Ok(Verdict::True),
            Value::List(items) => self.all(items),
            Value::Unknown(unknown) => Ok(Verdict::Unknown(Arc::clone(unknown))),
            Value::Str(text) if !text.is_trusted() => Err(untrusted()),
            Value::Str(text) if text.trim().is_empty() => {
                Err(Fault::value("Empty conditional expressions are not allowed.").or_at(text.origin()))
            }
            Value::Str(text) if is_whole_template(text) => self.embedded(text),
            Value::Str(text) => self.condition_text(text),
            other => {
                let message = format!("a condition must be an expression, not a value of type '{}'", other.type_name());
                Err(Fault::value(message))
            }
        }
    }

    /// All must hold; stops at the first that does not. An undecided one does not hide a later false one.
    fn all(&self, items: &[Value]) -> Result<Verdict, Fault> {
        let mut undecided = None;
        for item in items {
            match self.condition(item) {
                Ok(Verdict::True) => {}
                Ok(Verdict::False) => return Ok(Verdict::False),
                Ok(Verdict::Unknown(unknown)) => {
                    undecided.get_or_insert(unknown);
                }
                // What comes after an undecided condition may be guarded by it.
                Err(_) if undecided.is_some() => break,
                Err(fault) => return Err(fault),
            }
        }
        Ok(undecided.map_or(Verdict::True, Verdict::Unknown))
    }

    fn embedded(&self, text: &Text) -> Result<Verdict, Fault> {
        let value = self.eval_text(text, None).map_err(in_condition)?;
        self.globals.deprecate(braces_warning(text));
        let place = |fault: Fault| fault.or_at(text.origin());
        match value {
            Value::Str(inner) if inner.is_trusted() && !inner.is_template() => {
                self.condition_text(&inner).map_err(place)
            }
            Value::Str(_) => Err(place(untrusted())),
            Value::List(items) => self.all(&items).map_err(place),
            other => self.verdict(other).map_err(place),
        }
    }

    fn condition_text(&self, text: &Text) -> Result<Verdict, Fault> {
        let value = self.raw_expression(text, Place::of_condition(text)).map_err(in_condition)?;
        self.verdict(value).map_err(|fault| fault.or_at(text.origin()))
    }

    fn verdict(&self, value: Value) -> Result<Verdict, Fault> {
        match value {
            Value::Bool(b) => Ok(Verdict::from(b)),
            Value::Unknown(unknown) => Ok(Verdict::Unknown(unknown)),
            Value::Undefined(why) => Err(in_condition(self.explain(Fault::using(&why)))),
            other => {
                let truth = if other.is_true() { "True" } else { "False" };
                let kind = other.type_name();
                let hint = match &other {
                    Value::Str(_) => "write `x | bool` for the words yes and no, or `x | length > 0`",
                    Value::Int(_) | Value::Big(_) | Value::Float(_) => "compare it, as in `x > 0`, or write `x | bool`",
                    Value::Null => "write `x is not none`",
                    _ => "write `x | length > 0`, or `x is truthy`",
                };
                let message = format!(
                    "Conditional result ({truth}) was derived from value of type '{kind}'. Conditionals must have a boolean result."
                );
                Err(Fault::value(message).hint(hint))
            }
        }
    }

    /// Looks only at the syntax of a template.
    ///
    /// # Errors
    /// If the text is no template.
    pub fn check(text: &Text) -> Result<(), Fault> {
        if !text.is_template() {
            return Ok(());
        }
        match parse::template(text, &RenderOptions::default()) {
            Ok(_) => Ok(()),
            Err((fault, at)) => Err(fault.or_at(Place::of(text).span(&at).as_ref())),
        }
    }

    /// Looks only at the syntax of a bare expression.
    ///
    /// # Errors
    /// If the text is no expression.
    pub fn check_expression(text: &Text) -> Result<(), Fault> {
        match parse::expression(text) {
            Ok(_) => Ok(()),
            Err((fault, at)) => Err(fault.or_at(Place::of(text).span(&at).as_ref())),
        }
    }

    /// The members of a `with_` loop: all results of a lookup, which must be defined.
    ///
    /// # Errors
    /// If nobody knows the lookup, or it fails.
    pub fn loop_lookup(&self, name: &str, args: Args, action: &str) -> Result<Vec<Value>, Fault> {
        let _evaluation = self.begin();
        let items = self.deeper(|| self.run_lookup(name, args, Some(action)))?;
        match items.iter().find_map(|item| if let Value::Undefined(why) = item { Some(why) } else { None }) {
            Some(why) => Err(self.explain(Fault::using(why))),
            None => Ok(items),
        }
    }

    /// A result as plain data, strictly.
    pub(super) fn finish(&self, value: Value) -> Result<Value, Fault> {
        let value = self.deep(value)?;
        if !budget::is_within(&value, budget::LARGEST_RESULT) {
            let message =
                format!("the result of this template is too large: more than {} MiB", budget::LARGEST_RESULT >> 20);
            return Err(Fault::new(FaultKind::Limit, message));
        }
        self.plain(value, true)
    }

    /// Tuples, views and sets as lists, no `omit` inside, nothing undefined. To be stored, or only to be printed.
    pub(super) fn plain(&self, value: Value, store: bool) -> Result<Value, Fault> {
        match value {
            Value::Omit
            | Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Big(_)
            | Value::Float(_)
            | Value::Bytes(_)
            | Value::Unknown(_)
            | Value::Sealed(_) => Ok(value),
            Value::Tainted(inner) => Ok(self.plain((*inner).clone(), store)?.into_tainted()),
            Value::Str(text) if text.is_quoted() => Ok(Value::Str(text.into_data())),
            Value::Str(_) => Ok(value),
            Value::Time(Time::Delta(_)) if store => {
                let fault = Fault::value("type 'timedelta' is unsupported for variable storage");
                Err(fault.hint("take a number of it, as in `(a - b).total_seconds()`"))
            }
            Value::Time(_) => Ok(value),
            Value::Undefined(why) => Err(self.refuse(&why)),
            Value::List(items) => {
                if items.iter().all(is_plain) {
                    return Ok(Value::List(items));
                }
                self.plain_items(&items, store)
            }
            // Python prints a tuple whose parts have names as a tuple, and any other as the list that it becomes.
            Value::Tuple(items) if !store && self.named_tuples.borrow().has(&items) => {
                let parts = items.iter().map(|part| self.plain(part.clone(), store));
                Ok(Value::tuple(parts.collect::<Result<Vec<_>, Fault>>()?))
            }
            Value::Tuple(items) | Value::Set(items) => self.plain_items(&items, store),
            Value::Dict(dict) => {
                if store && dict.keys().any(|key| matches!(key, Value::Tuple(_))) {
                    return Err(Fault::value("a key of a mapping cannot be a list, which tuples become"));
                }
                if dict.values().all(is_plain) {
                    return Ok(Value::Dict(dict));
                }
                let mut out = Dict::new();
                for (key, item) in dict.iter() {
                    match self.plain(item.clone(), store)? {
                        Value::Omit => {}
                        item => {
                            out.insert(key.clone(), item);
                        }
                    }
                }
                Ok(out.into())
            }
            Value::Object(object) => self.plain_object(&*object, store),
        }
    }

    fn plain_items(&self, items: &[Value], store: bool) -> Result<Value, Fault> {
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            match self.plain(item.clone(), store)? {
                Value::Omit => {}
                item => out.push(item),
            }
        }
        Ok(Value::list(out))
    }

    fn plain_object(&self, object: &dyn Object, store: bool) -> Result<Value, Fault> {
        if !store && let Some(text) = object.shown() {
            let text = Value::text(text);
            return Ok(if object.holds_secret() { text.into_tainted() } else { text });
        }
        if let Some(module) = object.as_any().downcast_ref::<Module>() {
            return self.plain(self.deep(module.output.clone())?, store);
        }
        match mapping(object) {
            Some(dict) => {
                let dict = self.deep(dict.into())?;
                self.plain(dict, store)
            }
            None => {
                let name = object.type_name();
                let fault = Fault::value(format!("type '{name}' is unsupported for variable storage"));
                Err(if name == "range" { fault.hint("write `range(..) | list`") } else { fault })
            }
        }
    }

    pub(super) fn refuse(&self, why: &Undefined) -> Fault {
        if why.message == NO_ELSE {
            let message = format!("{NO_ELSE}; such a result is unsupported for variable storage");
            return Fault::undefined(message).or_at(why.span.as_ref()).hint("give the expression an `else`");
        }
        self.explain(Fault::using(why))
    }
}

/// The entries of an object that is like a mapping (`hostvars`): its members are keys.
pub fn mapping(object: &dyn Object) -> Option<Dict> {
    if object.as_any().is::<Range>() {
        return None;
    }
    let keys = object.members()?;
    Some(keys.into_iter().filter_map(|key| object.get(&key).map(|value| (key, value))).collect())
}

fn is_plain(value: &Value) -> bool {
    match value {
        Value::Str(text) => !text.is_quoted(),
        value => matches!(value, Value::Null | Value::Bool(_) | Value::Int(_) | Value::Big(_) | Value::Float(_)),
    }
}

/// Converts to plain data; an undefined member stays undefined, a failed one fails the whole.
fn plain_leniently(value: &Value) -> Result<Value, Fault> {
    Ok(match value {
        Value::Undefined(why) if why.failed.is_some() => return Err(Fault::using(why)),
        Value::List(items) | Value::Tuple(items) | Value::Set(items) => {
            let kept = items.iter().filter(|item| !matches!(item, Value::Omit));
            Value::list(kept.map(plain_leniently).collect::<Result<Vec<_>, _>>()?)
        }
        Value::Dict(dict) => {
            let kept = dict.iter().filter(|(_, item)| !matches!(item, Value::Omit));
            let kept = kept.map(|(key, item)| Ok((key.clone(), plain_leniently(item)?)));
            Value::Dict(Arc::new(kept.collect::<Result<Dict, Fault>>()?))
        }
        Value::Object(object) => match mapping(&**object) {
            Some(dict) => plain_leniently(&dict.into())?,
            None => match object.members() {
                Some(items) => Value::list(items.iter().map(plain_leniently).collect::<Result<Vec<_>, _>>()?),
                None => value.clone(),
            },
        },
        other => other.clone(),
    })
}

impl From<bool> for Verdict {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

/// Results say of what breaks inside a condition that it was one. That it is none at all says so by itself.
fn in_condition(fault: Fault) -> Fault {
    match fault.kind {
        FaultKind::Syntax | FaultKind::Untrusted => fault,
        _ => fault.during("Error while evaluating conditional"),
    }
}

fn untrusted() -> Fault {
    Fault::new(FaultKind::Untrusted, "encountered an untrusted template or expression")
        .hint("text that a module, a lookup or a template gave is data and is never evaluated")
}

fn mark(number: usize, fault: &Fault) -> String {
    format!("<< error {number} - {} >>", fault.message)
}

/// Returns the warning about a condition in braces.
pub fn braces_warning(text: &str) -> String {
    format!(
        "conditions are expressions already and should not be surrounded by templating delimiters: leave out the braces \
         in `{}`",
        text.trim()
    )
}

/// Whether a condition is wholly in braces.
pub fn is_whole_template(text: &str) -> bool {
    let text = text.trim();
    (text.starts_with("{{") && text.ends_with("}}")) || (text.starts_with("{%") && text.ends_with("%}"))
}
