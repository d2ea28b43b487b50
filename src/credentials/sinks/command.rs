//! Commands: the login goes to standard input, never into the arguments, and exit status 0 confirms it.

use std::path::PathBuf;
use std::time::Duration;

use super::{DeliveryContext, Format, Login, Presence, Receipt, Sink, SinkError};
use crate::host::{Command, RunError};
use crate::ionos::Local;

/// The most that is shown of what a failed command wrote.
const SHOWN: usize = 400;

/// A command that takes a login.
#[derive(Debug, Clone)]
pub struct CommandSink {
    /// The program and its arguments; no shell reads them.
    pub argv: Vec<String>,
    /// The folder it runs in.
    pub folder: Option<PathBuf>,
    /// How the login is written.
    pub format: Format,
    /// It is ended after this time, with everything it has started.
    pub timeout: Duration,
}

impl CommandSink {
    fn program(&self) -> String {
        self.argv.first().cloned().unwrap_or_default()
    }
}

impl Sink for CommandSink {
    fn name(&self) -> String {
        format!("command {}", self.argv.join(" "))
    }

    fn describe(&self) -> String {
        format!("run `{}` with the login on standard input ({})", self.argv.join(" "), self.format.name())
    }

    fn needs_server(&self) -> bool {
        self.format.needs_server()
    }

    fn prepare<'a>(&'a self, context: DeliveryContext<'a>, _: Option<&'a str>) -> Local<'a, Result<(), SinkError>> {
        Box::pin(async move {
            let program = self.program();
            let is_path = program.contains('/');
            let found = match (context.variable("PATH"), is_path) {
                // It may be relative to a folder, or made by an earlier task.
                (_, true) => true,
                (Some(path), false) => context.host.program_in(path.as_ref(), &program).is_some(),
                (None, false) => context.host.find_program(&program).is_some(),
            };
            if found || context.host.is_dry_run() {
                return Ok(());
            }
            Err(SinkError::CommandBroken { program, why: "there is no such program".to_owned() })
        })
    }

    fn deliver<'a>(&'a self, context: DeliveryContext<'a>, login: &'a Login) -> Local<'a, Result<Receipt, SinkError>> {
        Box::pin(async move {
            let content = self.format.render(context, login)?;
            let command = Command {
                folder: self.folder.clone(),
                environment: context.environment.to_vec(),
                stdin: Some(content.to_vec()),
                timeout: Some(self.timeout),
                ..Command::new(self.argv.iter())
            };
            match context.host.run(&command).await {
                Ok(output) if output.rc == 0 => Ok(Receipt::unreadable()),
                Ok(output) => Err(SinkError::Command {
                    program: self.program(),
                    status: output.rc,
                    output: shown(&output.stderr_text(), login),
                }),
                Err(RunError::Foretold) => Ok(Receipt::unreadable()),
                Err(RunError::Timeout) => {
                    let why = format!("it took longer than {} s and was ended", self.timeout.as_secs());
                    Err(SinkError::CommandBroken { program: self.program(), why })
                }
                Err(error) => Err(SinkError::CommandBroken { program: self.program(), why: error.to_string() }),
            }
        })
    }

    fn verify<'a>(
        &'a self,
        _: DeliveryContext<'a>,
        _: Option<&'a str>,
        _: Option<&'a Receipt>,
    ) -> Local<'a, Result<Presence, SinkError>> {
        Box::pin(std::future::ready(Ok(Presence::Unverifiable)))
    }
}

/// Returns what a command complained about, without the password, should it have repeated that.
fn shown(stderr: &str, login: &Login) -> String {
    let auth = super::content::auth(login);
    let text = stderr.trim().replace(login.password.as_str(), "********").replace(auth.as_str(), "********");
    match text.char_indices().nth(SHOWN) {
        _ if text.is_empty() => String::new(),
        Some((end, _)) => format!(": {} ..", &text[..end]),
        None => format!(": {text}"),
    }
}
