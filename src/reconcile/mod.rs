//! Desired state meets observed state and becomes an action. Pure: no I/O, no clock, no template.

/// What was or would be done to one object; the closing summary and the plan are made of these.
#[derive(Debug, Clone)]
pub struct Record {}
