//! The service itself: calls, pages, decoding.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use reqwest::Method;
use serde::de::DeserializeOwned;

use super::api::{ApiFuture, Id, Witness};
use super::content::{Query, Reading, RegistryContents};
use super::decode::{decode_reply, require_id, to_json};
use super::list_cache::{ListCache, ListName};
use super::model::{Location, Metadata, NewRegistry, NewToken, Registry, RegistryPatch, Token, TokenPatch};
use super::paging::{ListPage, Named, PagedItems, list_without_items};
use super::path::{contents_path, known_id, percent_encode, registry_path, repository_path, token_path};
use super::transport::{ApiReply, ApiTransport};
use super::{ApiConnection, ApiError, Connector, Credentials, Endpoint, RegistryApi, RegistryReads, WaitPolicy};

/// Members of a page; the service's own default.
const PAGE: usize = 100;

/// Members of a page of what a registry holds; the most that the description allows.
const CONTENT_PAGE: usize = 1000;

/// Opens connections to the service. One client an endpoint is made for the whole run, with its first request.
#[derive(Default)]
pub struct HttpConnector {
    services: RefCell<HashMap<Endpoint, Rc<Service>>>,
}

/// State shared by all tasks of one endpoint.
struct Service {
    transport: ApiTransport,
    ids: RefCell<HashMap<String, Id>>,
    account: RefCell<Option<String>>,
}

/// The API over HTTP.
pub struct HttpApi {
    service: Rc<Service>,
    waiting: WaitPolicy,
    kept: Option<Rc<ListCache>>,
    is_reused: Rc<Cell<bool>>,
    by_password: bool,
}

impl Connector for HttpConnector {
    fn connect(&self, connection: &ApiConnection) -> Result<Rc<dyn RegistryApi>, ApiError> {
        let mut services = self.services.borrow_mut();
        let service = services.entry(connection.endpoint.clone()).or_insert_with(|| {
            let transport = ApiTransport::new(connection.endpoint.clone(), connection.tuning);
            Rc::new(Service { transport, ids: RefCell::default(), account: RefCell::default() })
        });
        let by_password = matches!(connection.endpoint.credentials, Credentials::Basic { .. });
        Ok(Rc::new(HttpApi {
            service: Rc::clone(service),
            waiting: connection.waiting.clone(),
            kept: connection.kept.clone(),
            is_reused: Rc::clone(&connection.is_reused),
            by_password,
        }))
    }

    fn may_run_in_parallel(&self) -> bool {
        true
    }
}

fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

