//! `git`: a working copy at a version of a repository.

mod archive;
mod fetch;
mod program;
mod submodules;

use std::path::{Path, PathBuf};

use super::files::{display_path, normalize_path};
use crate::modules::args::expand_path;
use crate::modules::spec::{Param, ParamKind};
use crate::modules::{Diff, Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::value::{Dict, Value, python};
use program::Program;

static SPEC: Spec = Spec {
    mutually_exclusive: &[&["separate_git_dir", "bare"], &["accept_hostkey", "accept_newhostkey"]],
    ..Spec::new("ansible.builtin.git", "Checks out a version of a git repository.")
        .examples(include_str!("../examples/git.yml"))
        .params(&[&[
            Param::path("dest", "Folder of the working copy."),
            Param::str("repo", "URL of the repository.").aliases(&["name"]).required(),
            Param::str("version", "A branch, a tag, a commit, or `HEAD`.").default("HEAD"),
            Param::str("remote", "The name of the remote.").default("origin"),
            Param::str("refspec", "Additional refs to fetch."),
            Param::str("reference", "Repository to copy objects from."),
            Param::bool("force", "Discard local changes.").default("false"),
            Param::int("depth", "Number of commits to fetch."),
            Param::bool("clone", "Clone the repository if it does not exist.").default("true"),
            Param::bool("update", "Fetch new commits.").default("true"),
            Param::bool("verify_commit", "Require a signed commit.").default("false"),
            Param::list("gpg_allowlist", &ParamKind::Str, "Fingerprints of accepted signing keys.")
                .aliases(&["gpg_whitelist"])
                .default(""),
            Param::bool("accept_hostkey", "Accept unknown and changed host keys.").default("false"),
            Param::bool("accept_newhostkey", "Accept unknown host keys.").default("false"),
            Param::path("key_file", "Private key for SSH."),
            Param::str("ssh_opts", "Options for SSH."),
            Param::path("executable", "Path of the `git` program."),
            Param::bool("bare", "Create a bare repository, without a working copy.").default("false"),
            Param::bool("recursive", "Update submodules, too.").default("true"),
            Param::bool("single_branch", "Fetch the history of one branch only.").default("false"),
            Param::bool("track_submodules", "Use the newest commit of each submodule's branch.").default("false"),
            Param::new("umask", ParamKind::Raw, "Umask for new files, as quoted octal digits."),
            Param::path("archive", "Archive to create from the working copy."),
            Param::str("archive_prefix", "Prefix folder in the archive."),
            Param::path("separate_git_dir", "Separate folder for the repository data."),
        ]])
};

/// The module.
pub struct Git;

impl TaskModule for Git {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(run_git(args, context))
    }
}

/// A task's request for a checkout.
struct GitCheckout<'a> {
    args: &'a ModuleArgs,
    context: &'a TaskContext<'a>,
    git: Program<'a>,
    repo: String,
    dest: PathBuf,
    version: &'a str,
    remote: &'a str,
    refspec: Option<&'a str>,
    depth: Option<i64>,
    bare: bool,
    force: bool,
}

async fn run_git(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<ModuleOutcome, Failure> {
    let text = |name: &str| args.str(name).filter(|text| !text.is_empty());
    if text("archive_prefix").is_some() && text("archive").is_none() {
        return Err(Failure::new("missing parameter(s) required by 'archive_prefix': archive"));
    }
    let (dest, may_clone) = (text("dest"), args.bool("clone"));
    if dest.is_none() && may_clone {
        return Err(Failure::new("the destination directory must be specified unless clone=no"));
    }
    let repo = expand_path(args.str("repo").unwrap_or_default());
    let repo =
        if repo.starts_with('/') { format!("file://{repo}") } else { args.str("repo").unwrap_or_default().to_owned() };
    let absolute = |path: &str| {
        let path = std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path));
        PathBuf::from(normalize_path(&display_path(&path)))
    };
    let folder = dest.map(absolute);
    let wish = GitCheckout {
        args,
        context,
        git: Program::from_args(args, context, folder.clone())?,
        repo,
        dest: folder.clone().unwrap_or_default(),
        version: args.str("version").unwrap_or("HEAD"),
        remote: args.str("remote").unwrap_or("origin"),
        refspec: text("refspec"),
        depth: args.int("depth").filter(|depth| *depth != 0),
        bare: args.bool("bare"),
        force: args.bool("force"),
    };
    let mut data = Dict::new();
    data.set("before", Value::Null);
    let here = match &folder {
        Some(folder) => wish.is_repository(folder)?,
        None => may_clone,
    };
    context.progress.show_message(&format!("git {}", wish.repo));
    if here { wish.update_checkout(data).await } else { wish.clone_if_allowed(data, may_clone).await }
}

