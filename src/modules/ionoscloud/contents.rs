//! What the modules share that list what a registry holds.

use super::{info, lookup, returned};
use crate::ionos::content::{Reading, RegistryContents};
use crate::ionos::{ApiError, Deferred, RegistryReads};
use crate::modules::resource::{ResourceError, deferred_text, options, suggest_names};
use crate::modules::{Failure, ModuleArgs, ModuleOutcome, Spec, TaskContext};
use crate::suggest;
use crate::value::Value;

/// A filter of the service: the parameter of the module, the parameter of the service.
pub(super) type FilterParam = (&'static str, &'static str);

/// Severities as the service spells them.
pub(super) const SEVERITIES: &[&str] = &["none", "low", "medium", "high", "critical"];

/// A listing that an info module does.
pub(super) struct ContentsListing<'a> {
    /// The module.
    pub spec: &'static Spec,
    /// Arguments of the task.
    pub args: &'a ModuleArgs,
    /// Where it runs.
    pub context: &'a TaskContext<'a>,
    /// Example of an object, for the reference.
    pub shape: Value,
    /// The list to read.
    pub what: RegistryContents,
    /// Filters that the service applies.
    pub filters: &'a [FilterParam],
    /// Words that the list can be ordered by, without the minus for the other direction.
    pub orders: &'a [&'static str],
    /// Words that have no other direction.
    pub plain_orders: &'a [&'static str],
}

impl ContentsListing<'_> {
    /// Lists, filters, returns.
    pub async fn run_listing(&self) -> Result<ModuleOutcome, Failure> {
        match self.list_objects().await {
            Ok(list) => info::listing_outcome(self.spec, self.args, list, &self.shape),
            Err(stop) => info::listing_failure(self.spec, stop),
        }
    }

    async fn list_objects(&self) -> Result<Vec<Value>, ResourceError> {
        let connection = options::read_connection(self.args, self.context, self.spec.label, "info")?;
        options::require_params(self.spec, self.args, self.spec.label, "info")?;
        let query = self.build_query()?;
        let registry = self.args.get("registry").map(deferred_text).unwrap_or_default();
        let api = self.context.registries.connect(&connection)?;
        match contents_in(&*api, &registry, &self.what, &query).await? {
            Some(found) => Ok(found.iter().map(|reading| returned::reading_value(reading, &self.shape)).collect()),
            None => Err(explain_missing(&*api, &registry, &self.what).await?.into()),
        }
    }

    /// Returns the query parameters for filters and order.
    fn build_query(&self) -> Result<Vec<(&'static str, String)>, ResourceError> {
        let mut query = Vec::new();
        for (param, theirs) in self.filters {
            if let Some(value) = self.args.get(param).filter(|value| !value.is_null()) {
                let text = match value {
                    Value::Bool(on) => on.to_string(),
                    other => known_text(other)?,
                };
                if !text.is_empty() {
                    query.push((*theirs, text));
                }
            }
        }
        if let Some(value) = self.args.get("order_by").filter(|value| value.is_true()) {
            query.push(("orderBy", self.order_word(&known_text(value)?)?));
        }
        Ok(query)
    }

    /// A word of the service for an order; snake case is understood too.
    fn order_word(&self, wanted: &str) -> Result<String, ResourceError> {
        let (sign, word) = wanted.strip_prefix('-').map_or(("", wanted), |word| ("-", word));
        let theirs = to_camel(word);
        if self.orders.contains(&theirs.as_str()) || (sign.is_empty() && self.plain_orders.contains(&theirs.as_str())) {
            return Ok(format!("{sign}{theirs}"));
        }
        let all: Vec<&str> = self.orders.iter().chain(self.plain_orders).copied().collect();
        let remedy = match suggest::find_nearest(&theirs, &all) {
            Some(meant) if meant == theirs => format!("`{meant}` has one direction only"),
            Some(meant) => format!("did you mean `{sign}{meant}`?"),
            None => format!("it can be {}, most with a leading `-` for the other direction", quote_words(&all)),
        };
        Err(ResourceError::Said(format!(
            "failed to list the {}: the list cannot be ordered by `{wanted}`; {remedy}",
            self.spec.label
        )))
    }
}

/// The text of a parameter that has to be known before anything can be asked.
pub(super) fn known_text(value: &Value) -> Result<String, ApiError> {
    match deferred_text(value) {
        Deferred::Known(text) => Ok(text),
        Deferred::Unknown(unknown) => Err(ApiError::undetermined(unknown.describe_missing())),
    }
}

/// Lists the requested contents of a registry; `None` if a parent object does not exist.
pub(super) async fn contents_in(
    reads: &dyn RegistryReads,
    registry: &Deferred<String>,
    what: &RegistryContents,
    query: &[(&'static str, String)],
) -> Result<Option<Vec<Reading>>, ApiError> {
    let text = match registry {
        Deferred::Unknown(_) => return reads.list_contents(registry, what, query).await,
        Deferred::Known(text) => text,
    };
    if lookup::is_uuid(text)
        && let Some(found) = reads.list_contents(registry, what, query).await?
    {
        return Ok(Some(found));
    }
    match reads.registry_id(text).await? {
        Some(id) => reads.list_contents(&id, what, query).await,
        None => Ok(None),
    }
}

/// The sentence about what is not there: the registry, the repository or the artifact.
async fn explain_missing(
    reads: &dyn RegistryReads,
    registry: &Deferred<String>,
    what: &RegistryContents,
) -> Result<ApiError, ResourceError> {
    if lookup::find_registry(reads, registry).await?.0.is_none() {
        return Ok(ApiError::unsent(lookup::no_registry(reads, registry).await?));
    }
    let Some(repository) = what.repository() else {
        return Ok(ApiError::unsent(format!("the API lists nothing for registry `{}`", registry.display_text())));
    };
    let all = contents_in(reads, registry, &RegistryContents::Repositories, &[]).await?.unwrap_or_default();
    let names: Vec<String> = all.iter().map(|reading| reading.id.display_text().to_owned()).collect();
    Ok(ApiError::unsent(match what {
        RegistryContents::Vulnerabilities { artifact, .. } if names.iter().any(|name| name == repository) => {
            format!("artifact `{artifact}` was not found in repository `{repository}`")
        }
        _ => format!("repository `{repository}` was not found{}", suggest_names(repository, &names)),
    }))
}

fn quote_words(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// `last_push` as `lastPush`.
fn to_camel(word: &str) -> String {
    let mut out = String::new();
    let mut upper = false;
    for c in word.chars() {
        match c {
            '_' => upper = true,
            c if upper => {
                out.extend(c.to_uppercase());
                upper = false;
            }
            c => out.push(c),
        }
    }
    out
}

/// Keys that all objects share, with their own metadata and properties.
pub(super) fn object_shape(metadata: &[&str], properties: Vec<(&'static str, Value)>) -> Value {
    Value::dict([
        ("href", Value::Null),
        ("id", Value::Null),
        ("metadata", Value::dict(metadata.iter().map(|key| (*key, Value::Null)))),
        ("properties", Value::dict(properties)),
        ("type", Value::Null),
    ])
}
