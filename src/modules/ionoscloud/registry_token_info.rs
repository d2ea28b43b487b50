//! `registry_token_info`: lists the tokens of a registry.

use super::options::{self, CONNECTION, NO_REPLACE};
use super::{info, lookup, returned};
use crate::ionos::ApiError;
use crate::ionos::model::{LoginPair, Token, TokenProperties};
use crate::modules::resource::{Stop, text_fact};
use crate::modules::spec::Param;
use crate::modules::{Args, Failure, Local, Module, Outcome, Spec, TaskContext};
use crate::value::Value;

/// The parameters of `registry_token_info`.
pub static SPEC: Spec = Spec::new(
    "ionoscloudsdk.ionoscloud.registry_token_info",
    "Lists the tokens of a registry; passwords are never in it.",
)
.label("Registry Tokens")
.returns("registry_tokens")
.examples(include_str!("examples/registry_token_info.yml"))
.params(&[&[Param::str("registry", "Id or name of the registry.").required()], info::FILTERS, CONNECTION, NO_REPLACE]);

/// The module.
pub struct RegistryTokenInfo;

impl Module for RegistryTokenInfo {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run<'a>(&'a self, args: &'a Args, context: &'a TaskContext<'a>) -> Local<'a, Result<Outcome, Failure>> {
        Box::pin(async move {
            match list(args, context).await {
                Ok(tokens) => info::listed(&SPEC, args, tokens, &shape()),
                Err(stop) => info::failed(&SPEC, stop),
            }
        })
    }
}

async fn list(args: &Args, context: &TaskContext<'_>) -> Result<Vec<Value>, Stop> {
    let connection = options::connection(args, context, SPEC.label, "info")?;
    options::require(&SPEC, args, SPEC.label, "info")?;
    let registry = args.get("registry").map(text_fact).unwrap_or_default();
    let api = context.registries.connect(&connection)?;
    match lookup::tokens_in(&*api, &registry).await? {
        Some((_, tokens)) => Ok(tokens.iter().map(returned::token).collect()),
        None => Err(ApiError::unsent(lookup::no_registry(&*api, &registry).await?).into()),
    }
}

/// A token with everything that one can have.
fn shape() -> Value {
    returned::token(&Token {
        properties: TokenProperties { credentials: Some(LoginPair::default()), ..TokenProperties::default() },
        ..Token::default()
    })
}
