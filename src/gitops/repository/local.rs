//! Where a branch of a repository on this machine stands, read without git: a thousand jobs look each minute.

use std::path::{Path, PathBuf};

use crate::gitops::config::{GitConfig, GitTransport, Revision};

/// Returns the commit, where the repository is here and keeps its references in files.
pub(super) fn read_head(config: &GitConfig) -> Option<String> {
    if config.transport != GitTransport::Local {
        return None;
    }
    let path = Path::new(config.url.strip_prefix("file://").unwrap_or(&config.url));
    let folder = git_folder(path)?;
    let name = match &config.revision {
        Revision::Branch(branch) => format!("refs/heads/{branch}"),
        Revision::Head => "HEAD".to_owned(),
        Revision::Tag(_) => return None,
    };
    read_ref(&folder, &name, 0)
}

fn git_folder(path: &Path) -> Option<PathBuf> {
    // A linked work tree has a file there; git knows its way through it.
    [path.join(".git"), path.to_path_buf()]
        .into_iter()
        .find(|folder| folder.join("HEAD").is_file() && folder.join("refs").is_dir())
}

fn read_ref(folder: &Path, name: &str, depth: usize) -> Option<String> {
    if depth > 5 || name.split('/').any(|part| part == "..") {
        return None;
    }
    let text = match std::fs::read_to_string(folder.join(name)) {
        Ok(text) => text,
        Err(_) => return read_packed(folder, name),
    };
    let text = text.trim();
    match text.strip_prefix("ref: ") {
        Some(next) => read_ref(folder, next.trim(), depth + 1),
        None => is_commit(text).then(|| text.to_owned()),
    }
}

fn read_packed(folder: &Path, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(folder.join("packed-refs")).ok()?;
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.find(|(commit, found)| *found == name && is_commit(commit)).map(|(commit, _)| commit.to_owned())
}

fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
