//! Computes an action from desired and observed state, with pure functions: no I/O, no clock, no template.
//!
//! This ensures idempotence. Fields that a task does not name stay unchanged; dates compare as instants, scopes and actions
//! as sets; an unknown value counts as different, because it may be.

mod action;
mod field;
mod registry;
mod rotation;
mod schedule;
mod token;

pub use action::{FieldChange, Record, ResourceAction, Verb, summarize_actions};
pub use field::{Expiry, normal_scopes};
pub use registry::{RegistryDesired, new_registry, reconcile_registry, registry_fields, registry_patch};
pub use rotation::{
    Custody, Generation, RotationPolicy, RotationStep, generation_name, generation_number, next_rotation_step,
};
pub use schedule::{DAYS, ScheduleDesired};
pub use token::{TokenDesired, new_token, reconcile_token, replacement_token, token_fields, token_patch};
