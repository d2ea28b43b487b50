//! Tests (`x is defined`) by family, one file each with its table.

pub mod defined;

use super::call::Test;

/// The tables of all families.
pub const FAMILIES: &[(&str, &[Test])] = &[("Types and truth", defined::TABLE)];