impl GitCheckout<'_> {
    /// Whether the destination has a repository; where its `.git` is a file, that has to lead to one.
    fn is_repository(&self, folder: &Path) -> Result<bool, Failure> {
        let host = self.context.host;
        let inside = if self.bare { folder.to_path_buf() } else { folder.join(".git") };
        if !host.is_file(&inside) {
            return Ok(host.exists(&inside.join("config")));
        }
        let said = host.read(&inside).map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default();
        let target = said.trim_end().strip_prefix("gitdir: ").map(|target| folder.join(target));
        target.filter(|target| host.is_dir(target)).map(|target| host.exists(&target.join("config"))).ok_or_else(|| {
            Failure::new(
                "Current repo does not have a valid reference to a separate Git dir or it refers to the invalid path",
            )
            .with("details", format!("{} does not lead to a folder", display_path(&inside)))
        })
    }

    /// An address that is a path, with its links resolved.
    fn resolve_address(&self, address: &str) -> String {
        display_path(&self.context.host.real_path(Path::new(&normalize_path(&expand_path(address)))))
    }

    /// Clones, or only looks at the remote.
    async fn clone_if_allowed(&self, mut data: Dict, may_clone: bool) -> Result<ModuleOutcome, Failure> {
        if self.context.check || !may_clone {
            let after = self.remote_head(&self.repo).await?;
            data.set("after", after.as_str().into());
            let diff = vec![prepared_diff(format!(">> Newly checked out {after}"))];
            return Ok(ModuleOutcome { diff, ..ModuleOutcome::new(true, data) });
        }
        self.clone_repository().await?;
        self.finish_checkout(data, false).await
    }

    /// Brings what is there to the version.
    async fn update_checkout(&self, mut data: Dict) -> Result<ModuleOutcome, Failure> {
        let relocated = self.relocate_repository(&mut data).await?;
        let before = self.git.resolve_commit("HEAD").await?;
        if !self.args.bool("update") {
            data.set("before", before.as_str().into());
            data.set("after", before.into());
            let archived = self.create_archive().await?;
            return Ok(ModuleOutcome::new(relocated || archived, data));
        }
        data.set("before", before.as_str().into());
        let modified = !self.bare && self.git.has_changes().await?;
        if modified {
            let dest = display_path(&self.dest);
            if !self.force {
                let message = format!("Local modifications exist in the destination: {dest} (force=no).");
                return Err(Failure { data, ..Failure::new(message) });
            }
            if !self.context.check {
                self.git.run_command(&["reset", "--hard", "HEAD"]).await?.require_success()?;
                data.set("msg", format!("Local modifications exist in the destination: {dest}").into());
            }
        }
        let url = self.git.run_query(&["ls-remote", "--get-url", self.remote]).await?;
        let url = if url.rc == 0 { url.stdout.trim_end_matches('\n').to_owned() } else { self.repo.clone() };
        let moved = url != self.repo && self.resolve_address(&url) != self.resolve_address(&self.repo);
        data.set("remote_url_changed", moved.into());
        if self.context.check {
            let after = self.remote_head(self.remote).await?;
            data.set("after", after.as_str().into());
            let changed = before != after || moved || relocated;
            let diff = if before == after { Vec::new() } else { vec![self.diff_commits(&before, &after).await?] };
            return Ok(ModuleOutcome { diff, ..ModuleOutcome::new(changed, data) });
        }
        if moved {
            let said = self.git.run_command(&["remote", "set-url", self.remote, &self.repo]).await?;
            if said.rc != 0 {
                let label = format!("set a new url {} for {}", self.repo, self.remote);
                return Err(Failure::new(format!("Failed to {label}: {} {}", said.stdout, said.stderr)));
            }
        }
        self.fetch_remote().await?;
        self.finish_checkout(data, modified || moved || relocated).await
    }

    /// Checks the version out, with submodules and the archive.
    async fn finish_checkout(&self, mut data: Dict, mut changed: bool) -> Result<ModuleOutcome, Failure> {
        let mut submodules = false;
        if !self.bare {
            self.checkout_version().await?;
            if self.args.bool("recursive") {
                submodules = self.update_submodules().await?;
            }
        }
        if submodules {
            data.set("submodules_changed", true.into());
        }
        let after = self.git.resolve_commit("HEAD").await?;
        let before = data.get("before").and_then(Value::as_str).map(str::to_owned);
        data.set("after", after.as_str().into());
        let diff = match &before {
            Some(before) if *before == after => Vec::new(),
            Some(before) => vec![self.diff_commits(before, &after).await?],
            None => vec![prepared_diff(format!(">> Newly checked out {after}"))],
        };
        changed |= submodules || before.as_ref() != Some(&after);
        changed |= self.create_archive().await?;
        Ok(ModuleOutcome { diff, ..ModuleOutcome::new(changed, data) })
    }

    /// Moves the repository out of the working copy, if that is where it should not be.
    async fn relocate_repository(&self, data: &mut Dict) -> Result<bool, Failure> {
        let Some(wanted) = self.args.str("separate_git_dir") else { return Ok(false) };
        let host = self.context.host;
        let wanted = host.real_path(Path::new(wanted));
        let said = self.git.run_query(&["rev-parse", "--absolute-git-dir"]).await?.require_success()?;
        let now = host.real_path(Path::new(said.stdout.trim_end()));
        if now == wanted {
            return Ok(false);
        }
        if host.exists(&wanted) {
            return Err(Failure::new(format!("Separate-git-dir path {} already exists.", wanted.display())));
        }
        if !self.context.check {
            self.git
                .run_command(&["init", "--quiet", "--separate-git-dir", &display_path(&wanted)])
                .await?
                .require_success()?;
            data.set("git_dir_before", display_path(&now).into());
            data.set("git_dir_now", display_path(&wanted).into());
        }
        Ok(true)
    }

    async fn diff_commits(&self, before: &str, after: &str) -> Result<Diff, Failure> {
        if !self.context.diff {
            return Ok(prepared_diff(String::new()));
        }
        let said = self.git.run_query(&["diff", before, after]).await?;
        Ok(prepared_diff(match said.rc {
            0 if said.stdout.is_empty() => format!(">> No visual differences between {before} and {after}"),
            0 => said.stdout,
            _ => format!(">> Failed to get proper diff between {before} and {after}:\n>> {}", said.stderr),
        }))
    }
}

fn prepared_diff(text: String) -> Diff {
    Diff { prepared: Some(text), ..Diff::default() }
}

fn text_list(args: &ModuleArgs, name: &str) -> Vec<String> {
    args.get(name).and_then(Value::as_slice).unwrap_or_default().iter().map(python::str).collect()
}
