//! `registry_location_info`: lists the places where registries can be. Ansible has no such module.

use super::info;
use crate::modules::resource::ResourceError;
use crate::modules::resource::options::{self, CONNECTION, NO_REPLACE};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, ObjectClaims, Spec, TaskContext, TaskModule};
use crate::value::Value;

/// The parameters of `registry_location_info`.
pub static SPEC: Spec =
    Spec::new("ionoscloudsdk.ionoscloud.registry_location_info", "Lists the locations for registries.")
        .label("Registry Locations")
        .returns("registry_locations")
        .examples(include_str!("examples/registry_location_info.yml"))
        .params(&[info::FILTERS, CONNECTION, NO_REPLACE]);

/// The module.
pub struct RegistryLocationInfo;

impl TaskModule for RegistryLocationInfo {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn claim_objects(&self, _: &ModuleArgs, _: &[(String, String)]) -> ObjectClaims {
        ObjectClaims::Reads
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(async move {
            match list_locations(args, context).await {
                Ok(locations) => info::listing_outcome(&SPEC, args, locations, &Value::dict([("id", Value::Null)])),
                Err(stop) => info::listing_failure(&SPEC, stop),
            }
        })
    }
}

async fn list_locations(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<Vec<Value>, ResourceError> {
    let connection = options::read_connection(args, context, SPEC.label, "info")?;
    let locations = context.registries.connect(&connection)?.list_locations().await?;
    Ok(locations.iter().map(|location| Value::dict([("id", Value::text(location.id.as_str()))])).collect())
}
