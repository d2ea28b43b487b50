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

use super::options::{CONNECTION, REPLACE, WAIT};
use super::registry_fields::{check_name, desired_scanning, desired_schedule, desired_subnets};
use super::{lookup, returned};
use crate::ionos::api::Id;
use crate::ionos::create;
use crate::ionos::model::Registry;
use crate::ionos::{ApiError, Fact, RegistryReads};
use crate::modules::resource::{Observation, Order, Resource, Site, Stop, text_fact};
use crate::modules::spec::{Kind, Param};
use crate::modules::{Args, Spec, TaskContext};
use crate::reconcile::{
    Action, FieldChange, RegistryDesired, new_registry, reconcile_registry, registry_fields, registry_patch,
};
use crate::value::{Dict, Value};

const ALL: &[&str] = &["present", "absent", "update"];
const WRITTEN: &[&str] = &["present", "update"];
const EXISTING: &[&str] = &["update", "absent"];

/// The parameters of `registry`.
pub static SPEC: Spec =
    Spec::new("ionoscloudsdk.ionoscloud.registry", "Creates, changes and deletes container registries.")
        .label("Registry")
        .returns("registry")
        .states(ALL)
        .examples(include_str!("examples/registry.yml"))
        .params(&[
            &[
                Param::new(
                    "garbage_collection_schedule",
                    Kind::Raw,
                    "Days and time (`days`, `time`) of the weekly collection.",
                )
                .only_in(WRITTEN),
                Param::new("features", Kind::Raw, "Optional features: `vulnerability_scanning: {enabled: true}`.")
                    .only_in(WRITTEN),
                Param::list(
                    "api_subnet_allow_list",
                    &Kind::Str,
                    "Addresses and networks that may reach the registry; all if empty.",
                )
                .only_in(WRITTEN),
                Param::str("location", "Where the registry is, such as `de/fra`.")
                    .only_in(WRITTEN)
                    .required_in(&["present"])
                    .replaces(),
                Param::str("name", "The name, unique in the whole service.")
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
                "What shall be: there (`present`), changed if there (`update`), or gone (`absent`).",
            )
            .default("present")
            .choices(ALL)],
        ]);

/// The module.
pub struct RegistryModule;

/// Desired state of a registry.
pub struct Desired {
    identity: Fact<String>,
    fields: RegistryDesired,
}

impl Resource for RegistryModule {
    type Desired = Desired;
    type Object = Registry;

    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn desired(&self, args: &Args, context: &TaskContext<'_>) -> Result<Desired, Stop> {
        let existing = args.get("registry").map(text_fact).unwrap_or_default();
        let state = args.str("state").unwrap_or("present");
        if state == "absent" {
            return Ok(Desired { identity: existing, fields: RegistryDesired::default() });
        }
        let name = args.get("name").filter(|name| name.is_true()).map(text_fact);
        if let Some(Fact::Known(name)) = &name {
            check_name(name, args, context)?;
        }
        let fields = RegistryDesired {
            name: name.clone(),
            location: args.get("location").filter(|location| location.is_true()).map(text_fact),
            schedule: desired_schedule(args, context)?,
            scanning: desired_scanning(args, context)?,
            allow_list: desired_subnets(args, context)?,
        };
        let identity = if state == "update" { existing } else { name.unwrap_or_default() };
        Ok(Desired { identity, fields })
    }

    fn identity(&self, want: &Desired) -> String {
        want.identity.shown().to_owned()
    }

    async fn observe(&self, reads: &dyn RegistryReads, want: &Desired) -> Result<Observation<Registry>, Stop> {
        // A registry that shall be there is asked for by its name alone; whether it has an id of that text is nobody's
        // question, and the names of all others are not needed.
        let (object, names) = match (&want.fields.name, &want.identity) {
            (Some(name), Fact::Known(text)) if *name == want.identity => {
                (lookup::named_registry(reads, text).await?, Vec::new())
            }
            (Some(name), Fact::Unknown(_)) if *name == want.identity => (None, Vec::new()),
            _ => lookup::registry(reads, &want.identity).await?,
        };
        Ok(Observation { object, names, ..Observation::default() })
    }

    fn plan(&self, want: &Desired, have: Option<&Registry>) -> Action {
        reconcile_registry(&want.fields, have)
    }

