//! Files and commands behind one door: real, or foretelling in check mode.

/// Files and commands of the host that tasks act on.
pub trait HostApi {}
