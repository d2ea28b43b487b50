//! `registry_info`: lists registries.

use super::options::{self, CONNECTION, NO_REPLACE};
use super::{info, returned};
use crate::ionos::Fact;
use crate::ionos::model::{Features, Registry, RegistryProperties, Scanning, Schedule, StorageUsage};
use crate::modules::resource::Stop;
use crate::modules::{Args, Failure, Local, Module, Outcome, Spec, TaskContext};
use crate::value::Value;

/// The parameters of `registry_info`.
pub static SPEC: Spec = Spec::new("ionoscloudsdk.ionoscloud.registry_info", "Lists the registries of the account.")
    .label("Registries")
    .returns("registries")
    .examples(include_str!("examples/registry_info.yml"))
    .params(&[info::FILTERS, CONNECTION, NO_REPLACE]);

/// The module.
pub struct RegistryInfo;

impl Module for RegistryInfo {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run<'a>(&'a self, args: &'a Args, context: &'a TaskContext<'a>) -> Local<'a, Result<Outcome, Failure>> {
        Box::pin(async move {
            match list(args, context).await {
                Ok(registries) => info::listed(&SPEC, args, registries, &shape()),
                Err(stop) => info::failed(&SPEC, stop),
            }
        })
    }
}

async fn list(args: &Args, context: &TaskContext<'_>) -> Result<Vec<Value>, Stop> {
    let connection = options::connection(args, context, SPEC.label, "info")?;
    let api = context.registries.connect(&connection)?;
    Ok(api.registries(None).await?.iter().map(returned::registry).collect())
}

/// A registry with everything that one can have.
fn shape() -> Value {
    returned::registry(&Registry {
        properties: RegistryProperties {
            garbage_collection_schedule: Fact::Known(Some(Schedule::default())),
            storage_usage: Some(StorageUsage::default()),
            features: Fact::Known(Some(Features { vulnerability_scanning: Some(Scanning::default()) })),
            ..RegistryProperties::default()
        },
        ..Registry::default()
    })
}
