//! Filters, tests and lookups by name, from their families' tables.

use std::sync::LazyLock;

use super::plugin::{FilterPlugin, Lookup, Test, short_name};
use super::{filters, lookups, tests};

static FILTERS: LazyLock<foldhash::HashMap<&str, &FilterPlugin>> =
    LazyLock::new(|| filters::FAMILIES.iter().flat_map(|(_, rows)| *rows).map(|row| (row.name, row)).collect());
static TESTS: LazyLock<foldhash::HashMap<&str, &Test>> =
    LazyLock::new(|| tests::FAMILIES.iter().flat_map(|(_, rows)| *rows).map(|row| (row.name, row)).collect());
static LOOKUPS: LazyLock<foldhash::HashMap<&str, &Lookup>> =
    LazyLock::new(|| lookups::FAMILIES.iter().flat_map(|(_, rows)| *rows).map(|row| (row.name, row)).collect());

/// A filter.
pub fn find_filter(name: &str) -> Option<&'static FilterPlugin> {
    FILTERS.get(short_name(name)).copied()
}

/// A test.
pub fn find_test(name: &str) -> Option<&'static Test> {
    TESTS.get(short_name(name)).copied()
}

/// A lookup.
pub fn find_lookup(name: &str) -> Option<&'static Lookup> {
    LOOKUPS.get(short_name(name)).copied()
}

/// All names of filters, for suggestions.
pub fn filter_names() -> Vec<&'static str> {
    FILTERS.keys().copied().collect()
}

/// All names of tests, for suggestions.
pub fn test_names() -> Vec<&'static str> {
    TESTS.keys().copied().collect()
}

/// All names of lookups, for suggestions.
pub fn lookup_names() -> Vec<&'static str> {
    LOOKUPS.keys().copied().collect()
}
