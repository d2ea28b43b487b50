//! Desired state meets observed state and becomes an action. Pure: no I/O, no clock, no template.
//!
//! All idempotence lives here. What a task does not name is left alone; dates are instants, scopes and actions are
//! sets; what is not known yet counts as different, because nobody can promise that it will be the same.

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
