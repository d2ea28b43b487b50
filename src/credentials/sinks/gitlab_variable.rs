//! CI/CD variables of GitLab, of a project or a group.

use serde_json::{Value as Json, json};

use super::{DeliveryContext, Login, LoginFormat, Presence, Receipt, Sink, SinkError};
use crate::host::web::{WebAnswer, WebError, WebRequest};
use crate::ionos::LocalFuture;

const SERVICE: &str = "GitLab";

/// Whom a variable belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariableOwner {
    /// A project, by its path or id.
    Project(String),
    /// A group, by its path or id.
    Group(String),
}

/// A CI/CD variable.
#[derive(Debug, Clone)]
pub struct GitlabVariableSink {
    /// Whom it belongs to.
    pub owner: VariableOwner,
    /// Name of the variable.
    pub name: String,
    /// The environments it is for; `*` for all.
    pub environment_scope: String,
    /// Whether job logs hide the value.
    pub masked: bool,
    /// Only protected branches and tags get it.
    pub protected: bool,
    /// How the login is written.
    pub format: LoginFormat,
    /// The base URL of the API, with `/api/v4`.
    pub api_url: String,
    /// The variable of the environment that holds the token for the API.
    pub token_variable: String,
}

impl GitlabVariableSink {
    fn owner(&self) -> (&'static str, &str) {
        match &self.owner {
            VariableOwner::Project(path) => ("projects", path),
            VariableOwner::Group(path) => ("groups", path),
        }
    }

    fn api_path(&self) -> String {
        let (kind, owner) = self.owner();
        format!("/{kind}/{}/variables", encode_segment(owner))
    }

    /// Several variables may have one name, for different environments.
    fn own_path(&self) -> String {
        let scope = encode_segment(&self.environment_scope);
        format!("{}/{}?filter%5Benvironment_scope%5D={scope}", self.api_path(), encode_segment(&self.name))
    }

    fn build_request(
        &self,
        context: DeliveryContext<'_>,
        method: &'static str,
        path: &str,
    ) -> Result<WebRequest, SinkError> {
        let missing = || SinkError::NoToken { service: SERVICE, variable: self.token_variable.clone() };
        let token = context.read_variable(&self.token_variable).ok_or_else(missing)?;
        let url = format!("{}{path}", self.api_url.trim_end_matches('/'));
        Ok(WebRequest::new(method, url).header("PRIVATE-TOKEN", &token))
    }

    async fn read(&self, context: DeliveryContext<'_>) -> Result<Option<Json>, SinkError> {
        let path = self.own_path();
        let request = self.build_request(context, "GET", &path)?;
        let answer = context.host.send_query(&request).await;
        let answer = answer.map_err(|source| SinkError::Web { service: SERVICE, source })?;
        match answer.status {
            404 => Ok(None),
            _ if answer.is_success() => Ok(Some(answer.json())),
            _ => Err(unexpected_answer(&answer, &format!("GET {path}"))),
        }
    }
}

impl Sink for GitlabVariableSink {
    fn name(&self) -> String {
        format!("gitlab_variable {} {} {}", self.owner().1, self.environment_scope, self.name)
    }

    fn describe(&self) -> String {
        let (kind, owner) = self.owner();
        let kind = kind.trim_end_matches('s');
        format!("set variable `{}` of GitLab {kind} `{owner}` ({})", self.name, self.format.name())
    }

    fn needs_server(&self) -> bool {
        self.format.needs_server()
    }

    fn prepare_delivery<'a>(
        &'a self,
        context: DeliveryContext<'a>,
        _: Option<&'a str>,
    ) -> LocalFuture<'a, Result<(), SinkError>> {
        Box::pin(async move { self.read(context).await.map(drop) })
    }

    fn deliver_login<'a>(
        &'a self,
        context: DeliveryContext<'a>,
        login: &'a Login,
    ) -> LocalFuture<'a, Result<Receipt, SinkError>> {
        Box::pin(async move {
            let content = self.format.render_login(context, login)?;
            let body = json!({
                "key": self.name,
                "value": String::from_utf8_lossy(&content),
                "environment_scope": self.environment_scope,
                "masked": self.masked,
                "protected": self.protected,
            });
            let (method, path) = match self.read(context).await? {
                Some(_) => ("PUT", self.own_path()),
                None => ("POST", self.api_path()),
            };
            match context.host.send_request(&self.build_request(context, method, &path)?.json(&body)).await {
                Ok(answer) if answer.is_success() => Ok(Receipt::from_content(&content)),
                Ok(answer) => Err(unexpected_answer(&answer, &format!("{method} {path}"))),
                Err(WebError::Predicted) => Ok(Receipt::from_content(&content)),
                Err(source) => Err(SinkError::Web { service: SERVICE, source }),
            }
        })
    }

    fn verify_delivery<'a>(
        &'a self,
        context: DeliveryContext<'a>,
        _: Option<&'a str>,
        receipt: Option<&'a Receipt>,
    ) -> LocalFuture<'a, Result<Presence, SinkError>> {
        Box::pin(async move {
            let Some(variable) = self.read(context).await? else { return Ok(Presence::Missing) };
            let Some(value) = variable["value"].as_str() else { return Ok(Presence::Unverifiable) };
            Ok(match receipt.and_then(|receipt| receipt.matches_content(value.as_bytes())) {
                Some(true) => Presence::Current,
                Some(false) => Presence::Different,
                None => Presence::Unverifiable,
            })
        })
    }
}

/// Percent-encodes a part of a path.
pub(super) fn encode_segment(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn unexpected_answer(answer: &WebAnswer, request: &str) -> SinkError {
    let body = answer.json();
    let message = match &body["message"] {
        Json::String(text) => text.clone(),
        Json::Null => body["error"].as_str().unwrap_or("no message").to_owned(),
        other => other.to_string(),
    };
    SinkError::Answer { service: SERVICE, status: answer.status, request: request.to_owned(), message }
}
