//! `registry`: container registries.
//!
//! A registry takes time to run; with `wait` the task ends when it does, or after `wait_timeout` seconds.
//!
//! Replacement. A new name lets the new registry be made first. A new location, or scanning switched off, keeps the
//! name, and a name can be held by one registry only: the old one has to go first, with every image and token in it.
//! Nothing makes that safe, so it is done only with `allow_replace`, and only after everything has been checked that can
//! be: the location must be one that the service offers. If making the new one fails then, the error says that there is
//! none now.

use std::time::Duration;

use tokio::time::Instant;

use super::registry_fields::{FEATURES, SCHEDULE, check_name, desired_scanning, desired_schedule, desired_subnets};
use super::{lookup, returned};
use crate::ionos::api::Id;
use crate::ionos::create;
use crate::ionos::model::Registry;
use crate::ionos::{ApiError, Deferred, RegistryReads};
use crate::modules::resource::options::{CONNECTION, REPLACE, WAIT};
use crate::modules::resource::{ObservedObject, Order, Resource, ResourceError, Site, deferred_text};
use crate::modules::spec::{Param, ParamKind};
use crate::modules::{ModuleArgs, ObjectClaims, Spec, TaskContext};
use crate::reconcile::{
    FieldChange, RegistryDesired, ResourceAction, new_registry, reconcile_registry, registry_fields, registry_patch,
};
use crate::value::{Dict, Value};

const ALL: &[&str] = &["present", "absent", "update"];
const WRITTEN: &[&str] = &["present", "update"];
const EXISTING: &[&str] = &["update", "absent"];

/// The parameters of `registry`.
pub static SPEC: Spec =
    Spec::new("ionoscloudsdk.ionoscloud.registry", "Creates, updates and deletes container registries.")
        .label("Registry")
        .returns("registry")
        .states(ALL)
        .examples(include_str!("examples/registry.yml"))
        .params(&[
            &[
                Param::new(
                    "garbage_collection_schedule",
                    ParamKind::Raw,
                    "Days and time (`days`, `time`) of the weekly garbage collection.",
                )
                .only_in(WRITTEN)
                .members(SCHEDULE),
                Param::new("features", ParamKind::Raw, "Optional features: `vulnerability_scanning: {enabled: true}`.")
                    .only_in(WRITTEN)
                    .members(FEATURES),
                Param::list(
                    "api_subnet_allow_list",
                    &ParamKind::Str,
                    "Addresses and networks with access to the registry; empty: all.",
                )
                .only_in(WRITTEN),
                Param::str("location", "Location of the registry, for example `de/fra`.")
                    .only_in(WRITTEN)
                    .required_in(&["present"])
                    .replaces(),
                Param::str("name", "Name of the registry, unique in the whole service.")
                    .only_in(WRITTEN)
                    .required_in(&["present"])
                    .replaces(),
                Param::str("registry", "Id or name of the registry.").only_in(EXISTING).required_in(EXISTING),
            ],
            REPLACE,
            CONNECTION,
            WAIT,
            &[Param::str(
                "state",
                "Desired state: `present` (create or update), `update` (update if it exists) or `absent` (delete).",
            )
            .default("present")
            .choices(ALL)],
        ]);

/// The module.
pub struct RegistryModule;

/// Desired state of a registry.
pub struct RegistryTask {
    identity: Deferred<String>,
    fields: RegistryDesired,
}

impl Resource for RegistryModule {
    type Desired = RegistryTask;
    type Object = Registry;

    fn resource_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn read_desired(&self, args: &ModuleArgs, context: &TaskContext<'_>) -> Result<RegistryTask, ResourceError> {
        let existing = args.get("registry").map(deferred_text).unwrap_or_default();
        let state = args.str("state").unwrap_or("present");
        if state == "absent" {
            return Ok(RegistryTask { identity: existing, fields: RegistryDesired::default() });
        }
        let name = args.get("name").filter(|name| name.is_true()).map(deferred_text);
        if let Some(Deferred::Known(name)) = &name {
            check_name(name, args, context)?;
        }
        let fields = RegistryDesired {
            name: name.clone(),
            location: args.get("location").filter(|location| location.is_true()).map(deferred_text),
            schedule: desired_schedule(args, context)?,
            scanning: desired_scanning(args, context)?,
            allow_list: desired_subnets(args, context)?,
        };
        let identity = if state == "update" { existing } else { name.unwrap_or_default() };
        Ok(RegistryTask { identity, fields })
    }

    fn claim_objects(&self, args: &ModuleArgs, _: &[(String, String)]) -> ObjectClaims {
        ObjectClaims::from_arguments(args, None, &["name", "registry"])
    }

    fn object_identity(&self, want: &RegistryTask) -> String {
        want.identity.display_text().to_owned()
    }

    async fn observe_object(
        &self,
        reads: &dyn RegistryReads,
        want: &RegistryTask,
    ) -> Result<ObservedObject<Registry>, ResourceError> {
        // A registry that shall be there is asked for by its name alone; whether that text is the id of one does not
        // matter, and the names of all others are not needed.
        let (object, names) = match (&want.fields.name, &want.identity) {
            (Some(name), Deferred::Known(text)) if *name == want.identity => {
                (lookup::named_registry(reads, text).await?, Vec::new())
            }
            (Some(name), Deferred::Unknown(_)) if *name == want.identity => {
                name.check_comparable()?;
                (None, Vec::new())
            }
            _ => lookup::find_registry(reads, &want.identity).await?,
        };
        Ok(ObservedObject { object, names, ..ObservedObject::default() })
    }

    fn plan_action(&self, want: &RegistryTask, have: Option<&Registry>) -> ResourceAction {
        reconcile_registry(&want.fields, have)
    }

