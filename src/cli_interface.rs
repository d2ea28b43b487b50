//! Names that a process of this program and the ones that it starts agree on.

/// Where `ionplay gitops --sandbox` tells its runs which mock registry they share.
pub const SANDBOX_URL_VARIABLE: &str = "IONPLAY_SANDBOX_URL";

/// The process that a run ends with: it finishes the request under way and stops when that process is gone.
pub const PARENT_VARIABLE: &str = "IONPLAY_PARENT";

/// The file with the lease that a run writes under; without it, a run needs none.
pub const LEASE_FILE_VARIABLE: &str = "IONPLAY_LEASE_FILE";

/// The number that this lease has to have.
pub const LEASE_EPOCH_VARIABLE: &str = "IONPLAY_LEASE_EPOCH";

/// The socket of the process that keeps the credential store of a run; without it, it is a folder.
pub const CREDENTIALS_SOCKET_VARIABLE: &str = "IONPLAY_CREDENTIALS_SOCKET";

/// The limits of a run of a commit that nobody has merged, as JSON; without it, a run has none.
pub const CONFINEMENT_VARIABLE: &str = "IONPLAY_CONFINEMENT";
