//! The parameters that the modules of the family share, and the connection that they describe.

use std::time::Duration;

use super::ResourceError;
use crate::diagnostic::Diagnostic;
use crate::ionos::connection::{base_url, check_plain_http, parse_fingerprint};
use crate::ionos::{ApiConnection, Credentials, Endpoint, Tuning, WaitPolicy};
use crate::modules::spec::Param;
use crate::modules::{ModuleArgs, Spec, TaskContext};
use crate::source::Span;
use crate::value::Value;

/// How the API is reached.
///
/// `contract_number` and `certificate_pin_only` are additions of ours.
pub const CONNECTION: &[Param] = &[
    Param::str("api_url", "Address of the API: a host, or the complete base URL.").env("IONOS_API_URL"),
    Param::str(
        "certificate_fingerprint",
        "SHA-256 digest of the server's certificate, checked in addition to the usual checks.",
    )
    .env("IONOS_CERTIFICATE_FINGERPRINT"),
    Param::bool(
        "certificate_pin_only",
        "Accept exactly the certificate of `certificate_fingerprint`, without checking chain, dates and host name.",
    )
    .default("false"),
    Param::str("username", "User name of the account; needs `password`.")
        .aliases(&["subscription_user"])
        .env("IONOS_USERNAME"),
    Param::str("password", "Password of the account.")
        .aliases(&["subscription_password"])
        .env("IONOS_PASSWORD")
        .secret(),
    Param::str("token", "API token of the account, not of a registry.").env("IONOS_TOKEN").secret(),
    Param::str("contract_number", "Contract to use, for users with several contracts.").env("IONOS_CONTRACT_NUMBER"),
    Param::bool("fresh", "Read lists from the service even if a task just before has read them.").default("false"),
    Param::int("depth", "Accepted, without effect, as with Ansible.").hidden(),
];

/// Waiting.
pub const WAIT: &[Param] = &[
    Param::bool("wait", "Wait until the object is ready, or deleted.").default("true"),
    Param::int("wait_timeout", "Maximum seconds for waiting and retries.").default("600"),
];

/// Replacing.
pub const REPLACE: &[Param] = &[Param::bool(
    "allow_replace",
    "Delete the object and create it again if a change requires this; otherwise the task fails.",
)
.default("false")];

/// The same where nothing is ever replaced.
pub const NO_REPLACE: &[Param] =
    &[Param::bool("allow_replace", "Accepted, without effect, as with Ansible.").default("false").hidden()];

/// The connection that the arguments, the task's environment and the process's environment describe.
///
/// Parameters of the task beat the whole environment: a user name and password given in the task are used even
/// where `IONOS_TOKEN` is set. Within one source a token beats user name and password. Empty text counts as absent.
///
/// # Errors
/// When there are no credentials, or the URL or the fingerprint cannot be understood.
pub fn read_connection(
    args: &ModuleArgs,
    context: &TaskContext<'_>,
    label: &str,
    state: &str,
) -> Result<ApiConnection, ResourceError> {
    let text = |name: &str, variable: &str| value_of(args, context, name, variable);
    let credentials = read_credentials(args, context, label, state)?;
    let fingerprint = text("certificate_fingerprint", "IONOS_CERTIFICATE_FINGERPRINT").unwrap_or_default();
    let refuse = |name: &str, said: String| ResourceError::from(argument_error(said, name, args, context));
    let contract = text("contract_number", "IONOS_CONTRACT_NUMBER");
    if let Some(odd) = contract.as_ref().filter(|number| !number.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(refuse("contract_number", format!("`contract_number` must be a number, not `{odd}`")));
    }
    let url = text("api_url", "IONOS_API_URL");
    let url = base_url(url.as_deref()).map_err(|error| refuse("api_url", error.message))?;
    let variable = |name: &str| task_variable(context, name).or_else(|| std::env::var(name).ok());
    check_plain_http(&url, variable).map_err(|error| refuse("api_url", error.message))?;
    if args.bool("certificate_pin_only") && fingerprint.trim().is_empty() {
        let said =
            "`certificate_pin_only` needs `certificate_fingerprint`: without a pin no certificate would be checked";
        return Err(refuse("certificate_pin_only", said.to_owned()));
    }
    let endpoint = Endpoint {
        url,
        credentials,
        contract,
        fingerprint: parse_fingerprint(&fingerprint)
            .map_err(|error| refuse("certificate_fingerprint", error.message))?,
        pin_only: args.bool("certificate_pin_only"),
    };
    let patience = match args.int("wait_timeout").map(u64::try_from) {
        None => 600,
        Some(Ok(seconds)) => seconds,
        Some(Err(_)) => {
            return Err(refuse("wait_timeout", "`wait_timeout` must not be negative".to_owned()));
        }
    };
    let tuning = Tuning::from_env(|name| task_variable(context, name).or_else(|| std::env::var(name).ok()));
    Ok(ApiConnection {
        endpoint,
        waiting: WaitPolicy {
            patience: Duration::from_secs(patience),
            interrupt: context.interrupt.clone(),
            progress: context.progress.clone(),
        },
        tuning,
        kept: None,
        is_reused: std::rc::Rc::default(),
        task: Some(context.task.clone()).filter(|task| !task.is_empty()),
    })
}

