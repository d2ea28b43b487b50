//! `when`, `changed_when`, `failed_when`, `until`: conditions and what they do to a result.

use std::sync::Arc;

use crate::playbook::{Keyword, Task};
use crate::template::{Engine, Fault, Verdict};
use crate::value::{Unknown, Value};
use crate::yaml::Node;

/// Verdict on a list of conditions.
#[derive(Debug)]
pub enum Answer {
    /// All hold.
    Holds,
    /// This one does not; as it is written.
    Fails(Value),
    /// This one cannot be known before something has been created.
    Unknown(Arc<Unknown>),
}

impl Answer {
    /// Whether they hold, or what has to be known for that.
    ///
    /// # Errors
    /// The first unknown that decides.
    pub fn verdict(self) -> Result<bool, Arc<Unknown>> {
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
pub fn when(engine: &Engine<'_>, task: &Task) -> Result<Answer, Fault> {
    let mut unknown = None;
    for node in task.keyword_all(Keyword::When) {
        match all(engine, &node.to_value()) {
            Ok(Answer::Holds) => {}
            Ok(Answer::Unknown(first)) => _ = unknown.get_or_insert(first),
            Ok(fails) => return Ok(fails),
            // It may be the unknown one that guards against this.
            Err(_) if unknown.is_some() => {}
            Err(fault) => return Err(fault.or_at(Some(node.span()))),
        }
    }
    Ok(unknown.map_or(Answer::Holds, Answer::Unknown))
}

/// Evaluates a condition, or a list of them from left to right until one does not hold. One that is false decides, also
/// after one that is not known yet.
///
/// # Errors
/// If a condition cannot be evaluated.
pub fn all(engine: &Engine<'_>, written: &Value) -> Result<Answer, Fault> {
    let conditions: Vec<Value> = match written {
        Value::List(items) => items.to_vec(),
        one => vec![one.clone()],
    };
    let mut unknown = None;
    for condition in conditions {
        if let Value::List(_) = condition {
            return Err(Fault::value("a condition must be text or a boolean, not a list in a list"));
        }
        match engine.condition(&condition) {
            Ok(Verdict::True) => {}
            Ok(Verdict::False) => return Ok(Answer::Fails(condition)),
            Ok(Verdict::Unknown(first)) => _ = unknown.get_or_insert(first),
            Err(_) if unknown.is_some() => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(unknown.map_or(Answer::Holds, Answer::Unknown))
}

/// The conditions of a keyword. An empty list is as good as none, and so is `until` without a value.
pub fn asked(task: &Task, keyword: Keyword) -> Option<&Node> {
    let node = task.keywords.node(keyword)?;
    let nothing = keyword == Keyword::Until && node.is_null();
    (!nothing && !node.items().is_some_and(<[Node]>::is_empty)).then_some(node)
}

/// Whether a keyword's conditions hold; `None` if the task has none.
///
/// # Errors
/// If a condition cannot be evaluated.
pub fn judge(engine: &Engine<'_>, task: &Task, keyword: Keyword) -> Result<Option<Answer>, Fault> {
    let Some(node) = asked(task, keyword) else { return Ok(None) };
    // Unlike in `when`, nothing is no condition here.
    if node.is_null() || node.items().is_some_and(|items| items.iter().any(Node::is_null)) {
        return Err(Fault::value("Empty conditional expressions are not allowed.").or_at(Some(node.span())));
    }
    all(engine, &node.to_value()).map(Some).map_err(|fault| fault.or_at(Some(node.span())))
}
