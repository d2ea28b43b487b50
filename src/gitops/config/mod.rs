//! `gitops.yml`, read and checked: types that hold only what makes sense.
//!
//! Every mistake in the file is reported with its place, not only the first one. Secrets are never part of the file:
//! it names where they are.

mod defaults;
mod forge;
mod git;
mod graph;
mod job;
mod notify;
mod reader;
mod schema;
mod secret;
mod secret_files;
mod server;
mod time;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;

use crate::diagnostic::{Diagnostic, Report, Severity};
use crate::{state_dir, yaml};
use reader::{ConfigReader, Mapping};

pub use forge::{ForgeConfig, ForgeType};
pub use git::{CommitVerification, GitConfig, GitTransport, Revision};
pub use job::{
    ActionKind, Approval, Drift, Environment, HookConfig, JobConfig, Mode, Placement, Prune, PruneMode, Retry,
};
pub use notify::{NotifierConfig, NotifierType, Occasion};
pub use schema::gitops_schema;
pub use secret::{SecretError, SecretSource, SecretText};
pub use server::{Listen, PostgresConfig, ServerConfig, StoreConfig};
pub use time::{CronSchedule, TimeError, parse_duration, parse_time, show_duration};

/// A `gitops.yml`.
#[derive(Debug)]
pub struct GitopsConfig {
    /// The file, as the user named it.
    pub file: PathBuf,
    /// Name of this host among those that share the jobs.
    pub host: String,
    /// Where state, mirrors and the credential store lie.
    pub state_dir: PathBuf,
    /// Storage backend of jobs and runs.
    pub store: StoreConfig,
    /// Key that seals one-time passwords.
    pub seal_key_file: Option<PathBuf>,
    /// HTTP server of `serve`.
    pub server: ServerConfig,
    /// The jobs, in the order of the file.
    pub jobs: IndexMap<String, Arc<JobConfig>>,
    /// Receivers of notifications, by name.
    pub notifiers: IndexMap<String, Arc<NotifierConfig>>,
    /// Warnings about a file that is usable.
    pub warnings: Report,
}

const TOP: &[&str] =
    &["version", "host", "state_dir", "store", "seal_key_file", "server", "defaults", "jobs", "notify"];

impl GitopsConfig {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// With every mistake that was found.
    pub fn load_file(file: &Path) -> Result<Self, Report> {
        let name = file.display().to_string();
        let bytes = std::fs::read(file).map_err(|error| {
            let why = crate::playbook::loader::plain_error(&error);
            vec![Diagnostic::error(format!("cannot read `{name}`: {why}"))]
        })?;
        let source = yaml::read_text(&name, bytes).map_err(|error| vec![error])?;
        let loaded = yaml::load_document(&source).map_err(|error| vec![error])?;
        let Some(root) = loaded.root else {
            let remedy = "it needs at least `version: 1` and `jobs:`; see `docs/gitops.md`";
            return Err(vec![Diagnostic::error(format!("`{name}` is empty")).hint(remedy)]);
        };
        let folder = std::path::absolute(file).ok().and_then(|path| path.parent().map(Path::to_path_buf));
        let reader = ConfigReader::new(folder.unwrap_or_default());
        // Of a key that is given twice only the last one would count: of two jobs of one name, one would be lost.
        for mut warning in loaded.warnings {
            warning.severity = Severity::Error;
            warning.summary = warning.summary.replace("; only the last one counts", "");
            reader.add_message(warning.hint("names within one mapping are unique; remove or rename one"));
        }
        let config = Mapping::from_node(&reader, &root, "the file").map(|top| read_top(file, &reader, &top));
        reader.into_result(config)
    }

    /// Takes from the configuration in use what cannot change while a daemon runs, and returns the keys that differ.
    pub fn keep_fixed_keys(&mut self, used: &Self) -> Vec<&'static str> {
        let mut kept = Vec::new();
        let mut keep = |key, differs| {
            if differs {
                kept.push(key);
            }
        };
        keep("host", self.host != used.host);
        keep("state_dir", self.state_dir != used.state_dir);
        keep("store", self.store != used.store);
        keep("seal_key_file", self.seal_key_file != used.seal_key_file);
        keep("server.listen", self.server.listen != used.server.listen);
        self.host.clone_from(&used.host);
        self.state_dir.clone_from(&used.state_dir);
        self.store = used.store.clone();
        self.seal_key_file.clone_from(&used.seal_key_file);
        self.server.listen.clone_from(&used.server.listen);
        kept
    }

    /// Returns a job by its name.
    pub fn find_job(&self, name: &str) -> Option<&Arc<JobConfig>> {
        self.jobs.get(name)
    }

    /// Returns the environment variables that hold secrets of jobs and are not set, each with its job.
    pub fn missing_variables(&self) -> Vec<(String, String)> {
        let unset = |source: &SecretSource| match source {
            SecretSource::Environment(name) if source.read().is_err() => Some(name.clone()),
            _ => None,
        };
        let of_job = |(name, job): (&String, &Arc<JobConfig>)| {
            let mut sources: Vec<&SecretSource> = job.git.password.iter().collect();
            sources.extend(job.forge.iter().map(|forge| &forge.token));
            sources.extend(job.hook.iter().flat_map(|hook| &hook.secrets));
            sources.extend(job.environment.values().filter_map(|value| match value {
                Environment::Secret(source) => Some(source),
                Environment::Plain(_) => None,
            }));
            sources.into_iter().filter_map(unset).map(|variable| (name.clone(), variable)).collect::<Vec<_>>()
        };
        self.jobs.iter().flat_map(of_job).collect()
    }

    /// Returns the folder of what only one process of this host may use: the lock of the daemon, and checkouts. Hosts that
    /// share a database may share a machine, too.
    pub fn host_dir(&self) -> PathBuf {
        match &self.store {
            StoreConfig::Files => self.state_dir.clone(),
            StoreConfig::Postgres(_) => self.state_dir.join("hosts").join(self.host.replace('/', "-")),
        }
    }

    /// Returns the folder that children use as their state directory: the credential store lies below it.
    pub fn credentials_dir(&self) -> &Path {
        &self.state_dir
    }
}

