//! Lookups, one file a family with its table.

mod ansible_utils;
mod call;
mod collections;
mod commands;
mod config;
mod config_table;
mod files;
mod filetree;
mod ini;
mod lists;
mod merge_variables;
mod password;
mod random_words;
mod sequence;
mod table;
mod template;
mod terms;
mod url;
mod vars;

pub use ini::{IniError, IniProblem, IniText, parse_ini_text};

use super::plugin::{Lookup, short_name};
use crate::value::Value;

/// The tables of all families.
pub const FAMILIES: &[(&str, &[Lookup])] = &[
    ("commands", commands::TABLE),
    ("config", config::TABLE),
    ("files", files::TABLE),
    ("ini", ini::TABLE),
    ("lists", lists::TABLE),
    ("password", password::TABLE),
    ("sequence", sequence::TABLE),
    ("table", table::TABLE),
    ("template", template::TABLE),
    ("url", url::TABLE),
    ("vars", vars::TABLE),
    ("ansible.utils", ansible_utils::TABLE),
    ("community.general lists", collections::TABLE),
    ("community.general filetree", filetree::TABLE),
    ("community.general merge_variables", merge_variables::TABLE),
    ("community.general random words", random_words::TABLE),
];

/// The lookup of a name, with or without `ansible.builtin.`.
pub fn find_lookup(name: &str) -> Option<&'static Lookup> {
    let name = short_name(name);
    all_lookups().find(|lookup| lookup.name == name)
}

/// All lookups.
pub fn all_lookups() -> impl Iterator<Item = &'static Lookup> {
    FAMILIES.iter().flat_map(|(_, table)| table.iter())
}

/// The terms of a `with_NAME: value`: the members of a list, or the value as the only term.
pub fn with_terms(value: &Value) -> Vec<Value> {
    match value {
        Value::List(items) | Value::Tuple(items) | Value::Set(items) => items.to_vec(),
        other => vec![other.clone()],
    }
}

#[cfg(test)]
mod stage;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lookup_of_the_reference_is_there() {
        let names = "config csvfile dict env file fileglob first_found indexed_items ini inventory_hostnames items lines \
            list nested password pipe random_choice sequence subelements template together unvault url varnames vars";
        let mut found: Vec<&str> = all_lookups().map(|lookup| lookup.name).filter(|name| !name.contains('.')).collect();
        found.sort_unstable();
        assert_eq!(found, names.split_whitespace().collect::<Vec<_>>());
        assert!(find_lookup("ansible.builtin.file").is_some() && find_lookup("nope").is_none());
        assert_eq!(with_terms(&Value::text("x")), [Value::text("x")]);
    }
}
