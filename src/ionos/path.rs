//! The paths of the API. Every parameter is percent-encoded as a whole.

use super::api::Id;
use super::content::RegistryContents;
use super::{ApiError, Deferred};

/// One registry.
pub(super) fn registry_path(id: &str) -> String {
    format!("/registries/{}", percent_encode(id))
}

/// One repository.
pub(super) fn repository_path(registry: &str, name: &str) -> String {
    format!("{}/repositories/{}", registry_path(registry), percent_encode(name))
}

/// A list of what a registry holds.
pub(super) fn contents_path(registry: &str, what: &RegistryContents) -> String {
    match what {
        RegistryContents::Repositories => format!("{}/repositories", registry_path(registry)),
        RegistryContents::Artifacts => format!("{}/artifacts", registry_path(registry)),
        RegistryContents::ArtifactsOf(repository) => format!("{}/artifacts", repository_path(registry, repository)),
        RegistryContents::Vulnerabilities { repository, artifact } => {
            format!("{}/artifacts/{}/vulnerabilities", repository_path(registry, repository), percent_encode(artifact))
        }
    }
}

/// One token.
pub(super) fn token_path(registry: &Id, id: &Id) -> Result<String, ApiError> {
    Ok(format!("{}/tokens/{}", registry_path(known_id(registry)?), percent_encode(known_id(id)?)))
}

/// An id that can stand in a path.
pub(super) fn known_id(id: &Id) -> Result<&str, ApiError> {
    match id {
        Deferred::Known(id) => Ok(id),
        Deferred::Unknown(unknown) => Err(ApiError::undetermined(format!("it awaits {}", unknown.awaits))),
    }
}

/// Percent-encodes everything but letters, digits and `-_.~`; a lone `.` or `..` would be taken for a step in the path.
pub(super) fn percent_encode(text: &str) -> String {
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
        assert_eq!(percent_encode("a/b c?é"), "a%2Fb%20c%3F%C3%A9");
        assert_eq!(percent_encode(".."), "%2E%2E");
        assert_eq!(percent_encode("sha256:1"), "sha256%3A1");
    }
}
