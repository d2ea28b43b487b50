//! How each forge names things: paths, headers, states, fields.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::{Value as Json, json};

use super::super::config::{ForgeConfig, ForgeType};
use super::super::delivery::{OutgoingRequest, RequestError};
use super::comment::Marker;
use super::status::{CommitState, CommitStatus};

/// Longest key of a status at Bitbucket.
const MAX_KEY: usize = 40;

/// Characters of a path segment that stay as they are.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A forge with its repository and token.
pub(super) struct Dialect<'a> {
    pub forge: &'a ForgeConfig,
    pub token: &'a str,
}

impl Dialect<'_> {
    /// Returns a request to the API of the repository.
    pub fn build_request(&self, method: Method, path: &str, body: Option<Json>) -> OutgoingRequest {
        let url = format!("{}{}{path}", self.forge.api_url.trim_end_matches('/'), self.repository_path());
        let bearer = || ("authorization", format!("Bearer {}", self.token));
        let headers = match self.forge.kind {
            ForgeType::Github => vec![
                bearer(),
                ("accept", "application/vnd.github+json".to_owned()),
                ("x-github-api-version", "2022-11-28".to_owned()),
            ],
            ForgeType::Gitlab => vec![("private-token", self.token.to_owned())],
            ForgeType::Gitea | ForgeType::Forgejo => vec![("authorization", format!("token {}", self.token))],
            ForgeType::Bitbucket => vec![bearer()],
        };
        OutgoingRequest { method, url, headers, body }
    }

    fn repository_path(&self) -> String {
        let repository = &self.forge.repository;
        let segments = || repository.split('/').map(encode_segment).collect::<Vec<_>>().join("/");
        match self.forge.kind {
            ForgeType::Gitlab => format!("/projects/{}", encode_segment(repository)),
            ForgeType::Bitbucket => format!("/repositories/{}", segments()),
            _ => format!("/repos/{}", segments()),
        }
    }

    /// Returns the request that posts a status.
    pub fn status_request(&self, status: &CommitStatus) -> OutgoingRequest {
        let (commit, state) = (encode_segment(&status.commit), self.state_word(status.state));
        let with_url = |mut body: Json| {
            if let Some(url) = &status.url {
                body["target_url"] = json!(url);
            }
            body
        };
        let (path, body) = match self.forge.kind {
            ForgeType::Github | ForgeType::Gitea | ForgeType::Forgejo => {
                let body = json!({"state": state, "description": status.description, "context": status.context});
                (format!("/statuses/{commit}"), with_url(body))
            }
            ForgeType::Gitlab => {
                let body = json!({"state": state, "description": status.description, "name": status.context});
                (format!("/statuses/{commit}"), with_url(body))
            }
            ForgeType::Bitbucket => {
                // An address is required here.
                let commits = format!("https://bitbucket.org/{}/commits/{}", self.forge.repository, status.commit);
                let body = json!({
                    "state": state, "key": shorten_key(&status.context), "name": status.context,
                    "description": status.description, "url": status.url.clone().unwrap_or(commits),
                });
                (format!("/commit/{commit}/statuses/build"), body)
            }
        };
        self.build_request(Method::POST, &path, Some(body))
    }

    fn state_word(&self, state: CommitState) -> &'static str {
        match (self.forge.kind, state) {
            (ForgeType::Bitbucket, CommitState::Pending | CommitState::Running) => "INPROGRESS",
            (ForgeType::Bitbucket, CommitState::Success) => "SUCCESSFUL",
            (ForgeType::Bitbucket, CommitState::Failure | CommitState::Error) => "FAILED",
            (ForgeType::Bitbucket, CommitState::Canceled) => "STOPPED",
            (ForgeType::Gitlab, CommitState::Running) => "running",
            (ForgeType::Gitlab, CommitState::Failure | CommitState::Error) => "failed",
            (ForgeType::Gitlab, CommitState::Canceled) => "canceled",
            (_, CommitState::Pending | CommitState::Running) => "pending",
            (_, CommitState::Success) => "success",
            (_, CommitState::Failure) => "failure",
            (_, CommitState::Error | CommitState::Canceled) => "error",
        }
    }

    /// Returns whether an error about a status means that nothing is left to do: the forge has it already, or takes no
    /// more for this commit. Posting it again would never help.
    pub fn is_status_done(&self, error: &RequestError) -> bool {
        let RequestError::Status { status, text, .. } = error else { return false };
        match status.as_u16() {
            422 => true,
            400 => text.as_deref().is_some_and(|text| text.contains("Cannot transition status")),
            _ => false,
        }
    }

    /// Returns the path of the pull requests of a commit.
    pub fn pulls_path(&self, commit: &str) -> String {
        let commit = encode_segment(commit);
        match self.forge.kind {
            ForgeType::Github => format!("/commits/{commit}/pulls"),
            ForgeType::Gitlab => format!("/repository/commits/{commit}/merge_requests"),
            ForgeType::Gitea | ForgeType::Forgejo => format!("/commits/{commit}/pull"),
            ForgeType::Bitbucket => format!("/commit/{commit}/pullrequests"),
        }
    }

    /// Returns the numbers of the open pull requests in an answer.
    pub fn read_pulls(&self, answer: &Json) -> Vec<u64> {
        let (list, key): (&[Json], &str) = match self.forge.kind {
            ForgeType::Github => (as_list(answer), "number"),
            ForgeType::Gitlab => (as_list(answer), "iid"),
            ForgeType::Gitea | ForgeType::Forgejo => (std::slice::from_ref(answer), "number"),
            ForgeType::Bitbucket => (as_list(&answer["values"]), "id"),
        };
        let is_open = |pull: &&Json| {
            pull["state"].as_str().is_none_or(|state| ["open", "opened"].contains(&state.to_ascii_lowercase().as_str()))
        };
        list.iter().filter(is_open).filter_map(|pull| pull[key].as_u64()).collect()
    }

    /// Returns the path of the comments of a pull request, by page.
    pub fn comments_path(&self, number: u64) -> String {
        match self.forge.kind {
            ForgeType::Github | ForgeType::Gitea | ForgeType::Forgejo => format!("/issues/{number}/comments"),
            ForgeType::Gitlab => format!("/merge_requests/{number}/notes"),
            ForgeType::Bitbucket => format!("/pullrequests/{number}/comments"),
        }
    }

    /// Returns the query of a page of comments.
    pub fn page_query(&self, page: u32) -> String {
        match self.forge.kind {
            ForgeType::Github | ForgeType::Gitlab => format!("?per_page=100&page={page}"),
            ForgeType::Gitea | ForgeType::Forgejo => format!("?limit=50&page={page}"),
            ForgeType::Bitbucket => format!("?pagelen=100&page={page}"),
        }
    }

    /// Returns id and text of the comments in an answer.
    pub fn read_comments<'b>(&self, answer: &'b Json) -> Vec<(u64, &'b str)> {
        let list = if self.forge.kind == ForgeType::Bitbucket { &answer["values"] } else { answer };
        let text = |comment: &'b Json| match self.forge.kind {
            ForgeType::Bitbucket => comment["content"]["raw"].as_str(),
            _ => comment["body"].as_str(),
        };
        as_list(list).iter().filter_map(|comment| Some((comment["id"].as_u64()?, text(comment)?))).collect()
    }

    /// Returns the request that creates a comment.
    pub fn create_comment(&self, number: u64, body: &str) -> OutgoingRequest {
        self.build_request(Method::POST, &self.comments_path(number), Some(self.comment_body(body)))
    }

    /// Returns the request that replaces a comment.
    pub fn update_comment(&self, number: u64, id: u64, body: &str) -> OutgoingRequest {
        let (method, path) = match self.forge.kind {
            ForgeType::Github | ForgeType::Gitea | ForgeType::Forgejo => {
                (Method::PATCH, format!("/issues/comments/{id}"))
            }
            ForgeType::Gitlab | ForgeType::Bitbucket => (Method::PUT, format!("{}/{id}", self.comments_path(number))),
        };
        self.build_request(method, &path, Some(self.comment_body(body)))
    }

    fn comment_body(&self, body: &str) -> Json {
        match self.forge.kind {
            ForgeType::Bitbucket => json!({"content": {"raw": body}}),
            _ => json!({"body": body}),
        }
    }

    /// Returns the marker that this forge hides.
    pub fn marker(&self, job: &str) -> String {
        let marker = if self.forge.kind == ForgeType::Bitbucket { Marker::Link } else { Marker::Html };
        marker.of_job(job)
    }
}

fn as_list(json: &Json) -> &[Json] {
    json.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn encode_segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// Returns a key that is short enough, and still another one for another context.
fn shorten_key(context: &str) -> String {
    if context.len() <= MAX_KEY {
        return context.to_owned();
    }
    let mut end = MAX_KEY - 9;
    while !context.is_char_boundary(end) {
        end -= 1;
    }
    let digest = <sha2::Sha256 as sha2::Digest>::digest(context.as_bytes());
    let tail: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{tail}", &context[..end])
}
