//! Commands: the login goes to standard input, never into the arguments, and exit status 0 confirms it.

use std::path::PathBuf;
use std::time::Duration;

use super::{DeliveryContext, Login, LoginFormat, Presence, Receipt, Sink, SinkError};
use crate::host::{HostCommand, RunError};
use crate::ionos::LocalFuture;

/// Maximum length of the shown output of a failed command.
const SHOWN: usize = 400;

/// A command that takes a login.
#[derive(Debug, Clone)]
pub struct CommandSink {
    /// The program and its arguments; no shell reads them.
    pub argv: Vec<String>,
    /// The folder it runs in.
    pub folder: Option<PathBuf>,
    /// How the login is written.
    pub format: LoginFormat,
    /// It is ended after this time, with everything it has started.
    pub timeout: Duration,
}

impl CommandSink {
    fn program_name(&self) -> String {
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

    fn prepare_delivery<'a>(
        &'a self,
        context: DeliveryContext<'a>,
        _: Option<&'a str>,
    ) -> LocalFuture<'a, Result<(), SinkError>> {
        Box::pin(async move {
            let program = self.program_name();
            let is_path = program.contains('/');
            let found = match (context.read_variable("PATH"), is_path) {
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

    fn deliver_login<'a>(
        &'a self,
        context: DeliveryContext<'a>,
        login: &'a Login,
    ) -> LocalFuture<'a, Result<Receipt, SinkError>> {
        Box::pin(async move {
            let content = self.format.render_login(context, login)?;
            let command = HostCommand {
                folder: self.folder.clone(),
                environment: context.environment.to_vec(),
                stdin: Some(content.to_vec()),
                timeout: Some(self.timeout),
                ..HostCommand::new(self.argv.iter())
            };
            match context.host.run_command(&command).await {
                Ok(output) if output.rc == 0 => Ok(Receipt::new_unreadable()),
                Ok(output) => Err(SinkError::Command {
                    program: self.program_name(),
                    status: output.rc,
                    output: redact_stderr(&output.stderr_text(), login),
                }),
                Err(RunError::Foretold) => Ok(Receipt::new_unreadable()),
                Err(RunError::Timeout) => {
                    let why = format!("it took longer than {} s and was ended", self.timeout.as_secs());
                    Err(SinkError::CommandBroken { program: self.program_name(), why })
                }
                Err(error) => Err(SinkError::CommandBroken { program: self.program_name(), why: error.to_string() }),
            }
        })
    }

    fn verify_delivery<'a>(
        &'a self,
        _: DeliveryContext<'a>,
        _: Option<&'a str>,
        _: Option<&'a Receipt>,
    ) -> LocalFuture<'a, Result<Presence, SinkError>> {
        Box::pin(std::future::ready(Ok(Presence::Unverifiable)))
    }
}

/// Returns the error output of a command, without the password.
fn redact_stderr(stderr: &str, login: &Login) -> String {
    let auth = super::content::encode_auth(login);
    let text = stderr.trim().replace(login.password.as_str(), "********").replace(auth.as_str(), "********");
    match text.char_indices().nth(SHOWN) {
        _ if text.is_empty() => String::new(),
        Some((end, _)) => format!(": {} ..", &text[..end]),
        None => format!(": {text}"),
    }
}
