//! Registries: desired × observed to an action, and the requests that carry it out.

use std::collections::BTreeSet;

use crate::ionos::Deferred;
use crate::ionos::model::{CollectionSchedule, Features, NewRegistry, Registry, RegistryPatch, Scanning};
use crate::value::{Dict, Value};

use super::field::{field_change, is_different};
use super::schedule::ScheduleDesired;
use super::{FieldChange, ResourceAction};

/// Desired state of a registry; `None` means "leave as it is".
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RegistryDesired {
    /// Name of the registry.
    pub name: Option<Deferred<String>>,
    /// Location of the registry.
    pub location: Option<Deferred<String>>,
    /// When unused layers are removed.
    pub schedule: Option<Deferred<ScheduleDesired>>,
    /// Whether images are scanned.
    pub scanning: Option<Deferred<bool>>,
    /// Who may reach it; everybody if empty.
    pub allow_list: Option<Deferred<Vec<String>>>,
}

/// Decides the action that brings a registry to its desired state.
///
/// Name and location cannot change, and scanning cannot be switched off again: those three force a replacement.
pub fn reconcile_registry(desired: &RegistryDesired, observed: Option<&Registry>) -> ResourceAction {
    let Some(observed) = observed else {
        return ResourceAction::Create;
    };
    let fields = registry_changes(desired, observed);
    let forced = fields.iter().find_map(|field| match field.name {
        "name" => Some("the name of a registry cannot be changed"),
        "location" => Some("the location of a registry cannot be changed"),
        "features" if field.before == Value::Bool(true) => Some("vulnerability scanning cannot be switched off"),
        _ => None,
    });
    let fields: Vec<FieldChange> = fields.into_iter().map(wrap_features).collect();
    match forced {
        Some(reason) => ResourceAction::Replace { fields, reason: reason.to_owned() },
        None if fields.is_empty() => ResourceAction::Nothing,
        None => ResourceAction::Update { fields },
    }
}

/// Scanning is compared as a boolean and shown as the dictionary that the parameter is.
fn wrap_features(field: FieldChange) -> FieldChange {
    if field.name != "features" {
        return field;
    }
    let wrap = |value: Value| match value {
        Value::Null => Value::Null,
        enabled => Value::dict([("vulnerability_scanning", Value::dict([("enabled", enabled)]))]),
    };
    FieldChange { before: wrap(field.before), after: wrap(field.after), ..field }
}

fn registry_changes(desired: &RegistryDesired, observed: &Registry) -> Vec<FieldChange> {
    let have = &observed.properties;
    let mut fields = Vec::new();
    let text = |fact: &Deferred<String>| fact.to_value(|t| Value::text(t.as_str()));
    if let Some(name) = &desired.name
        && is_different(name, &have.name, |a, b| a == b)
    {
        fields.push(field_change("name", text(&have.name), text(name)));
    }
    if let Some(location) = &desired.location
        && is_different(location, &have.location, |a, b| a == b)
    {
        fields.push(field_change("location", text(&have.location), text(location)));
    }
    if let Some(schedule) = &desired.schedule
        && is_different(schedule, &have.garbage_collection_schedule, |a, b| a.is_met_by(b.as_ref()))
    {
        let before = have.garbage_collection_schedule.to_value(|s| schedule_value(s.as_ref()));
        let known = have.garbage_collection_schedule.known().cloned().flatten();
        let after = schedule.to_value(|s| schedule_value(Some(&s.merge_with(known.as_ref()))));
        fields.push(field_change("garbage_collection_schedule", before, after));
    }
    // A registry whose answer does not speak of scanning cannot be told to have it switched on, so it counts as off.
    if let Some(scanning) = &desired.scanning
        && is_different(scanning, &have.features, |a, b| *a == is_scanned(b.as_ref()).unwrap_or(false))
    {
        let before = have.features.to_value(|f| is_scanned(f.as_ref()).map_or(Value::Null, Value::Bool));
        fields.push(field_change("features", before, scanning.to_value(|s| Value::Bool(*s))));
    }
    if let Some(list) = &desired.allow_list
        && is_different(list, &have.api_subnet_allow_list, |a, b| same_subnets(a, b.as_deref().unwrap_or_default()))
    {
        let before = have.api_subnet_allow_list.to_value(|l| text_list(l.as_deref().unwrap_or_default()));
        fields.push(field_change("api_subnet_allow_list", before, list.to_value(|l| text_list(l))));
    }
    fields
}

fn is_scanned(features: Option<&Features>) -> Option<bool> {
    features?.vulnerability_scanning.as_ref().map(|scanning| scanning.enabled)
}

/// Bare addresses mean a network of one address; order and repetition mean nothing.
fn same_subnets(a: &[String], b: &[String]) -> bool {
    let set = |list: &[String]| -> BTreeSet<String> {
        list.iter()
            .map(|net| {
                let (address, bits) = net.trim().split_once('/').unwrap_or((net.trim(), ""));
                match address.parse::<std::net::IpAddr>() {
                    Ok(ip) if bits.is_empty() => format!("{ip}/{}", if ip.is_ipv4() { 32 } else { 128 }),
                    Ok(ip) => format!("{ip}/{bits}"),
                    Err(_) => net.clone(),
                }
            })
            .collect()
    };
    set(a) == set(b)
}

