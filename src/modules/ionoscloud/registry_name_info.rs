//! `registry_name_info`: whether a name can be given to a registry. The original has no such module.

use super::options::{self, CONNECTION, NO_REPLACE};
use super::{contents, info};
use crate::modules::resource::Stop;
use crate::modules::spec::Param;
use crate::modules::{Args, Failure, Local, Module, Outcome, Spec, TaskContext};
use crate::value::Value;

/// The parameters of `registry_name_info`.
pub static SPEC: Spec = Spec::new(
    "ionoscloudsdk.ionoscloud.registry_name_info",
    "Tells whether a name can be given to a registry; names are unique in the whole service.",
)
.label("Registry Name")
.returns("registry_name")
.examples(include_str!("examples/registry_name_info.yml"))
.params(&[&[Param::str("name", "The name that is asked about.").required()], CONNECTION, NO_REPLACE]);

/// The module.
pub struct RegistryNameInfo;

impl Module for RegistryNameInfo {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run<'a>(&'a self, args: &'a Args, context: &'a TaskContext<'a>) -> Local<'a, Result<Outcome, Failure>> {
        Box::pin(async move {
            match ask(args, context).await {
                Ok(answer) => Ok(Outcome::default().with("registry_name", answer)),
                Err(stop) => info::failed(&SPEC, stop),
            }
        })
    }
}

/// `available`, `taken` or `invalid`.
async fn ask(args: &Args, context: &TaskContext<'_>) -> Result<Value, Stop> {
    let connection = options::connection(args, context, SPEC.label, "info")?;
    options::require(&SPEC, args, SPEC.label, "info")?;
    let name = args.get("name").map_or(Ok(String::new()), contents::known)?;
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
