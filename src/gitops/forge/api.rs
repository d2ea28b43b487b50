//! Posts to a forge.

use reqwest::{Client, Method, StatusCode};
use serde_json::Value as Json;

use super::super::config::ForgeConfig;
use super::super::delivery::{Delivery, OutgoingRequest, RequestError, send_request};
use super::dialect::Dialect;
use super::post::{ForgePost, PullRequestComment};

/// Pages of comments that are searched for the one of the job.
const MAX_PAGES: u32 = 30;

/// A client of forges.
#[derive(Debug, Clone)]
pub struct ForgeClient {
    client: Client,
}

impl ForgeClient {
    /// Makes a client of forges.
    pub const fn new(client: Client) -> Self {
        Self { client }
    }

    /// Posts something, and says whether it has to be tried again.
    pub async fn deliver_post(&self, forge: &ForgeConfig, post: &ForgePost) -> Delivery {
        match self.send_post(forge, post).await {
            Ok(()) => Delivery::Sent,
            Err(error) => error.to_delivery(),
        }
    }

    /// Posts something.
    ///
    /// # Errors
    /// If the forge did not accept it.
    pub async fn send_post(&self, forge: &ForgeConfig, post: &ForgePost) -> Result<(), RequestError> {
        let token = forge.token.read().map_err(|error| RequestError::Address(error.to_string()))?;
        let dialect = Dialect { forge, token: token.expose().trim() };
        match post {
            ForgePost::Status(status) => match self.ask_forge(dialect.status_request(status)).await {
                Err(error) if !dialect.is_status_done(&error) => Err(error),
                _ => Ok(()),
            },
            ForgePost::Comment(comment) => self.update_comments(&dialect, comment).await,
        }
    }

    /// Sends a request. A page, such as that of a login, is not an answer of a forge, whatever its status.
    async fn ask_forge(&self, request: OutgoingRequest) -> Result<Json, RequestError> {
        let answer = send_request(&self.client, request).await?;
        if answer.as_str().is_some_and(|text| text.starts_with('<')) {
            return Err(RequestError::Answer("it is a page; check `forge.api_url`".to_owned()));
        }
        Ok(answer)
    }

    /// Creates or updates the comment of the job on each open pull request of the commit.
    async fn update_comments(&self, dialect: &Dialect<'_>, comment: &PullRequestComment) -> Result<(), RequestError> {
        let marker = dialect.marker(&comment.job);
        let body = format!("{}\n\n{marker}\n", comment.body.trim_end());
        let path = dialect.pulls_path(&comment.commit);
        let answer = match self.ask_forge(dialect.build_request(Method::GET, &path, None)).await {
            // Gitea's answer for a commit without a pull request.
            Err(RequestError::Status { status: StatusCode::NOT_FOUND, .. }) => Json::Null,
            answer => answer?,
        };
        for number in dialect.read_pulls(&answer) {
            match self.find_comment(dialect, number, &marker).await? {
                Some((_, text)) if text.trim_end() == body.trim_end() => {}
                Some((id, _)) => drop(self.ask_forge(dialect.update_comment(number, id, &body)).await?),
                None => drop(self.ask_forge(dialect.create_comment(number, &body)).await?),
            }
        }
        Ok(())
    }

    async fn find_comment(
        &self,
        dialect: &Dialect<'_>,
        number: u64,
        marker: &str,
    ) -> Result<Option<(u64, String)>, RequestError> {
        let mut last = None;
        for page in 1..=MAX_PAGES {
            let path = format!("{}{}", dialect.comments_path(number), dialect.page_query(page));
            let answer = self.ask_forge(dialect.build_request(Method::GET, &path, None)).await?;
            let comments = dialect.read_comments(&answer);
            if let Some((id, text)) = comments.iter().find(|(_, text)| text.contains(marker)) {
                return Ok(Some((*id, (*text).to_owned())));
            }
            // Some forges know no pages here, and answer all of them with the first.
            let first = comments.first().map(|(id, _)| *id);
            if first.is_none() || first == last {
                break;
            }
            last = first;
        }
        Ok(None)
    }
}
