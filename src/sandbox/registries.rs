//! Locations, names and registries: L1, N1, R1 to R6.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::call::ApiCall;
use super::reply::{MockReply, ReplyResult};
use super::service::Service;
use super::store::{ChangeInfo, MockStore, StoredRegistry};
use super::validate;

/// The locations of the service.
pub const LOCATIONS: [&str; 7] = ["de/fra", "de/txl", "es/vit", "fr/par", "gb/lhr", "us/las", "us/ewr"];

impl Service {
    /// L1
    pub(super) fn list_locations() -> MockReply {
        let items: Vec<Json> = LOCATIONS.iter().map(|id| json!({"id": id})).collect();
        MockReply::from_json(200, &json!({"id": "locations", "type": "collection", "href": "", "items": items}))
    }

    /// N1: 200 is taken, 404 is free.
    pub(super) fn name_use(store: &MockStore, name: &str) -> ReplyResult {
        if !validate::registry_name(name) {
            return Err(MockReply::new_invalid(format!("invalid name {name}")));
        }
        Ok(MockReply::new_empty(if is_taken(store, name, None) { 200 } else { 404 }))
    }

    /// R1
    pub(super) fn list_registries(&self, store: &MockStore, call: &ApiCall) -> ReplyResult {
        let limit = call.read_number("limit", 100, 1..=usize::MAX)?.min(self.options.max_page);
        let after = call.query("pagination.token").filter(|t| !t.is_empty()).map(read_token).transpose()?.unwrap_or(0);
        let named = call.query("filter.name");
        let found = |r: &&StoredRegistry| r.sequence > after && named.is_none_or(|part| r.name.contains(part));
        let mut registries: Vec<&StoredRegistry> = store.registries.iter().filter(found).collect();
        registries.sort_by_key(|r| r.sequence);
        let more = registries.len() > limit;
        registries.truncate(limit);
        let token = registries.last().filter(|_| more).map_or(String::new(), |last| write_token(last.sequence));
        let items: Vec<Json> = registries.into_iter().map(|r| self.registry_json(r)).collect();
        Ok(MockReply::from_json(
            200,
            &json!({"id": "registries", "type": "collection", "href": "", "items": items,
                "_links": {"self": "", "next": "", "previous": ""}, "pagination": {"limit": limit, "token": token}}),
        ))
    }

    /// R2
    pub(super) fn create_registry(&self, store: &mut MockStore, call: &ApiCall) -> ReplyResult {
        let body = call.read_json()?;
        let wanted = Wanted::read(&body)?;
        self.insert_registry(store, call, Uuid::new_v4(), wanted)
    }

    /// R3, which also shows registries on their way out.
    pub(super) fn get_registry(&self, store: &MockStore, id: &str) -> ReplyResult {
        let uuid = validate::parse_uuid(id, "registryId")?;
        let registry =
            store.registries.iter().find(|r| r.id == uuid).ok_or_else(|| MockReply::new_missing("registry", id))?;
        Ok(MockReply::from_json(200, &self.registry_json(registry)))
    }

    /// R4: absent keeps.
    pub(super) fn patch_registry(&self, store: &mut MockStore, call: &ApiCall, id: &str) -> ReplyResult {
        let stamp = (self.clock.now(), call.user.clone());
        let registry = find_mut(store, id)?;
        let body = call.read_json()?;
        let fields = validate::check_object(
            &body,
            &["garbageCollectionSchedule", "features", "apiSubnetAllowList"],
            "the body",
        )?;
        let features = changed_features(registry, fields)?;
        let (schedule, allow) = (validate::read_schedule(fields)?, validate::allow_list(fields)?);
        if let Some(schedule) = schedule {
            registry.schedule = schedule;
        }
        if let Some(allow) = allow {
            registry.allow = Some(allow);
        }
        registry.features = features;
        registry.stamp.modified = Some(stamp);
        Ok(MockReply::from_json(200, &self.registry_json(registry)))
    }

    /// R5: creates under the id, or replaces what may be replaced.
    pub(super) fn put_registry(&self, store: &mut MockStore, call: &ApiCall, id: &str) -> ReplyResult {
        let uuid = validate::parse_uuid(id, "registryId")?;
        let body = call.read_json()?;
        let wanted = Wanted::read(&body)?;
        let Some(registry) = store.registry_mut(uuid) else {
            if store.registries.iter().any(|r| r.id == uuid) {
                return Err(MockReply::new_error(409, "cr-409-state", format!("registry {id} is being deleted")));
            }
            return self.insert_registry(store, call, uuid, wanted);
        };
        if wanted.name != registry.name || wanted.location != registry.location {
            return Err(MockReply::new_invalid("name and location of a registry cannot be changed"));
        }
        registry.features = changed_features(registry, wanted.fields)?;
        registry.schedule = wanted.schedule;
        registry.allow = wanted.allow;
        registry.stamp.modified = Some((self.clock.now(), call.user.clone()));
        Ok(MockReply::from_json(201, &self.registry_json(registry))
            .with_header("Location", self.url_of(&format!("/registries/{id}"))))
    }

    /// R6: the name stays taken until the registry is gone.
    pub(super) fn delete_registry(&self, store: &mut MockStore, id: &str) -> ReplyResult {
        find_mut(store, id)?.deleted = Some(self.clock.now());
        Ok(MockReply::new_empty(204))
    }