    async fn rival(&self, site: &Site<'_>, want: &Desired, have: &Registry) -> Result<Option<String>, ApiError> {
        if let Some(Fact::Known(location)) = &want.fields.location
            && want.fields.location.as_ref() != Some(&have.properties.location)
        {
            offered(site, location).await?;
        }
        match &want.fields.name {
            Some(Fact::Known(name)) if want.fields.name.as_ref() != Some(&have.properties.name) => {
                Ok(site.api.name_taken(name).await?.then(|| name.clone()))
            }
            _ => Ok(None),
        }
    }

    fn order(&self, want: &Desired, have: &Registry) -> Order {
        match &want.fields.name {
            Some(name) if *name != have.properties.name => Order::CreateFirst,
            _ => Order::DeleteFirst,
        }
    }

    async fn create(&self, site: &Site<'_>, want: &Desired, old: Option<&Registry>) -> Result<Registry, ApiError> {
        let new = new_registry(&want.fields, old);
        let made = match create::create_registry(site.api, &new, &site.care(None)).await {
            // The service does not say what it takes instead.
            Err(error) if error.status == Some(400) => {
                if let Fact::Known(location) = &new.location {
                    offered(site, location).await?;
                }
                return Err(error);
            }
            other => other?,
        };
        made.notes.into_iter().for_each(|note| site.context.warn(note));
        self.ready(site, made.object).await
    }

    async fn update(
        &self,
        site: &Site<'_>,
        want: &Desired,
        have: &Registry,
        fields: &[FieldChange],
    ) -> Result<Registry, ApiError> {
        let after = site.api.patch_registry(&have.id, &registry_patch(&want.fields, have, fields)).await?;
        self.ready(site, after).await
    }

    async fn delete(&self, site: &Site<'_>, have: &Registry) -> Result<(), ApiError> {
        match site.api.delete_registry(&have.id).await {
            Err(error) if error.is_not_found() => match site.api.registry(&have.id).await? {
                None => Ok(()),
                Some(_) => Err(error),
            },
            Err(error) => Err(error),
            Ok(()) if site.wait => gone(site, have).await,
            Ok(()) => Ok(()),
        }
    }

    async fn ready(&self, site: &Site<'_>, mut registry: Registry) -> Result<Registry, ApiError> {
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
            let name = registry.properties.name.shown();
            site.context.progress.say(&format!("waiting for registry {name}: {state}"));
            let what = format!("registry `{name}` ({}) is there, in state `{state}`", registry.id.shown());
            pause(site, begun, &what).await?;
            registry = site
                .api
                .registry(&registry.id)
                .await?
                .ok_or_else(|| ApiError::unsent("the registry disappeared while it was waited for"))?;
        }
    }

    fn id(&self, registry: &Registry) -> Id {
        registry.id.clone()
    }

    fn name(&self, registry: &Registry) -> String {
        registry.properties.name.shown().to_owned()
    }

    fn fields(&self, registry: &Registry) -> Dict {
        registry_fields(registry)
    }

    fn returned(&self, registry: &Registry) -> Value {
        returned::registry(registry)
    }
}

/// Refuses a location that the service does not offer.
async fn offered(site: &Site<'_>, location: &str) -> Result<(), ApiError> {
    let offered = site.api.locations().await?;
    if offered.is_empty() || offered.iter().any(|known| known.id == location) {
        return Ok(());
    }
    let list = offered.iter().map(|known| format!("`{}`", known.id)).collect::<Vec<_>>().join(", ");
    Err(ApiError::unsent(format!("the service has no location `{location}`; it has {list}")))
}

/// Waits until a removed registry is gone and its name free, or held by another registry.
async fn gone(site: &Site<'_>, have: &Registry) -> Result<(), ApiError> {
    let begun = Instant::now();
    let name = have.properties.name.shown();
    while site.api.registry(&have.id).await?.is_some() {
        site.context.progress.say(&format!("waiting for registry {name} to be gone"));
        pause(site, begun, &format!("registry `{name}` is still being removed")).await?;
    }
    Ok(())
}

/// A pause between two looks, unless there is no time left for it, or the user does not want to wait.
async fn pause(site: &Site<'_>, begun: Instant, what: &str) -> Result<(), ApiError> {
    let ended = |why: &str| {
        let waited = begun.elapsed().as_secs();
        ApiError::unsent(format!("{why}: {what} after {waited} s; run the task again to go on waiting"))
    };
    let left = site.patience.saturating_sub(begun.elapsed());
    if left.is_zero() {
        return Err(ended("Timeout reached"));
    }
    let time = site.tuning.poll.min(left).max(Duration::from_millis(1));
    if site.context.interrupt.pause(time).await { Ok(()) } else { Err(ended(site.context.interrupt.why())) }
}
