//! The files with secrets that a configuration names.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::{Environment, GitopsConfig, JobConfig, SecretSource, StoreConfig};

impl GitopsConfig {
    /// Returns every file with a secret that the configuration names, of all jobs.
    pub fn secret_files(&self) -> Vec<PathBuf> {
        let mut sources: Vec<&SecretSource> = self.server.token.iter().collect();
        if let StoreConfig::Postgres(database) = &self.store {
            sources.push(&database.url);
        }
        for notifier in self.notifiers.values() {
            sources.push(&notifier.url);
            sources.extend(&notifier.token);
        }
        let mut files: Vec<PathBuf> = sources.into_iter().filter_map(file_of).collect();
        files.extend(self.seal_key_file.clone());
        files.extend(self.jobs.values().flat_map(|job| files_of_job(job)));
        files
    }
}

fn files_of_job(job: &JobConfig) -> Vec<PathBuf> {
    let mut sources: Vec<&SecretSource> = job.git.password.iter().collect();
    sources.extend(job.forge.iter().map(|forge| &forge.token));
    sources.extend(job.hook.iter().flat_map(|hook| &hook.secrets));
    let mut files: Vec<PathBuf> = job.git.ssh_key_file.iter().cloned().collect();
    for value in job.environment.values() {
        match value {
            Environment::Secret(source) => sources.push(source),
            // Programs are told by such a variable where a key is: `SOPS_AGE_KEY_FILE`.
            Environment::Plain(text) if is_private_file(Path::new(text)) => files.push(PathBuf::from(text)),
            Environment::Plain(_) => {}
        }
    }
    files
        .extend(job.vault_ids.iter().map(|id| PathBuf::from(id.split_once('@').map_or(id.as_str(), |(_, path)| path))));
    files.extend(sources.into_iter().filter_map(file_of));
    files
}

/// Returns whether a path names a file that not everybody may read.
fn is_private_file(path: &Path) -> bool {
    let is_private = |about: std::fs::Metadata| about.is_file() && about.permissions().mode() & 0o004 == 0;
    path.is_absolute() && path.metadata().is_ok_and(is_private)
}

fn file_of(source: &SecretSource) -> Option<PathBuf> {
    match source {
        SecretSource::File(path) => Some(path.clone()),
        SecretSource::Environment(_) => None,
    }
}
