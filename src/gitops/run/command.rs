//! The commands of a run, and the environment that they get.

use std::path::Path;

use super::super::config::{Environment, JobConfig};
use super::super::engine::RunDocument;
use super::super::repository::inherited_environment;
use super::{RunContext, Runner, Secrets, StepError};
use crate::cli_interface::{
    CONFINEMENT_VARIABLE, CREDENTIALS_SOCKET_VARIABLE, LEASE_EPOCH_VARIABLE, LEASE_FILE_VARIABLE, PARENT_VARIABLE,
    SANDBOX_URL_VARIABLE,
};
use crate::secrets::{Redactor, environment};

impl Runner {
    /// Plans the playbooks of a job, and after them those in `further`.
    pub(super) fn plan_command(&self, job: &JobConfig, plan: &Path, further: Option<&Path>) -> Vec<String> {
        let mut command: Vec<String> = ["ionplay", "plan", "--no-color", "--out"].map(str::to_owned).into();
        command.push(plan.display().to_string());
        self.add_run_options(&mut command, job);
        command.extend(further.map(|playbook| playbook.display().to_string()));
        command
    }

    pub(super) fn run_command(&self, job: &JobConfig, documents: &Path) -> Vec<String> {
        let mut command: Vec<String> = ["ionplay", "run", "--no-color", "--events"].map(str::to_owned).into();
        command.push(documents.join(RunDocument::Events.file_name()).display().to_string());
        self.add_run_options(&mut command, job);
        command
    }

    pub(super) fn apply_command(&self, job: &JobConfig, documents: &Path) -> Vec<String> {
        let mut command: Vec<String> = ["ionplay", "apply", "--no-color", "--auto-approve"].map(str::to_owned).into();
        for (option, document) in [("--events", RunDocument::Events), ("--after", RunDocument::After)] {
            command.extend([option.to_owned(), documents.join(document.file_name()).display().to_string()]);
        }
        add_plan(&mut command, job, documents);
        command
    }

    pub(super) fn check_command(&self, job: &JobConfig, documents: &Path) -> Vec<String> {
        let mut command: Vec<String> = ["ionplay", "apply", "--no-color", "--check"].map(str::to_owned).into();
        add_plan(&mut command, job, documents);
        command
    }

    fn add_run_options(&self, command: &mut Vec<String>, job: &JobConfig) {
        let mut option = |name: &str, value: &str| command.extend([name.to_owned(), value.to_owned()]);
        job.inventory.iter().for_each(|source| option("--inventory", source));
        job.limit.iter().for_each(|limit| option("--limit", limit));
        job.tags.iter().for_each(|tag| option("--tags", tag));
        job.skip_tags.iter().for_each(|tag| option("--skip-tags", tag));
        job.extra_vars_files.iter().for_each(|file| option("--extra-vars", &format!("@{file}")));
        if !job.extra_vars.is_empty() {
            option("--extra-vars", &job.extra_vars);
        }
        job.vault_ids.iter().for_each(|id| option("--vault-id", id));
        if self.sandbox.is_some() {
            command.push("--sandbox".to_owned());
        }
        command.extend(job.playbooks.iter().cloned());
    }

    /// The whole environment of a child, and what hides the secrets in it.
    pub(super) fn child_environment(
        &self,
        run: &RunContext<'_>,
    ) -> Result<(Vec<(String, String)>, Redactor), StepError> {
        let mut variables = inherited_environment();
        let mut secret_names = Vec::new();
        let redactor = super::redactor_of(run.job);
        for (name, value) in &run.job.environment {
            let value = match value {
                Environment::Plain(text) => text.clone(),
                Environment::Secret(_) if run.secrets == Secrets::Withheld => continue,
                Environment::Secret(source) => {
                    secret_names.push(name.as_str());
                    source.read()?.expose().to_owned()
                }
            };
            variables.retain(|(known, _)| known != name);
            variables.push((name.clone(), value));
        }
        let mut own = |name: &str, value: String| variables.push((name.to_owned(), value));
        own(environment::VARIABLE, secret_names.join(","));
        own(PARENT_VARIABLE, std::process::id().to_string());
        own("IONPLAY_STATE_DIR", self.state_dir.display().to_string());
        if let Some(key) = self.seal_key_file.as_ref().filter(|_| run.secrets == Secrets::Given) {
            own("IONPLAY_SEAL_KEY_FILE", key.display().to_string());
            if let Some(socket) = &self.credentials {
                own(CREDENTIALS_SOCKET_VARIABLE, socket.display().to_string());
            }
        }
        if let Some(url) = &self.sandbox {
            own(SANDBOX_URL_VARIABLE, url.clone());
        }
        if let Some(confinement) = &run.confinement {
            own(CONFINEMENT_VARIABLE, serde_json::to_string(confinement).unwrap_or_default());
        }
        if let Some((file, epoch)) = run.lease {
            own(LEASE_FILE_VARIABLE, file.display().to_string());
            own(LEASE_EPOCH_VARIABLE, epoch.to_string());
        }
        Ok((variables, redactor))
    }
}

fn add_plan(command: &mut Vec<String>, job: &JobConfig, documents: &Path) {
    // Plans do not hold variables of the command line.
    if !job.extra_vars.is_empty() {
        command.extend(["--extra-vars".to_owned(), job.extra_vars.clone()]);
    }
    command.push(documents.join(RunDocument::Plan.file_name()).display().to_string());
}

/// Returns a command as a line for a shell.
pub fn shell_line(command: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
    let quote = |word: &String| {
        if !word.is_empty() && word.chars().all(plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    command.iter().map(quote).collect::<Vec<_>>().join(" ")
}
