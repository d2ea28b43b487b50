//! Finding registries and tokens by id or name, and saying what is there if they are not.
//!
//! Text that looks like an id is asked for by id first, which costs no request of its own; only if there is no such id
//! is it looked for as a name.

use std::rc::Rc;

use crate::ionos::api::Id;
use crate::ionos::model::{Registry, Token};
use crate::ionos::{ApiError, Deferred, RegistryReads};
use crate::modules::resource::{ResourceError, suggest_names};

/// Whether a text looks like an id of the service.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

/// The tokens of the registry that a task names; `None` if there is no such registry.
pub(super) async fn tokens_in(
    reads: &dyn RegistryReads,
    registry: &Deferred<String>,
) -> Result<Option<(Id, Rc<Vec<Token>>)>, ApiError> {
    let tokens = |id: Id| async move { Ok::<_, ApiError>(reads.list_tokens(&id).await?.map(|tokens| (id, tokens))) };
    let text = match registry {
        Deferred::Unknown(_) => return tokens(registry.clone()).await,
        Deferred::Known(text) => text,
    };
    if is_uuid(text)
        && let Some(found) = tokens(registry.clone()).await?
    {
        return Ok(Some(found));
    }
    // The id of a name is remembered for the run, and forgotten when the service does not know it any more; then the
    // name may belong to another registry by now.
    for _ in 0..2 {
        let Some(id) = reads.registry_id(text).await? else {
            return Ok(None);
        };
        if let Some(found) = tokens(id).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The id of the registry that a task names, without asking whether an id exists.
pub(super) async fn registry_id(
    reads: &dyn RegistryReads,
    registry: &Deferred<String>,
) -> Result<Option<Id>, ApiError> {
    match registry {
        Deferred::Known(text) if !is_uuid(text) => reads.registry_id(text).await,
        other => Ok(Some(other.clone())),
    }
}

/// The registry that a task names, and the names of all if there is none.
pub(super) async fn find_registry(
    reads: &dyn RegistryReads,
    registry: &Deferred<String>,
) -> Result<(Option<Registry>, Vec<String>), ResourceError> {
    let text = match registry {
        Deferred::Unknown(_) => return Ok((reads.get_registry(registry).await?, Vec::new())),
        Deferred::Known(text) => text,
    };
    if is_uuid(text)
        && let Some(found) = reads.get_registry(registry).await?
    {
        return Ok((Some(found), Vec::new()));
    }
    let named = named_registry(reads, text).await?;
    match named {
        Some(found) => Ok((Some(found), Vec::new())),
        None => Ok((None, registry_names(&reads.list_registries(None).await?))),
    }
}

/// The registry of exactly this name.
pub(super) async fn named_registry(reads: &dyn RegistryReads, name: &str) -> Result<Option<Registry>, ResourceError> {
    let all = reads.list_registries(Some(name)).await?;
    let is_named = |registry: &&Registry| registry.properties.name.known().is_some_and(|known| known == name);
    let matches: Vec<&Registry> = all.iter().filter(is_named).collect();
    one_of(&matches, "registries", name, |registry| registry.id.display_text()).map(|found| found.cloned())
}

/// The token of this id or name among several.
pub(super) fn token_among<'a>(
    tokens: &'a [Token],
    wanted: &Deferred<String>,
) -> Result<Option<&'a Token>, ResourceError> {
    let matches: Vec<&Token> =
        tokens.iter().filter(|token| token.id == *wanted || token.properties.name == *wanted).collect();
    one_of(&matches, "tokens", wanted.display_text(), |token| token.id.display_text())
}

/// One match, none, or a refusal to guess.
fn one_of<'a, T>(
    matches: &[&'a T],
    kind: &str,
    wanted: &str,
    id: impl Fn(&T) -> &str,
) -> Result<Option<&'a T>, ResourceError> {
    match matches {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        many => {
            let ids: Vec<&str> = many.iter().map(|object| id(object)).collect();
            Err(ResourceError::Said(format!(
                "found more resources of type {kind} for '{wanted}' ({}); give the id instead",
                ids.join(", ")
            )))
        }
    }
}

/// That there is no such registry, and what there is.
pub(super) async fn no_registry(reads: &dyn RegistryReads, registry: &Deferred<String>) -> Result<String, ApiError> {
    let all = registry_names(&reads.list_registries(None).await?);
    if all.is_empty() {
        return Ok(format!("registry `{}` was not found; the account has no registries", registry.display_text()));
    }
    Ok(format!("registry `{}` was not found{}", registry.display_text(), suggest_names(registry.display_text(), &all)))
}

fn registry_names(registries: &[Registry]) -> Vec<String> {
    registries.iter().map(|registry| registry.properties.name.display_text().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_from_names() {
        assert!(is_uuid("1e9f63b6-ff23-41ab-8f7e-57dd1008d6b5"));
        assert!(!is_uuid("1e9f63b6ff2341ab8f7e57dd1008d6b5"));
        assert!(!is_uuid("testRegistryToken"));
    }
}
