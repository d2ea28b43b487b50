//! The bare mirror of a repository.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::git::git_error;
use super::{GitRepository, RepositoryError, version};
use crate::gitops::config::{GitTransport, Revision};
use crate::gitops::decide::Relation;

/// Returns where the mirror of an address lies.
pub(super) fn mirror_folder(state: &Path, url: &str) -> PathBuf {
    let digest = Sha256::digest(url.as_bytes());
    let name: String = digest.iter().take(10).map(|byte| format!("{byte:02x}")).collect();
    state.join("mirrors").join(name)
}

fn folder_error(path: &Path, error: &std::io::Error) -> RepositoryError {
    RepositoryError::Folder { path: path.display().to_string(), why: crate::playbook::loader::plain_error(error) }
}

impl GitRepository<'_> {
    /// Waits for the mirror: jobs of one repository share it.
    pub(super) async fn lock_mirror(&self) -> Result<File, RepositoryError> {
        let path = self.mirror.with_extension("lock");
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| folder_error(folder, &error))?;
        }
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = opened.map_err(|error| folder_error(&path, &error))?;
        let began = std::time::Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => return Err(folder_error(&path, &error)),
                Err(TryLockError::WouldBlock) if began.elapsed() > self.limit => {
                    let why = "another process has used it for too long".to_owned();
                    return Err(RepositoryError::Folder { path: self.mirror.display().to_string(), why });
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    }

    /// Makes the mirror if it is not there, and clears what a killed git has left in it.
    pub(super) async fn prepare_mirror(&self) -> Result<(), RepositoryError> {
        let fresh = !self.mirror.join("HEAD").is_file() || !self.mirror.join("objects").is_dir();
        if !fresh {
            remove_stale_locks(&self.mirror);
            return Ok(());
        }
        let _ = std::fs::remove_dir_all(&self.mirror);
        std::fs::create_dir_all(&self.mirror).map_err(|error| folder_error(&self.mirror, &error))?;
        let what = "cannot make the mirror";
        self.git_text(what, &["init", "--quiet", "--bare", "--template=", "."]).await?;
        if self.is_partial() {
            for (key, value) in [
                ("remote.origin.url", self.config.url.as_str()),
                ("remote.origin.promisor", "true"),
                ("remote.origin.partialclonefilter", "blob:none"),
                ("core.repositoryformatversion", "1"),
                ("extensions.partialclone", "origin"),
            ] {
                self.git_text(what, &["config", key, value]).await?;
            }
        }
        Ok(())
    }

    /// Whether only the files of commits that are run are fetched. A repository on this machine has them at hand.
    fn is_partial(&self) -> bool {
        self.config.transport != GitTransport::Local
    }

    fn describe_fetch(&self) -> String {
        format!("cannot fetch `{}`", self.config.url)
    }

    /// Fetches the branch or tag, and returns its commit.
    pub(super) async fn fetch_head(&self) -> Result<String, RepositoryError> {
        let source = match &self.config.revision {
            Revision::Head => "HEAD".to_owned(),
            Revision::Branch(branch) => format!("refs/heads/{branch}"),
            Revision::Tag(pattern) => format!("refs/tags/{}", self.newest_tag(pattern).await?),
        };
        if let Some(commit) = super::local::read_head(self.config) {
            // A commit that is already here need not be fetched again.
            let known = self
                .run_git(&self.describe_fetch(), &["rev-parse", "--quiet", "--verify", &format!("{SEEN}^{{commit}}")])
                .await?;
            if known.is_success() && known.stdout.trim() == commit {
                return Ok(commit);
            }
        }
        self.fetch_ref(&source, SEEN).await?;
        self.commit_of(SEEN).await
    }

    /// Fetches any revision: a branch, a tag, a reference of a pull request or a commit.
    pub(super) async fn fetch_any(&self, revision: &str) -> Result<String, RepositoryError> {
        let is_commit = revision.len() >= 7 && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_commit && let Ok(commit) = self.commit_of(revision).await {
            return Ok(commit);
        }
        let mut names = vec![revision.to_owned()];
        if !revision.starts_with("refs/") && !is_commit {
            names = vec![format!("refs/heads/{revision}"), format!("refs/tags/{revision}"), revision.to_owned()];
        }
        let mut failure = None;
        for name in names {
            match self.fetch_ref(&name, "refs/ionplay/preview").await {
                Ok(()) => return self.commit_of("refs/ionplay/preview").await,
                Err(RepositoryError::NoRevision(_)) => {}
                Err(error) => failure = Some(error),
            }
        }
        // A server may refuse single commits, and still have them on a branch.
        if is_commit {
            self.fetch_ref("refs/heads/*", "refs/ionplay/branches/*").await?;
            if let Ok(commit) = self.commit_of(revision).await {
                return Ok(commit);
            }
        }
        Err(failure.unwrap_or_else(|| {
            let url = &self.config.url;
            RepositoryError::NoRevision(format!("`{url}` has no branch, tag, reference or commit `{revision}`"))
        }))
    }

    async fn fetch_ref(&self, source: &str, target: &str) -> Result<(), RepositoryError> {
        let spec = format!("+{source}:{target}");
        let mut arguments = vec!["fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"];
        if self.is_partial() {
            arguments.push("--filter=blob:none");
            // By its name, so that git knows whom to ask for files later.
            arguments.extend(["origin", &spec]);
        } else {
            arguments.extend(["--", &self.config.url, &spec]);
        }
        let output = self.run_git(&self.describe_fetch(), &arguments).await?;
        if output.is_success() {
            return Ok(());
        }
        if output.stderr.contains("couldn't find remote ref") {
            let name = source.trim_start_matches("refs/heads/").trim_start_matches("refs/tags/");
            let kind = if source.starts_with("refs/tags/") { "tag" } else { "branch" };
            let words = format!("`{}` has no {kind} `{name}`; check `git.branch` or `git.tag`", self.config.url);
            return Err(RepositoryError::NoRevision(words));
        }
        Err(git_error(&self.describe_fetch(), &output))
    }

    /// Asks the repository where its branch or tag stands.
    pub(super) async fn list_remote(&self) -> Result<String, RepositoryError> {
        let _lock = self.lock_mirror().await?;
        self.prepare_mirror().await?;
        let name = match &self.config.revision {
            Revision::Head => "HEAD".to_owned(),
            Revision::Branch(branch) => format!("refs/heads/{branch}"),
            Revision::Tag(pattern) => format!("refs/tags/{}", self.newest_tag(pattern).await?),
        };
        let peeled = format!("{name}^{{}}");
        let listed =
            self.git_text(&self.describe_fetch(), &["ls-remote", "--", &self.config.url, &name, &peeled]).await?;
        let find = |wanted: &str| {
            let mut lines = listed.lines().filter_map(|line| line.split_once('\t'));
            lines.find(|(_, found)| *found == wanted).map(|(commit, _)| commit.to_owned())
        };
        find(&peeled).or_else(|| find(&name)).ok_or_else(|| {
            RepositoryError::NoRevision(format!(
                "`{}` has no `{name}`; check `git.branch` or `git.tag`",
                self.config.url
            ))
        })
    }

    async fn newest_tag(&self, pattern: &str) -> Result<String, RepositoryError> {
        let full = format!("refs/tags/{pattern}");
        let listed =
            self.git_text(&self.describe_fetch(), &["ls-remote", "--refs", "--", &self.config.url, &full]).await?;
        let tags = listed.lines().filter_map(|line| line.split_once("\trefs/tags/")).map(|(_, tag)| tag);
        version::newest_tag(tags).map(str::to_owned).ok_or_else(|| {
            RepositoryError::NoRevision(format!("`{}` has no tag that matches `{pattern}`", self.config.url))
        })
    }

    /// Returns the full name of a commit that is in the mirror.
    pub(super) async fn commit_of(&self, revision: &str) -> Result<String, RepositoryError> {
        let arguments = ["rev-parse", "--quiet", "--verify", "--end-of-options", &format!("{revision}^{{commit}}")];
        let output = self.run_git(&self.describe_fetch(), &arguments).await?;
        if !output.is_success() {
            return Err(RepositoryError::NoRevision(format!("there is no commit `{revision}`")));
        }
        Ok(output.stdout.trim().to_owned())
    }

    /// Returns the commit of a name, if it is in the history of another one.
    pub(super) async fn resolve_within(&self, to: &str, head: &str) -> Result<String, RepositoryError> {
        let commit = self.commit_of(to).await?;
        if self.is_ancestor(&commit, head).await? {
            return Ok(commit);
        }
        Err(RepositoryError::NoRevision(format!("commit `{to}` is not in the history of the branch")))
    }

    /// Returns how a commit stands to the applied one.
    pub(super) async fn relate_commit(&self, commit: &str, applied: Option<&str>) -> Result<Relation, RepositoryError> {
        let Some(applied) = applied else { return Ok(Relation::First) };
        if applied == commit {
            return Ok(Relation::Same);
        }
        Ok(if self.is_ancestor(applied, commit).await? { Relation::Newer } else { Relation::Unrelated })
    }

    async fn is_ancestor(&self, earlier: &str, later: &str) -> Result<bool, RepositoryError> {
        let what = "cannot compare commits";
        let output = self.run_git(what, &["merge-base", "--is-ancestor", earlier, later]).await?;
        match output.exit {
            Some(0) => Ok(true),
            // 128: the earlier commit is not here at all, so it is not in the history of the later one.
            Some(1 | 128) => Ok(false),
            _ => Err(git_error(what, &output)),
        }
    }
}

/// Where the mirror keeps the commit that was last fetched.
const SEEN: &str = "refs/ionplay/seen";

/// Removes the locks of a git that was killed. The lock of the mirror is held, so none is alive.
fn remove_stale_locks(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|kind| kind == "lock") {
            let _ = std::fs::remove_file(&path);
        } else if path.ends_with("refs") || path.ends_with("ionplay") {
            remove_stale_locks(&path);
        }
    }
}
