//! Senders of webhooks, told apart by the header that carries their signature.

use hyper::HeaderMap;

/// A kind of sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// Forgejo: it sends the headers of Gitea, Gogs and GitHub, too.
    Forgejo,
    /// Gitea: it sends the headers of Gogs and GitHub, too.
    Gitea,
    /// Gogs.
    Gogs,
    /// GitHub.
    Github,
    /// Standard Webhooks, and GitLab with a signing token.
    Standard,
    /// GitLab: a signature as of Standard Webhooks, or the secret token itself.
    Gitlab,
    /// Bitbucket Cloud and Data Center.
    Bitbucket,
    /// A script of one's own: HMAC-SHA256 of the body in `X-Signature`.
    Generic,
}

impl Sender {
    /// The senders, the most specific first: the first whose header is there alone decides.
    const BY_HEADER: &[(Self, &'static str)] = &[
        (Self::Forgejo, "x-forgejo-signature"),
        (Self::Gitea, "x-gitea-signature"),
        (Self::Gogs, "x-gogs-signature"),
        (Self::Github, "x-hub-signature-256"),
        (Self::Standard, "webhook-signature"),
        (Self::Gitlab, "x-gitlab-token"),
        (Self::Bitbucket, "x-hub-signature"),
        (Self::Generic, "x-signature"),
    ];

    /// Names for `type:` in the file.
    pub const NAMES: &[&'static str] =
        &["forgejo", "gitea", "gogs", "github", "standard", "gitlab", "bitbucket", "generic"];

    /// Returns the sender of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        let position = Self::NAMES.iter().position(|known| *known == name)?;
        Some(Self::BY_HEADER[position].0)
    }

    /// Returns the sender that the headers name.
    pub(super) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        Self::BY_HEADER.iter().find(|(_, header)| headers.contains_key(*header)).map(|(sender, _)| *sender)
    }

    /// Returns the header that carries the signature of this sender.
    pub(super) fn signature_header(self, headers: &HeaderMap) -> &'static str {
        // GitLab has two ways; the signature is the better one.
        if self == Self::Gitlab && headers.contains_key("webhook-signature") {
            return "webhook-signature";
        }
        Self::BY_HEADER.iter().find(|(sender, _)| *sender == self).map_or("x-signature", |(_, header)| *header)
    }

    /// Returns whether the request only tests the connection.
    pub fn is_ping(headers: &HeaderMap) -> bool {
        let has =
            |header: &str, value: &str| headers.get(header).is_some_and(|found| found.as_bytes() == value.as_bytes());
        ["x-github-event", "x-gitea-event", "x-forgejo-event", "x-gogs-event"].iter().any(|header| has(header, "ping"))
            || has("x-event-key", "diagnostics:ping")
    }
}
