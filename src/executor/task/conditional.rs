//! `when`, `changed_when`, `failed_when`, `until`: conditions and what they do to a result.

use std::sync::Arc;

use crate::playbook::{Keyword, Task};
use crate::template::{ConditionVerdict, TemplateEngine, TemplateError};
use crate::value::{Unknown, Value};
use crate::yaml::YamlNode;

/// Verdict on a list of conditions.
#[derive(Debug)]
pub enum ConditionOutcome {
    /// All hold.
    Holds,
    /// This one does not; as it is written.
    Fails(Value),
    /// This one cannot be known before something has been created.
    Unknown(Arc<Unknown>),
}

impl ConditionOutcome {
    /// Returns whether the conditions are true, or the unknown value that decides.
    ///
    /// # Errors
    /// The first unknown that decides.
    pub fn into_result(self) -> Result<bool, Arc<Unknown>> {
        match self {
            Self::Holds => Ok(true),
            Self::Fails(_) => Ok(false),
            Self::Unknown(unknown) => Err(unknown),
        }
    }
}

/// Evaluates the `when` conditions around and at a task, outermost first.
///
/// # Errors
/// If a condition cannot be evaluated.
pub fn evaluate_when(engine: &TemplateEngine<'_>, task: &Task) -> Result<ConditionOutcome, TemplateError> {
    let mut unknown = None;
    for node in task.keyword_all(Keyword::When) {
        match evaluate_conditions(engine, &node.to_value()) {
            Ok(ConditionOutcome::Holds) => {}
            Ok(ConditionOutcome::Unknown(first)) => _ = unknown.get_or_insert(first),
            Ok(fails) => return Ok(fails),
            // It may be the unknown one that guards against this.
            Err(_) if unknown.is_some() => {}
            Err(fault) => return Err(fault.or_at(Some(node.span()))),
        }
    }
    Ok(unknown.map_or(ConditionOutcome::Holds, ConditionOutcome::Unknown))
}

/// Evaluates a condition, or a list of them from left to right until one does not hold. One that is false decides, also
/// after one that is not known yet.
///
/// # Errors
/// If a condition cannot be evaluated.
pub fn evaluate_conditions(engine: &TemplateEngine<'_>, written: &Value) -> Result<ConditionOutcome, TemplateError> {
    let conditions: Vec<Value> = match written {
        Value::List(items) => items.to_vec(),
        one => vec![one.clone()],
    };
    let mut unknown = None;
    for condition in conditions {
        match engine.evaluate_condition(&condition) {
            Ok(ConditionVerdict::True) => {}
            Ok(ConditionVerdict::False) => return Ok(ConditionOutcome::Fails(condition)),
            Ok(ConditionVerdict::Unknown(first)) => _ = unknown.get_or_insert(first),
            Err(_) if unknown.is_some() => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(unknown.map_or(ConditionOutcome::Holds, ConditionOutcome::Unknown))
}

/// The conditions of a keyword. An empty list is as good as none, and so is `until` without a value.
pub fn find_conditions(task: &Task, keyword: Keyword) -> Option<&YamlNode> {
    let node = task.keywords.node(keyword)?;
    let nothing = keyword == Keyword::Until && node.is_null();
    (!nothing && !node.items().is_some_and(<[YamlNode]>::is_empty)).then_some(node)
}

/// Whether a keyword's conditions hold; `None` if the task has none.
///
/// # Errors
/// If a condition cannot be evaluated.
pub fn evaluate_keyword(
    engine: &TemplateEngine<'_>,
    task: &Task,
    keyword: Keyword,
) -> Result<Option<ConditionOutcome>, TemplateError> {
    let Some(node) = find_conditions(task, keyword) else { return Ok(None) };
    // Unlike in `when`, nothing is not a condition here.
    if node.is_null() || node.items().is_some_and(|items| items.iter().any(YamlNode::is_null)) {
        return Err(TemplateError::value("Empty conditional expressions are not allowed.").or_at(Some(node.span())));
    }
    evaluate_conditions(engine, &node.to_value()).map(Some).map_err(|fault| fault.or_at(Some(node.span())))
}
