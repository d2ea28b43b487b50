//! What the rest of the program asks of the engine: values, texts, expressions, conditions.

use std::sync::Arc;

use super::ast::StmtKind;
use super::budget;
use super::engine::TemplateEngine;
use super::error::{TemplateError, TemplateErrorKind};
use super::eval::Cx;
use super::locals::Locals;
use super::notes::Deprecation;
use super::objects::ImportedModule;
use super::parse;
use super::plugin::{PluginArgs, RenderOptions};
use super::range::Range;
use super::source_map::SourceMap;
use crate::value::{Dict, Object, Text, Time, Undefined, UndefinedCause, Unknown, Value, python};

/// Verdict on a condition.
#[derive(Debug, Clone)]
pub enum ConditionVerdict {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It depends on what is known only later.
    Unknown(Arc<Unknown>),
}

impl TemplateEngine<'_> {
    /// Templates a value deeply into plain data. `omit` stays as [`Value::Omit`] at the top and vanishes inside.
    ///
    /// # Errors
    /// If any template in it fails, or anything in it is undefined.
    pub fn evaluate_value(&self, value: &Value) -> Result<Value, TemplateError> {
        let _evaluation = self.begin_evaluation();
        let value = match value {
            // A failure of the whole keeps its kind and its hints.
            Value::Str(text) if text.is_template() => self.eval_text(text, None)?,
            other => other.clone(),
        };
        self.finalize_value(value)
    }

    /// Returns a name for the screen: parts that fail are shown as `<< error 1 - 'x' is undefined >>`, parts derived from
    /// a secret as `show` has them.
    pub fn render_label(&self, text: &Text, show: &dyn Fn(&Value) -> String) -> String {
        let _evaluation = self.begin_evaluation();
        if !text.is_template() {
            return text.as_str().to_owned();
        }
        if let Ok(value) = self.evaluate_value(&Value::Str(text.clone()))
            && !value.holds_secret()
        {
            return if matches!(value, Value::Null | Value::Omit) { String::new() } else { python::str(&value) };
        }
        let parsed = match self.globals.parse_template(text) {
            Ok(parsed) => parsed,
            Err((fault, _)) => return format_error_mark(1, &fault),
        };
        let cx = Cx { locals: Locals::new_root(), place: Arc::new(SourceMap::from_text(text)), blocks: Arc::default() };
        let (mut shown, mut errors) = (String::new(), 0);
        for stmt in &parsed.body {
            let part = match &stmt.kind {
                StmtKind::Raw(raw) => Ok(Value::text(Arc::clone(raw))),
                StmtKind::Emit(node) => {
                    self.run_guarded(text, None, || self.evaluate_node(node, &cx)).and_then(|v| self.finalize_value(v))
                }
                _ => self.render_body(std::slice::from_ref(stmt), &cx).and_then(|v| self.finalize_value(v)),
            };
            match part {
                Ok(Value::Null | Value::Omit) => {}
                Ok(value) => shown.push_str(&show(&value)),
                Err(fault) => {
                    errors += 1;
                    shown.push_str(&format_error_mark(errors, &fault));
                }
            }
        }
        shown
    }

    /// The value of a bare expression (`debug: var`), as plain data.
    ///
    /// # Errors
    /// If the text is not an expression, is data, or fails.
    pub fn evaluate_expression(&self, text: &Text) -> Result<Value, TemplateError> {
        let _evaluation = self.begin_evaluation();
        let value = self.raw_expression(text, SourceMap::from_text(text))?;
        self.finalize_value(value)
    }

    /// The value of a bare expression for showing; what is undefined stays as [`Value::Undefined`] in its place.
    ///
    /// # Errors
    /// If the text is not an expression, is data, or fails otherwise.
    pub fn expression_lenient(&self, text: &Text) -> Result<Value, TemplateError> {
        let _evaluation = self.begin_evaluation();
        match self.raw_expression(text, SourceMap::from_text(text)).and_then(|value| self.resolve_deep(value)) {
            Ok(value) => plain_leniently(&value),
            Err(fault) if fault.kind == TemplateErrorKind::Undefined => Ok(fault.into_undefined()),
            Err(fault) => Err(fault),
        }
    }

    fn raw_expression(&self, text: &Text, place: SourceMap) -> Result<Value, TemplateError> {
        let _evaluation = self.begin_evaluation();
        if !text.is_trusted() {
            return Err(untrusted_error());
        }
        let parsed = self.globals.parsed_expression(text);
        let parsed = parsed.map_err(|(fault, at)| fault.or_at(place.span(&at).as_ref()))?;
        let cx = Cx { locals: Locals::new_root(), place: Arc::new(place), blocks: Arc::default() };
        self.run_guarded(text, None, || self.evaluate_node(&parsed, &cx))
    }

    /// Whether a condition (`when`, `that`, `until`, ..) holds.
    ///
    /// # Errors
    /// If it fails, or gives anything but a boolean.
    pub fn evaluate_condition(&self, condition: &Value) -> Result<ConditionVerdict, TemplateError> {
        let _evaluation = self.begin_evaluation();
        match condition {
            Value::Bool(b) => Ok(ConditionVerdict::from(*b)),
            Value::Null => Ok(ConditionVerdict::True),
            Value::Unknown(unknown) => Ok(ConditionVerdict::Unknown(Arc::clone(unknown))),
            Value::Str(text) if !text.is_trusted() => Err(untrusted_error()),
            Value::Str(text) if text.trim().is_empty() => {
                Err(TemplateError::value("Empty conditional expressions are not allowed.").or_at(text.origin()))
            }
            Value::Str(text) if is_whole_template(text) => self.evaluate_embedded(text),
            Value::Str(text) => self.condition_text(text),
            other => {
                let hint = format!("write an expression, not a value of type '{}'", other.type_name());
                Err(TemplateError::value("Conditional expressions must be strings.").hint(hint))
            }
        }
    }

    /// Returns the members of the list that a template gives, as they were written; `None` if it gives anything else.
    pub fn list_written_members(&self, text: &Text) -> Option<Vec<Value>> {
        let _evaluation = self.begin_evaluation();
        match self.eval_text(text, None) {
            Ok(Value::List(items)) => Some(items.to_vec()),
            _ => None,
        }
    }

    fn evaluate_embedded(&self, text: &Text) -> Result<ConditionVerdict, TemplateError> {
        let value = self.eval_text(text, None).map_err(in_condition)?;
        self.globals.add_deprecation(Deprecation { message: braces_warning(text), rule: Some(BRACES_RULE) });
        let place = |fault: TemplateError| fault.or_at(text.origin());
        match value {
            Value::Str(inner) if inner.is_trusted() && !inner.is_template() => {
                self.condition_text(&inner).map_err(place)
            }
            Value::Str(_) => Err(place(untrusted_error())),
            other => self.to_verdict(other).map_err(place),
        }
    }

    fn condition_text(&self, text: &Text) -> Result<ConditionVerdict, TemplateError> {
        let value = self.raw_expression(text, SourceMap::of_condition(text)).map_err(in_condition)?;
        self.to_verdict(value).map_err(|fault| fault.or_at(text.origin()))
    }

    fn to_verdict(&self, value: Value) -> Result<ConditionVerdict, TemplateError> {
        match value {
            Value::Bool(b) => Ok(ConditionVerdict::from(b)),
            Value::Unknown(unknown) => Ok(ConditionVerdict::Unknown(unknown)),
            Value::Undefined(why) => Err(in_condition(self.suggest_variable(TemplateError::from_undefined(&why)))),
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
                Err(TemplateError::value(message).hint(hint))
            }
        }
    }

    /// Looks only at the syntax of a template.
    ///
    /// # Errors
    /// If the text is not a template.
    pub fn check_syntax(text: &Text) -> Result<(), TemplateError> {
        if !text.is_template() {
            return Ok(());
        }
        match parse::parse_template(text, &RenderOptions::default()) {
            Ok(_) => Ok(()),
            Err((fault, at)) => Err(fault.or_at(SourceMap::from_text(text).span(&at).as_ref())),
        }
    }

    /// Looks only at the syntax of a bare expression.
    ///
    /// # Errors
    /// If the text is not an expression.
    pub fn check_expression(text: &Text) -> Result<(), TemplateError> {
        match parse::parse_expression(text) {
            Ok(_) => Ok(()),
            Err((fault, at)) => Err(fault.or_at(SourceMap::from_text(text).span(&at).as_ref())),
        }
    }

    /// The members of a `with_` loop: all results of a lookup, which must be defined.
    ///
    /// # Errors
    /// If the lookup is unknown, or it fails.
    pub fn loop_lookup(&self, name: &str, args: PluginArgs, action: &str) -> Result<Vec<Value>, TemplateError> {
        let _evaluation = self.begin_evaluation();
        let items = self.run_deeper(|| self.run_lookup(name, args, Some(action)))?;
        match items.iter().find_map(|item| if let Value::Undefined(why) = item { Some(why) } else { None }) {
            Some(why) => Err(self.suggest_variable(TemplateError::from_undefined(why))),
            None => Ok(items),
        }
    }

    /// A result as plain data, strictly.
    pub(super) fn finalize_value(&self, value: Value) -> Result<Value, TemplateError> {
        let value = self.resolve_deep(value)?;
        if !budget::is_within(&value, budget::LARGEST_RESULT) {
            let message =
                format!("the result of this template is too large: more than {} MiB", budget::LARGEST_RESULT >> 20);
            return Err(TemplateError::new(TemplateErrorKind::Limit, message));
        }
        self.to_plain_data(value, true)
    }

    /// Tuples, views and sets as lists, no `omit` inside, nothing undefined. To be stored, or only to be printed.
    pub(super) fn to_plain_data(&self, value: Value, store: bool) -> Result<Value, TemplateError> {
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
            Value::Tainted(inner) => Ok(self.to_plain_data((*inner).clone(), store)?.into_tainted()),
            Value::Str(text) if text.is_quoted() => Ok(Value::Str(text.into_data())),
            Value::Str(_) => Ok(value),
            Value::Time(Time::Delta(_)) if store => {
                let fault = TemplateError::value("type 'timedelta' is unsupported for variable storage");
                Err(fault.hint("take a number of it, as in `(a - b).total_seconds()`"))
            }
            Value::Time(_) => Ok(value),
            Value::Undefined(why) => Err(self.undefined_error(&why)),
            Value::List(items) => {
                if items.iter().all(is_plain) {
                    return Ok(Value::List(items));
                }
                self.plain_items(&items, store)
            }
            // Python prints a tuple whose parts have names as a tuple, and any other as the list that it becomes.
            Value::Tuple(items) if !store && self.named_tuples.borrow().has_names(&items) => {
                let parts = items.iter().map(|part| self.to_plain_data(part.clone(), store));
                Ok(Value::tuple(parts.collect::<Result<Vec<_>, TemplateError>>()?))
            }
            Value::Tuple(items) | Value::Set(items) => self.plain_items(&items, store),
            Value::Dict(dict) => {
                if store && dict.keys().any(|key| matches!(key, Value::Tuple(_))) {
                    return Err(TemplateError::value("a key of a mapping cannot be a list, which tuples become"));
                }
                if dict.values().all(is_plain) {
                    return Ok(Value::Dict(dict));
                }
                let mut out = Dict::new();
                for (key, item) in dict.iter() {
                    match self.to_plain_data(item.clone(), store)? {
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

    fn plain_items(&self, items: &[Value], store: bool) -> Result<Value, TemplateError> {
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            match self.to_plain_data(item.clone(), store)? {
                Value::Omit => {}
                item => out.push(item),
            }
        }
        Ok(Value::list(out))
    }

    fn plain_object(&self, object: &dyn Object, store: bool) -> Result<Value, TemplateError> {
        if !store && let Some(text) = object.shown_text() {
            let text = Value::text(text);
            return Ok(if object.holds_secret() { text.into_tainted() } else { text });
        }
        if let Some(module) = object.as_any().downcast_ref::<ImportedModule>() {
            return self.to_plain_data(self.resolve_deep(module.output.clone())?, store);
        }
        match object_to_mapping(object) {
            Some(dict) => {
                let dict = self.resolve_deep(dict.into())?;
                self.to_plain_data(dict, store)
            }
            None => {
                let name = object.type_name();
                let fault = TemplateError::value(format!("type '{name}' is unsupported for variable storage"));
                Err(if name == "range" { fault.hint("write `range(..) | list`") } else { fault })
            }
        }
    }

    pub(super) fn undefined_error(&self, why: &Undefined) -> TemplateError {
        if why.is_caused_by(&UndefinedCause::NoElse) {
            let message = format!("{}; such a result is unsupported for variable storage", why.message);
            return TemplateError::undefined(message).or_at(why.span.as_ref()).hint("give the expression an `else`");
        }
        self.suggest_variable(TemplateError::from_undefined(why))
    }
}

/// The entries of an object that is like a mapping (`hostvars`): its members are keys.
pub fn object_to_mapping(object: &dyn Object) -> Option<Dict> {
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
fn plain_leniently(value: &Value) -> Result<Value, TemplateError> {
    Ok(match value {
        Value::Undefined(why) if why.failed.is_some() => return Err(TemplateError::from_undefined(why)),
        Value::List(items) | Value::Tuple(items) | Value::Set(items) => {
            let kept = items.iter().filter(|item| !matches!(item, Value::Omit));
            Value::list(kept.map(plain_leniently).collect::<Result<Vec<_>, _>>()?)
        }
        Value::Dict(dict) => {
            let kept = dict.iter().filter(|(_, item)| !matches!(item, Value::Omit));
            let kept = kept.map(|(key, item)| Ok((key.clone(), plain_leniently(item)?)));
            Value::Dict(Arc::new(kept.collect::<Result<Dict, TemplateError>>()?))
        }
        Value::Object(object) => match object_to_mapping(&**object) {
            Some(dict) => plain_leniently(&dict.into())?,
            None => match object.members() {
                Some(items) => Value::list(items.iter().map(plain_leniently).collect::<Result<Vec<_>, _>>()?),
                None => value.clone(),
            },
        },
        other => other.clone(),
    })
}

impl From<bool> for ConditionVerdict {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

/// Results say of what breaks inside a condition that it was one. That it is none at all says so by itself.
fn in_condition(fault: TemplateError) -> TemplateError {
    match fault.kind {
        TemplateErrorKind::Syntax | TemplateErrorKind::Untrusted => fault,
        _ => fault.during("Error while evaluating conditional"),
    }
}

fn untrusted_error() -> TemplateError {
    TemplateError::new(TemplateErrorKind::Untrusted, "encountered an untrusted template or expression")
        .hint("text that a module, a lookup or a template gave is data and is never evaluated")
}

fn format_error_mark(number: usize, fault: &TemplateError) -> String {
    format!("<< error {number} - {} >>", fault.message)
}

/// Ansible's words about a condition in braces.
const BRACES_RULE: &str = "Conditionals should not be surrounded by templating delimiters such as {{ }} or {% %}.";

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
