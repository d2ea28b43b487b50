//! What the file modules share: the file system, attributes, checksums, writing with validation and backup.

pub mod attributes;
pub mod digest;
pub mod glob;
pub mod mode;
pub mod text;
pub mod write;

#[cfg(test)]
pub mod testing;

use crate::modules::spec::{Param, ParamKind};

pub use attributes::{AttributeChanges, Attributes, describe_path, display_path, path_failure, target_path};
pub use text::python_io_error;

/// The parameters that every module has that writes a file.
pub const COMMON: &[Param] = &[
    Param::new("mode", ParamKind::Raw, "Permissions, octal (`\"0644\"`) or symbolic (`u=rw,g=r`)."),
    Param::str("owner", "Name or number of the owner."),
    Param::str("group", "Name or number of the group."),
    Param::str("seuser", "User of the SELinux context; accepted, without effect."),
    Param::str("serole", "Role of the SELinux context; accepted, without effect."),
    Param::str("selevel", "Level of the SELinux context; accepted, without effect."),
    Param::str("setype", "Type of the SELinux context; accepted, without effect."),
    Param::str("attributes", "Flags of the file, as for `chattr`.").aliases(&["attr"]),
    Param::bool("unsafe_writes", "Write directly into a file that cannot be replaced atomically.")
        .default("false")
        .env("ANSIBLE_UNSAFE_WRITES"),
];

/// A path without `.`, `..` and doubled slashes, by its text alone.
pub fn normalize_path(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (absolute, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

/// The last part of a path's text; nothing if that ends with a slash.
pub fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The folder part of a path's text.
pub fn dir_name(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) => "/",
        Some(at) => path[..at].trim_end_matches('/'),
        None => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_put_straight() {
        for (path, expected) in
            [("/a//b/./c/../d/", "/a/b/d"), ("/..", "/"), ("a/..", "."), ("../x", "../x"), ("./x", "x"), ("/", "/")]
        {
            assert_eq!(normalize_path(path), expected);
        }
    }

    #[test]
    fn paths_have_parts() {
        assert_eq!((base_name("/a/b"), dir_name("/a/b")), ("b", "/a"));
        assert_eq!((base_name("/a/"), dir_name("/a/")), ("", "/a"));
        assert_eq!((base_name("a"), dir_name("a")), ("a", ""));
        assert_eq!(dir_name("/a"), "/");
    }
}
