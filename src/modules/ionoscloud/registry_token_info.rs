//! `registry_token_info`: lists the tokens of a registry.

use super::{info, lookup, returned};
use crate::ionos::ApiError;
use crate::ionos::model::{LoginPair, Token, TokenProperties};
use crate::modules::resource::options::{self, CONNECTION, NO_REPLACE};
use crate::modules::resource::{ResourceError, deferred_text};
use crate::modules::spec::Param;
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, ObjectClaims, Spec, TaskContext, TaskModule};
use crate::value::Value;

/// The parameters of `registry_token_info`.
pub static SPEC: Spec =
    Spec::new("ionoscloudsdk.ionoscloud.registry_token_info", "Lists the tokens of a registry, without passwords.")
        .label("Registry Tokens")
        .returns("registry_tokens")
        .examples(include_str!("examples/registry_token_info.yml"))
        .params(&[
            &[Param::str("registry", "Id or name of the registry.").required()],
            info::FILTERS,
            CONNECTION,
            NO_REPLACE,
        ]);

/// The module.
pub struct RegistryTokenInfo;

impl TaskModule for RegistryTokenInfo {
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
            match list_tokens(args, context).await {
                Ok(tokens) => info::listing_outcome(&SPEC, args, tokens, &token_shape()),
                Err(stop) => info::listing_failure(&SPEC, stop),
            }
        })
    }
}

async fn list_tokens(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<Vec<Value>, ResourceError> {
    let connection = options::read_connection(args, context, SPEC.label, "info")?;
    options::require_params(&SPEC, args, SPEC.label, "info")?;
    let registry = args.get("registry").map(deferred_text).unwrap_or_default();
    let api = context.registries.connect(&connection)?;
    match lookup::tokens_in(&*api, &registry).await? {
        Some((_, tokens)) => Ok(tokens.iter().map(returned::token_value).collect()),
        None => Err(ApiError::unsent(lookup::no_registry(&*api, &registry).await?).into()),
    }
}

/// A token with everything that one can have.
fn token_shape() -> Value {
    returned::token_value(&Token {
        properties: TokenProperties { credentials: Some(LoginPair::default()), ..TokenProperties::default() },
        ..Token::default()
    })
}
