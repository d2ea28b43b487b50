//! Filters by family, one file each with its table.

use super::call::Filter;

/// The tables of all families, in the order in which the reference page lists them.
pub const FAMILIES: &[(&str, &[Filter])] = &[];
