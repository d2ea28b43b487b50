//! `forge`: where commit statuses and comments go.

use super::git::GitConfig;
use super::reader::Mapping;
use super::secret::SecretSource;

/// The kind of a forge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForgeType {
    /// GitHub, also Enterprise.
    Github,
    /// GitLab.
    Gitlab,
    /// Gitea.
    Gitea,
    /// Forgejo.
    Forgejo,
    /// Bitbucket Cloud.
    Bitbucket,
}

/// A forge as a job uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForgeConfig {
    /// The kind.
    pub kind: ForgeType,
    /// Base of its API, without a slash at the end.
    pub api_url: String,
    /// `owner/name`.
    pub repository: String,
    /// Token for its API.
    pub token: SecretSource,
    /// Whether commit statuses are posted.
    pub status: bool,
    /// Whether a comment is posted on pull requests.
    pub comment: bool,
}

/// Returns the words of `type`, for the schema.
pub(super) fn type_names() -> Vec<&'static str> {
    TYPES.iter().map(|(name, _)| *name).collect()
}

const TYPES: &[(&str, ForgeType)] = &[
    ("github", ForgeType::Github),
    ("gitlab", ForgeType::Gitlab),
    ("gitea", ForgeType::Gitea),
    ("forgejo", ForgeType::Forgejo),
    ("bitbucket", ForgeType::Bitbucket),
];

/// Reads `forge` of a job.
pub(super) fn read(job: &Mapping<'_>, job_name: &str, git: Option<&GitConfig>) -> Option<ForgeConfig> {
    let forge = job.read_mapping("forge", &format!("`forge` of job `{job_name}`"))?;
    forge.refuse_unknown(&["type", "api_url", "repository", "token", "token_file", "status", "comment"]);
    if forge.find_entry("type").is_none() {
        let remedy = "write `type: github`, gitlab, gitea, forgejo or bitbucket";
        forge.reader.add_message(forge.mapping_error(format!("{} has no `type`", forge.name)).hint(remedy));
    }
    let kind = forge.read_word("type", TYPES);
    let token = forge.read_secret("token");
    if token.is_none() && forge.find_entry("token").is_none() && forge.find_entry("token_file").is_none() {
        forge.reader.add_message(
            forge.mapping_error(format!("{} has no `token_file`", forge.name)).hint("write `token_file: FILE`"),
        );
    }
    let derived = git.and_then(|git| host_and_repository(&git.url));
    let api_url = forge.read_text("api_url").map(|url| url.trim_end_matches('/').to_owned());
    let repository = forge.read_text("repository");
    for (key, missing) in [("api_url", api_url.is_none()), ("repository", repository.is_none())] {
        if missing && derived.is_none() && forge.find_entry(key).is_none() {
            let message = format!("{} has no `{key}`, and `git.url` does not contain it", forge.name);
            forge.reader.add_message(forge.mapping_error(message).hint(format!("add `{key}`")));
        }
    }
    let kind = kind?;
    let (host, path) = derived.unwrap_or_default();
    Some(ForgeConfig {
        kind,
        api_url: api_url.unwrap_or_else(|| default_api(kind, &host)),
        repository: repository.unwrap_or(path),
        token: token?,
        status: forge.read_flag("status").unwrap_or(true),
        comment: forge.read_flag("comment").unwrap_or_default(),
    })
}

fn default_api(kind: ForgeType, host: &str) -> String {
    match kind {
        ForgeType::Github if host == "github.com" => "https://api.github.com".to_owned(),
        ForgeType::Github => format!("https://{host}/api/v3"),
        ForgeType::Gitlab => format!("https://{host}/api/v4"),
        ForgeType::Gitea | ForgeType::Forgejo => format!("https://{host}/api/v1"),
        ForgeType::Bitbucket => "https://api.bitbucket.org/2.0".to_owned(),
    }
}

/// Returns host and `owner/name` of the address of a repository on a forge.
fn host_and_repository(url: &str) -> Option<(String, String)> {
    let (host, path) = match url.split_once("://") {
        Some(("file", _)) => return None,
        Some((_, rest)) => rest.split_once('/')?,
        None if url.starts_with('/') => return None,
        None => url.split_once(':')?,
    };
    let host = host.rsplit('@').next()?;
    // Behind SSH on another port there is no hint at the port of the API.
    let host = if url.starts_with("http") { host } else { host.split(':').next()? };
    let path = path.trim_matches('/').trim_end_matches(".git");
    path.contains('/').then(|| (host.to_owned(), path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::host_and_repository;

    #[test]
    fn addresses_name_host_and_repository() {
        let wanted = Some(("git.example.com".to_owned(), "platform/registry".to_owned()));
        for url in [
            "https://git.example.com/platform/registry.git",
            "https://bot@git.example.com/platform/registry",
            "git@git.example.com:platform/registry.git",
            "ssh://git@git.example.com:2222/platform/registry.git",
        ] {
            assert_eq!(host_and_repository(url), wanted, "{url}");
        }
        for url in ["/srv/git/a/b.git", "file:///srv/git/a/b.git", "https://git.example.com/one"] {
            assert_eq!(host_and_repository(url), None, "{url}");
        }
    }
}
