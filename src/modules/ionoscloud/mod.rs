//! The modules of `ionoscloudsdk.ionoscloud`, one file each.

mod expiry;
mod filters;
mod info;
mod lookup;
pub mod options;
pub mod registry;
pub mod registry_info;
pub mod registry_token;
pub mod registry_token_info;
mod returned;
mod scopes;
#[cfg(test)]
mod tests;
