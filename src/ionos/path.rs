//! The paths of the API. Every parameter is percent-encoded as a whole.

use super::api::Id;
use super::content::Contents;
use super::{ApiError, Fact};

/// One registry.
pub(super) fn registry_path(id: &str) -> String {
    format!("/registries/{}", encode(id))
}

/// One repository.
pub(super) fn repository_path(registry: &str, name: &str) -> String {
    format!("{}/repositories/{}", registry_path(registry), encode(name))
}

/// A list of what a registry holds.
pub(super) fn contents_path(registry: &str, what: &Contents) -> String {
    match what {
        Contents::Repositories => format!("{}/repositories", registry_path(registry)),
        Contents::Artifacts => format!("{}/artifacts", registry_path(registry)),
        Contents::ArtifactsOf(repository) => format!("{}/artifacts", repository_path(registry, repository)),
        Contents::Vulnerabilities { repository, artifact } => {
            format!("{}/artifacts/{}/vulnerabilities", repository_path(registry, repository), encode(artifact))
        }
    }
}

/// One token.
pub(super) fn token_path(registry: &Id, id: &Id) -> Result<String, ApiError> {
    Ok(format!("{}/tokens/{}", registry_path(sendable(registry)?), encode(sendable(id)?)))
}

/// An id that can stand in a path.
pub(super) fn sendable(id: &Id) -> Result<&str, ApiError> {
    match id {
        Fact::Known(id) => Ok(id),
        Fact::Unknown(unknown) => Err(ApiError::undetermined(format!("it awaits {}", unknown.awaits))),
    }
}

/// Percent-encodes everything but letters, digits and `-_.~`; a lone `.` or `..` would be taken for a step in the path.
pub(super) fn encode(text: &str) -> String {
    let dots = matches!(text, "." | "..");
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'.' if dots => out.push_str("%2E"),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte as char),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_parameters_cannot_leave_their_place() {
        assert_eq!(encode("a/b c?é"), "a%2Fb%20c%3F%C3%A9");
        assert_eq!(encode(".."), "%2E%2E");
        assert_eq!(encode("sha256:1"), "sha256%3A1");
    }
}
