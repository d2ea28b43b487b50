//! Lookups, one file a family with its table.

use super::call::Lookup;

/// The tables of all families.
pub const FAMILIES: &[(&str, &[Lookup])] = &[];
