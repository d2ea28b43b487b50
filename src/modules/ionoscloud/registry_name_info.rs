//! `registry_name_info`: whether a name can be given to a registry. Ansible has no such module.

use super::{contents, info};
use crate::modules::resource::ResourceError;
use crate::modules::resource::options::{self, CONNECTION, NO_REPLACE};
use crate::modules::spec::Param;
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, ObjectClaims, Spec, TaskContext, TaskModule};
use crate::value::Value;

/// The parameters of `registry_name_info`.
pub static SPEC: Spec = Spec::new(
    "ionoscloudsdk.ionoscloud.registry_name_info",
    "Checks whether a registry name is available; names are unique in the whole service.",
)
.label("Registry Name")
.returns("registry_name")
.examples(include_str!("examples/registry_name_info.yml"))
.params(&[&[Param::str("name", "Name to check.").required()], CONNECTION, NO_REPLACE]);

/// The module.
pub struct RegistryNameInfo;

impl TaskModule for RegistryNameInfo {
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
            match check_name(args, context).await {
                Ok(answer) => Ok(ModuleOutcome::default().with("registry_name", answer)),
                Err(stop) => info::listing_failure(&SPEC, stop),
            }
        })
    }
}

/// `available`, `taken` or `invalid`.
async fn check_name(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<Value, ResourceError> {
    let connection = options::read_connection(args, context, SPEC.label, "info")?;
    options::require_params(&SPEC, args, SPEC.label, "info")?;
    let name = args.get("name").map_or(Ok(String::new()), contents::known_text)?;
    let api = context.registries.connect(&connection)?;
    let state = match api.name_taken(&name).await {
        Ok(true) => "taken",
        Ok(false) => "available",
        Err(error) if error.status == Some(400) => "invalid",
        Err(error) => return Err(error.into()),
    };
    Ok(Value::dict([
        ("available", (state == "available").into()),
        ("name", Value::text(name)),
        ("state", state.into()),
    ]))
}
