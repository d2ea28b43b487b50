//! Names that a process of this program and the ones that it starts agree on.

/// Where `ionplay gitops --sandbox` tells its runs which mock registry they share.
pub const SANDBOX_URL_VARIABLE: &str = "IONPLAY_SANDBOX_URL";

/// The process that a run ends with: it finishes the request under way and stops when that process is gone.
pub const PARENT_VARIABLE: &str = "IONPLAY_PARENT";
