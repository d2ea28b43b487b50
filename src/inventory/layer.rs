//! The variables of a host in layers, and what a run adds to an inventory.

use std::rc::Rc;

use crate::value::Dict;

/// Which step of the order of precedence a layer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LayerKind {
    /// Variables of groups in inventory files: `all`, then by depth, priority and name.
    InventoryGroups,
    /// `group_vars/all` next to the inventories, then next to the playbook.
    GroupVarsAll,
    /// `group_vars/` of all other groups, the inventories' before the playbook's.
    GroupVars,
    /// Variables of the host in inventory files, and those of `add_host`.
    InventoryHost,
    /// `host_vars/` next to the inventories, then next to the playbook.
    HostVars,
}

/// An addition of the run to the inventory, kept for `refresh_inventory`.
#[derive(Debug, Clone)]
pub(super) enum Addition {
    Host { name: String, groups: Vec<String>, vars: Dict },
    Group { host: String, group: String, parents: Vec<String> },
}

/// Some variables of a host, as written (templates not yet evaluated).
#[derive(Debug, Clone)]
pub struct VariableLayer {
    /// Rank in the order of precedence.
    pub kind: LayerKind,
    /// The variables.
    pub vars: Rc<Dict>,
}
