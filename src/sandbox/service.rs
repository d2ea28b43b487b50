//! The service: who may call, which handler answers, and when the store is written.

use std::net::SocketAddr;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::SandboxOptions;
use super::call::{self, ApiCall};
use super::clock::{Clock, MockTime};
use super::http::HttpRequest;
use super::log::lock_mutex;
use super::persist::Keeper;
use super::reply::{MockReply, ReplyResult};
use super::store::{ChangeInfo, MockStore};

/// Where the API lives on the host.
pub const BASE: &str = "/containerregistries";

/// The API over a store.
pub struct Service {
    pub(super) options: SandboxOptions,
    pub(super) clock: Clock,
    pub(super) address: SocketAddr,
    pub(super) store: Mutex<MockStore>,
    pub(super) keeper: Option<Keeper>,
}

/// A path without its base: what faults match and the log shows.
pub fn short_path(path: &str) -> &str {
    path.strip_prefix(BASE).filter(|rest| rest.is_empty() || rest.starts_with('/')).unwrap_or(path)
}

impl Service {
    /// Answers one request.
    pub fn answer_request(&self, request: &HttpRequest) -> MockReply {
        self.call(request).unwrap_or_else(|refusal| refusal)
    }

    fn call(&self, request: &HttpRequest) -> ReplyResult {
        let under_base = request.path.strip_prefix(BASE).and_then(|rest| rest.strip_prefix('/'));
        let Some(path) = under_base else {
            return Err(MockReply::new_error(404, "cr-404", format!("no such path; the API lives under {BASE}")));
        };
        let unreadable = || MockReply::new_invalid("the path or the query is not properly percent-encoded");
        let segments: Vec<String> =
            path.split('/').map(call::decode_percent).collect::<Option<_>>().ok_or_else(unreadable)?;
        let query = call::decode_query(&request.query).ok_or_else(unreadable)?;
        let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        let methods = allowed_methods(&parts).ok_or_else(|| MockReply::new_error(404, "cr-404", "no such path"))?;
        if !methods.contains(&request.method.as_str()) {
            let message = format!("{} is not possible here", request.method);
            return Err(MockReply::new_error(405, "cr-405", message).with_header("Allow", methods.join(", ")));
        }
        let user = self.identify_user(request, token_only(request.method.as_str(), &parts))?;
        check_headers(request)?;
        let call = ApiCall { method: &request.method, query, body: &request.body, user };
        self.dispatch_call(&call, &parts)
    }

    fn dispatch_call(&self, call: &ApiCall, parts: &[&str]) -> ReplyResult {
        let mut held = lock_mutex(&self.store);
        if held.remove_expired(self.clock.now(), self.options.pace) {
            self.save_store(&held)?;
        }
        if matches!(call.method, "GET" | "HEAD") {
            return self.read(&held, call, parts);
        }
        // The change is made on a copy: what cannot be saved has not happened.
        let mut changed = held.clone();
        let reply = self.write(&mut changed, call, parts)?;
        self.save_store(&changed)?;
        *held = changed;
        Ok(reply)
    }

    fn save_store(&self, store: &MockStore) -> Result<(), MockReply> {
        let Some(keeper) = &self.keeper else { return Ok(()) };
        keeper.save_store(store).map_err(|why| MockReply::new_error(500, "cr-500-store", why.to_string()))
    }

    fn read(&self, store: &MockStore, call: &ApiCall, parts: &[&str]) -> ReplyResult {
        match *parts {
            ["locations"] => Ok(Self::list_locations()),
            ["names", name] => Self::name_use(store, name),
            ["registries"] => self.list_registries(store, call),
            ["registries", r] => self.get_registry(store, r),
            ["registries", r, "tokens"] => self.list_tokens(store, call, r),
            ["registries", r, "tokens", t] => self.get_token(store, r, t),
            ["registries", r, "repositories"] => self.list_repositories(store, call, r),
            ["registries", r, "repositories", n] => Self::get_repository(store, r, n),
            ["registries", r, "repositories", n, "artifacts"] => self.list_artifacts(store, call, r, n),
            ["registries", r, "repositories", n, "artifacts", d] => Self::get_artifact(store, r, n, d),
            ["registries", r, "repositories", n, "artifacts", d, "vulnerabilities"] => {
                self.list_vulnerabilities(store, call, (r, n, d))
            }
            ["registries", r, "artifacts"] => self.list_registry_artifacts(store, call, r),
            ["vulnerabilities", v] => Self::get_vulnerability(store, v),
            _ => Err(MockReply::new_error(404, "cr-404", "no such path")),
        }
    }

