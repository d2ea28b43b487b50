//! The order in which Python's sets give their members.
//!
//! Text is spread anew in every run of Python, so playbooks cannot rely on its order and it stays in the order of its
//! coming. Numbers have the same places every time, and playbooks do rely on that without knowing.

use crate::value::Value;

/// The results of the set filters, as `list(set(a) OP set(b))` would give them. All members can be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `a | b`
    Union,
    /// `a & b`
    Intersection,
    /// `a - b`
    Difference,
    /// `a ^ b`
    SymmetricDifference,
}

/// Carries out an operation on two lists of numbers; `None` if anything in them is not a number.
pub fn combine_sets(operation: Operation, a: &[Value], b: &[Value]) -> Option<Vec<Value>> {
    let (a, b) = (Table::from_values(a)?, Table::from_values(b)?);
    let mut out = match operation {
        Operation::Union => {
            let mut out = Table::default();
            out.merge_table(&a);
            out.merge_table(&b);
            out
        }
        Operation::Intersection => {
            // The smaller one is walked.
            let (large, small) = if b.used > a.used { (b, a) } else { (a, b) };
            let mut out = Table::default();
            small.entries().filter(|entry| large.has_entry(entry)).for_each(|entry| out.add(entry.clone()));
            out
        }
        Operation::Difference if a.used >> 2 > b.used => {
            let mut out = Table::default();
            out.merge_table(&a);
            out.discard_all(&b);
            out
        }
        Operation::Difference => {
            let mut out = Table::default();
            a.entries().filter(|entry| !b.has_entry(entry)).for_each(|entry| out.add(entry.clone()));
            out
        }
        Operation::SymmetricDifference => {
            let mut out = Table::default();
            out.merge_table(&b);
            for entry in a.entries() {
                if !out.remove(entry) {
                    out.add(entry.clone());
                }
            }
            out
        }
    };
    let order = std::mem::take(&mut out.slots);
    Some(
        order
            .into_iter()
            .filter_map(|slot| if let Slot::Taken(entry) = slot { Some(entry.value) } else { None })
            .collect(),
    )
}

#[derive(Clone)]
struct Entry {
    hash: i64,
    value: Value,
}

#[derive(Clone)]
enum Slot {
    Free,
    /// Once taken; a search goes on behind it.
    Gone,
    Taken(Entry),
}

/// A table of slots as CPython lays it out: a power of two of them, at most three fifths taken.
#[derive(Clone)]
struct Table {
    slots: Vec<Slot>,
    fill: usize,
    used: usize,
}

impl Default for Table {
    fn default() -> Self {
        Self { slots: vec![Slot::Free; 8], fill: 0, used: 0 }
    }
}

/// Slots that are looked at in a row before the search jumps.
const ROW: usize = 9;

impl Table {
    fn from_values(values: &[Value]) -> Option<Self> {
        let mut table = Self::default();
        for value in values {
            table.add(Entry { hash: hash(value)?, value: value.clone() });
        }
        Some(table)
    }

    fn index_mask(&self) -> usize {
        self.slots.len() - 1
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.slots.iter().filter_map(|slot| if let Slot::Taken(entry) = slot { Some(entry) } else { None })
    }

    /// The slot of an entry that is there, or the free one where it would go.
    fn find_slot(&self, entry: &Entry) -> (usize, bool) {
        let mask = self.index_mask();
        #[expect(
            clippy::cast_sign_loss,
            clippy::cast_possible_truncation,
            reason = "Python takes the bits as they are"
        )]
        let mut rest = entry.hash as usize;
        let mut at = rest & mask;
        loop {
            let row = if at + ROW <= mask { ROW } else { 0 };
            for index in at..=at + row {
                match &self.slots[index] {
                    Slot::Free => return (index, false),
                    Slot::Taken(other) if other.hash == entry.hash && other.value == entry.value => {
                        return (index, true);
                    }
                    _ => {}
                }
            }
            rest >>= 5;
            at = at.wrapping_mul(5).wrapping_add(1).wrapping_add(rest) & mask;
        }
    }

    fn has_entry(&self, entry: &Entry) -> bool {
        self.find_slot(entry).1
    }

    fn add(&mut self, entry: Entry) {
        let (at, known) = self.find_slot(&entry);
        if known {
            return;
        }
        self.slots[at] = Slot::Taken(entry);
        self.fill += 1;
        self.used += 1;
        if self.fill * 5 >= self.index_mask() * 3 {
            self.grow_slots();
        }
    }

    fn grow_slots(&mut self) {
        self.resize_slots(if self.used > 50_000 { self.used * 2 } else { self.used * 4 });
    }

    /// Room for more than so many.
    fn resize_slots(&mut self, least: usize) {
        let mut size = 8;
        while size <= least {
            size *= 2;
        }
        let old = std::mem::replace(&mut self.slots, vec![Slot::Free; size]);
        self.fill = self.used;
        for slot in old {
            if let Slot::Taken(entry) = slot {
                let (at, _) = self.find_slot(&entry);
                self.slots[at] = Slot::Taken(entry);
            }
        }
    }

    fn merge_table(&mut self, other: &Self) {
        if (self.fill + other.used) * 5 >= self.index_mask() * 3 {
            self.resize_slots((self.used + other.used) * 2);
        }
        if self.fill == 0 && self.slots.len() == other.slots.len() && other.fill == other.used {
            self.clone_from(other);
        } else {
            other.entries().for_each(|entry| self.add(entry.clone()));
        }
    }

    fn remove(&mut self, entry: &Entry) -> bool {
        let (at, known) = self.find_slot(entry);
        if known {
            self.slots[at] = Slot::Gone;
            self.used -= 1;
        }
        known
    }

    fn discard_all(&mut self, other: &Self) {
        for entry in other.entries() {
            self.remove(entry);
        }
        if self.fill - self.used > self.index_mask() / 4 {
            self.grow_slots();
        }
    }
}

