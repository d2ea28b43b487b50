//! `registry_info`: lists registries.

use super::{info, returned};
use crate::ionos::Deferred;
use crate::ionos::model::{CollectionSchedule, Features, Registry, RegistryProperties, Scanning, StorageUsage};
use crate::modules::resource::ResourceError;
use crate::modules::resource::options::{self, CONNECTION, NO_REPLACE};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, ObjectClaims, Spec, TaskContext, TaskModule};
use crate::value::Value;

/// The parameters of `registry_info`.
pub static SPEC: Spec = Spec::new("ionoscloudsdk.ionoscloud.registry_info", "Lists the registries of the account.")
    .label("Registries")
    .returns("registries")
    .examples(include_str!("examples/registry_info.yml"))
    .params(&[info::FILTERS, CONNECTION, NO_REPLACE]);

/// The module.
pub struct RegistryInfo;

impl TaskModule for RegistryInfo {
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
            match list_registries(args, context).await {
                Ok(registries) => info::listing_outcome(&SPEC, args, registries, &registry_shape()),
                Err(stop) => info::listing_failure(&SPEC, stop),
            }
        })
    }
}

async fn list_registries(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<Vec<Value>, ResourceError> {
    let connection = options::read_connection(args, context, SPEC.label, "info")?;
    let api = context.registries.connect(&connection)?;
    Ok(api.list_registries(None).await?.iter().map(returned::registry_value).collect())
}

/// A registry with everything that one can have.
fn registry_shape() -> Value {
    returned::registry_value(&Registry {
        properties: RegistryProperties {
            garbage_collection_schedule: Deferred::Known(Some(CollectionSchedule::default())),
            storage_usage: Some(StorageUsage::default()),
            features: Deferred::Known(Some(Features { vulnerability_scanning: Some(Scanning::default()) })),
            ..RegistryProperties::default()
        },
        ..Registry::default()
    })
}
