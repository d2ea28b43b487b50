//! Filters by family, one file each with its table.

pub mod ansible_utils;
pub mod comment;
pub mod community_general;
pub mod data;
pub mod default;
pub mod dict;
pub mod encode;
#[cfg(test)]
mod golden;
pub mod html;
pub mod number;
pub mod password;
pub mod path;
pub mod query;
pub mod regex;
pub mod select;
pub mod sequence;
pub mod sets;
pub mod text;
pub mod time;
pub mod url;
pub mod vault;
pub mod yaml;

use super::plugin::FilterPlugin;

/// The tables of all families, in the order in which the reference page lists them.
pub const FAMILIES: &[(&str, &[FilterPlugin])] = &[
    ("Missing values", default::TABLE),
    ("Members", select::TABLE),
    ("Lists", sequence::TABLE),
    ("Sets and combinations", sets::TABLE),
    ("Mappings", dict::TABLE),
    ("Text", text::TABLE),
    ("Regular expressions", regex::TABLE),
    ("Numbers", number::TABLE),
    ("Times", time::TABLE),
    ("Notations", data::TABLE),
    ("YAML", yaml::TABLE),
    ("Encodings and hashes", encode::TABLE),
    ("Password hashes", password::TABLE),
    ("Queries", query::TABLE),
    ("Paths", path::TABLE),
    ("URLs", url::TABLE),
    ("HTML", html::TABLE),
    ("Comments", comment::TABLE),
    ("Vaulted text", vault::TABLE),
    ("Addresses (`ansible.utils`)", ansible_utils::ipaddr::TABLE),
    ("Subnets (`ansible.utils`)", ansible_utils::subnets::TABLE),
    ("Addresses in networks (`ansible.utils`)", ansible_utils::networks::TABLE),
    ("Hardware addresses (`ansible.utils`)", ansible_utils::hardware::TABLE),
    ("Keys of nested data (`ansible.utils`)", ansible_utils::keys::TABLE),
    ("Paths in nested data (`ansible.utils`)", ansible_utils::paths::TABLE),
    ("Facts compared and joined (`ansible.utils`)", ansible_utils::facts::TABLE),
    ("XML (`ansible.utils`)", ansible_utils::xml::TABLE),
    ("Lists (`community.general`)", community_general::lists::TABLE),
    ("Keys (`community.general`)", community_general::keys::TABLE),
    ("Mappings (`community.general`)", community_general::mappings::TABLE),
    ("Tables (`community.general`)", community_general::tables::TABLE),
    ("Checksums and ids (`community.general`)", community_general::hashes::TABLE),
    ("Durations (`community.general`)", community_general::time_units::TABLE),
    ("Types (`community.general`)", community_general::types::TABLE),
];
