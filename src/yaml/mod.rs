//! YAML as Ansible reads it: YAML 1.1 scalars, tags, merge keys, one document, and the place of every node kept.

pub mod node;

pub use node::{Entry, Kind, Node};
