//! `registry_repository_info`: lists the repositories of a registry.

use super::contents::{self, Listing};
use super::info;
use super::options::{CONNECTION, NO_REPLACE};
use crate::ionos::content::Contents;
use crate::modules::spec::Param;
use crate::modules::{Args, Failure, Local, Module, Outcome, Spec, TaskContext};
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
        Param::str("name", "Only repositories with this in their name; the service filters."),
        Param::str("vulnerability_severity", "Only repositories whose worst finding is of this severity; the service filters.")
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

impl Module for RegistryRepositoryInfo {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run<'a>(&'a self, args: &'a Args, context: &'a TaskContext<'a>) -> Local<'a, Result<Outcome, Failure>> {
        Box::pin(async move {
            let listing = Listing {
                spec: &SPEC,
                args,
                context,
                shape: shape(),
                what: Contents::Repositories,
                filters: &[("name", "filter.name"), ("vulnerability_severity", "filter.vulnerabilitySeverity")],
                orders: &["lastPush", "lastPull", "artifactCount", "pullCount", "pushCount"],
                plain_orders: &["name"],
            };
            listing.run().await
        })
    }
}

/// A repository with everything that one can have.
pub(super) fn shape() -> Value {
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
    contents::shape(METADATA, vec![("name", Value::Null)])
}
