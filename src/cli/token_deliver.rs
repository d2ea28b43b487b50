//! `ionplay token deliver`: gives a password of the credential store to a sink.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow, bail};
use zeroize::Zeroizing;

use super::registry_client::{self, block_on};

use crate::credentials::sinks::{
    DeliveryContext, Login, LoginTemplateError, SERVER_FACT, Sink, TemplateRenderer, receipt_fact,
};
use crate::credentials::{Backend, CredentialKey, Listed, catalog};
use crate::diagnostic::Diagnostic;
use crate::host::RealHost;
use crate::ionos::Deferred;
use crate::modules::ionoscloud::delivery::params::CREDENTIALS;
use crate::modules::ionoscloud::delivery::read_sinks_with;
use crate::modules::{Spec, args};
use crate::source::Source;
use crate::value::{Dict, Value};

/// Options of a delivery.
#[derive(Debug, clap::Args)]
pub struct TokenDeliverArgs {
    /// Name or id of the token
    pub token: String,
    /// The sink: `file:PATH`, `docker_config`, `docker_config:PATH`, `command:COMMAND`, `store`, or a mapping as in
    /// `credentials` of a playbook: `{file: {path: PATH, format: dotenv}}`
    #[arg(long, value_name = "SINK")]
    pub to: String,
    /// Host name of the registry; default: from the registry API
    #[arg(long, value_name = "HOST")]
    pub server: Option<String>,
    /// Key file that decrypts the password
    #[arg(long, env = "IONPLAY_SEAL_KEY_FILE", value_name = "FILE")]
    pub seal_key_file: Option<PathBuf>,
}

static SPEC: Spec = Spec::new("token deliver", "Delivers a password.").params(&[&[CREDENTIALS]]);

/// Delivers the password of an entry; removes it from the store when the sink has confirmed it.
///
/// # Errors
/// If the sink cannot be parsed or does not take the password, or the store cannot be written.
pub fn deliver_entry(
    args: &TokenDeliverArgs,
    backend: &dyn Backend,
    listed: &Listed,
    key: Option<&CredentialKey>,
) -> anyhow::Result<String> {
    let sink = read_sink(&args.to)?;
    let entry = &listed.entry;
    let name = &entry.subject.name;
    let password = entry.unseal_password(key).with_context(|| format!("token `{name}`"))?;
    let server = match (sink.needs_server(), &args.server) {
        (_, Some(server)) => server.clone(),
        (false, None) => String::new(),
        (true, None) => server_of(listed)?,
    };
    let login = Login {
        server: server.clone(),
        username: name.clone(),
        password,
        token_id: entry.id().unwrap_or_default().to_owned(),
        expires: None,
    };
    let context = DeliveryContext { host: &RealHost, environment: &[], templates: &NoTemplates };
    let receipt =
        block_on(sink.deliver_login(context, &login))?.with_context(|| format!("{} has not taken it", sink.name()))?;
    catalog::record_fact(backend, listed, &receipt_fact(&sink.name()), serde_json::to_value(&receipt)?)?;
    if sink.is_store() {
        catalog::record_fact(backend, listed, SERVER_FACT, server.into())?;
        return Ok(format!("the store keeps the password of token `{name}` for `docker-credential-ionplay`\n"));
    }
    catalog::mark_delivered(backend, listed, &sink.name())?;
    Ok(format!("delivered the password of token `{name}` to {}\n", sink.name()))
}

/// Returns the host name of the registry of an entry, as recorded by a delivery, or from the API.
fn server_of(listed: &Listed) -> anyhow::Result<String> {
    if let Some(server) = listed.entry.facts.get(SERVER_FACT).and_then(serde_json::Value::as_str) {
        return Ok(server.to_owned());
    }
    let hint = "name the host of the registry with `--server`";
    let api = registry_client::connect_from_environment().context(hint)?;
    let id = Deferred::Known(listed.entry.subject.registry.clone());
    let registry = block_on(api.get_registry(&id))?.map_err(|error| anyhow!(error)).context(hint)?;
    let host =
        registry.map(|registry| registry.properties.hostname.display_text().to_owned()).filter(|host| !host.is_empty());
    host.context(hint)
}

/// Reads a sink from the command line.
fn read_sink(text: &str) -> anyhow::Result<Box<dyn Sink>> {
    let item = read_item(text)?;
    let given: Dict = [(Value::text("credentials"), Value::list([item]))].into_iter().collect();
    let told = |message: &str, hint: Option<&str>| match hint {
        Some(hint) => anyhow!("`--to {text}`: {message} ({hint})"),
        None => anyhow!("`--to {text}`: {message}"),
    };
    let checked = args::check_args(&SPEC, &given, "token deliver").map_err(|failure| {
        let hint = failure.diagnostic.as_ref().and_then(|drawn| drawn.hints.first().cloned());
        told(&failure.message, hint.as_deref())
    })?;
    let refuse = |_: &Value, why: String| Diagnostic::error(why);
    let settings = read_sinks_with(&checked.args, &[], &refuse).map_err(|wrong| {
        let hint = wrong.hints.first().cloned();
        told(&wrong.summary, hint.as_deref())
    })?;
    settings.into_iter().next().map(|setting| setting.sink).context("no sink is named")
}

/// Reads the short form of a sink, or its mapping.
fn read_item(text: &str) -> anyhow::Result<Value> {
    let mapping = |kind: &str, options: Value| Value::dict([(kind, options)]);
    let with = |key: &str, value: &str| Value::dict([(key, Value::text(value))]);
    let short = text.split_once(':').filter(|(_, rest)| !rest.starts_with(' ') && !rest.is_empty());
    Ok(match (text, short) {
        ("docker_config", _) => mapping("docker_config", Value::from(Dict::new())),
        ("store", _) => mapping("store", true.into()),
        (_, Some(("file", path))) => mapping("file", with("path", path)),
        (_, Some(("docker_config", path))) => mapping("docker_config", with("path", path)),
        (_, Some(("command", line))) => mapping("command", with("cmd", line)),
        _ => {
            let node = crate::yaml::load_data(&Source::new("--to", text))
                .map_err(|error| anyhow!("`--to {text}`: {}", error.summary))?;
            match node.map(|node| node.to_value()) {
                Some(value @ Value::Dict(_)) => value,
                _ => bail!(
                    "`--to {text}` is not a sink; write `file:PATH`, `docker_config`, `command:COMMAND`, `store`, or a mapping \
                     such as `{{file: {{path: PATH, format: dotenv}}}}`"
                ),
            }
        }
    })
}

/// A command has no playbook, so it has no template files.
struct NoTemplates;

impl TemplateRenderer for NoTemplates {
    fn render_login(&self, _: &str, _: &Login) -> Result<Zeroizing<String>, LoginTemplateError> {
        Err(LoginTemplateError::NoPlaybook)
    }
}
