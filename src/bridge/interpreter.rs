//! The Python at hand, and the folders in which its packages are. Python itself is not started for this.

use std::path::{Path, PathBuf};

/// Returns the first program of this name in `PATH`; a name with a slash is a path already.
pub fn find_on_path(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(|path| path.is_file());
    }
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Returns the folders with packages of an interpreter: of its virtual environment or its installation, and the user's.
pub fn package_folders(python: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::env::var_os("PYTHONPATH")
        .map(|paths| std::env::split_paths(&paths).filter(|path| path.is_absolute()).collect())
        .unwrap_or_default();
    let Some(prefix) = python.parent().and_then(Path::parent) else { return folders };
    folders.extend(folders_below(prefix));
    if prefix.join("pyvenv.cfg").is_file() {
        return folders;
    }
    if let Some(home) = std::env::home_dir() {
        folders.extend(folders_below(&home.join(".local")));
    }
    folders.extend(folders_below(&prefix.join("local")));
    // `/usr/local/bin/python3` may be a link to an installation elsewhere.
    if let Some(real) = python.canonicalize().ok().as_deref().and_then(Path::parent).and_then(Path::parent)
        && real != prefix
    {
        folders.extend(folders_below(real));
    }
    folders
}

/// The folders with packages below a prefix: `lib/python3.11/site-packages` and its kin.
fn folders_below(prefix: &Path) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for library in ["lib", "lib64"].map(|name| prefix.join(name)) {
        let Ok(entries) = std::fs::read_dir(&library) else { continue };
        let mut versions: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        versions.sort();
        for version in versions {
            let is_python = version.file_name().is_some_and(|name| name.to_string_lossy().starts_with("python3"));
            let packages = ["site-packages", "dist-packages"].map(|name| version.join(name));
            folders.extend(packages.into_iter().filter(|folder| is_python && folder.is_dir()));
        }
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn virtual_environment_has_its_own_packages_only() {
        let folder = tempfile::tempdir().unwrap();
        let packages = folder.path().join("lib/python3.11/site-packages");
        std::fs::create_dir_all(&packages).unwrap();
        std::fs::create_dir_all(folder.path().join("bin")).unwrap();
        std::fs::write(folder.path().join("pyvenv.cfg"), "").unwrap();
        let found = package_folders(&folder.path().join("bin/python3"));
        assert!(found.ends_with(std::slice::from_ref(&packages)), "{found:?}");
    }
}
