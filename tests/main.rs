//! The one integration test binary: every module is a way to look at the built program from outside.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall stop")]

mod architecture;
mod bridge;
mod conformance;
mod dice;
mod docs;
mod ends;
mod fidelity;
mod fuzz;
mod gitops;
mod gitops_web;
mod kills;
mod leaks;
mod lint;
mod lsp;
mod mistakes;
mod module_graph;
mod packages;
mod plan;
mod playbooks;
mod registry;
mod reports;
mod robust;
mod rubbish;

use std::path::Path;

/// The folder of the package.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
