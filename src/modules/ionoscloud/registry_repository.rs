//! `registry_repository`: removes repositories of a container registry; they come into being by a push.

use super::options::{CONNECTION, NO_REPLACE, WAIT};
use super::registry_repository_info::shape;
use super::{lookup, returned};
use crate::ionos::api::Id;
use crate::ionos::content::Reading;
use crate::ionos::{ApiError, Fact, RegistryReads};
use crate::modules::resource::{Observation, Order, Resource, Site, Stop, text_fact};
use crate::modules::spec::Param;
use crate::modules::{Args, Spec, TaskContext};
use crate::reconcile::{Action, FieldChange};
use crate::value::{Dict, Value};

const STATES: &[&str] = &["absent"];

/// The parameters of `registry_repository`. There is one state, so it may be left out (the original's default is one
/// that it refuses).
pub static SPEC: Spec =
    Spec::new("ionoscloudsdk.ionoscloud.registry_repository", "Deletes repositories of a registry.")
        .label("Repository")
        .returns("repository")
        .states(STATES)
        .examples(include_str!("examples/registry_repository.yml"))
        .params(&[
            &[
                Param::str("registry", "Id or name of the registry.").required().required_in(STATES),
                Param::str("repository", "Name of the repository.").required().required_in(STATES),
            ],
            NO_REPLACE,
            CONNECTION,
            WAIT,
            &[Param::str("state", "Only `absent` is possible: repositories come to be by a push.")
                .default("absent")
                .choices(STATES)],
        ]);

/// The module.
pub struct RegistryRepository;

/// Desired state of a repository.
pub struct Desired {
    registry: Fact<String>,
    repository: Fact<String>,
}

/// Returns the error for objects that only the service can create.
fn not_made() -> ApiError {
    ApiError::unsent("repositories are made by pushing to them")
}

impl Resource for RegistryRepository {
    type Desired = Desired;
    type Object = Reading;

    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn desired(&self, args: &Args, _: &TaskContext<'_>) -> Result<Desired, Stop> {
        let fact = |name: &str| args.get(name).map(text_fact).unwrap_or_default();
        Ok(Desired { registry: fact("registry"), repository: fact("repository") })
    }

    fn identity(&self, want: &Desired) -> String {
        want.repository.shown().to_owned()
    }

    async fn observe(&self, reads: &dyn RegistryReads, want: &Desired) -> Result<Observation<Reading>, Stop> {
        let name = match &want.repository {
            Fact::Known(name) => name,
            Fact::Unknown(unknown) => {
                return Err(ApiError::undetermined(unknown.sentence()).into());
            }
        };
        let seen = |object, parent| Observation { object, parent: Some(parent), ..Observation::default() };
        if let Some(registry) = lookup::registry_id(reads, &want.registry).await? {
            if let Some(found) = reads.repository(&registry, name).await? {
                return Ok(seen(Some(found), registry));
            }
            if reads.registry(&registry).await?.is_some() {
                return Ok(seen(None, registry));
            }
        }
        // No such registry, or one whose name looks like an id, or one that has got another id meanwhile.
        let (registry, _) = lookup::registry(reads, &want.registry).await?;
        let Some(registry) = registry else {
            let why = lookup::no_registry(reads, &want.registry).await?;
            return Ok(Observation { no_parent: Some(why), ..Observation::default() });
        };
        Ok(seen(reads.repository(&registry.id, name).await?, registry.id))
    }

    fn plan(&self, _: &Desired, _: Option<&Reading>) -> Action {
        Action::Nothing
    }

    async fn rival(&self, _: &Site<'_>, _: &Desired, _: &Reading) -> Result<Option<String>, ApiError> {
        Ok(None)
    }

    fn order(&self, _: &Desired, _: &Reading) -> Order {
        Order::DeleteFirst
    }

    async fn create(&self, _: &Site<'_>, _: &Desired, _: Option<&Reading>) -> Result<Reading, ApiError> {
        Err(not_made())
    }

    async fn update(&self, _: &Site<'_>, _: &Desired, _: &Reading, _: &[FieldChange]) -> Result<Reading, ApiError> {
        Err(not_made())
    }

    async fn delete(&self, site: &Site<'_>, have: &Reading) -> Result<(), ApiError> {
        let registry = site.parent.ok_or_else(|| ApiError::unsent("there is no registry to delete it from"))?;
        let name = have.id.shown();
        match site.api.delete_repository(registry, name).await {
            Err(error) if error.is_not_found() => match site.api.repository(registry, name).await? {
                None => Ok(()),
                Some(_) => Err(error),
            },
            Err(error) if error.status == Some(400) && name.contains('/') => Err(ApiError {
                message: format!(
                    "{}; the API lists repositories with a slash in their name, but its description allows none in this \
                     call: remove the artifacts with a registry client instead",
                    error.message
                ),
                ..error
            }),
            other => other,
        }
    }

    async fn ready(&self, _: &Site<'_>, have: Reading) -> Result<Reading, ApiError> {
        Ok(have)
    }

    fn id(&self, repository: &Reading) -> Id {
        repository.id.clone()
    }

    fn name(&self, repository: &Reading) -> String {
        repository.id.shown().to_owned()
    }

    fn fields(&self, repository: &Reading) -> Dict {
        let mut fields = Dict::new();
        fields.set("name", Value::text(repository.id.shown()));
        fields
    }

    fn returned(&self, repository: &Reading) -> Value {
        returned::reading(repository, &shape())
    }
}
