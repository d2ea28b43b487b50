//! `registry_artifact_info`: lists the artifacts of a registry, or of one of its repositories.

use super::contents::{self, ContentsListing, known_text};
use super::info;
use crate::ionos::content::RegistryContents;
use crate::modules::resource::options::{CONNECTION, NO_REPLACE};
use crate::modules::spec::Param;
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, ObjectClaims, Spec, TaskContext, TaskModule};
use crate::value::Value;

/// The parameters of `registry_artifact_info`. What the service filters and orders itself is an addition of ours.
pub static SPEC: Spec = Spec::new(
    "ionoscloudsdk.ionoscloud.registry_artifact_info",
    "Lists the artifacts of a registry or of one repository.",
)
.label("Artifacts")
.returns("artifacts")
.examples(include_str!("examples/registry_artifact_info.yml"))
.params(&[
    &[
        Param::str("registry", "Id or name of the registry.").required(),
        Param::str("repository", "Name of the repository; default: all of the registry."),
        Param::str(
            "vulnerability_id",
            "List only artifacts with this vulnerability; the service filters, only without `repository`.",
        ),
        Param::str(
            "order_by",
            "`pullCount`, `pushCount`, `lastPush`, `lastPull`, `lastScan`, `vulnTotalCount`, `vulnFixableCount`, and \
             within a repository also `vulnMaxSeverity` and `vulnTotalScore`; each also with a leading `-`; the service \
             orders. `-pullCount` if absent, within a repository `-lastPush`.",
        ),
    ],
    info::FILTERS,
    CONNECTION,
    NO_REPLACE,
]);

/// Sort orders of artifacts; the last two within a repository only.
const ORDERS: &[&str] = &[
    "pullCount",
    "pushCount",
    "lastPush",
    "lastPull",
    "lastScan",
    "vulnTotalCount",
    "vulnFixableCount",
    "vulnMaxSeverity",
    "vulnTotalScore",
];

/// The module.
pub struct RegistryArtifactInfo;

impl TaskModule for RegistryArtifactInfo {
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
            let repository = args.get("repository").filter(|value| value.is_true());
            let what = match repository.map(known_text).transpose() {
                Ok(repository) => repository.map_or(RegistryContents::Artifacts, RegistryContents::ArtifactsOf),
                Err(error) => return info::listing_failure(&SPEC, error.into()),
            };
            let whole = what == RegistryContents::Artifacts;
            if !whole && args.get("vulnerability_id").is_some_and(Value::is_true) {
                let said = "`vulnerability_id` cannot be combined with `repository`: the API has that filter for a whole \
                            registry only; leave `repository` out and use `filters: {properties.repository_name: ..}`";
                return Err(Failure::new(format!("failed to list the {}: {said}", SPEC.label)));
            }
            let listing = ContentsListing {
                spec: &SPEC,
                args,
                context,
                shape: artifact_shape(),
                what,
                filters: &[("vulnerability_id", "filter.vulnerabilityId")],
                orders: if whole { &ORDERS[..7] } else { ORDERS },
                plain_orders: &[],
            };
            listing.run_listing().await
        })
    }
}

/// An artifact with everything that one can have.
fn artifact_shape() -> Value {
    const METADATA: &[&str] = &[
        "created_by",
        "created_by_user_id",
        "created_date",
        "last_modified_by",
        "last_modified_by_user_id",
        "last_modified_date",
        "last_pulled_at",
        "last_pushed_at",
        "last_scanned_at",
        "pull_count",
        "push_count",
        "resource_urn",
        "vuln_fixable_count",
        "vuln_max_severity",
        "vuln_total_count",
        "vuln_total_score",
    ];
    let properties = vec![
        ("digest", Value::Null),
        ("media_type", Value::Null),
        ("repository_name", Value::Null),
        ("tags", Value::list([Value::Null])),
    ];
    contents::object_shape(METADATA, properties)
}
