//! Secrets of GitHub Actions. The value is sealed for the repository's key before it leaves the process.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_box::PublicKey;
use crypto_box::aead::OsRng;
use serde_json::json;

use super::{DeliveryContext, Login, LoginFormat, Presence, Receipt, Sink, SinkError};
use crate::host::web::{WebAnswer, WebError, WebRequest};
use crate::ionos::LocalFuture;

const SERVICE: &str = "GitHub";

/// A secret of a repository, or of one of its environments.
#[derive(Debug, Clone)]
pub struct GithubSecretSink {
    /// `owner/name`.
    pub repository: String,
    /// The environment that the secret is for; all workflows if absent.
    pub environment: Option<String>,
    /// The name of the secret.
    pub name: String,
    /// How the login is written.
    pub format: LoginFormat,
    /// The base URL of the API.
    pub api_url: String,
    /// The variable of the environment that holds the token for the API.
    pub token_variable: String,
}

impl GithubSecretSink {
    fn api_path(&self, rest: &str) -> String {
        let folder = match &self.environment {
            Some(environment) => {
                format!("environments/{}/secrets", super::gitlab_variable::encode_segment(environment))
            }
            None => "actions/secrets".to_owned(),
        };
        format!("/repos/{}/{folder}/{rest}", self.repository)
    }

    fn build_request(
        &self,
        context: DeliveryContext<'_>,
        method: &'static str,
        path: &str,
    ) -> Result<WebRequest, SinkError> {
        let missing = || SinkError::NoToken { service: SERVICE, variable: self.token_variable.clone() };
        let token = context.read_variable(&self.token_variable).ok_or_else(missing)?;
        let request = WebRequest::new(method, format!("{}{path}", self.api_url.trim_end_matches('/')));
        let request = request.header("Accept", "application/vnd.github+json");
        Ok(request.header("X-GitHub-Api-Version", "2022-11-28").header("Authorization", &format!("Bearer {token}")))
    }
}

impl Sink for GithubSecretSink {
    fn name(&self) -> String {
        match &self.environment {
            Some(environment) => format!("github_secret {} {environment} {}", self.repository, self.name),
            None => format!("github_secret {} {}", self.repository, self.name),
        }
    }

    fn describe(&self) -> String {
        let place = self.environment.as_ref().map(|name| format!(", environment `{name}`")).unwrap_or_default();
        format!("set secret `{}` of GitHub repository `{}`{place} ({})", self.name, self.repository, self.format.name())
    }

    fn needs_server(&self) -> bool {
        self.format.needs_server()
    }

    fn prepare_delivery<'a>(
        &'a self,
        context: DeliveryContext<'a>,
        _: Option<&'a str>,
    ) -> LocalFuture<'a, Result<(), SinkError>> {
        Box::pin(async move { self.fetch_key(context).await.map(drop) })
    }

    fn deliver_login<'a>(
        &'a self,
        context: DeliveryContext<'a>,
        login: &'a Login,
    ) -> LocalFuture<'a, Result<Receipt, SinkError>> {
        Box::pin(async move {
            let (key_id, key) = self.fetch_key(context).await?;
            let content = self.format.render_login(context, login)?;
            let sealed = key.seal(&mut OsRng, &content);
            let sealed = sealed.map_err(|_| refused_answer(0, "PUT", "the value cannot be sealed".to_owned()))?;
            let path = self.api_path(&self.name);
            let body = json!({"encrypted_value": STANDARD.encode(sealed), "key_id": key_id});
            match context.host.send_request(&self.build_request(context, "PUT", &path)?.json(&body)).await {
                Ok(answer) if answer.is_success() => Ok(Receipt::new_unreadable()),
                Ok(answer) => Err(unexpected_answer(&answer, &format!("PUT {path}"))),
                Err(WebError::Predicted) => Ok(Receipt::new_unreadable()),
                Err(source) => Err(SinkError::Web { service: SERVICE, source }),
            }
        })
    }

    fn verify_delivery<'a>(
        &'a self,
        context: DeliveryContext<'a>,
        _: Option<&'a str>,
        _: Option<&'a Receipt>,
    ) -> LocalFuture<'a, Result<Presence, SinkError>> {
        Box::pin(async move {
            let path = self.api_path(&self.name);
            let request = self.build_request(context, "GET", &path)?;
            let answer = context.host.send_query(&request).await;
            let answer = answer.map_err(|source| SinkError::Web { service: SERVICE, source })?;
            match answer.status {
                404 => Ok(Presence::Missing),
                _ if answer.is_success() => Ok(Presence::Unverifiable),
                _ => Err(unexpected_answer(&answer, &format!("GET {path}"))),
            }
        })
    }
}

impl GithubSecretSink {
    /// Returns the key that values are sealed for, with its id.
    async fn fetch_key(&self, context: DeliveryContext<'_>) -> Result<(String, PublicKey), SinkError> {
        let path = self.api_path("public-key");
        let request = self.build_request(context, "GET", &path)?;
        let answer = context.host.send_query(&request).await;
        let answer = answer.map_err(|source| SinkError::Web { service: SERVICE, source })?;
        if !answer.is_success() {
            return Err(unexpected_answer(&answer, &format!("GET {path}")));
        }
        let body = answer.json();
        let bytes = body["key"].as_str().and_then(|key| STANDARD.decode(key).ok());
        let key = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()).map(PublicKey::from);
        match (body["key_id"].as_str(), key) {
            (Some(id), Some(key)) => Ok((id.to_owned(), key)),
            _ => Err(refused_answer(
                answer.status,
                &format!("GET {path}"),
                "there is no usable key in the answer".to_owned(),
            )),
        }
    }
}

fn unexpected_answer(answer: &WebAnswer, request: &str) -> SinkError {
    let message = answer.json()["message"].as_str().unwrap_or("no message").to_owned();
    refused_answer(answer.status, request, message)
}

fn refused_answer(status: u16, request: &str, message: String) -> SinkError {
    SinkError::Answer { service: SERVICE, status, request: request.to_owned(), message }
}