impl HttpApi {
    async fn call(&self, method: Method, path: &str, body: Option<&str>) -> Result<ApiReply, ApiError> {
        self.service.transport.send_request(method, path, body, &self.waiting).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, ApiError> {
        let reply = self.call(Method::GET, path, None).await?;
        if reply.status == 404 {
            return Ok(None);
        }
        decode_reply(&reply).map(Some)
    }

    /// One object that was made or changed.
    async fn write<T: DeserializeOwned + Named>(
        &self,
        method: Method,
        path: &str,
        body: &impl serde::Serialize,
    ) -> Result<T, ApiError> {
        let body = serde_json::to_string(body).map_err(|why| ApiError::undetermined(why.to_string()))?;
        let posted = method == Method::POST;
        let reply = self.call(method, path, Some(&body)).await?;
        // Turned away before, in conflict now: perhaps it had not been turned away after all.
        if posted && reply.repeated > 0 && reply.status == 409 {
            let refusal = ApiError::from_answer(409, &String::from_utf8_lossy(&reply.body));
            return Err(ApiError { kind: super::error::ErrorKind::Unclear, ..refusal });
        }
        require_id(decode_reply(&reply)?, &reply)
    }

    async fn delete_path(&self, path: &str) -> Result<(), ApiError> {
        let reply = self.call(Method::DELETE, path, None).await?;
        match reply.status {
            // The service sends nothing, or an object. A page is from something in between, which may have carried out nothing.
            200..=299 if !reply.body.trim_ascii().is_empty() && !is_json(&reply.body) => {
                Err(ApiError::unclear("the answer is not from the service, so the object may still exist"))
            }
            200..=299 => Ok(()),
            // The first sending was carried out and only its answer lost.
            404 if reply.repeated > 0 => Ok(()),
            status => Err(ApiError::from_answer(status, &String::from_utf8_lossy(&reply.body))),
        }
    }

    /// All pages of a list by offset. Links are not followed: samples show wrong ones.
    async fn pages_by_offset<T: DeserializeOwned + Named>(
        &self,
        path: &str,
        size: usize,
        extra: &str,
    ) -> Result<Option<PagedItems<T>>, ApiError> {
        let mut all = PagedItems::default();
        loop {
            let query = format!("{path}?offset={}&limit={size}{extra}", all.seen);
            let Some(page) = self.get::<ListPage<T>>(&query).await? else {
                return Ok((all.seen > 0).then_some(all));
            };
            let total = page.total;
            let items = page.items.ok_or_else(list_without_items)?;
            // Without a total, a page that is not full is the last.
            let short = total.is_none() && items.len() < size;
            let count = items.len();
            let fresh = all.take_page(items)?;
            if !fresh && all.is_incomplete(total, count) {
                let (have, total) = (all.items.len(), total.unwrap_or_default());
                let message = format!("the service announces {total} objects, and sends the same {have} on every page");
                return Err(ApiError::unclear(message));
            }
            if !fresh || short || total.is_some_and(|total| all.seen >= total) {
                return Ok(Some(all));
            }
        }
    }

    /// All pages of the list of registries.
    async fn pages_by_token(&self, filter: Option<&str>) -> Result<PagedItems<Registry>, ApiError> {
        let filter = filter.map(|name| format!("filter.name={}&", percent_encode(name))).unwrap_or_default();
        let mut all = PagedItems::default();
        let mut token = String::new();
        loop {
            let cursor =
                if token.is_empty() { String::new() } else { format!("&pagination.token={}", percent_encode(&token)) };
            let page: ListPage<Registry> = match self.get(&format!("/registries?{filter}limit={PAGE}{cursor}")).await? {
                Some(page) => page,
                None => return Err(ApiError::from_answer(404, "there is no container registry API at this `api_url`")),
            };
            let items = page.items.ok_or_else(list_without_items)?;
            // A page with room left is the last, whatever cursor comes with it; how large one is, the service says.
            let limit = page.pagination.as_ref().and_then(|cursor| cursor.limit).map_or(PAGE, |limit| limit.min(PAGE));
            let short = items.len() < limit;
            let fresh = all.take_page(items)?;
            let next = page.pagination.and_then(|cursor| cursor.token).unwrap_or_default();
            if !fresh || short || next.is_empty() || next == token {
                return Ok(all);
            }
            token = next;
        }
    }

    async fn read_registries(&self, name: Option<&str>) -> Result<Vec<Registry>, ApiError> {
        let found = self.pages_by_token(name).await?;
        found.items.iter().for_each(|registry| self.remember_registry(registry));
        Ok(found.items)
    }

    async fn read_tokens(&self, registry: &str) -> Result<Option<Rc<Vec<Token>>>, ApiError> {
        let found: Option<PagedItems<Token>> =
            self.pages_by_offset(&format!("{}/tokens", registry_path(registry)), PAGE, "").await?;
        if found.is_none() {
            self.forget_registry(registry);
        }
        Ok(found.map(|found| Rc::new(found.items)))
    }

    /// Reads of what registries hold are documented for API tokens only.
    fn explain_error(&self, error: ApiError) -> ApiError {
        if !self.by_password || !matches!(error.status, Some(401 | 403)) {
            return error;
        }
        let message = format!(
            "{}{}the API lists repositories, artifacts and vulnerabilities for API tokens only: give `token` (or \
             `IONOS_TOKEN`) instead of user name and password",
            error.message,
            if error.message.is_empty() { "" } else { "; " }
        );
        ApiError { message, ..error }
    }

    /// Who made this is who asks.
    fn learn_account(&self, metadata: &Metadata) {
        if let Some(Some(id)) = metadata.created_by_user_id.known() {
            self.service.account.borrow_mut().get_or_insert_with(|| id.clone());
        }
    }

    /// Takes note that a list was there already.
    fn note_reused<T>(&self, known: Option<T>) -> Option<T> {
        self.is_reused.set(self.is_reused.get() || known.is_some());
        known
    }

    fn update_cache(&self, change: impl FnOnce(&ListCache)) {
        if let Some(kept) = &self.kept {
            change(kept);
        }
    }

    fn forget_registry(&self, id: &str) {
        self.service.ids.borrow_mut().retain(|_, known| known.known().map(String::as_str) != Some(id));
    }

    fn remember_registry(&self, registry: &Registry) {
        if let Some(name) = registry.properties.name.known() {
            self.service.ids.borrow_mut().insert(name.clone(), registry.id.clone());
        }
    }
}

impl RegistryReads for HttpApi {
    fn witness(&self) -> Witness {
        let account = self.service.account.borrow().clone();
        Witness { clock: self.service.transport.service_time(), account }
    }