fn read_top(file: &Path, reader: &ConfigReader, top: &Mapping<'_>) -> GitopsConfig {
    top.refuse_unknown(TOP);
    read_version(reader, top);
    let defaults = top.read_mapping("defaults", "`defaults`");
    if let Some(defaults) = &defaults {
        defaults.refuse_unknown(job::KEYS);
    }
    let notifiers = notify::read(top);
    let host =
        top.read_text("host").unwrap_or_else(|| rustix::system::uname().nodename().to_string_lossy().into_owned());
    let default_state = || state_dir::state_folder().map(|folder| folder.join("gitops"));
    let state_dir = top.read_path("state_dir").or_else(default_state).unwrap_or_else(|| {
        let message = "there is no home folder for the state of jobs";
        reader.add_message(Diagnostic::error(message).hint("name a folder with `state_dir`"));
        PathBuf::new()
    });
    let jobs = read_jobs(reader, top, defaults.as_ref(), &notifiers);
    graph::check_dependencies(reader, top, &jobs);
    let store = server::read_store(top);
    let seal_key_file = top.read_file_path("seal_key_file");
    if let (StoreConfig::Postgres(_), None, Some(entry)) = (&store, &seal_key_file, top.find_entry("store")) {
        let message = "without `seal_key_file` one-time passwords stay on the host that made them";
        let remedy = "a host that takes over a job cannot deliver them; name a key with `seal_key_file`";
        reader.add_message(Diagnostic::warning(message).at(entry.key.span(), "").hint(remedy));
    }
    GitopsConfig {
        file: file.to_path_buf(),
        host,
        state_dir,
        store,
        seal_key_file,
        server: server::read(top),
        jobs: jobs.into_iter().map(|(name, job)| (name, Arc::new(job))).collect(),
        notifiers,
        warnings: Report::new(),
    }
}

fn read_version(reader: &ConfigReader, top: &Mapping<'_>) {
    let Some(entry) = top.find_entry("version") else {
        reader.add_message(top.mapping_error("`version` is missing").hint("add `version: 1` at the top"));
        return;
    };
    if entry.value.span().text().trim() != "1" {
        let message = format!("version {} is not known", entry.value.span().text().trim());
        reader
            .add_message(Diagnostic::error(message).at(entry.value.span(), "").hint("this program reads `version: 1`"));
    }
}

fn read_jobs(
    reader: &ConfigReader,
    top: &Mapping<'_>,
    defaults: Option<&Mapping<'_>>,
    notifiers: &IndexMap<String, Arc<NotifierConfig>>,
) -> IndexMap<String, JobConfig> {
    let mut jobs = IndexMap::new();
    let Some(all) = top.read_mapping("jobs", "`jobs`") else {
        if top.find_entry("jobs").is_none() {
            reader.add_message(
                top.mapping_error("`jobs` is missing").hint("a job is `NAME: {git: {url: URL}, playbook: FILE}`"),
            );
        }
        return jobs;
    };
    if all.entries().is_empty() {
        reader.add_message(
            all.mapping_error("`jobs` has no job").hint("a job is `NAME: {git: {url: URL}, playbook: FILE}`"),
        );
    }
    for entry in all.entries() {
        let name = reader::key_text(entry);
        if name.is_empty()
            || name.starts_with('.')
            || !name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        {
            let message = format!("`{name}` cannot be the name of a job");
            let remedy = "use letters, digits, `-`, `_` and `.`; the name is part of file names and addresses";
            reader.add_message(Diagnostic::error(message).at(entry.key.span(), "").hint(remedy));
            continue;
        }
        let Some(own) = Mapping::from_node(reader, &entry.value, &format!("job `{name}`")) else { continue };
        let layered = defaults::Layered { own: &own, defaults };
        if let Some(job) = job::read(&name, &layered, notifiers) {
            jobs.insert(name, job);
        }
    }
    jobs
}

#[cfg(test)]
mod tests;
