//! The budget of one evaluation: how many steps it may take, and how much memory it may fill.
//!
//! A template can name work without end in a few letters (`'x' | indent(10**10)`, lists that double in a loop). Whatever
//! makes something larger than what it was given asks here first: [`reserve_bytes`] for texts, [`grow_members`] for lists,
//! [`reserve_printed`] for data that is about to be written out. One result may have [`LARGEST`] bytes. What an evaluation keeps
//! altogether is measured, not estimated: after every `LOOK_EVERY` bytes that were asked for, the memory of the
//! process is looked at, so a long template that lets go of its results may run as long as it needs.
//!
//! An evaluation stays on its thread, and templates that use one another share the budget of the outermost one.

use std::cell::Cell;

use super::error::{TemplateError, TemplateErrorKind};
use crate::value::Value;

/// The longest text or list, in bytes, that one operation may make.
pub const LARGEST: usize = 64 << 20;
/// The most bytes that the result of a whole template may have.
pub const LARGEST_RESULT: usize = 1 << 30;
/// How many bytes are asked for between two looks at the memory of the process.
const LOOK_EVERY: u64 = 64 << 20;
/// Approximate number of bytes that one step may keep.
const BYTES_A_STEP: u64 = 64;
/// The steps of one evaluation, and the memory in bytes that it may fill, unless the environment has other limits.
const STEPS: u64 = if cfg!(test) { 10_000_000 } else { 1_000_000_000 };
const MEMORY: u64 = 1 << 30;

/// The environment variables that set other limits.
const STEPS_VARIABLE: &str = "IONPLAY_TEMPLATE_STEPS";
const MEMORY_VARIABLE: &str = "IONPLAY_TEMPLATE_MEMORY_MIB";

thread_local! {
    static BUDGET: Budget = const { Budget::new() };
}

struct Budget {
    /// How many evaluations are under way, one inside the other.
    nesting: Cell<u32>,
    steps: Cell<u64>,
    /// Bytes asked for since the last look.
    unseen: Cell<u64>,
    /// The memory of the process at the first look.
    before: Cell<Option<u64>>,
}

impl Budget {
    const fn new() -> Self {
        Self { nesting: Cell::new(0), steps: Cell::new(0), unseen: Cell::new(0), before: Cell::new(None) }
    }
}

/// An evaluation that is under way; the outermost one has a full budget.
#[must_use = "the evaluation ends when this is dropped"]
pub struct Evaluation(());

impl Evaluation {
    /// Begins an evaluation.
    pub fn begin() -> Self {
        BUDGET.with(|budget| {
            let nesting = budget.nesting.get();
            if nesting == 0 {
                budget.steps.set(limit_from(STEPS_VARIABLE, STEPS));
                budget.unseen.set(0);
                budget.before.set(None);
            }
            budget.nesting.set(nesting + 1);
        });
        Self(())
    }
}

impl Drop for Evaluation {
    fn drop(&mut self) {
        BUDGET.with(|budget| budget.nesting.set(budget.nesting.get().saturating_sub(1)));
    }
}

/// Takes steps.
///
/// # Errors
/// If there are none left.
pub fn spend_steps(steps: u64) -> Result<(), TemplateError> {
    BUDGET.with(|budget| {
        if budget.nesting.get() == 0 {
            return Ok(());
        }
        let left = budget.steps.get().checked_sub(steps).ok_or_else(too_many_steps)?;
        budget.steps.set(left);
        budget.request_bytes(steps.saturating_mul(BYTES_A_STEP))
    })
}

/// Asks for room for a text or a number of so many bytes.
///
/// # Errors
/// If it is too large, or the evaluation has filled its memory.
pub fn reserve_bytes(bytes: usize) -> Result<(), TemplateError> {
    if bytes > LARGEST {
        return Err(too_large());
    }
    BUDGET.with(|budget| if budget.nesting.get() == 0 { Ok(()) } else { budget.request_bytes(bytes as u64) })
}

/// Asks for room for a part of what a template prints, which as a whole may be larger than one operation may make.
///
/// # Errors
/// If the evaluation has filled its memory.
pub fn reserve_output(bytes: usize) -> Result<(), TemplateError> {
    BUDGET.with(|budget| if budget.nesting.get() == 0 { Ok(()) } else { budget.request_bytes(bytes as u64) })
}

/// Asks for room for a list of so many members.
///
/// # Errors
/// If it is too large, or the evaluation has filled its memory.
pub fn grow_members(count: usize) -> Result<(), TemplateError> {
    reserve_bytes(count.saturating_mul(size_of::<Value>()))
}

/// A text a number of times.
///
/// # Errors
/// If that is too large.
pub fn repeat_text(text: &str, times: usize) -> Result<String, TemplateError> {
    let times = if text.is_empty() { 0 } else { times };
    reserve_bytes(text.len().saturating_mul(times))?;
    Ok(text.repeat(times))
}

/// Asks for room for what is written of a value: the same list in many places counts as often as it is written.
/// `around` is what stands around a member at a depth (its indentation).
///
/// # Errors
/// If that is too large.
pub fn reserve_printed(value: &Value, around: impl Fn(usize) -> usize) -> Result<(), TemplateError> {
    let mut left = LARGEST;
    if subtract_size(value, 0, &around, &mut left) { reserve_bytes(LARGEST - left) } else { Err(too_large()) }
}