    fn list_locations(&self) -> ApiFuture<'_, Vec<Location>> {
        Box::pin(async {
            Ok(self.get::<ListPage<Location>>("/locations").await?.and_then(|p| p.items).unwrap_or_default())
        })
    }

    fn name_taken<'a>(&'a self, name: &'a str) -> ApiFuture<'a, bool> {
        Box::pin(async move {
            let reply = self.call(Method::HEAD, &format!("/names/{}", percent_encode(name)), None).await?;
            match reply.status {
                200..=299 => Ok(true),
                404 => Ok(false),
                400 => Err(ApiError::refused(400, format!("`{name}` is not a valid registry name"))),
                status => Err(ApiError::from_answer(status, "")),
            }
        })
    }

    fn list_registries<'a>(&'a self, name: Option<&'a str>) -> ApiFuture<'a, Vec<Registry>> {
        Box::pin(async move {
            let Some(kept) = &self.kept else { return self.read_registries(name).await };
            if let Some(known) = self.note_reused(kept.cached_registries(name)) {
                return Ok(known);
            }
            let reading = kept.begin_reading(ListName::Registries(name.map(str::to_owned))).await;
            if let Some(known) = self.note_reused(kept.cached_registries(name)) {
                return Ok(known);
            }
            let found = self.read_registries(name).await?;
            kept.keep_registries(name, &found, &reading);
            Ok(found)
        })
    }

    fn registry_id<'a>(&'a self, name: &'a str) -> ApiFuture<'a, Option<Id>> {
        Box::pin(async move {
            if let Some(id) = self.service.ids.borrow().get(name) {
                return Ok(Some(id.clone()));
            }
            self.list_registries(Some(name)).await?;
            Ok(self.service.ids.borrow().get(name).cloned())
        })
    }

    fn get_registry<'a>(&'a self, id: &'a Id) -> ApiFuture<'a, Option<Registry>> {
        Box::pin(async move {
            let id = known_id(id)?;
            let found: Option<Registry> = self.get(&registry_path(id)).await?;
            match &found {
                Some(registry) => self.update_cache(|kept| kept.put_registry(registry)),
                // One that was being removed when it was last looked at is gone now.
                None => {
                    self.forget_registry(id);
                    self.update_cache(|kept| kept.remove_registry(id));
                }
            }
            Ok(found)
        })
    }

    fn list_tokens<'a>(&'a self, registry: &'a Id) -> ApiFuture<'a, Option<Rc<Vec<Token>>>> {
        Box::pin(async move {
            let id = known_id(registry)?;
            let Some(kept) = &self.kept else { return self.read_tokens(id).await };
            if let Some(known) = self.note_reused(kept.cached_tokens(id)) {
                return Ok(Some(known));
            }
            let reading = kept.begin_reading(ListName::Tokens(id.to_owned())).await;
            if let Some(known) = self.note_reused(kept.cached_tokens(id)) {
                return Ok(Some(known));
            }
            let tokens = self.read_tokens(id).await?;
            match &tokens {
                Some(tokens) => kept.keep_tokens(id, tokens, &reading),
                // The registry is gone, so what lists say of registries is old.
                None => _ = kept.clear(),
            }
            Ok(tokens)
        })
    }

