//! `loop`, `with_*` and `loop_control`.

use std::time::Duration;

use super::conditional::{self, ConditionOutcome};
use crate::playbook::task::Loop;
use crate::playbook::task_checks::LOOP_CONTROL;
use crate::playbook::{Keyword, Task};
use crate::template::python::text::boolean_word;
use crate::template::{PluginArgs, TemplateEngine, TemplateError, TemplateErrorKind};
use crate::value::{Dict, Value, is_variable_name, python};
use crate::yaml::{MappingEntry, YamlNode};

/// Items of a loop.
#[derive(Debug)]
pub enum Items {
    /// The members.
    Known(Vec<Value>),
    /// The list is unknown: one row represents all items.
    Unknown(Value),
}

/// Details of a loop.
#[derive(Debug, Clone)]
pub struct LoopControl {
    /// The name of the loop variable.
    pub variable: String,
    /// The name of the index variable.
    pub index: Option<String>,
    /// Label of an item in output, as written.
    pub label: Option<Value>,
    /// Pause between loop items.
    pub pause: Duration,
    /// `ansible_loop` is wanted, with all items or without.
    pub extended: Option<bool>,
    /// Conditions that end the loop, as written.
    pub break_when: Option<YamlNode>,
}

impl Default for LoopControl {
    fn default() -> Self {
        Self {
            variable: "item".to_owned(),
            index: None,
            label: None,
            pause: Duration::ZERO,
            extended: None,
            break_when: None,
        }
    }
}

/// The name of a variable that a loop sets.
fn read_variable_name(entry: &MappingEntry, value: &Value) -> Result<String, TemplateError> {
    let name = python::str(value);
    match is_variable_name(&name) {
        true => Ok(name),
        false => Err(TemplateError::value(format!("Invalid variable name {}.", python::repr(value)))
            .or_at(Some(entry.value.span()))),
    }
}

impl LoopControl {
    /// Reads `loop_control`.
    ///
    /// # Errors
    /// For an unknown option, a template that fails or a value of the wrong type.
    pub fn read(engine: &TemplateEngine<'_>, task: &Task) -> Result<Self, TemplateError> {
        let mut control = Self::default();
        let Some(node) = task.keywords.node(Keyword::LoopControl) else { return Ok(control) };
        let mut all_items = true;
        for entry in node.entries().unwrap_or_default() {
            let name = entry.key.as_str().unwrap_or_default();
            let value = || engine.evaluate_value(&entry.value.to_value());
            match name {
                "loop_var" => control.variable = read_variable_name(entry, &value()?)?,
                "index_var" => control.index = Some(python::str(&value()?)),
                "label" => control.label = Some(entry.value.to_value()),
                "pause" => {
                    let seconds = value()?;
                    let seconds: f64 = python::str(&seconds).parse().map_err(|_| {
                        TemplateError::value(format!(
                            "Error processing keyword 'pause': The value {} could not be converted to 'float'.",
                            python::repr(&seconds)
                        ))
                        .or_at(Some(entry.value.span()))
                    })?;
                    control.pause = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX);
                }
                "extended" => control.extended = Some(read_flag(entry, &value()?)?).filter(|on| *on),
                "extended_allitems" => all_items = read_flag(entry, &value()?)?,
                "break_when" => control.break_when = Some(entry.value.clone()),
                other => {
                    return Err(TemplateError::value(format!("`{other}` is not an option of `loop_control`"))
                        .suggest_name(other, LOOP_CONTROL)
                        .or_at(Some(entry.key.span())));
                }
            }
        }
        control.extended = control.extended.map(|_| all_items);
        Ok(control)
    }

    /// The variables of an item.
    pub fn build_item_variables(&self, items: &[Value], index: usize) -> Dict {
        let mut vars = Dict::with_capacity(2);
        vars.set(self.variable.as_str(), items[index].clone());
        vars.set("ansible_loop_var", Value::name(&self.variable));
        if let Some(name) = &self.index {
            vars.set(name.as_str(), index.into());
            vars.set("ansible_index_var", name.as_str().into());
        }
        if let Some(all_items) = self.extended {
            vars.set("ansible_loop", self.build_extended(items, index, all_items).into());
        }
        vars
    }

    fn build_extended(&self, items: &[Value], index: usize, all_items: bool) -> Dict {
        let length = items.len();
        let mut extended = Dict::new();
        if all_items {
            extended.set("allitems", Value::list(items.iter().cloned()));
        }
        extended.set("index", (index + 1).into());
        extended.set("index0", index.into());
        extended.set("first", (index == 0).into());
        extended.set("last", (index + 1 == length).into());
        extended.set("length", length.into());
        extended.set("revindex", (length - index).into());
        extended.set("revindex0", (length - index - 1).into());
        if let Some(next) = items.get(index + 1) {
            extended.set("nextitem", next.clone());
        }
        if let Some(previous) = index.checked_sub(1).and_then(|i| items.get(i)) {
            extended.set("previtem", previous.clone());
        }
        extended
    }

    /// Whether the loop ends after this item.
    ///
    /// # Errors
    /// If a condition cannot be evaluated.
    pub fn needs_break(&self, engine: &TemplateEngine<'_>) -> Result<bool, TemplateError> {
        match &self.break_when {
            Some(node) => {
                Ok(matches!(conditional::evaluate_conditions(engine, &node.to_value())?, ConditionOutcome::Holds))
            }
            None => Ok(false),
        }
    }
}