    fn insert_registry(&self, store: &mut MockStore, call: &ApiCall, id: Uuid, wanted: Wanted) -> ReplyResult {
        if !self.options.duplicate_names && is_taken(store, &wanted.name, Some(id)) {
            return Err(MockReply::new_error(
                409,
                "cr-409-name",
                format!("registry name {} is already in use", wanted.name),
            ));
        }
        let features = validate::read_features(wanted.fields)?;
        // Scanning is on unless it is refused at creation.
        let features = features.filter(|f| f.get("vulnerabilityScanning").is_some());
        let features = features.unwrap_or_else(|| json!({"vulnerabilityScanning": {"enabled": true}}));
        let registry = StoredRegistry {
            id,
            sequence: store.next_number(),
            name: wanted.name,
            location: wanted.location,
            stamp: ChangeInfo { created: self.clock.now(), created_by: call.user.clone(), modified: None },
            state: None,
            deleted: None,
            hostname: None,
            schedule: wanted.schedule,
            features: Some(features),
            allow: wanted.allow,
            storage: None,
            tokens: Vec::new(),
            repositories: Vec::new(),
        };
        let reply = MockReply::from_json(201, &self.registry_json(&registry))
            .with_header("Location", self.url_of(&format!("/registries/{id}")));
        store.registries.push(registry);
        Ok(reply)
    }

    /// `RegistryResponse`
    pub(super) fn registry_json(&self, registry: &StoredRegistry) -> Json {
        let state = registry.state_at(self.clock.now(), self.options.pace);
        let hostname = match &registry.hostname {
            Some(name) => name.clone(),
            None if matches!(state, "Running" | "Deleting") => {
                format!("{}.cr.{}.example.com", registry.name, registry.location.replace('/', "-"))
            }
            None => String::new(),
        };
        let mut properties = json!({
            "name": registry.name, "location": registry.location, "hostname": hostname,
            "garbageCollectionSchedule": registry.schedule, "storageUsage": registry.storage,
            "features": registry.features, "apiSubnetAllowList": registry.allow.clone().unwrap_or_default(),
        });
        if self.options.extras {
            properties["maintenanceWindow"] = json!({"dayOfTheWeek": "Sunday", "time": "03:30:00+00:00"});
        }
        json!({"id": registry.id, "type": "registry", "href": "",
            "metadata": self.render_metadata(&registry.stamp, state), "properties": properties})
    }
}

/// A checked `PostRegistryInput`.
struct Wanted<'a> {
    name: String,
    location: String,
    schedule: Option<Json>,
    allow: Option<Vec<String>>,
    fields: &'a Map<String, Json>,
}

impl<'a> Wanted<'a> {
    fn read(body: &'a Json) -> Result<Self, MockReply> {
        const KNOWN: [&str; 5] = ["name", "location", "garbageCollectionSchedule", "features", "apiSubnetAllowList"];
        let outer = validate::check_object(body, &["properties"], "the body")?;
        let properties = outer.get("properties").ok_or_else(|| MockReply::new_invalid("properties is required"))?;
        let fields = validate::check_object(properties, &KNOWN, "properties")?;
        let name = validate::required_text(fields, "name")?;
        if !validate::registry_name(name) {
            return Err(MockReply::new_invalid("invalid value for name"));
        }
        let location = validate::required_text(fields, "location")?;
        if !LOCATIONS.contains(&location) {
            return Err(MockReply::new_invalid("invalid value for location"));
        }
        validate::read_features(fields)?;
        Ok(Self {
            name: name.to_owned(),
            location: location.to_owned(),
            schedule: validate::read_schedule(fields)?.flatten(),
            allow: validate::allow_list(fields)?,
            fields,
        })
    }
}

/// The features after a change: absent keeps, scanning cannot be switched off.
fn changed_features(registry: &StoredRegistry, fields: &Map<String, Json>) -> Result<Option<Json>, MockReply> {
    let Some(wanted) = validate::read_features(fields)?.filter(|f| f.get("vulnerabilityScanning").is_some()) else {
        return Ok(registry.features.clone());
    };
    if validate::has_scanning(registry.features.as_ref()) && !validate::has_scanning(Some(&wanted)) {
        return Err(MockReply::new_invalid("vulnerabilityScanning cannot be switched off once it is on"));
    }
    Ok(Some(wanted))
}

fn is_taken(store: &MockStore, name: &str, except: Option<Uuid>) -> bool {
    store.registries.iter().any(|r| r.name == name && Some(r.id) != except)
}

fn find_mut<'a>(store: &'a mut MockStore, id: &str) -> Result<&'a mut StoredRegistry, MockReply> {
    let uuid = validate::parse_uuid(id, "registryId")?;
    store.registry_mut(uuid).ok_or_else(|| MockReply::new_missing("registry", id))
}

fn write_token(sequence: u64) -> String {
    URL_SAFE_NO_PAD.encode(json!({"v": 1, "after": sequence}).to_string())
}

fn read_token(token: &str) -> Result<u64, MockReply> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let value: Option<Json> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    value
        .and_then(|v| v.get("after")?.as_u64())
        .ok_or_else(|| MockReply::new_invalid("invalid value for pagination.token"))
}
