//! Roles of collections: `NAMESPACE.COLLECTION.ROLE`.

use std::path::{Path, PathBuf};

/// A role's full name, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RoleName {
    /// The collection's folder below `ansible_collections`.
    folder: PathBuf,
    /// The role's folder below `roles`; dots lead into folders.
    role: PathBuf,
}

impl RoleName {
    /// The parts, if the name can be that of a role in a collection.
    pub(super) fn parse_name(name: &str) -> Option<Self> {
        let is_part = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let (namespace, rest) = name.split_once('.')?;
        let (collection, role) = rest.split_once('.')?;
        if ![namespace, collection].into_iter().chain(role.split('.')).all(is_part) {
            return None;
        }
        Some(Self { folder: Path::new(namespace).join(collection), role: role.split('.').collect() })
    }

    /// The role's folder in the first of the folders that has it.
    pub(super) fn find_folder<'p>(&self, mut folders: impl Iterator<Item = &'p Path>) -> Option<PathBuf> {
        folders.find_map(|folder| {
            let path = folder.join("ansible_collections").join(&self.folder).join("roles").join(&self.role);
            path.is_dir().then_some(path)
        })
    }
}

/// The collection that a role is of, by the role's folder: `../ansible_collections/NAMESPACE/COLLECTION/roles/..`.
pub(super) fn collection_of(role: &Path) -> Option<String> {
    let parts: Vec<&str> = role.iter().map(|part| part.to_str().unwrap_or_default()).collect();
    parts.windows(4).rev().find_map(|part| match part {
        ["ansible_collections", namespace, collection, "roles"] => Some(format!("{namespace}.{collection}")),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        for name in ["role", "ns.role", "../ns.col.role", "ns.col.", ".col.role", "ns.col.ro/le"] {
            assert_eq!(RoleName::parse_name(name), None, "{name}");
        }
        let parsed = RoleName::parse_name("ns.col.sub.role").unwrap();
        assert_eq!((parsed.folder, parsed.role), (PathBuf::from("ns/col"), PathBuf::from("sub/role")));
    }

    #[test]
    fn folders_tell_the_collection() {
        let of = |path: &str| collection_of(Path::new(path));
        assert_eq!(of("/c/ansible_collections/ns/col/roles/r"), Some("ns.col".to_owned()));
        assert_eq!(of("/c/ansible_collections/ns/col/r"), None);
        assert_eq!(of("/c/roles/r"), None);
    }

    #[test]
    fn the_first_folder_counts() {
        let folder = tempfile::tempdir().unwrap();
        let places = ["a", "b"].map(|place| folder.path().join(place));
        let role = |place: &Path| place.join("ansible_collections/ns/col/roles/r");
        std::fs::create_dir_all(role(&places[1])).unwrap();
        let found = |name| RoleName::parse_name(name).unwrap().find_folder(places.iter().map(PathBuf::as_path));
        assert_eq!((found("ns.col.r"), found("ns.col.other")), (Some(role(&places[1])), None));
        std::fs::create_dir_all(role(&places[0])).unwrap();
        assert_eq!(found("ns.col.r"), Some(role(&places[0])));
    }
}
