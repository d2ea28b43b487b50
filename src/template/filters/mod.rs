//! Filters by family, one file each with its table.

pub mod default;
pub mod dict;
pub mod select;
pub mod sequence;
pub mod sets;

use super::call::Filter;

/// The tables of all families, in the order in which the reference page lists them.
pub const FAMILIES: &[(&str, &[Filter])] = &[
    ("Missing values", default::TABLE),
    ("Members", select::TABLE),
    ("Lists", sequence::TABLE),
    ("Sets and combinations", sets::TABLE),
    ("Mappings", dict::TABLE),
];
