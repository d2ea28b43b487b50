//! Changes of other modules: files and commands.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::value::KNOWN_AFTER_CREATION;

/// A predicted change of a module in one loop item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedEffect {
    /// The name of the task.
    pub task: String,
    /// The host.
    pub host: String,
    /// The item of the loop, in a loop.
    pub item: Option<String>,
    /// Which of the three.
    pub does: EffectKind,
}

/// Whether a module would change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EffectKind {
    /// No; plans do not hold it.
    Nothing,
    /// Yes.
    Change,
    /// Only the real run can say: it runs something, or waits for a value.
    Unknown,
}

/// Why a real run may not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EffectRefusal {
    /// Something before it was not in the plan.
    #[error("the run was stopped because it left the plan; nothing more is done")]
    Stopped,
    /// The plan does not have it.
    #[error("{deviation}; it was not done, and nothing more is")]
    NotPlanned {
        /// The sentence about what left the plan.
        deviation: String,
    },
}

/// Is told what dry runs come to, and asked what real runs may do.
pub trait EffectObserver {
    /// A dry run has come to this.
    fn record_prediction(&self, _deed: PlannedEffect) {}

    /// Whether a real run may do this.
    ///
    /// # Errors
    /// If it is not in the plan, or something before it was not.
    fn authorize_effect(&self, _deed: &PlannedEffect) -> Result<(), EffectRefusal> {
        Ok(())
    }
}

/// Returns whether the plan contains this change, or marks it as unknown.
pub fn is_predicted(planned: &[PlannedEffect], real: &PlannedEffect) -> bool {
    let same = |effect: &&PlannedEffect| {
        let same_item = match (&effect.item, &real.item) {
            (Some(planned), Some(real)) => is_same_item(planned, real),
            (planned, real) => planned == real,
        };
        effect.task == real.task && effect.host == real.host && same_item
    };
    match real.does {
        EffectKind::Nothing => true,
        EffectKind::Change => planned.iter().any(|effect| same(&effect)),
        EffectKind::Unknown => planned.iter().any(|effect| same(&effect) && effect.does == EffectKind::Unknown),
    }
}

/// Whether an item of a loop is the planned one. A mapping or a list is compared part by part.
fn is_same_item(planned: &str, real: &str) -> bool {
    let read = |text: &str| -> Option<Value> {
        text.starts_with(['{', '[']).then(|| serde_json::from_str(text).ok()).flatten()
    };
    match (read(planned), read(real)) {
        (Some(planned), Some(real)) => is_same_part(&planned, &real),
        _ => is_same_text(planned, real),
    }
}

fn is_same_part(planned: &Value, real: &Value) -> bool {
    match (planned, real) {
        (Value::Object(planned), Value::Object(real)) => {
            // The real run of a task tells more in its result than the dry run could.
            let is_result = planned.contains_key("changed");
            (is_result || planned.len() == real.len())
                && planned.iter().all(|(key, planned)| real.get(key).is_some_and(|real| is_same_part(planned, real)))
        }
        (Value::Array(planned), Value::Array(real)) => {
            planned.len() == real.len() && planned.iter().zip(real).all(|(planned, real)| is_same_part(planned, real))
        }
        (Value::String(planned), _) if planned == KNOWN_AFTER_CREATION => true,
        (Value::String(planned), Value::String(real)) => is_same_text(planned, real),
        (planned, real) => planned == real,
    }
}

/// Whether a text is the planned one. Where the plan could not know a part of it, anything may stand: the items
/// of a loop over results have ids and passwords in them that are known only by now.
fn is_same_text(planned: &str, real: &str) -> bool {
    let mut parts = planned.split(KNOWN_AFTER_CREATION);
    let Some(mut rest) = parts.next().and_then(|first| real.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        // Text is quoted where the unknown was not.
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_foretold_may_be_done() {
        let effect = |item: &str, does| PlannedEffect {
            task: "t".to_owned(),
            host: "h".to_owned(),
            item: Some(item.to_owned()),
            does,
        };
        let planned = [effect("a", EffectKind::Change), effect("b", EffectKind::Unknown)];
        for (item, does, may) in [
            ("a", EffectKind::Nothing, true),
            ("a", EffectKind::Change, true),
            ("a", EffectKind::Unknown, false),
            ("b", EffectKind::Change, true),
            ("b", EffectKind::Unknown, true),
            ("c", EffectKind::Nothing, true),
            ("c", EffectKind::Change, false),
        ] {
            assert_eq!(is_predicted(&planned, &effect(item, does)), may, "{item} {does:?}");
        }
    }

    #[test]
    fn item_with_unknown_parts_is_the_planned_one_where_the_known_parts_are() {
        let planned = r#"{"id": "<known after creation>", "name": "a", "password": "<known after creation>"}"#;
        assert!(is_same_item(planned, r#"{"id": "1", "name": "a", "password": "********"}"#));
        assert!(!is_same_item(planned, r#"{"id": "1", "name": "b", "password": "********"}"#));
        assert!(!is_same_item(planned, r#"{"id": "1", "name": "a", "password": "x", "more": 1}"#));
        assert!(
            is_same_item("x-<known after creation>-y", "x-1-y") && !is_same_item("x-<known after creation>-y", "1-y")
        );
        let result = r#"{"changed": true, "failed": false}"#;
        assert!(is_same_item(result, r#"{"changed": true, "failed": false, "dest": "/etc/motd"}"#));
        assert!(!is_same_item(result, r#"{"changed": false, "failed": false}"#));
        assert!(is_same_item("a", "a") && !is_same_item("a", "ab") && !is_same_item("ab", "a"));
    }
}