fn scanning_features(enabled: bool) -> Features {
    Features { vulnerability_scanning: Some(Scanning { enabled }) }
}

/// Returns the request that creates a registry; a replacement keeps fields that the task does not name.
pub fn new_registry(desired: &RegistryDesired, old: Option<&Registry>) -> NewRegistry {
    let have = old.map(|registry| &registry.properties);
    let observed_schedule = have.and_then(|p| p.garbage_collection_schedule.known().cloned().flatten());
    let garbage_collection_schedule = match &desired.schedule {
        Some(schedule) => Some(schedule.clone().map(|s| s.merge_with(observed_schedule.as_ref()))),
        None => observed_schedule.map(Deferred::Known),
    };
    let features = match (&desired.scanning, have.map(|p| &p.features)) {
        (Some(scanning), _) => Some(scanning.clone().map(scanning_features)),
        (None, Some(Deferred::Known(features))) => features.clone().map(Deferred::Known),
        (None, Some(Deferred::Unknown(unknown))) => Some(Deferred::Unknown(unknown.clone())),
        (None, None) => None,
    };
    let api_subnet_allow_list = match (&desired.allow_list, have.map(|p| &p.api_subnet_allow_list)) {
        (Some(list), _) => Some(list.clone()),
        (None, Some(Deferred::Known(list))) => list.clone().map(Deferred::Known),
        (None, Some(Deferred::Unknown(unknown))) => Some(Deferred::Unknown(unknown.clone())),
        (None, None) => None,
    };
    NewRegistry {
        name: desired.name.clone().or_else(|| have.map(|p| p.name.clone())).unwrap_or_default(),
        location: desired.location.clone().or_else(|| have.map(|p| p.location.clone())).unwrap_or_default(),
        garbage_collection_schedule,
        features,
        api_subnet_allow_list,
    }
}

/// The request that changes exactly these fields.
pub fn registry_patch(desired: &RegistryDesired, observed: &Registry, fields: &[FieldChange]) -> RegistryPatch {
    let named = |name: &str| fields.iter().any(|field| field.name == name);
    let have = observed.properties.garbage_collection_schedule.known().cloned().flatten();
    RegistryPatch {
        garbage_collection_schedule: desired
            .schedule
            .clone()
            .filter(|_| named("garbage_collection_schedule"))
            .map(|schedule| schedule.map(|s| s.merge_with(have.as_ref()))),
        features: desired.scanning.clone().filter(|_| named("features")).map(|s| s.map(scanning_features)),
        api_subnet_allow_list: desired.allow_list.clone().filter(|_| named("api_subnet_allow_list")),
    }
}

/// The managed fields of a registry, for differences.
pub fn registry_fields(registry: &Registry) -> Dict {
    let have = &registry.properties;
    let mut fields = Dict::new();
    fields.set("name", have.name.to_value(|t| Value::text(t.as_str())));
    fields.set("location", have.location.to_value(|t| Value::text(t.as_str())));
    let schedule = have.garbage_collection_schedule.to_value(|s| schedule_value(s.as_ref()));
    fields.set("garbage_collection_schedule", schedule);
    fields.set("features", have.features.to_value(|f| features_value(f.as_ref())));
    let list = have.api_subnet_allow_list.to_value(|l| l.as_deref().map_or(Value::Null, text_list));
    fields.set("api_subnet_allow_list", list);
    fields
}

fn features_value(features: Option<&Features>) -> Value {
    let Some(features) = features else {
        return Value::Null;
    };
    let scanning = features
        .vulnerability_scanning
        .as_ref()
        .map_or(Value::Null, |scanning| Value::dict([("enabled", Value::Bool(scanning.enabled))]));
    Value::dict([("vulnerability_scanning", scanning)])
}

fn schedule_value(schedule: Option<&CollectionSchedule>) -> Value {
    schedule.map_or(Value::Null, |schedule| {
        Value::dict([("days", text_list(&schedule.days)), ("time", Value::text(schedule.time.as_str()))])
    })
}

fn text_list(list: &[String]) -> Value {
    Value::list(list.iter().map(|text| Value::text(text.as_str())))
}

#[cfg(test)]
mod tests {
    use super::super::schedule::DAYS;
    use super::*;
    use crate::ionos::model::RegistryProperties;
    use proptest::prelude::*;

    fn made(new: &NewRegistry) -> Registry {
        let properties = RegistryProperties {
            name: new.name.clone(),
            location: new.location.clone(),
            garbage_collection_schedule: new
                .garbage_collection_schedule
                .clone()
                .map_or(Deferred::Known(None), |s| s.map(Some)),
            features: new.features.clone().map_or(Deferred::Known(None), |f| f.map(Some)),
            api_subnet_allow_list: new.api_subnet_allow_list.clone().map_or(Deferred::Known(None), |l| l.map(Some)),
            ..RegistryProperties::default()
        };
        Registry { properties, ..Registry::default() }
    }

