//! What the modules share that list what a registry holds.

use super::{info, lookup, options, returned};
use crate::ionos::content::{Contents, Reading};
use crate::ionos::{ApiError, Fact, RegistryReads};
use crate::modules::resource::{Stop, near, text_fact};
use crate::modules::{Args, Failure, Outcome, Spec, TaskContext};
use crate::suggest;
use crate::value::Value;

/// A filter of the service: the parameter of the module, the parameter of the service.
pub(super) type Filter = (&'static str, &'static str);

/// Severities as the service spells them.
pub(super) const SEVERITIES: &[&str] = &["none", "low", "medium", "high", "critical"];

/// A listing that an info module does.
pub(super) struct Listing<'a> {
    /// The module.
    pub spec: &'static Spec,
    /// Arguments of the task.
    pub args: &'a Args,
    /// Where it runs.
    pub context: &'a TaskContext<'a>,
    /// Example of an object, for the reference.
    pub shape: Value,
    /// The list to read.
    pub what: Contents,
    /// Filters that the service applies.
    pub filters: &'a [Filter],
    /// Words that the list can be ordered by, without the minus for the other direction.
    pub orders: &'a [&'static str],
    /// Words that have no other direction.
    pub plain_orders: &'a [&'static str],
}

impl Listing<'_> {
    /// Lists, filters, returns.
    pub async fn run(&self) -> Result<Outcome, Failure> {
        match self.list().await {
            Ok(list) => info::listed(self.spec, self.args, list, &self.shape),
            Err(stop) => info::failed(self.spec, stop),
        }
    }

    async fn list(&self) -> Result<Vec<Value>, Stop> {
        let connection = options::connection(self.args, self.context, self.spec.label, "info")?;
        options::require(self.spec, self.args, self.spec.label, "info")?;
        let query = self.query()?;
        let registry = self.args.get("registry").map(text_fact).unwrap_or_default();
        let api = self.context.registries.connect(&connection)?;
        match contents_in(&*api, &registry, &self.what, &query).await? {
            Some(found) => Ok(found.iter().map(|reading| returned::reading(reading, &self.shape)).collect()),
            None => Err(missing(&*api, &registry, &self.what).await?.into()),
        }
    }

    /// Returns the query parameters for filters and order.
    fn query(&self) -> Result<Vec<(&'static str, String)>, Stop> {
        let mut query = Vec::new();
        for (param, theirs) in self.filters {
            if let Some(value) = self.args.get(param).filter(|value| !value.is_null()) {
                let text = match value {
                    Value::Bool(on) => on.to_string(),
                    other => known(other)?,
                };
                if !text.is_empty() {
                    query.push((*theirs, text));
                }
            }
        }
        if let Some(value) = self.args.get("order_by").filter(|value| value.is_true()) {
            query.push(("orderBy", self.order(&known(value)?)?));
        }
        Ok(query)
    }

    /// A word of the service for an order; snake case is understood too.
    fn order(&self, wanted: &str) -> Result<String, Stop> {
        let (sign, word) = wanted.strip_prefix('-').map_or(("", wanted), |word| ("-", word));
        let theirs = camel(word);
        if self.orders.contains(&theirs.as_str()) || (sign.is_empty() && self.plain_orders.contains(&theirs.as_str())) {
            return Ok(format!("{sign}{theirs}"));
        }
        let all: Vec<&str> = self.orders.iter().chain(self.plain_orders).copied().collect();
        let remedy = match suggest::nearest(&theirs, &all) {
            Some(meant) if meant == theirs => format!("`{meant}` has one direction only"),
            Some(meant) => format!("did you mean `{sign}{meant}`?"),
            None => format!("it can be {}, most with a leading `-` for the other direction", quoted(&all)),
        };
        Err(Stop::Said(format!(
            "failed to list the {}: the list cannot be ordered by `{wanted}`; {remedy}",
            self.spec.label
        )))
    }
}

/// The text of a parameter that has to be known before anything can be asked.
pub(super) fn known(value: &Value) -> Result<String, ApiError> {
    match text_fact(value) {
        Fact::Known(text) => Ok(text),
        Fact::Unknown(unknown) => Err(ApiError::undetermined(unknown.sentence())),
    }
}

/// Lists the requested contents of a registry; `None` if a parent object does not exist.
pub(super) async fn contents_in(
    reads: &dyn RegistryReads,
    registry: &Fact<String>,
    what: &Contents,
    query: &[(&'static str, String)],
) -> Result<Option<Vec<Reading>>, ApiError> {
    let text = match registry {
        Fact::Unknown(_) => return reads.contents(registry, what, query).await,
        Fact::Known(text) => text,
    };
    if lookup::is_uuid(text)
        && let Some(found) = reads.contents(registry, what, query).await?
    {
        return Ok(Some(found));
    }
    match reads.registry_id(text).await? {
        Some(id) => reads.contents(&id, what, query).await,
        None => Ok(None),
    }
}

/// The sentence about what is not there: the registry, the repository or the artifact.
async fn missing(reads: &dyn RegistryReads, registry: &Fact<String>, what: &Contents) -> Result<ApiError, Stop> {
    if lookup::registry(reads, registry).await?.0.is_none() {
        return Ok(ApiError::unsent(lookup::no_registry(reads, registry).await?));
    }
    let Some(repository) = what.repository() else {
        return Ok(ApiError::unsent(format!("the API lists nothing for registry `{}`", registry.shown())));
    };
    let all = contents_in(reads, registry, &Contents::Repositories, &[]).await?.unwrap_or_default();
    let names: Vec<String> = all.iter().map(|reading| reading.id.shown().to_owned()).collect();
    Ok(ApiError::unsent(match what {
        Contents::Vulnerabilities { artifact, .. } if names.iter().any(|name| name == repository) => {
            format!("artifact `{artifact}` was not found in repository `{repository}`")
        }
        _ => format!("repository `{repository}` was not found{}", near(repository, &names)),
    }))
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// `last_push` as `lastPush`.
fn camel(word: &str) -> String {
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
pub(super) fn shape(metadata: &[&str], properties: Vec<(&'static str, Value)>) -> Value {
    Value::dict([
        ("href", Value::Null),
        ("id", Value::Null),
        ("metadata", Value::dict(metadata.iter().map(|key| (*key, Value::Null)))),
        ("properties", Value::dict(properties)),
        ("type", Value::Null),
    ])
}
