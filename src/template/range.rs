//! What `range(..)` gives.

use std::any::Any;

use super::index::index;
use crate::value::{Object, Value};

/// `range(..)`
#[derive(Debug, Clone, Copy)]
pub struct Range {
    /// The first member.
    pub start: i64,
    /// The bound that is not reached.
    pub stop: i64,
    /// The distance, never zero.
    pub step: i64,
}

impl Range {
    /// Whether a number is a member.
    pub fn contains(&self, number: i64) -> bool {
        let (low, high) = if self.step > 0 { (self.start, self.stop) } else { (self.stop + 1, self.start + 1) };
        let distance = i128::from(number) - i128::from(self.start);
        (low..high).contains(&number) && distance % i128::from(self.step) == 0
    }

    /// The number of members.
    pub fn count(&self) -> usize {
        let (low, high) = if self.step > 0 { (self.start, self.stop) } else { (self.stop, self.start) };
        if low >= high {
            return 0;
        }
        let distance = (i128::from(high) - i128::from(low) - 1) / i128::from(self.step.unsigned_abs());
        usize::try_from(distance + 1).unwrap_or(usize::MAX)
    }
}

/// How many members a list may have that is made of a range.
const MOST_MEMBERS: i64 = 4_000_000;

impl Object for Range {
    fn type_name(&self) -> &'static str {
        "range"
    }

    fn get(&self, key: &Value) -> Option<Value> {
        let at = i64::try_from(index(key, self.count())?).ok()?;
        Some(Value::Int(self.start + at * self.step))
    }

    fn members(&self) -> Option<Vec<Value>> {
        let count = i64::try_from(self.count()).ok().filter(|count| *count <= MOST_MEMBERS)?;
        Some((0..count).map(|at| Value::Int(self.start + at * self.step)).collect())
    }

    fn length(&self) -> Option<usize> {
        Some(self.count())
    }

    fn shown_text(&self) -> Option<String> {
        let Self { start, stop, step } = self;
        Some(if *step == 1 { format!("range({start}, {stop})") } else { format!("range({start}, {stop}, {step})") })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
