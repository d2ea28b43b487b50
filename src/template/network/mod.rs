//! IP addresses, networks and hardware addresses as values that filters and tests compute with.
//!
//! The rules are those of the Python packages that playbooks were written against: `netaddr` for filters, `ipaddress` for
//! tests. They differ in what they accept, so [`Network::parse`] and [`Network::parse_strict`] do.

mod address;
mod classes;
mod mac;
mod merge;
mod range;

pub use address::{Address, Version};
pub use mac::{Dialect, Mac, looks_like_mac};
pub use merge::{merge_networks, span_networks};
pub use range::{Network, python_integer};
