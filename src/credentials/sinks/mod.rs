//! Sinks: where a one-time password is delivered to, and how each confirms that it has it.
//!
//! One file a sink. A sink changes files, runs commands and sends requests through [`HostApi`] only, so in a dry run it
//! changes nothing and needs no code for that.

mod command;
mod content;
mod docker_config;
mod file;
mod github_secret;
mod gitlab_variable;
mod receipt;
mod store;
#[cfg(test)]
mod tests;

use zeroize::Zeroizing;

pub use command::CommandSink;
pub use content::{LoginFormat, Manifest};
pub use docker_config::{DockerConfigSink, merge_docker_login};
pub use file::FileSink;
pub use github_secret::GithubSecretSink;
pub use gitlab_variable::{GitlabVariableSink, VariableOwner};
pub use receipt::Receipt;
pub use store::StoreSink;

use crate::host::HostApi;
use crate::host::web::WebError;
use crate::ionos::LocalFuture;
use crate::template::TemplateError;

/// The fact about a token in the credential store that names the host of its registry.
pub const SERVER_FACT: &str = "server";

/// Returns the name of the fact about a token in the credential store that holds the receipt of a sink.
pub fn receipt_fact(sink: &str) -> String {
    format!("sink {sink}")
}

/// A login for a registry, as sinks receive it.
#[derive(Clone)]
pub struct Login {
    /// The host name of the registry.
    pub server: String,
    /// The user name, which is the name of the token.
    pub username: String,
    /// The password.
    pub password: Zeroizing<String>,
    /// The id of the token.
    pub token_id: String,
    /// When the token ends, as RFC 3339; never if absent.
    pub expires: Option<String>,
}

/// Shows everything but the password.
impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("server", &self.server).field("username", &self.username).finish_non_exhaustive()
    }
}

/// Context of a delivery.
#[derive(Clone, Copy)]
pub struct DeliveryContext<'a> {
    /// Files, commands and requests: real, or predicted in a dry run.
    pub host: &'a dyn HostApi,
    /// The `environment` of the task, which goes before that of the process.
    pub environment: &'a [(String, String)],
    /// Renders templates.
    pub templates: &'a dyn TemplateRenderer,
}

impl DeliveryContext<'_> {
    /// Returns a variable of the environment that is not empty.
    pub fn read_variable(&self, name: &str) -> Option<String> {
        let own = self.environment.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        own.or_else(|| std::env::var(name).ok()).filter(|value| !value.is_empty())
    }
}

/// Renders the template of a sink with a login as its variables.
pub trait TemplateRenderer {
    /// Returns the text of a template file, rendered with `server`, `username`, `password`, `token_id` and `expires`.
    ///
    /// # Errors
    /// If there is no such file, or it fails.
    fn render_login(&self, template: &str, login: &Login) -> Result<Zeroizing<String>, LoginTemplateError>;
}

/// Why the template of a sink gives no text.
#[derive(Debug, thiserror::Error)]
pub enum LoginTemplateError {
    /// There is no playbook whose template files could be meant.
    #[error("format `template` needs a playbook")]
    NoPlaybook,
    /// The file does not exist.
    #[error("there is no such file")]
    NoFile,
    /// The file is not text.
    #[error("it is not UTF-8")]
    NotText,
    /// The file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] std::io::Error),
    /// The template in it fails.
    #[error(transparent)]
    Failed(#[from] TemplateError),
}

/// State of a sink, compared with the delivered content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// The sink has the delivered password.
    Current,
    /// It has something else.
    Different,
    /// It has nothing.
    Missing,
    /// It cannot be asked.
    Unverifiable,
}

/// Why a sink did not take a password.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The web API of the sink refused, or gave an answer that makes no sense.
    #[error("{service} answered {status} to `{request}`: {message}")]
    Answer {
        /// The service (`GitHub`).
        service: &'static str,
        /// The status.
        status: u16,
        /// Method and path.
        request: String,
        /// The message of the service.
        message: String,
    },
    /// The command ended with another status than 0.
    #[error("`{program}` ended with status {status}{output}")]
    Command {
        /// The program.
        program: String,
        /// The exit status.
        status: i32,
        /// Standard error of the command, after a colon.
        output: String,
    },
    /// The command could not be run to its end.
    #[error("`{program}`: {why}")]
    CommandBroken {
        /// The program.
        program: String,
        /// Why.
        why: String,
    },
    /// A credential helper is set for the server, so that clients would not read the file.
    #[error(
        "`{path}` names the credential helper `{helper}` for `{server}`, so clients do not read the passwords in it: \
         deliver with a `command` sink (`docker-credential-{helper} store`), or name another file"
    )]
    HelperAnswers {
        /// The file.
        path: String,
        /// The helper.
        helper: String,
        /// The server.
        server: String,
    },
    /// A file could not be read or written.
    #[error("cannot {doing} `{path}`: {source}")]
    Io {
        /// `read` or `write`.
        doing: &'static str,
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A variable of the environment with the token of the service is missing.
    #[error("{service} needs a token: set `{variable}`")]
    NoToken {
        /// The service.
        service: &'static str,
        /// The variable.
        variable: String,
    },
    /// The file exists, but has other content.
    #[error("`{path}` is not a docker configuration: {why}; repair or remove it")]
    NotConfig {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
    /// The template could not be rendered.
    #[error("template `{template}`: {why}")]
    Template {
        /// Name of the template.
        template: String,
        /// Why.
        why: LoginTemplateError,
    },
    /// The request did not arrive.
    #[error("{service}: {source}")]
    Web {
        /// The service.
        service: &'static str,
        /// Why.
        source: WebError,
    },
}

/// A place that takes passwords.
pub trait Sink {
    /// Returns its name in messages, results and the credential store: the kind and the target (`file /etc/x`).
    fn name(&self) -> String;

    /// Returns a description of the write, without the value, as in "would write ..".
    fn describe(&self) -> String;

    /// Returns whether it needs the host name of the registry.
    fn needs_server(&self) -> bool;

    /// Returns whether it keeps the password in the credential store.
    fn is_store(&self) -> bool {
        false
    }

    /// Checks that it can take a password, before there is one.
    fn prepare_delivery<'a>(
        &'a self,
        _context: DeliveryContext<'a>,
        _server: Option<&'a str>,
    ) -> LocalFuture<'a, Result<(), SinkError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Delivers a login. A receipt means that the sink has confirmed it.
    fn deliver_login<'a>(
        &'a self,
        context: DeliveryContext<'a>,
        login: &'a Login,
    ) -> LocalFuture<'a, Result<Receipt, SinkError>>;

    /// Compares the content of the sink with the delivered password. Without a receipt, it only checks whether there is any
    /// content.
    fn verify_delivery<'a>(
        &'a self,
        context: DeliveryContext<'a>,
        server: Option<&'a str>,
        receipt: Option<&'a Receipt>,
    ) -> LocalFuture<'a, Result<Presence, SinkError>>;
}
