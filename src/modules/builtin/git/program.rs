//! The program itself: looking does no harm and is done in a dry run too; acting is not.

use std::path::PathBuf;

use crate::host::{CommandOutput, HostCommand, RunError};
use crate::modules::builtin::files::display_path;
use crate::modules::{Failure, ModuleArgs, TaskContext};
use crate::value::Value;

/// How git is run.
pub struct Program<'a> {
    context: &'a TaskContext<'a>,
    path: String,
    folder: Option<PathBuf>,
    umask: Option<String>,
    environment: Vec<(String, String)>,
}

/// Output of git.
pub struct GitOutput {
    /// The exit status.
    pub rc: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// The command.
    pub cmd: String,
}

impl GitOutput {
    /// Itself, unless it failed.
    pub fn require_success(self) -> Result<Self, Failure> {
        if self.rc == 0 {
            return Ok(self);
        }
        let message = self.stderr.trim_end().to_owned();
        Err(self.into_failure(message))
    }

    /// A failure that quotes it.
    pub fn into_failure(self, message: impl Into<String>) -> Failure {
        Failure::new(message)
            .with("rc", self.rc)
            .with("stdout", self.stdout)
            .with("stderr", self.stderr)
            .with("cmd", self.cmd)
    }
}

impl<'a> Program<'a> {
    /// Reads the arguments.
    ///
    /// # Errors
    /// If git is not installed, or the umask is none.
    pub fn from_args(
        args: &ModuleArgs,
        context: &'a TaskContext<'a>,
        folder: Option<PathBuf>,
    ) -> Result<Self, Failure> {
        let path = match args.str("executable") {
            Some(path) => path.to_owned(),
            None => context.find_program("git").map(|path| display_path(&path)).ok_or_else(|| {
                Failure::new("Failed to find required executable \"git\" in the paths of the system; install git")
            })?,
        };
        let umask = match args.get("umask") {
            None => None,
            Some(Value::Str(digits)) if u32::from_str_radix(digits, 8).is_ok_and(|bits| bits <= 0o777) => {
                Some(digits.to_string())
            }
            Some(Value::Str(_)) => return Err(Failure::new("umask must be an octal integer")),
            Some(_) => return Err(Failure::new("umask must be defined as a quoted octal integer")),
        };
        let mut environment = context.environment.to_vec();
        for name in ["LANG", "LC_ALL", "LC_MESSAGES", "LC_CTYPE", "LANGUAGE"] {
            environment.push((name.to_owned(), "C.UTF-8".to_owned()));
        }
        environment.push(("GIT_TERMINAL_PROMPT".to_owned(), "0".to_owned()));
        environment.push(("GIT_SSH_COMMAND".to_owned(), ssh_command(args, context)));
        Ok(Self { context, path, folder, umask, environment })
    }

    /// Runs a command that changes nothing.
    pub async fn run_query(&self, words: &[&str]) -> Result<GitOutput, Failure> {
        self.read_output(self.context.host.run_query(&self.build_command(words)).await, words)
    }

    /// Runs a command that changes something.
    pub async fn run_command(&self, words: &[&str]) -> Result<GitOutput, Failure> {
        self.read_output(self.context.host.run_command(&self.build_command(words)).await, words)
    }

    fn build_command(&self, words: &[&str]) -> HostCommand {
        let mut command = HostCommand::default();
        if let Some(umask) = &self.umask {
            let line = format!("umask {umask} && exec \"$@\"");
            command.words.extend(["/bin/sh", "-c", &line, "sh"].map(str::to_owned));
        }
        command.words.push(self.path.clone());
        command.words.extend(words.iter().map(|word| (*word).to_owned()));
        command.folder = self.folder.clone().filter(|folder| folder.is_dir());
        command.environment.clone_from(&self.environment);
        command
    }

    fn read_output(&self, ended: Result<CommandOutput, RunError>, words: &[&str]) -> Result<GitOutput, Failure> {
        let cmd = format!("{} {}", self.path, words.join(" "));
        match ended {
            Ok(output) => {
                Ok(GitOutput { rc: output.rc, stdout: output.stdout_text(), stderr: output.stderr_text(), cmd })
            }
            Err(RunError::Start(why)) => Err(Failure::new(format!("cannot run `{cmd}`: {why}"))),
            Err(RunError::Timeout | RunError::TooMuch) => Err(Failure::new(format!("`{cmd}` did not come to an end"))),
            Err(RunError::Foretold) => Ok(GitOutput { rc: 0, stdout: String::new(), stderr: String::new(), cmd }),
        }
    }