fn read_flag(entry: &MappingEntry, value: &Value) -> Result<bool, TemplateError> {
    boolean_word(value).ok_or_else(|| {
        let name = entry.key.as_str().unwrap_or_default();
        TemplateError::value(format!("`{name}` must be a boolean, not `{}`", python::str(value)))
            .or_at(Some(entry.value.span()))
    })
}

/// The members that a task's loop runs over.
///
/// # Errors
/// If the list cannot be made, or is none.
pub fn evaluate_items(engine: &TemplateEngine<'_>, looping: &Loop, action: &str) -> Result<Items, TemplateError> {
    let node = looping.node();
    let at = |fault: TemplateError| fault.or_at(Some(node.span()));
    match looping {
        Loop::List(_) => {
            let value = engine.evaluate_value(&node.to_value()).map_err(at)?;
            match &value {
                Value::List(items) => Ok(Items::Known(items.iter().cloned().map(Value::into_stored).collect())),
                Value::Unknown(_) => Ok(Items::Unknown(value)),
                other => Err(at(TemplateError::value(format!(
                    "The `loop` value must resolve to a 'list', not '{}'.",
                    other.type_name()
                ))
                .hint(match other {
                    Value::Dict(_) => "turn a mapping into a list with `| dict2items`".to_owned(),
                    Value::Str(_) => "wrap it in brackets for one item, or use `| split(',')`".to_owned(),
                    _ => "write a list, or a template that gives one".to_owned(),
                }))),
            }
        }
        Loop::With(lookup, _) => {
            let terms = evaluate_terms(engine, lookup, node).map_err(at)?;
            if let Some(unknown) = terms.iter().find(|term| term.is_unknown()) {
                return Ok(Items::Unknown(unknown.clone()));
            }
            let args = PluginArgs { positional: terms, named: Vec::new() };
            let items = engine.loop_lookup(lookup, args, action).map_err(at)?;
            Ok(Items::Known(items.into_iter().map(Value::into_stored).collect()))
        }
    }
}

/// Returns the terms of a `with_*`: the members of a list, or one other value. `first_found` may skip undefined terms.
fn evaluate_terms(engine: &TemplateEngine<'_>, lookup: &str, node: &YamlNode) -> Result<Vec<Value>, TemplateError> {
    let written = node.to_value();
    let value = match (&written, lookup) {
        (Value::List(items), "first_found") => {
            let known: Result<Vec<Value>, TemplateError> = items
                .iter()
                .map(|item| engine.evaluate_value(item))
                .filter(|item| !matches!(item, Err(fault) if fault.kind == TemplateErrorKind::Undefined))
                .collect();
            Value::list(known?)
        }
        _ => engine.evaluate_value(&written)?,
    };
    Ok(match value {
        Value::List(items) => items.to_vec(),
        other => vec![other],
    })
}
