//! `when`, `changed_when`, `failed_when`, `until`: conditions and what they do to a result.

use std::sync::Arc;

use crate::playbook::{Keyword, Task};
use crate::template::{Engine, Fault, Verdict};
use crate::value::{Unknown, Value};

/// What a list of conditions comes to.
#[derive(Debug)]
pub enum Answer {
    /// All hold.
    Holds,
    /// This one does not; as it is written.
    Fails(Value),
    /// This one cannot be known before something has been created.
    Unknown(Arc<Unknown>),
}

/// Evaluates the `when` conditions around and at a task, outermost first.
///
/// # Errors
/// If a condition cannot be evaluated.
pub fn when(engine: &Engine<'_>, task: &Task) -> Result<Answer, Fault> {
    for node in task.keyword_all(Keyword::When) {
        match all(engine, &node.to_value()).map_err(|fault| fault.or_at(Some(node.span())))? {
            Answer::Holds => {}
            other => return Ok(other),
        }
    }
    Ok(Answer::Holds)
}

/// Evaluates a condition, or a list of them from left to right until one does not hold.
///
/// # Errors
/// If a condition cannot be evaluated.
pub fn all(engine: &Engine<'_>, written: &Value) -> Result<Answer, Fault> {
    let conditions: Vec<Value> = match written {
        Value::List(items) => items.to_vec(),
        one => vec![one.clone()],
    };
    for condition in conditions {
        match engine.condition(&condition)? {
            Verdict::True => {}
            Verdict::False => return Ok(Answer::Fails(condition)),
            Verdict::Unknown(unknown) => return Ok(Answer::Unknown(unknown)),
        }
    }
    Ok(Answer::Holds)
}

/// Whether a keyword's conditions hold; `None` if the task does not have it.
///
/// # Errors
/// If a condition cannot be evaluated.
pub fn holds(engine: &Engine<'_>, task: &Task, keyword: Keyword) -> Result<Option<bool>, Fault> {
    let Some(node) = task.keywords.node(keyword).filter(|node| !node.is_null()) else { return Ok(None) };
    let answer = all(engine, &node.to_value()).map_err(|fault| fault.or_at(Some(node.span())))?;
    Ok(Some(matches!(answer, Answer::Holds)))
}
