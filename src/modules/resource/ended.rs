//! How a task on a resource ends that does not end well.

use crate::modules::Failure;

/// How a task ends that does not end well.
pub(super) enum ConvergeError {
    Failed(Box<Failure>),
    Undetermined(String),
    /// The service refused what a list that was kept from an earlier item had suggested; the list has been dropped.
    Outdated(Box<Failure>),
}