/// The prime that numbers are taken modulo: two to the power of 61, less one.
const PRIME: u64 = (1 << 61) - 1;

/// Python's hash of a number.
fn hash(value: &Value) -> Option<i64> {
    let signed = |magnitude: u64, negative: bool| {
        let hash = i64::try_from(magnitude).unwrap_or(0);
        match if negative { -hash } else { hash } {
            -1 => -2,
            hash => hash,
        }
    };
    match value {
        Value::Bool(b) => Some(i64::from(*b)),
        Value::Int(i) => Some(signed(i.unsigned_abs() % PRIME, *i < 0)),
        Value::Float(f) if f.is_finite() => {
            // The value is `mantissa * 2^exponent`, and two to the power of 61 is one.
            let bits = f.abs().to_bits();
            let (raw, fraction) = ((bits >> 52) as i64, bits & ((1 << 52) - 1));
            let (mantissa, exponent) = if raw == 0 { (fraction, -1074) } else { (fraction | 1 << 52, raw - 1075) };
            let turn = u32::try_from(exponent.rem_euclid(61)).unwrap_or(0);
            let wide = u128::from(mantissa) << turn;
            let magnitude = u64::try_from(wide % u128::from(PRIME)).unwrap_or(0);
            Some(signed(magnitude, f.is_sign_negative()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn list(numbers: &[i64]) -> Vec<Value> {
        numbers.iter().map(|number| Value::Int(*number)).collect()
    }

    #[track_caller]
    fn case(operation: Operation, a: &[i64], b: &[i64], result: &[i64]) {
        assert_eq!(combine_sets(operation, &list(a), &list(b)).unwrap(), list(result));
    }

    #[test]
    fn orders_are_those_of_python() {
        case(Operation::Union, &[5, 1], &[9, 3], &[1, 3, 5, 9]);
        case(Operation::Union, &[33, 1], &[17, 9], &[33, 9, 1, 17]);
        case(Operation::Intersection, &[3, 2, 2, 1], &[2, 3], &[2, 3]);
        case(Operation::Difference, &[40, 30, 20, 10], &[20], &[40, 10, 30]);
        case(Operation::Difference, &[-1, -2, 7, 100], &[7], &[100, -1, -2]);
        case(Operation::SymmetricDifference, &[8, 16, 3], &[16, 24], &[24, 3, 8]);
    }

    #[test]
    fn hashes_are_those_of_python() {
        for (value, expected) in [
            (Value::Int(-1), -2),
            (Value::Float(2.0), 2),
            (Value::Float(0.5), 1_152_921_504_606_846_976),
            (Value::Float(-1.5), -1_152_921_504_606_846_977),
            (Value::Float(1e300), 1_224_995_262_755_759_164),
        ] {
            assert_eq!(hash(&value), Some(expected), "{value:?}");
        }
    }

    #[test]
    fn text_is_left_to_the_caller() {
        assert!(combine_sets(Operation::Union, &[Value::text("a")], &[]).is_none());
    }

    #[test]
    fn duplicate_members_are_dropped() {
        let numbers: Vec<i64> = (0..200).chain(50..150).collect();
        let result = combine_sets(Operation::Union, &list(&numbers), &[]).unwrap();
        assert_eq!(result.iter().collect::<HashSet<_>>().len(), 200);
        assert_eq!(result.len(), 200);
    }
}
