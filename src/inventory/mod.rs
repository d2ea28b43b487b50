//! Hosts, groups, patterns, ranges, host and group variables.