fn read_credentials(
    args: &ModuleArgs,
    context: &TaskContext<'_>,
    label: &str,
    state: &str,
) -> Result<Credentials, ResourceError> {
    let text = |name: &str, variable: &str| value_of(args, context, name, variable);
    let token = text("token", "IONOS_TOKEN");
    let basic = text("username", "IONOS_USERNAME").zip(text("password", "IONOS_PASSWORD"));
    let basic = basic.map(|(username, password)| Credentials::Basic { username, password });
    let own_token = is_own(args, context, "token", "IONOS_TOKEN");
    let own_basic =
        is_own(args, context, "username", "IONOS_USERNAME") || is_own(args, context, "password", "IONOS_PASSWORD");
    match (token.map(Credentials::Bearer), basic) {
        (Some(_), Some(basic)) if own_basic && !own_token => Ok(basic),
        (Some(token), _) => Ok(token),
        (None, Some(basic)) => Ok(basic),
        (None, None) => {
            let said = format!("Token or username & password are required for {label} state {state}");
            let refusal = Diagnostic::error(said)
                .at(context.span, "")
                .hint("set `IONOS_TOKEN`, or `IONOS_USERNAME` and `IONOS_PASSWORD`, or give `token` in the task")
                .hint("to try it without an account, run with `--sandbox`");
            Err(ResourceError::Refused(Box::new(refusal)))
        }
    }
}

/// The value of a parameter: the task's own, else of the task's environment, else what the arguments found elsewhere.
fn value_of(args: &ModuleArgs, context: &TaskContext<'_>, name: &str, variable: &str) -> Option<String> {
    let value = args.get(name).map(|value| match value {
        Value::Str(text) => text.as_str().to_owned(),
        other => crate::value::python::str(other),
    });
    let value = if is_own(args, context, name, variable) { value } else { task_variable(context, variable).or(value) };
    value.filter(|text| !text.is_empty())
}

/// The moment that relative dates count from: now, or that of the plan that is applied (`IONPLAY_NOW`).
pub fn current_time(context: &TaskContext<'_>) -> jiff::Timestamp {
    let given = task_variable(context, "IONPLAY_NOW").and_then(|text| text.parse().ok());
    given.unwrap_or_else(jiff::Timestamp::now)
}

/// A variable of the task's own `environment`.
fn task_variable(context: &TaskContext<'_>, variable: &str) -> Option<String> {
    context.environment.iter().rev().find(|(key, _)| key == variable).map(|(_, value)| value.clone())
}

/// Whether the task itself gives a parameter, rather than the environment.
fn is_own(args: &ModuleArgs, context: &TaskContext<'_>, name: &str, variable: &str) -> bool {
    let Some(value) = args.str(name).filter(|text| !text.is_empty()) else {
        return false;
    };
    let raw = CONNECTION
        .iter()
        .find(|param| param.name == name)
        .and_then(|param| std::iter::once(&param.name).chain(param.aliases).find_map(|key| context.raw_arg(key)));
    match raw {
        None | Some(Value::Null | Value::Omit) => false,
        // `{{ x | default(omit) }}` leaves the word to the environment.
        Some(Value::Str(text)) if text.contains("omit") => std::env::var(variable).ok().as_deref() != Some(value),
        Some(_) => true,
    }
}

/// Refuses a task that leaves out, or leaves empty, what its state needs.
///
/// # Errors
/// With Ansible's sentence for the first such parameter.
pub fn require_params(spec: &Spec, args: &ModuleArgs, label: &str, state: &str) -> Result<(), ResourceError> {
    let is_given = |param: &Param| args.get(param.name).is_some_and(Value::is_true);
    let missing = spec.all_params().find(|param| param.is_required_in(state) && !is_given(param));
    match missing {
        Some(param) => {
            Err(ResourceError::Said(format!("{} parameter is required for {label} state {state}", param.name)))
        }
        None => Ok(()),
    }
}

/// A diagnostic at the place of an argument.
pub fn argument_error(said: String, name: &str, args: &ModuleArgs, context: &TaskContext<'_>) -> Diagnostic {
    let place = args.get(name).and_then(find_origin).or_else(|| context.raw_arg(name).and_then(find_origin));
    Diagnostic::error(said).at(place.unwrap_or(context.span), "")
}

/// A diagnostic at the place of a part of an argument.
pub fn wrong_in(part: &Value, said: String, name: &str, args: &ModuleArgs, context: &TaskContext<'_>) -> Diagnostic {
    match find_origin(part) {
        Some(place) => Diagnostic::error(said).at(place, ""),
        None => argument_error(said, name, args, context),
    }
}

/// The place of a value: its own, or that of the first text in it.
pub fn find_origin(value: &Value) -> Option<&Span> {
    match value {
        Value::Str(text) => text.origin(),
        Value::List(items) | Value::Tuple(items) => items.iter().find_map(find_origin),
        Value::Dict(dict) => dict.iter().find_map(|(key, value)| find_origin(key).or_else(|| find_origin(value))),
        _ => None,
    }
}