/// Whether a value, copied member by member, has at most so many bytes.
pub fn is_within(value: &Value, bytes: usize) -> bool {
    subtract_size(value, 0, &|_| size_of::<Value>(), &mut { bytes })
}

fn subtract_size(value: &Value, depth: usize, around: &dyn Fn(usize) -> usize, left: &mut usize) -> bool {
    if let Value::Tainted(inner) = value {
        return subtract_size(inner, depth, around, left);
    }
    let own = match value {
        Value::Str(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Big(number) => usize::try_from(number.bits() / 3).unwrap_or(usize::MAX),
        _ => 2,
    };
    let Some(rest) = left.checked_sub(own.saturating_add(around(depth)).saturating_add(2)) else { return false };
    *left = rest;
    match value {
        Value::List(items) | Value::Tuple(items) | Value::Set(items) => {
            items.iter().all(|item| subtract_size(item, depth + 1, around, left))
        }
        Value::Dict(dict) => dict
            .iter()
            .all(|(key, item)| subtract_size(key, depth, &|_| 0, left) && subtract_size(item, depth + 1, around, left)),
        _ => true,
    }
}

impl Budget {
    fn request_bytes(&self, bytes: u64) -> Result<(), TemplateError> {
        let bytes = bytes.min(LOOK_EVERY);
        let unseen = self.unseen.get() + bytes;
        self.unseen.set(unseen);
        // A long evaluation holds up everything else, the reaction to signals included.
        if (unseen ^ (unseen - bytes)) >> 20 != 0 && crate::interrupt::is_signalled() {
            return Err(TemplateError::new(TemplateErrorKind::Limit, "interrupted"));
        }
        if unseen < LOOK_EVERY { Ok(()) } else { self.check_memory() }
    }

    fn check_memory(&self) -> Result<(), TemplateError> {
        self.unseen.set(0);
        let Some(now) = resident_bytes() else { return Ok(()) };
        let Some(before) = self.before.get() else {
            self.before.set(Some(now));
            return Ok(());
        };
        let most = limit_from(MEMORY_VARIABLE, MEMORY >> 20).saturating_mul(1 << 20);
        if now.saturating_sub(before) <= most {
            return Ok(());
        }
        let message = format!("the template fills more than {} MiB of memory", most >> 20);
        Err(TemplateError::new(TemplateErrorKind::Limit, message)
            .hint(format!("if that is intended, set `{MEMORY_VARIABLE}`")))
    }
}

/// The memory of this process, where the system says it.
fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

fn limit_from(variable: &str, default: u64) -> u64 {
    thread_local! {
        /// The environment does not change under a run.
        static READ: std::cell::RefCell<Vec<(String, Option<u64>)>> = const { std::cell::RefCell::new(Vec::new()) };
    }
    READ.with_borrow_mut(|read| {
        if let Some((_, known)) = read.iter().find(|(name, _)| name == variable) {
            return known.unwrap_or(default);
        }
        let set = std::env::var(variable).ok().and_then(|text| text.trim().parse().ok());
        read.push((variable.to_owned(), set));
        set.unwrap_or(default)
    })
}

fn too_large() -> TemplateError {
    TemplateError::new(
        TemplateErrorKind::Limit,
        format!("the result of this operation is too large: it has more than {} MiB", LARGEST >> 20),
    )
}

fn too_many_steps() -> TemplateError {
    let steps = limit_from(STEPS_VARIABLE, STEPS);
    TemplateError::new(
        TemplateErrorKind::Limit,
        format!("the template takes too long: it was stopped after {steps} steps"),
    )
    .hint(format!("if that is intended, set `{STEPS_VARIABLE}` to a larger number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_that_is_too_large_is_refused() {
        assert!(reserve_bytes(LARGEST).is_ok());
        assert!(reserve_bytes(LARGEST + 1).is_err() && grow_members(usize::MAX).is_err());
        assert!(repeat_text("ab", usize::MAX).is_err() && repeat_text("", usize::MAX).is_ok());
    }

    #[test]
    fn shared_list_counts_at_every_place() {
        let doubled = |times| (0..times).fold(Value::Int(1), |inner, _| Value::list([inner.clone(), inner]));
        assert!(reserve_printed(&doubled(10), |_| 0).is_ok());
        assert!(reserve_printed(&doubled(60), |_| 0).is_err());
        assert!(reserve_printed(&Value::list([Value::Int(1)]), |depth| depth * usize::MAX).is_err());
    }

    #[test]
    fn steps_of_nested_evaluations_are_those_of_the_outermost() {
        assert!(spend_steps(u64::MAX).is_ok(), "nothing is counted outside of an evaluation");
        let outer = Evaluation::begin();
        assert!(spend_steps(STEPS - 10).is_ok());
        let inner = Evaluation::begin();
        assert!(spend_steps(11).is_err());
        drop(inner);
        drop(outer);
        let _again = Evaluation::begin();
        assert!(spend_steps(STEPS).is_ok());
    }
}
