//! `registry_repository_info`: lists the repositories of a registry.

use super::contents::{self, ContentsListing};
use super::info;
use crate::ionos::content::RegistryContents;
use crate::modules::resource::options::{CONNECTION, NO_REPLACE};
use crate::modules::spec::Param;
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, ObjectClaims, Spec, TaskContext, TaskModule};
use crate::value::Value;

/// The parameters of `registry_repository_info`. What the service filters and orders itself is an addition of ours.
pub static SPEC: Spec = Spec::new(
    "ionoscloudsdk.ionoscloud.registry_repository_info",
    "Lists the repositories of a registry.",
)
.label("Repositories")
.returns("repositories")
.examples(include_str!("examples/registry_repository_info.yml"))
.params(&[
    &[
        Param::str("registry", "Id or name of the registry.").required(),
        Param::str("name", "List only repositories with this text in their name; the service filters."),
        Param::str("vulnerability_severity", "List only repositories whose worst vulnerability has this severity; the service filters.")
            .choices(contents::SEVERITIES),
        Param::str(
            "order_by",
            "`lastPush`, `lastPull`, `artifactCount`, `pullCount`, `pushCount`, each also with a leading `-`, or `name`; \
             the service orders. `-lastPush` if absent.",
        ),
    ],
    info::FILTERS,
    CONNECTION,
    NO_REPLACE,
]);

/// The module.
pub struct RegistryRepositoryInfo;

impl TaskModule for RegistryRepositoryInfo {
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
            let listing = ContentsListing {
                spec: &SPEC,
                args,
                context,
                shape: repository_shape(),
                what: RegistryContents::Repositories,
                filters: &[("name", "filter.name"), ("vulnerability_severity", "filter.vulnerabilitySeverity")],
                orders: &["lastPush", "lastPull", "artifactCount", "pullCount", "pushCount"],
                plain_orders: &["name"],
            };
            listing.run_listing().await
        })
    }
}

/// A repository with everything that one can have.
pub(super) fn repository_shape() -> Value {
    const METADATA: &[&str] = &[
        "artifact_count",
        "created_by",
        "created_by_user_id",
        "created_date",
        "last_modified_by",
        "last_modified_by_user_id",
        "last_modified_date",
        "last_pulled_at",
        "last_pushed_at",
        "last_severity",
        "pull_count",
        "push_count",
        "resource_urn",
    ];
    contents::object_shape(METADATA, vec![("name", Value::Null)])
}
