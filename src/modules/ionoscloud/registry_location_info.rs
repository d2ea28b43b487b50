//! `registry_location_info`: lists the places where registries can be. The original has no such module.

use super::info;
use super::options::{self, CONNECTION, NO_REPLACE};
use crate::modules::resource::Stop;
use crate::modules::{Args, Failure, Local, Module, Outcome, Spec, TaskContext};
use crate::value::Value;

/// The parameters of `registry_location_info`.
pub static SPEC: Spec =
    Spec::new("ionoscloudsdk.ionoscloud.registry_location_info", "Lists the locations where registries can be.")
        .label("Registry Locations")
        .returns("registry_locations")
        .examples(include_str!("examples/registry_location_info.yml"))
        .params(&[info::FILTERS, CONNECTION, NO_REPLACE]);

/// The module.
pub struct RegistryLocationInfo;

impl Module for RegistryLocationInfo {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run<'a>(&'a self, args: &'a Args, context: &'a TaskContext<'a>) -> Local<'a, Result<Outcome, Failure>> {
        Box::pin(async move {
            match list(args, context).await {
                Ok(locations) => info::listed(&SPEC, args, locations, &Value::dict([("id", Value::Null)])),
                Err(stop) => info::failed(&SPEC, stop),
            }
        })
    }
}

async fn list(args: &Args, context: &TaskContext<'_>) -> Result<Vec<Value>, Stop> {
    let connection = options::connection(args, context, SPEC.label, "info")?;
    let locations = context.registries.connect(&connection)?.locations().await?;
    Ok(locations.iter().map(|location| Value::dict([("id", Value::text(location.id.as_str()))])).collect())
}