    fn get_token<'a>(&'a self, registry: &'a Id, id: &'a Id) -> ApiFuture<'a, Option<Token>> {
        Box::pin(async move { self.get(&token_path(registry, id)?).await })
    }

    fn list_contents<'a>(
        &'a self,
        registry: &'a Id,
        what: &'a RegistryContents,
        query: &'a Query,
    ) -> ApiFuture<'a, Option<Vec<Reading>>> {
        Box::pin(async move {
            let path = contents_path(known_id(registry)?, what);
            let extra: String =
                query.iter().map(|(name, value)| format!("&{name}={}", percent_encode(value))).collect();
            let found = self.pages_by_offset(&path, CONTENT_PAGE, &extra).await;
            found.map(|found| found.map(|found| found.items)).map_err(|error| self.explain_error(error))
        })
    }

    fn get_repository<'a>(&'a self, registry: &'a Id, name: &'a str) -> ApiFuture<'a, Option<Reading>> {
        Box::pin(async move {
            let found = self.get(&repository_path(known_id(registry)?, name)).await;
            found.map_err(|error| self.explain_error(error))
        })
    }
}

impl RegistryApi for HttpApi {
    fn create_registry<'a>(&'a self, new: &'a NewRegistry) -> ApiFuture<'a, Registry> {
        Box::pin(async move {
            let body = serde_json::json!({ "properties": to_json(new)? });
            let made = self.write(Method::POST, "/registries", &body).await?;
            self.remember_registry(&made);
            self.learn_account(&made.metadata);
            self.update_cache(|kept| kept.put_registry(&made));
            Ok(made)
        })
    }

    fn patch_registry<'a>(&'a self, id: &'a Id, patch: &'a RegistryPatch) -> ApiFuture<'a, Registry> {
        Box::pin(async move {
            let after: Registry = self.write(Method::PATCH, &registry_path(known_id(id)?), patch).await?;
            self.update_cache(|kept| kept.put_registry(&after));
            Ok(after)
        })
    }

    fn delete_registry<'a>(&'a self, id: &'a Id) -> ApiFuture<'a, ()> {
        Box::pin(async move {
            let id = known_id(id)?;
            self.delete_path(&registry_path(id)).await?;
            self.forget_registry(id);
            self.update_cache(|kept| kept.remove_registry(id));
            Ok(())
        })
    }

    fn create_token<'a>(&'a self, registry: &'a Id, new: &'a NewToken) -> ApiFuture<'a, Token> {
        Box::pin(async move {
            let body = serde_json::json!({ "properties": to_json(new)? });
            let id = known_id(registry)?;
            let made: Token = self.write(Method::POST, &format!("{}/tokens", registry_path(id)), &body).await?;
            self.learn_account(&made.metadata);
            self.update_cache(|kept| kept.put_token(id, &made));
            Ok(made)
        })
    }

    fn patch_token<'a>(&'a self, registry: &'a Id, id: &'a Id, patch: &'a TokenPatch) -> ApiFuture<'a, Token> {
        Box::pin(async move {
            let after: Token = self.write(Method::PATCH, &token_path(registry, id)?, patch).await?;
            self.update_cache(|kept| kept.put_token(registry.display_text(), &after));
            Ok(after)
        })
    }

    fn delete_token<'a>(&'a self, registry: &'a Id, id: &'a Id) -> ApiFuture<'a, ()> {
        Box::pin(async move {
            let done = self.delete_path(&token_path(registry, id)?).await;
            if done.as_ref().map_or_else(ApiError::is_not_found, |()| true) {
                self.update_cache(|kept| kept.remove_token(registry.display_text(), id.display_text()));
            }
            done
        })
    }

    fn delete_repository<'a>(&'a self, registry: &'a Id, name: &'a str) -> ApiFuture<'a, ()> {
        Box::pin(async move { self.delete_path(&repository_path(known_id(registry)?, name)).await })
    }
}
