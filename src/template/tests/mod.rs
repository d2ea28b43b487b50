//! Tests (`x is defined`) by family, one file each with its table.

pub mod addresses;
pub mod collection;
pub mod community;
pub mod compare;
pub mod defined;
pub mod files;
pub mod names;
pub mod pattern;
pub mod result;
pub mod uri;

use super::plugin::Test;

/// The tables of all families.
pub const FAMILIES: &[(&str, &[Test])] = &[
    ("Types and truth", defined::TABLE),
    ("Comparisons", compare::TABLE),
    ("Results of tasks", result::TABLE),
    ("Patterns and versions", pattern::TABLE),
    ("Collections", collection::TABLE),
    ("Files", files::TABLE),
    ("URIs", uri::TABLE),
    ("Names and vaulted text", names::TABLE),
    ("Addresses (`ansible.utils`)", addresses::TABLE),
    ("Types, names, modules (`community.general`)", community::TABLE),
];
