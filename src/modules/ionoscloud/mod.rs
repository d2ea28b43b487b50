//! The modules of `ionoscloudsdk.ionoscloud`, one file each.

mod contents;
pub mod delivery;
pub mod expiry;
mod filters;
mod info;
mod lookup;
pub mod registry;
pub mod registry_artifact_info;
mod registry_fields;
pub mod registry_info;
pub mod registry_location_info;
pub mod registry_name_info;
pub mod registry_repository;
pub mod registry_repository_info;
pub mod registry_token;
pub mod registry_token_info;
pub mod registry_vulnerability_info;
mod returned;
mod scopes;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_contents;
#[cfg(test)]
mod tests_world;
