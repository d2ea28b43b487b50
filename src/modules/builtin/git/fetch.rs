//! Getting commits, and switching to one.

use super::{GitCheckout, text_list};
use crate::modules::Failure;
use crate::modules::builtin::files::display_path;

impl GitCheckout<'_> {
    /// The commit that the version is at the remote; a version that is neither a branch nor a tag is a commit itself.
    pub async fn remote_head(&self, remote: &str) -> Result<String, Failure> {
        let version = self.version;
        let (kind, name) = if version == "HEAD" {
            if remote == self.repo {
                ("-h", "HEAD".to_owned())
            } else {
                ("-h", format!("refs/heads/{}", self.git.head_branch(remote).await?))
            }
        } else if self.git.remote_has_branch(remote, version).await? {
            ("-h", format!("refs/heads/{version}"))
        } else if self.git.remote_has_tag(remote, version).await? {
            ("-t", format!("refs/tags/{version}*"))
        } else {
            return Ok(version.to_owned());
        };
        let words: &[&str] =
            if name == "HEAD" { &["ls-remote", remote, "-h", "HEAD"] } else { &["ls-remote", remote, kind, &name] };
        let said = self.git.run_query(words).await?.require_success()?;
        let line = |ending: &str| said.stdout.lines().find(|line| line.ends_with(ending));
        // An annotated tag is an object of its own; what it stands for comes with a mark.
        let line = match kind {
            "-t" => line(&format!("refs/tags/{version}^{{}}")).or_else(|| line(&format!("refs/tags/{version}"))),
            _ => said.stdout.lines().next(),
        };
        match line.and_then(|line| line.split_whitespace().next()).map(str::to_owned) {
            Some(commit) => Ok(commit),
            None => Err(said.into_failure(format!("Could not determine remote revision for {version}"))),
        }
    }

    /// Clones into the destination.
    pub async fn clone_repository(&self) -> Result<(), Failure> {
        if let Some(parent) = self.dest.parent() {
            // If this fails, git reports the problem better.
            let _ = self.context.host.make_dirs(parent);
        }
        let (repo, version) = (self.repo.as_str(), self.version);
        let named = self.git.remote_has_branch(repo, version).await? || self.git.remote_has_tag(repo, version).await?;
        let depth = self.depth.map(|depth| depth.to_string());
        let mut words = vec!["clone"];
        if self.bare {
            words.push("--bare");
        } else {
            words.extend(["--origin", self.remote]);
        }
        if let Some(depth) = &depth {
            if version == "HEAD" || self.refspec.is_some() {
                words.extend(["--depth", depth]);
            } else if named {
                words.extend(["--depth", depth, "--branch", version]);
            } else {
                self.context.warn(
                    "Ignoring depth argument. Shallow clones are only available for HEAD, branches, tags or in \
                     combination with refspec.",
                );
            }
        }
        if let Some(reference) = self.args.str("reference") {
            words.extend(["--reference", reference]);
        }
        if self.args.bool("single_branch") {
            words.push("--single-branch");
            if named {
                words.extend(["--branch", version]);
            }
        }
        let apart = self.args.str("separate_git_dir").map(|path| format!("--separate-git-dir={path}"));
        words.extend(apart.as_deref());
        let dest = display_path(&self.dest);
        words.extend(["--", repo, &dest]);
        self.git.run_command(&words).await?.require_success()?;
        if self.bare && self.remote != "origin" {
            self.git.run_command(&["remote", "add", self.remote, repo]).await?.require_success()?;
        }
        if let Some(refspec) = self.refspec {
            let mut words = vec!["fetch"];
            if let Some(depth) = &depth {
                words.extend(["--depth", depth]);
            }
            words.extend([self.remote, refspec]);
            self.git.run_command(&words).await?.require_success()?;
        }
        if self.bare && self.args.bool("verify_commit") {
            self.verify_signature().await?;
        }
        Ok(())
    }

    /// Fetches what is new; with a depth, as little as will do.
    pub async fn fetch_remote(&self) -> Result<(), Failure> {
        let (version, remote) = (self.version, self.remote);
        let depth = self.depth.map(|depth| depth.to_string());
        let mut words = vec!["fetch"];
        let mut specs: Vec<String> = Vec::new();
        if let Some(depth) = &depth {
            let head = self.git.head_branch(remote).await?;
            if let Some(refspec) = self.refspec {
                specs.push(refspec.to_owned());
            } else if version == "HEAD" {
                specs.push(head);
            } else if self.git.remote_has_branch(&self.repo, version).await? {
                if head != version {
                    specs.push(format!("+refs/heads/{version}:refs/heads/{version}"));
                }
                specs.push(format!("+refs/heads/{version}:refs/remotes/{remote}/{version}"));
            } else if self.git.remote_has_tag(&self.repo, version).await? {
                specs.push(format!("+refs/tags/{version}:refs/tags/{version}"));
            }
            if !specs.is_empty() {
                words.extend(["--depth", depth]);
            }
        }
        if specs.is_empty() {
            if self.bare {
                specs.extend(["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"].map(str::to_owned));
            } else {
                words.push("--tags");
            }
            specs.extend(self.refspec.map(str::to_owned));
        }
        if self.force {
            words.push("--force");
        }
        words.push(remote);
        words.extend(specs.iter().map(String::as_str));
        let said = self.git.run_command(&words).await?;
        if said.rc != 0 {
            let message = format!("Failed to download remote objects and refs: {} {}", said.stdout, said.stderr);
            return Err(said.into_failure(message));
        }
        Ok(())
    }

    /// Checks the version out.
    pub async fn checkout_version(&self) -> Result<(), Failure> {
        let (version, remote) = (self.version, self.remote);
        let failed = |what: &str| format!("Failed to checkout {what}");
        if version == "HEAD" {
            let branch = self.git.head_branch(remote).await?;
            let label = failed(&format!("branch {branch}"));
            self.expect_success(&["checkout", "--force", &branch], &label).await?;
            self.expect_success(&["reset", "--hard", &format!("{remote}/{branch}"), "--"], &label).await?;
        } else if self.git.remote_has_branch(remote, version).await? {
            let theirs = format!("{remote}/{version}");
            if !self.git.has_branch(version).await?
                && let Some(depth) = self.depth
            {
                // A clone with a depth has one branch only.
                let depth = format!("--depth={depth}");
                let own = format!("+refs/heads/{version}:refs/heads/{version}");
                let other = format!("+refs/heads/{version}:refs/remotes/{theirs}");
                let label = format!("Failed to fetch branch from remote: {version}");
                self.expect_success(&["fetch", &depth, remote, &own, &other], &label).await?;
            }
            if self.git.has_branch(version).await? {
                let label = failed(&format!("branch {version}"));
                self.expect_success(&["checkout", "--force", version], &label).await?;
                self.expect_success(&["reset", "--hard", &theirs, "--"], &failed(version)).await?;
            } else {
                self.expect_success(&["checkout", "--track", "-b", version, &theirs], &failed(version)).await?;
            }
        } else {
            self.expect_success(&["checkout", "--force", version], &failed(version)).await?;
        }
        if self.args.bool("verify_commit") { self.verify_signature().await } else { Ok(()) }
    }

    async fn expect_success(&self, words: &[&str], label: &str) -> Result<(), Failure> {
        let said = self.git.run_command(words).await?;
        if said.rc == 0 { Ok(()) } else { Err(said.into_failure(label)) }
    }

    /// The commit or the tag has to be signed, and by one of the keys that are allowed.
    async fn verify_signature(&self) -> Result<(), Failure> {
        let version = self.version;
        let tag = self.git.run_query(&["cat-file", "-t", &format!("refs/tags/{version}")]).await?;
        let verb = if tag.stdout.trim_end() == "tag" { "verify-tag" } else { "verify-commit" };
        let allowed = text_list(self.args, "gpg_allowlist");
        let mut words = vec![verb];
        if !allowed.is_empty() {
            words.push("--raw");
        }
        words.push(version);
        let said = self.git.run_query(&words).await?;
        if said.rc != 0 {
            return Err(said.into_failure(format!("Failed to verify GPG signature of commit/tag \"{version}\"")));
        }
        if allowed.is_empty() {
            return Ok(());
        }
        let key = find_fingerprint(&said.stderr);
        if key.as_ref().is_some_and(|key| allowed.contains(key)) {
            return Ok(());
        }
        let key = key.unwrap_or_else(|| "None".to_owned());
        let message = format!("The gpg_allowlist does not include the public key \"{key}\" for this commit");
        Err(said.into_failure(message))
    }
}

/// The fingerprint of the primary key in what GPG reports; the last field if a subkey has signed.
fn find_fingerprint(report: &str) -> Option<String> {
    report.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if *fields.get(1)? != "VALIDSIG" {
            return None;
        }
        let at = if fields.len() >= 12 { 11 } else { 2 };
        fields.get(at).map(|key| (*key).to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_fingerprints() {
        let own = "[GNUPG:] NEWSIG\n[GNUPG:] VALIDSIG AAA 2019 1 0 4 0 1 10 00\n";
        assert_eq!(find_fingerprint(own).as_deref(), Some("AAA"));
        let subkey = "[GNUPG:] VALIDSIG AAA 2019-01-01 1 0 4 0 1 10 00 BBB\n";
        assert_eq!(find_fingerprint(subkey).as_deref(), Some("BBB"));
        assert_eq!(find_fingerprint("[GNUPG:] GOODSIG x\n"), None);
    }
}