    fn write(&self, store: &mut MockStore, call: &ApiCall, parts: &[&str]) -> ReplyResult {
        match (call.method, parts) {
            ("POST", ["registries"]) => self.create_registry(store, call),
            ("PATCH", ["registries", r]) => self.patch_registry(store, call, r),
            ("PUT", ["registries", r]) => self.put_registry(store, call, r),
            ("DELETE", ["registries", r]) => self.delete_registry(store, r),
            ("POST", ["registries", r, "tokens"]) => self.create_token(store, call, r),
            ("PATCH", ["registries", r, "tokens", t]) => self.patch_token(store, call, r, t),
            ("PUT", ["registries", r, "tokens", t]) => self.put_token(store, call, r, t),
            ("DELETE", ["registries", r, "tokens", t]) => Self::delete_token(store, r, t),
            ("DELETE", ["registries", r, "repositories", n]) => Self::delete_repository(store, r, n),
            _ => Err(MockReply::new_error(404, "cr-404", "no such path")),
        }
    }

    /// Finds out who calls.
    fn identify_user(&self, request: &HttpRequest, token_only: bool) -> Result<String, MockReply> {
        let refused = || Err(MockReply::new_error(401, "315", "Unauthorized"));
        let Some((scheme, secret)) = request.header("authorization").and_then(|value| value.split_once(' ')) else {
            return refused();
        };
        if scheme.eq_ignore_ascii_case("bearer") && self.options.tokens.iter().any(|t| t == secret.trim()) {
            return Ok(self.options.user.clone());
        }
        if scheme.eq_ignore_ascii_case("basic") && !token_only {
            let pair = STANDARD.decode(secret.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let pair = pair.as_deref().and_then(|pair| pair.split_once(':'));
            let known = |(name, word): (&str, &str)| self.options.logins.iter().any(|(n, w)| n == name && w == word);
            if let Some((name, _)) = pair.filter(|pair| known(*pair)) {
                return Ok(name.to_owned());
            }
        }
        refused()
    }

    /// `ApiResourceMetadata`; what was never changed has no `lastModified*`.
    pub(super) fn render_metadata(&self, stamp: &ChangeInfo, state: &str) -> Json {
        let user_id = |name: &str| Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes());
        let mut metadata = json!({"createdBy": stamp.created_by, "createdByUserId": user_id(&stamp.created_by),
            "createdDate": stamp.created.to_api(), "state": state});
        if let Some((at, by)) = &stamp.modified {
            metadata["lastModifiedBy"] = json!(by);
            metadata["lastModifiedByUserId"] = json!(user_id(by));
            metadata["lastModifiedDate"] = json!(MockTime::to_api(*at));
        }
        metadata
    }

    /// The whole URL of a path.
    pub(super) fn url_of(&self, path: &str) -> String {
        format!("http://{}{BASE}{path}", self.address)
    }
}

/// Which methods a path knows; none for an unknown path.
fn allowed_methods(parts: &[&str]) -> Option<&'static [&'static str]> {
    if parts.iter().any(|part| part.is_empty()) {
        return None;
    }
    Some(match parts {
        ["locations"] | ["vulnerabilities", _] => &["GET"],
        ["names", _] => &["HEAD"],
        ["registries"] | ["registries", _, "tokens"] => &["GET", "POST"],
        ["registries", _] | ["registries", _, "tokens", _] => &["GET", "PATCH", "PUT", "DELETE"],
        ["registries", _, "repositories", _] => &["GET", "DELETE"],
        ["registries", _, "repositories" | "artifacts"] => &["GET"],
        ["registries", _, "repositories", _, "artifacts"] => &["GET"],
        ["registries", _, "repositories", _, "artifacts", _] => &["GET"],
        ["registries", _, "repositories", _, "artifacts", _, "vulnerabilities"] => &["GET"],
        _ => return None,
    })
}

/// Whether the description accepts `tokenAuth` only.
fn token_only(method: &str, parts: &[&str]) -> bool {
    method == "GET" && matches!(parts, ["vulnerabilities", ..] | ["registries", _, "repositories" | "artifacts", ..])
}

fn check_headers(request: &HttpRequest) -> Result<(), MockReply> {
    let essence = |value: &str| value.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if matches!(request.method.as_str(), "POST" | "PUT" | "PATCH")
        && request.header("content-type").map(essence).as_deref() != Some("application/json")
    {
        return Err(MockReply::new_error(415, "cr-415", "Content-Type must be application/json"));
    }
    let wants_json = |list: &str| {
        list.split(',').any(|part| matches!(&*essence(part), "application/json" | "application/*" | "*/*" | ""))
    };
    if request.header("accept").is_some_and(|list| !wants_json(list)) {
        return Err(MockReply::new_error(406, "cr-406", "only application/json can be given"));
    }
    if request.header("x-contract-number").is_some_and(|n| n.is_empty() || !n.bytes().all(|b| b.is_ascii_digit())) {
        return Err(MockReply::new_invalid("X-Contract-Number must be a number"));
    }
    Ok(())
}
