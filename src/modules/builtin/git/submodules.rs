//! Repositories within the repository.

use super::GitCheckout;
use crate::modules::Failure;

impl GitCheckout<'_> {
    /// Brings submodules to where they should be; says whether there was anything to do.
    pub async fn update_submodules(&self) -> Result<bool, Failure> {
        let host = self.context.host;
        let Ok(list) = host.read(&self.dest.join(".gitmodules")) else { return Ok(false) };
        let list = String::from_utf8_lossy(&list).into_owned();
        let mut paths = list.lines().filter_map(|line| {
            let (key, path) = line.split_once('=')?;
            (key.trim() == "path").then(|| self.dest.join(path.trim()))
        });
        let new = paths.any(|path| !host.exists(&path.join(".git")));
        if !new && !self.submodules_differ().await? {
            return Ok(false);
        }
        self.git.run_command(&["submodule", "sync"]).await?.require_success()?;
        let mut words = vec!["submodule", "update", "--init", "--recursive"];
        if self.args.bool("track_submodules") {
            words.push("--remote");
        }
        if self.force {
            words.push("--force");
        }
        let said = self.git.run_command(&words).await?;
        if said.rc != 0 {
            let message = format!("Failed to init/update submodules: {}{}", said.stdout, said.stderr);
            return Err(said.into_failure(message));
        }
        Ok(true)
    }

    /// Whether submodules are not at the commit that the repository names, or not at the newest of their branch.
    async fn submodules_differ(&self) -> Result<bool, Failure> {
        self.git.run_command(&["submodule", "foreach", "git fetch"]).await?.require_success()?;
        if self.args.bool("track_submodules") {
            let line = format!("git rev-parse HEAD {}/HEAD", self.remote);
            let said = self.git.run_query(&["submodule", "--quiet", "foreach", &line]).await?.require_success()?;
            let commits: Vec<&str> = said.stdout.lines().collect();
            return Ok(commits.chunks(2).any(|pair| pair.first() != pair.last()));
        }
        let said = self.git.run_query(&["submodule", "status"]).await?.require_success()?;
        Ok(said.stdout.lines().any(|line| !line.starts_with(' ')))
    }
}
