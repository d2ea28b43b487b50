//! Where a task acts, and as whom: only on this machine, only as the user who runs it.
//!
//! A module that would act here although the play means another machine could do harm, so that such a host counts as
//! unreachable. What the controller does itself, and what only talks to the API, needs no connection.

use super::prepare::is_in_controller;
use crate::diagnostic::Diagnostic;
use crate::modules::Spec;
use crate::playbook::{Keyword, Task};
use crate::template::{Context, TemplateEngine, TemplateError};
use crate::value::{Value, python};

/// Modules beside those of the controller that do not care where they run.
const ANYWHERE: &[&str] = &["async_status"];

/// Ways to reach other machines that the original has and that are not here.
const REMOTE: &[&str] = &["ssh", "paramiko_ssh", "smart", "psrp", "winrm"];

/// Remedy for hosts that are not local.
const HINT: &str = "tasks run on this machine only: set `ansible_connection: local` for the host, `connection: local` \
                    for the play, or run with `-c local`";

/// Why a host cannot be acted on; nothing if it can.
///
/// # Errors
/// If a template fails, or nobody knows such a connection.
pub fn explain_unreachable(
    engine: &TemplateEngine<'_>,
    task: &Task,
    spec: &Spec,
    target: &ConnectionTarget<'_>,
) -> Result<Option<Diagnostic>, TemplateError> {
    let connection = match &target.connection {
        Some(value) => Some(engine.evaluate_value(value)?),
        None => match task.find_keyword(Keyword::Connection) {
            Some(node) => Some(engine.evaluate_value(&node.to_value())?),
            None => target.option.map(Value::text),
        },
    };
    let connection = connection.filter(|value| !value.is_null() && *value != Value::Omit);
    let connection = connection.map_or_else(|| "ssh".to_owned(), |value| python::str(&value));
    let short_connection = crate::template::plugin::short_name(&connection);
    if short_connection == "local" {
        return Ok(None);
    }
    if !REMOTE.contains(&short_connection) {
        return Err(TemplateError::value(format!("there is no connection of the type `{connection}`"))
            .suggest_name(&connection, ["local"])
            .or_at(Some(&task.span))
            .hint(HINT));
    }
    let short = spec.short_name();
    if spec.is_of_registry() || is_in_controller(spec) || (!spec.is_foreign() && ANYWHERE.contains(&short)) {
        return Ok(None);
    }
    if matches!(target.host, "localhost" | "127.0.0.1" | "::1") {
        return Ok(None);
    }
    let message =
        format!("`{}` cannot be reached: there is no connection of the type `{connection}` here", target.host);
    let delegation = task.find_keyword(Keyword::DelegateTo).map(|node| node.span());
    Ok(Some(Diagnostic::error(message).at(delegation.unwrap_or(&task.span), "").hint(HINT)))
}

/// The host that a task acts on.
pub struct ConnectionTarget<'a> {
    /// Name of the host.
    pub host: &'a str,
    /// Value of `ansible_connection`, as written.
    pub connection: Option<Value>,
    /// `-c`
    pub option: Option<&'a str>,
}

/// Complains where a task is to act as another user.
///
/// # Errors
/// If a template fails, or the user is not the one who runs this.
pub fn check_user(engine: &TemplateEngine<'_>, task: &Task, wanted: bool) -> Result<(), TemplateError> {
    let keyword = |keyword: Keyword, variable: &str| -> Result<Option<Value>, TemplateError> {
        let value = match engine.get_variable(variable)? {
            Some(value) => Some(value),
            None => match task.find_keyword(keyword) {
                Some(node) => Some(engine.evaluate_value(&node.to_value())?),
                None => None,
            },
        };
        Ok(value.filter(|value| !value.is_null() && *value != Value::Omit))
    };
    let becomes = match keyword(Keyword::Become, "ansible_become")? {
        Some(value) => crate::template::python::text::boolean_word(&value).ok_or_else(|| {
            TemplateError::value(format!("`become` must be a boolean, not `{}`", python::str(&value)))
                .or_at(Some(&task.span))
        })?,
        None => wanted,
    };
    if !becomes {
        return Ok(());
    }
    let user =
        keyword(Keyword::BecomeUser, "ansible_become_user")?.map_or_else(|| "root".to_owned(), |v| python::str(&v));
    let own = rustix::process::geteuid().as_raw();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let line = users.lines().find(|line| line.split(':').next() == Some(&user));
    let id = line.and_then(|line| line.split(':').nth(2)).and_then(|id| id.parse::<u32>().ok());
    if id == Some(own) || (user == "root" && own == 0) {
        return Ok(());
    }
    Err(TemplateError::value(format!("the task is to run as `{user}`, and tasks run only as the user who starts them"))
        .or_at(Some(task.find_keyword(Keyword::Become).map_or(&task.span, |node| node.span())))
        .hint(format!("start the run as `{user}`, or leave out `become`")))
}
