//! `registry_repository`: removes repositories of a container registry; they come into being by a push.

use super::registry_repository_info::repository_shape;
use super::{lookup, returned};
use crate::ionos::api::Id;
use crate::ionos::content::Reading;
use crate::ionos::{ApiError, Deferred, RegistryReads};
use crate::modules::resource::options::{CONNECTION, NO_REPLACE, WAIT};
use crate::modules::resource::{ObservedObject, Order, Resource, ResourceError, Site, deferred_text};
use crate::modules::spec::Param;
use crate::modules::{ModuleArgs, ObjectClaims, Spec, TaskContext};
use crate::reconcile::{FieldChange, ResourceAction};
use crate::value::{Dict, Value};

const STATES: &[&str] = &["absent"];

/// The parameters of `registry_repository`. There is one state, so it may be left out (Ansible's default is one
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
            &[Param::str("state", "Only `absent` is possible: a push creates repositories.")
                .default("absent")
                .choices(STATES)],
        ]);

/// The module.
pub struct RegistryRepository;

/// Desired state of a repository.
pub struct RepositoryTask {
    registry: Deferred<String>,
    repository: Deferred<String>,
}

/// Returns the error for objects that only the service can create.
fn unsupported_creation() -> ApiError {
    ApiError::unsent("repositories are made by pushing to them")
}

impl Resource for RegistryRepository {
    type Desired = RepositoryTask;
    type Object = Reading;

    fn resource_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn read_desired(&self, args: &ModuleArgs, _: &TaskContext<'_>) -> Result<RepositoryTask, ResourceError> {
        let fact = |name: &str| args.get(name).map(deferred_text).unwrap_or_default();
        Ok(RepositoryTask { registry: fact("registry"), repository: fact("repository") })
    }

    fn claim_objects(&self, args: &ModuleArgs, _: &[(String, String)]) -> ObjectClaims {
        ObjectClaims::from_arguments(args, Some("registry"), &["repository"])
    }

    fn object_identity(&self, want: &RepositoryTask) -> String {
        want.repository.display_text().to_owned()
    }

    async fn observe_object(
        &self,
        reads: &dyn RegistryReads,
        want: &RepositoryTask,
    ) -> Result<ObservedObject<Reading>, ResourceError> {
        let name = match &want.repository {
            Deferred::Known(name) => name,
            Deferred::Unknown(unknown) => {
                return Err(ApiError::undetermined(unknown.describe_missing()).into());
            }
        };
        let seen = |object, parent| ObservedObject { object, parent: Some(parent), ..ObservedObject::default() };
        if let Some(registry) = lookup::registry_id(reads, &want.registry).await? {
            if let Some(found) = reads.get_repository(&registry, name).await? {
                return Ok(seen(Some(found), registry));
            }
            if reads.get_registry(&registry).await?.is_some() {
                return Ok(seen(None, registry));
            }
        }
        // No such registry, or one whose name looks like an id, or one that has got another id meanwhile.
        let (registry, _) = lookup::find_registry(reads, &want.registry).await?;
        let Some(registry) = registry else {
            let why = lookup::no_registry(reads, &want.registry).await?;
            return Ok(ObservedObject { no_parent: Some(why), ..ObservedObject::default() });
        };
        Ok(seen(reads.get_repository(&registry.id, name).await?, registry.id))
    }

    fn plan_action(&self, _: &RepositoryTask, _: Option<&Reading>) -> ResourceAction {
        ResourceAction::Nothing
    }

    async fn find_name_conflict(
        &self,
        _: &Site<'_>,
        _: &RepositoryTask,
        _: &Reading,
    ) -> Result<Option<String>, ApiError> {
        Ok(None)
    }

    fn replacement_order(&self, _: &RepositoryTask, _: &Reading) -> Order {
        Order::DeleteFirst
    }

    async fn create_object(&self, _: &Site<'_>, _: &RepositoryTask, _: Option<&Reading>) -> Result<Reading, ApiError> {
        Err(unsupported_creation())
    }

    async fn update_object(
        &self,
        _: &Site<'_>,
        _: &RepositoryTask,
        _: &Reading,
        _: &[FieldChange],
    ) -> Result<Reading, ApiError> {
        Err(unsupported_creation())
    }

    async fn delete_object(&self, site: &Site<'_>, have: &Reading) -> Result<(), ApiError> {
        let registry = site.parent.ok_or_else(|| ApiError::unsent("there is no registry to delete it from"))?;
        let name = have.id.display_text();
        match site.api.delete_repository(registry, name).await {
            Err(error) if error.is_not_found() => match site.api.get_repository(registry, name).await? {
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

    async fn wait_until_ready(&self, _: &Site<'_>, have: Reading) -> Result<Reading, ApiError> {
        Ok(have)
    }

    async fn read_again(&self, _: &Site<'_>, have: &Reading) -> Result<Option<Reading>, ApiError> {
        Ok(Some(have.clone()))
    }

    fn object_id(&self, repository: &Reading) -> Id {
        repository.id.clone()
    }

    fn object_name(&self, repository: &Reading) -> String {
        repository.id.display_text().to_owned()
    }

    fn managed_fields(&self, repository: &Reading) -> Dict {
        let mut fields = Dict::new();
        fields.set("name", Value::text(repository.id.display_text()));
        fields
    }

    fn returned_value(&self, repository: &Reading) -> Value {
        returned::reading_value(repository, &repository_shape())
    }
}
