//! Hosts, groups, patterns, ranges, host and group variables.
//!
//! An [`Inventory`] is read from its sources with [`Inventory::load_sources`], asked for hosts with [`Inventory::select_hosts`] and
//! for the variables of a host with [`Inventory::host_layers`]. A source that cannot be read is a warning, never an
//! error, as in Ansible; [`Inventory::take_warnings`] gives them.

mod composer;
mod constructed;
mod generator;
mod ini;
mod layer;
mod layers;
mod literal;
mod load;
mod model;
mod names;
mod pattern;
mod range;
mod read;
mod script;
mod select;
mod sources;
mod toml;
mod tree;
mod vars_files;
mod words;

pub use composer::Composer;
pub use layer::{LayerKind, VariableLayer};
pub use load::{Inventory, InventoryRules};
pub use model::{ALL, GroupName, HostName, UNGROUPED};
pub use names::Transform;
pub use pattern::glob_to_regex as glob_expression;
pub use select::select_among;
