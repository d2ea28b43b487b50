//! The files of a commit, read-only, for one run.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use super::git::git_error;
use super::{GitRepository, RepositoryError};

/// A checkout, which is removed when it is dropped.
#[derive(Debug)]
pub struct Checkout {
    folder: PathBuf,
}

impl Checkout {
    /// Returns its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        remove_tree(&self.folder);
    }
}

const WHAT: &str = "cannot check out the commit";

impl GitRepository<'_> {
    pub(super) async fn check_out_into(&self, commit: &str, folder: &Path) -> Result<Checkout, RepositoryError> {
        remove_tree(folder);
        let unusable = |error: std::io::Error| RepositoryError::Folder {
            path: folder.display().to_string(),
            why: crate::playbook::loader::plain_error(&error),
        };
        std::fs::create_dir_all(folder).map_err(unusable)?;
        let checkout = Checkout { folder: folder.to_path_buf() };
        let index = folder.with_extension("index");
        let environment = [
            ("GIT_DIR".to_owned(), self.mirror.display().to_string()),
            ("GIT_WORK_TREE".to_owned(), folder.display().to_string()),
            ("GIT_INDEX_FILE".to_owned(), index.display().to_string()),
        ];
        let arguments = ["read-tree", "--reset", "-u", "--no-recurse-submodules", commit];
        let output = self.git_with(WHAT, &arguments, &environment).await;
        let _ = std::fs::remove_file(&index);
        let output = output?;
        if !output.is_success() {
            return Err(git_error(WHAT, &output));
        }
        seal_folder(folder, folder)?;
        Ok(checkout)
    }
}

/// Refuses links that leave the checkout, and takes the right to write.
fn seal_folder(folder: &Path, root: &Path) -> Result<(), RepositoryError> {
    let unusable = |path: &Path, error: &std::io::Error| RepositoryError::Folder {
        path: path.display().to_string(),
        why: crate::playbook::loader::plain_error(error),
    };
    for entry in std::fs::read_dir(folder).map_err(|error| unusable(folder, &error))? {
        let entry = entry.map_err(|error| unusable(folder, &error))?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(|error| unusable(folder, &error))?);
        if kind.is_symlink() {
            let target = std::fs::read_link(&path).map_err(|error| unusable(&path, &error))?;
            let inside = path.strip_prefix(root).unwrap_or(&path);
            if is_leaving_tree(inside, &target) {
                return Err(RepositoryError::Tree(format!(
                    "the commit holds a link that leaves the repository: `{}` -> `{}`; remove it",
                    inside.display(),
                    target.display()
                )));
            }
        } else if kind.is_dir() {
            seal_folder(&path, root)?;
        } else {
            let mode = entry.metadata().map_err(|error| unusable(&path, &error))?.permissions().mode();
            let _ = std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode & !0o222));
        }
    }
    let _ = std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o555));
    Ok(())
}

/// Whether a link at a path within the tree points out of it.
fn is_leaving_tree(link: &Path, target: &Path) -> bool {
    let mut depth = link.components().count().saturating_sub(1);
    for part in target.components() {
        match part {
            Component::RootDir | Component::Prefix(_) => return true,
            Component::ParentDir if depth == 0 => return true,
            Component::ParentDir => depth -= 1,
            Component::CurDir => {}
            Component::Normal(_) => depth += 1,
        }
    }
    false
}

/// Removes a tree, read-only folders included.
pub fn remove_tree(folder: &Path) {
    if std::fs::remove_dir_all(folder).is_ok() || !folder.exists() {
        return;
    }
    unseal_folder(folder);
    let _ = std::fs::remove_dir_all(folder);
}

fn unseal_folder(folder: &Path) {
    let _ = std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755));
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            unseal_folder(&entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_leave_the_tree_are_known() {
        for (link, target, wanted) in [
            ("a", "b", false),
            ("roles/a", "../b", false),
            ("roles/a", "../../b", true),
            ("a", "../b", true),
            ("a", "/etc/passwd", true),
            ("x/y/a", "../../x/../../b", true),
        ] {
            assert_eq!(is_leaving_tree(Path::new(link), Path::new(target)), wanted, "{link} -> {target}");
        }
    }
}
