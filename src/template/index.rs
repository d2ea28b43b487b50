//! Where an index points.

use crate::value::Value;

/// An index into a row of so many members.
pub(super) fn index(key: &Value, length: usize) -> Option<usize> {
    let at = match key.below_taint() {
        Value::Int(i) => *i,
        Value::Bool(b) => i64::from(*b),
        _ => return None,
    };
    let length = i64::try_from(length).ok()?;
    let at = if at < 0 { at + length } else { at };
    (0..length).contains(&at).then(|| usize::try_from(at).ok()).flatten()
}
