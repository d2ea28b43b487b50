//! What the info modules share: filters, the returned list, and how failures are worded.

use super::filters;
use crate::ionos::ApiError;
use crate::ionos::error::ErrorKind;
use crate::modules::resource::Stop;
use crate::modules::spec::{Kind, Param};
use crate::modules::{Args, Effect, Failure, Outcome, Spec};
use crate::value::{Dict, Value};

/// Filters.
pub(super) const FILTERS: &[Param] =
    &[Param::new("filters", Kind::Dict(&[]), "Only objects with these values, by dotted path: `properties.name: ci`.")];

/// The result of a listing: the objects that match, under the key of the spec.
pub(super) fn listed(spec: &Spec, args: &Args, objects: Vec<Value>, shape: &Value) -> Result<Outcome, Failure> {
    let none = Dict::new();
    let filters = args.get("filters").and_then(Value::as_dict).unwrap_or(&none);
    filters::check(filters, shape).map_err(|why| Failure::new(format!("failed to list the {}: {why}", spec.label)))?;
    let mut kept = Vec::with_capacity(objects.len());
    for object in objects {
        match filters::matches(&object, filters) {
            Some(true) => kept.push(object),
            Some(false) => {}
            None => {
                let why = format!("the filters of the {} compare something that is not known yet", spec.label);
                return Ok(Outcome { undetermined: Some(why), ..Outcome::default() });
            }
        }
    }
    let list = Value::list(kept);
    let mut outcome = Outcome::new(false, Dict::new());
    list.each_secret(&mut |secret| outcome.effects.push(Effect::Secret(secret.to_owned())));
    Ok(outcome.with(spec.returns.unwrap_or("result"), list))
}

/// A failed listing.
pub(super) fn failed(spec: &Spec, stop: Stop) -> Result<Outcome, Failure> {
    match stop {
        Stop::Api(ApiError { kind: ErrorKind::Undetermined, message, .. }) => {
            Ok(Outcome { undetermined: Some(message), ..Outcome::default() })
        }
        Stop::Api(error) => Err(Failure::new(format!("failed to list the {}: {error}", spec.label))),
        Stop::Said(message) => Err(Failure::new(message)),
        Stop::Refused(diagnostic) => Err(Failure::refused(*diagnostic)),
        Stop::Wrong(diagnostic) => {
            let message = format!("failed to list the {}: {}", spec.label, diagnostic.one_line());
            Err(Failure { diagnostic: Some(diagnostic), ..Failure::new(message) })
        }
    }
}