    fn applied(desired: &RegistryDesired, observed: Option<&Registry>) -> Option<Registry> {
        match reconcile_registry(desired, observed) {
            ResourceAction::Nothing => observed.cloned(),
            ResourceAction::Create => Some(made(&new_registry(desired, None))),
            ResourceAction::Replace { .. } => observed.map(|old| made(&new_registry(desired, Some(old)))),
            ResourceAction::Update { fields } => observed.cloned().map(|mut registry| {
                let patch = registry_patch(desired, &registry, &fields);
                let have = &mut registry.properties;
                if let Some(schedule) = patch.garbage_collection_schedule {
                    have.garbage_collection_schedule = schedule.map(Some);
                }
                if let Some(features) = patch.features {
                    have.features = features.map(Some);
                }
                if let Some(list) = patch.api_subnet_allow_list {
                    have.api_subnet_allow_list = list.map(Some);
                }
                registry
            }),
            ResourceAction::Delete => None,
        }
    }

    fn days() -> impl Strategy<Value = Vec<String>> {
        proptest::collection::vec((0usize..7).prop_map(|n| DAYS[n].to_owned()), 1..4)
    }

    fn time() -> impl Strategy<Value = String> {
        prop_oneof![Just("01:23:00+00:00".to_owned()), Just("01:23:00Z".to_owned()), Just("04:00:00+00:00".to_owned())]
    }

    fn nets() -> impl Strategy<Value = Vec<String>> {
        let net = prop_oneof![Just("192.0.2.1"), Just("192.0.2.1/32"), Just("2001:db8::/32"), Just("198.51.100.0/24")];
        proptest::collection::vec(net.prop_map(str::to_owned), 0..3)
    }

    fn desired() -> impl Strategy<Value = RegistryDesired> {
        let schedule = (proptest::option::of(days()), proptest::option::of(time()))
            .prop_map(|(days, time)| ScheduleDesired { days, time });
        (
            proptest::option::of("[ab]x"),
            proptest::option::of("[ab]y"),
            proptest::option::of(schedule),
            proptest::option::of(any::<bool>()),
            proptest::option::of(nets()),
        )
            .prop_map(|(name, location, schedule, scanning, allow_list)| RegistryDesired {
                name: name.map(Deferred::Known),
                location: location.map(Deferred::Known),
                schedule: schedule.map(Deferred::Known),
                scanning: scanning.map(Deferred::Known),
                allow_list: allow_list.map(Deferred::Known),
            })
    }

    fn observed() -> impl Strategy<Value = Registry> {
        let schedule = (days(), time()).prop_map(|(days, time)| CollectionSchedule { days, time });
        (
            "[ab]x",
            "[ab]y",
            proptest::option::of(schedule),
            proptest::option::of(any::<bool>()),
            proptest::option::of(nets()),
        )
            .prop_map(|(name, location, schedule, scanning, list)| Registry {
                properties: RegistryProperties {
                    name: Deferred::Known(name),
                    location: Deferred::Known(location),
                    garbage_collection_schedule: Deferred::Known(schedule),
                    features: Deferred::Known(scanning.map(scanning_features)),
                    api_subnet_allow_list: Deferred::Known(list),
                    ..RegistryProperties::default()
                },
                ..Registry::default()
            })
    }

    proptest! {
        #[test]
        fn what_was_applied_needs_nothing_more(desired in desired(), observed in proptest::option::of(observed())) {
            let after = applied(&desired, observed.as_ref());
            prop_assert_eq!(reconcile_registry(&desired, after.as_ref()), ResourceAction::Nothing);
        }

        #[test]
        fn nothing_changes_that_the_task_did_not_name(desired in desired(), observed in observed()) {
            let after = applied(&desired, Some(&observed)).unwrap().properties;
            let before = observed.properties;
            if desired.name.is_none() { prop_assert_eq!(&after.name, &before.name); }
            if desired.location.is_none() { prop_assert_eq!(&after.location, &before.location); }
            if desired.scanning.is_none() { prop_assert_eq!(&after.features, &before.features); }
            if desired.allow_list.is_none() {
                prop_assert_eq!(&after.api_subnet_allow_list, &before.api_subnet_allow_list);
            }
            if desired.schedule.is_none() {
                prop_assert_eq!(&after.garbage_collection_schedule, &before.garbage_collection_schedule);
            }
        }
    }

    #[test]
    fn scanning_can_be_switched_on_but_not_off() {
        let registry = |enabled| Registry {
            properties: RegistryProperties {
                features: Deferred::Known(Some(scanning_features(enabled))),
                ..Default::default()
            },
            ..Registry::default()
        };
        let want = |on| RegistryDesired { scanning: Some(Deferred::Known(on)), ..RegistryDesired::default() };
        assert!(matches!(reconcile_registry(&want(true), Some(&registry(false))), ResourceAction::Update { .. }));
        assert!(matches!(reconcile_registry(&want(false), Some(&registry(true))), ResourceAction::Replace { .. }));
        assert_eq!(reconcile_registry(&want(true), Some(&registry(true))), ResourceAction::Nothing);
    }
}