    /// The commit of a name.
    pub async fn resolve_commit(&self, name: &str) -> Result<String, Failure> {
        Ok(self.run_query(&["rev-parse", name]).await?.stdout.trim_end_matches('\n').to_owned())
    }

    /// Whether files that git knows were changed.
    pub async fn has_changes(&self) -> Result<bool, Failure> {
        let said = self.run_query(&["status", "--porcelain"]).await?;
        Ok(said.stdout.lines().any(|line| !line.starts_with("??")))
    }

    /// Whether a branch is there without the remote.
    pub async fn has_branch(&self, name: &str) -> Result<bool, Failure> {
        let name = format!("refs/heads/{name}");
        Ok(self.run_query(&["show-ref", "--verify", "--quiet", &name]).await?.rc == 0)
    }

    /// Whether the remote has a branch of this name.
    pub async fn remote_has_branch(&self, remote: &str, name: &str) -> Result<bool, Failure> {
        let name = format!("refs/heads/{name}");
        Ok(!self.run_query(&["ls-remote", remote, "-h", &name]).await?.require_success()?.stdout.is_empty())
    }

    /// Whether the remote has a tag of this name.
    pub async fn remote_has_tag(&self, remote: &str, name: &str) -> Result<bool, Failure> {
        let name = format!("refs/tags/{name}");
        Ok(!self.run_query(&["ls-remote", remote, "-t", &name]).await?.require_success()?.stdout.is_empty())
    }

    /// The branch that is checked out; without one, the main branch of the remote.
    pub async fn head_branch(&self, remote: &str) -> Result<String, Failure> {
        let own = self.run_query(&["symbolic-ref", "--quiet", "--short", "HEAD"]).await?;
        if own.rc == 0 {
            return Ok(own.stdout.trim_end().to_owned());
        }
        let name = format!("refs/remotes/{remote}/HEAD");
        let theirs = self.run_query(&["symbolic-ref", "--quiet", &name]).await?;
        let prefix = format!("refs/remotes/{remote}/");
        if let Some(branch) = theirs.stdout.trim_end().strip_prefix(&prefix) {
            return Ok(branch.to_owned());
        }
        let asked = self.run_query(&["ls-remote", "--symref", remote, "HEAD"]).await?;
        let branch = asked.stdout.lines().find_map(|line| line.strip_prefix("ref: refs/heads/")?.split('\t').next());
        branch
            .map(str::to_owned)
            .ok_or_else(|| asked.into_failure(format!("cannot determine the main branch of {remote}")))
    }
}

/// The command for SSH: never asks, and uses the key and the options of the task.
fn ssh_command(args: &ModuleArgs, context: &TaskContext<'_>) -> String {
    let variable = |name: &str| {
        let own = context.environment.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        own.or_else(|| std::env::var(name).ok()).filter(|value| !value.is_empty())
    };
    let mut command = variable("GIT_SSH").or_else(|| variable("GIT_SSH_COMMAND")).unwrap_or_else(|| "ssh".to_owned());
    let mut options: Vec<String> = variable("GIT_SSH_OPTS").into_iter().collect();
    options.extend(args.str("ssh_opts").map(str::to_owned));
    let has = |options: &[String], wanted: &str| options.iter().any(|option| option.contains(wanted));
    let strict = has(&options, "StrictHostKeyChecking=");
    if args.bool("accept_hostkey") && !strict {
        options.push("-o StrictHostKeyChecking=no".to_owned());
    }
    if args.bool("accept_newhostkey") && !strict {
        options.push("-o StrictHostKeyChecking=accept-new".to_owned());
    }
    if !has(&options, "BatchMode=yes") {
        options.push("-o BatchMode=yes".to_owned());
    }
    if let Some(key) = args.str("key_file") {
        options.push(format!("-i '{}'", key.replace('\'', r"'\''")));
        if !has(&options, "IdentitiesOnly=yes") {
            options.push("-o IdentitiesOnly=yes".to_owned());
        }
    }
    for option in options {
        command.push(' ');
        command.push_str(&option);
    }
    command
}
