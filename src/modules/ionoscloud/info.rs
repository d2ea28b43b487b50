//! What the info modules share: filters, the returned list, and how failures are worded.

use super::filters;
use crate::ionos::ApiError;
use crate::ionos::error::ErrorKind;
use crate::modules::resource::ResourceError;
use crate::modules::spec::{Param, ParamKind};
use crate::modules::{Failure, ModuleArgs, ModuleEffect, ModuleOutcome, Spec};
use crate::value::{Dict, Value};

/// Filters.
pub(super) const FILTERS: &[Param] = &[Param::new(
    "filters",
    ParamKind::Dict(&[]),
    "List only objects with these values; keys are dotted paths: `properties.name: ci`.",
)];

/// The result of a listing: the objects that match, under the key of the spec.
pub(super) fn listing_outcome(
    spec: &Spec,
    args: &ModuleArgs,
    objects: Vec<Value>,
    shape: &Value,
) -> Result<ModuleOutcome, Failure> {
    let none = Dict::new();
    let filters = args.get("filters").and_then(Value::as_dict).unwrap_or(&none);
    filters::check_filters(filters, shape)
        .map_err(|why| Failure::new(format!("failed to list the {}: {why}", spec.label)))?;
    let mut kept = Vec::with_capacity(objects.len());
    for object in objects {
        match filters::matches_filters(&object, filters) {
            Some(true) => kept.push(object),
            Some(false) => {}
            None => {
                let why = format!("the filters of the {} compare something that is not known yet", spec.label);
                return Ok(ModuleOutcome { undetermined: Some(why), ..ModuleOutcome::default() });
            }
        }
    }
    let list = Value::list(kept);
    let mut outcome = ModuleOutcome::new(false, Dict::new());
    list.each_secret(&mut |secret| outcome.effects.push(ModuleEffect::Secret(secret.to_owned())));
    Ok(outcome.with(spec.returns.unwrap_or("result"), list))
}

/// A failed listing.
pub(super) fn listing_failure(spec: &Spec, stop: ResourceError) -> Result<ModuleOutcome, Failure> {
    match stop {
        ResourceError::Api(ApiError { kind: ErrorKind::Undetermined, message, .. }) => {
            Ok(ModuleOutcome { undetermined: Some(message), ..ModuleOutcome::default() })
        }
        ResourceError::Api(error) => Err(Failure::new(format!("failed to list the {}: {error}", spec.label))),
        ResourceError::Said(message) => Err(Failure::new(message)),
        ResourceError::Refused(diagnostic) => Err(Failure::from_diagnostic(*diagnostic)),
        ResourceError::Wrong(diagnostic) => {
            let message = format!("failed to list the {}: {}", spec.label, diagnostic.one_line());
            Err(Failure { diagnostic: Some(diagnostic), ..Failure::new(message) })
        }
    }
}
