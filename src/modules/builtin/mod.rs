//! Builtin modules, one file each.
