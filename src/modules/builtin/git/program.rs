//! The program itself: looking does no harm and is done in a dry run too; acting is not.

use std::path::PathBuf;

use crate::host::{Command, Output, RunError};
use crate::modules::builtin::files::shown;
use crate::modules::{Args, Failure, TaskContext};
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
pub struct Said {
    /// The exit status.
    pub rc: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// The command.
    pub cmd: String,
}

impl Said {
    /// Itself, unless it failed.
    pub fn checked(self) -> Result<Self, Failure> {
        if self.rc == 0 {
            return Ok(self);
        }
        let message = self.stderr.trim_end().to_owned();
        Err(self.failed(message))
    }

    /// A failure that quotes it.
    pub fn failed(self, message: impl Into<String>) -> Failure {
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
    pub fn of(args: &Args, context: &'a TaskContext<'a>, folder: Option<PathBuf>) -> Result<Self, Failure> {
        let path = match args.str("executable") {
            Some(path) => path.to_owned(),
            None => context.program("git").map(|path| shown(&path)).ok_or_else(|| {
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
        environment.push(("GIT_SSH_COMMAND".to_owned(), ssh(args, context)));
        Ok(Self { context, path, folder, umask, environment })
    }

    /// Runs a command that changes nothing.
    pub async fn ask(&self, words: &[&str]) -> Result<Said, Failure> {
        self.said(self.context.host.run_query(&self.command(words)).await, words)
    }

    /// Runs a command that changes something.
    pub async fn act(&self, words: &[&str]) -> Result<Said, Failure> {
        self.said(self.context.host.run(&self.command(words)).await, words)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::default();
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

    fn said(&self, ended: Result<Output, RunError>, words: &[&str]) -> Result<Said, Failure> {
        let cmd = format!("{} {}", self.path, words.join(" "));
        match ended {
            Ok(output) => Ok(Said { rc: output.rc, stdout: output.stdout_text(), stderr: output.stderr_text(), cmd }),
            Err(RunError::Start(why)) => Err(Failure::new(format!("cannot run `{cmd}`: {why}"))),
            Err(RunError::Timeout | RunError::TooMuch) => Err(Failure::new(format!("`{cmd}` did not come to an end"))),
            Err(RunError::Foretold) => Ok(Said { rc: 0, stdout: String::new(), stderr: String::new(), cmd }),
        }
    }

    /// The commit of a name.
    pub async fn version(&self, name: &str) -> Result<String, Failure> {
        Ok(self.ask(&["rev-parse", name]).await?.stdout.trim_end_matches('\n').to_owned())
    }

    /// Whether files that git knows were changed.
    pub async fn has_changes(&self) -> Result<bool, Failure> {
        let said = self.ask(&["status", "--porcelain"]).await?;
        Ok(said.stdout.lines().any(|line| !line.starts_with("??")))
    }

    /// Whether a branch is there without the remote.
    pub async fn has_branch(&self, name: &str) -> Result<bool, Failure> {
        let name = format!("refs/heads/{name}");
        Ok(self.ask(&["show-ref", "--verify", "--quiet", &name]).await?.rc == 0)
    }

    /// Whether the remote has a branch of this name.
    pub async fn remote_has_branch(&self, remote: &str, name: &str) -> Result<bool, Failure> {
        let name = format!("refs/heads/{name}");
        Ok(!self.ask(&["ls-remote", remote, "-h", &name]).await?.checked()?.stdout.is_empty())
    }

    /// Whether the remote has a tag of this name.
    pub async fn remote_has_tag(&self, remote: &str, name: &str) -> Result<bool, Failure> {
        let name = format!("refs/tags/{name}");
        Ok(!self.ask(&["ls-remote", remote, "-t", &name]).await?.checked()?.stdout.is_empty())
    }

    /// The branch that is checked out; without one, the main branch of the remote.
    pub async fn head_branch(&self, remote: &str) -> Result<String, Failure> {
        let own = self.ask(&["symbolic-ref", "--quiet", "--short", "HEAD"]).await?;
        if own.rc == 0 {
            return Ok(own.stdout.trim_end().to_owned());
        }
        let name = format!("refs/remotes/{remote}/HEAD");
        let theirs = self.ask(&["symbolic-ref", "--quiet", &name]).await?;
        let prefix = format!("refs/remotes/{remote}/");
        if let Some(branch) = theirs.stdout.trim_end().strip_prefix(&prefix) {
            return Ok(branch.to_owned());
        }
        let asked = self.ask(&["ls-remote", "--symref", remote, "HEAD"]).await?;
        let branch = asked.stdout.lines().find_map(|line| line.strip_prefix("ref: refs/heads/")?.split('\t').next());
        branch.map(str::to_owned).ok_or_else(|| asked.failed(format!("cannot tell the main branch of {remote}")))
    }
}

/// The command for SSH: never asks, and uses the key and the options of the task.
fn ssh(args: &Args, context: &TaskContext<'_>) -> String {
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