    async fn find_name_conflict(
        &self,
        site: &Site<'_>,
        want: &RegistryTask,
        have: &Registry,
    ) -> Result<Option<String>, ApiError> {
        if let Some(Deferred::Known(location)) = &want.fields.location
            && want.fields.location.as_ref() != Some(&have.properties.location)
        {
            check_location(site, location).await?;
        }
        match &want.fields.name {
            Some(Deferred::Known(name)) if want.fields.name.as_ref() != Some(&have.properties.name) => {
                Ok(site.api.name_taken(name).await?.then(|| name.clone()))
            }
            _ => Ok(None),
        }
    }

    fn replacement_order(&self, want: &RegistryTask, have: &Registry) -> Order {
        match &want.fields.name {
            Some(name) if *name != have.properties.name => Order::CreateFirst,
            _ => Order::DeleteFirst,
        }
    }

    async fn create_object(
        &self,
        site: &Site<'_>,
        want: &RegistryTask,
        old: Option<&Registry>,
    ) -> Result<Registry, ApiError> {
        let new = new_registry(&want.fields, old);
        let made = match create::create_registry(site.api, &new, &site.creation_settings(None)).await {
            // The service does not say what it takes instead.
            Err(error) if error.status == Some(400) => {
                if let Deferred::Known(location) = &new.location {
                    check_location(site, location).await?;
                }
                return Err(error);
            }
            other => other?,
        };
        made.notes.into_iter().for_each(|note| site.context.warn(note));
        self.wait_until_ready(site, made.object).await
    }

    async fn update_object(
        &self,
        site: &Site<'_>,
        want: &RegistryTask,
        have: &Registry,
        fields: &[FieldChange],
    ) -> Result<Registry, ApiError> {
        let after = site.api.patch_registry(&have.id, &registry_patch(&want.fields, have, fields)).await?;
        self.wait_until_ready(site, after).await
    }

    async fn delete_object(&self, site: &Site<'_>, have: &Registry) -> Result<(), ApiError> {
        match site.api.delete_registry(&have.id).await {
            Err(error) if error.is_not_found() => match site.api.get_registry(&have.id).await? {
                None => Ok(()),
                Some(_) => Err(error),
            },
            Err(error) => Err(error),
            Ok(()) if site.wait => wait_until_gone(site, have).await,
            Ok(()) => Ok(()),
        }
    }

    async fn wait_until_ready(&self, site: &Site<'_>, mut registry: Registry) -> Result<Registry, ApiError> {
        if !site.wait {
            return Ok(registry);
        }
        let begun = Instant::now();
        loop {
            let state = registry.metadata.state.known().cloned().flatten().unwrap_or_default();
            if state.eq_ignore_ascii_case("running") || registry.metadata.state.is_unknown() {
                return Ok(registry);
            }
            if state.to_ascii_uppercase().starts_with("FAILED") {
                return Err(ApiError::unsent(format!("the registry is in state `{state}`")));
            }
            let name = registry.properties.name.display_text();
            site.context.progress.show_message(&format!("waiting for registry {name}: {state}"));
            let what = format!("registry `{name}` ({}) is there, in state `{state}`", registry.id.display_text());
            pause_polling(site, begun, &what).await?;
            registry = site
                .api
                .get_registry(&registry.id)
                .await?
                .ok_or_else(|| ApiError::unsent("the registry disappeared while it was waited for"))?;
        }
    }

    async fn read_again(&self, site: &Site<'_>, have: &Registry) -> Result<Option<Registry>, ApiError> {
        site.api.get_registry(&have.id).await
    }

    fn object_id(&self, registry: &Registry) -> Id {
        registry.id.clone()
    }

    fn object_name(&self, registry: &Registry) -> String {
        registry.properties.name.display_text().to_owned()
    }

    fn managed_fields(&self, registry: &Registry) -> Dict {
        registry_fields(registry)
    }

    fn returned_value(&self, registry: &Registry) -> Value {
        returned::registry_value(registry)
    }
}

/// Refuses a location that the service does not offer.
async fn check_location(site: &Site<'_>, location: &str) -> Result<(), ApiError> {
    let offered = site.api.list_locations().await?;
    if offered.is_empty() || offered.iter().any(|known| known.id == location) {
        return Ok(());
    }
    let list = offered.iter().map(|known| format!("`{}`", known.id)).collect::<Vec<_>>().join(", ");
    Err(ApiError::unsent(format!("the service has no location `{location}`; it has {list}")))
}

/// Waits until a removed registry is gone and its name free, or held by another registry.
async fn wait_until_gone(site: &Site<'_>, have: &Registry) -> Result<(), ApiError> {
    let begun = Instant::now();
    let name = have.properties.name.display_text();
    while site.api.get_registry(&have.id).await?.is_some() {
        site.context.progress.show_message(&format!("waiting for registry {name} to be gone"));
        pause_polling(site, begun, &format!("registry `{name}` is still being removed")).await?;
    }
    Ok(())
}

/// A pause between two looks, unless there is no time left for it, or the user does not want to wait.
async fn pause_polling(site: &Site<'_>, begun: Instant, what: &str) -> Result<(), ApiError> {
    let ended = |why: &str| {
        let waited = begun.elapsed().as_secs();
        ApiError::unsent(format!("{why}: {what} after {waited} s; run the task again to continue waiting"))
    };
    let left = site.patience.saturating_sub(begun.elapsed());
    if left.is_zero() {
        return Err(ended("Timeout reached"));
    }
    let time = site.tuning.poll.min(left).max(Duration::from_millis(1));
    if site.context.interrupt.pause_for(time).await { Ok(()) } else { Err(ended(site.context.interrupt.reason())) }
}
