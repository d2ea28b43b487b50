//! The delivery of one password to all sinks of a task, and what the sinks have of it later.

use zeroize::Zeroizing;

use super::error::DeliveryError;
use super::ledger::DeliveryLedger;
use super::read::{SinkSetting, WhenMissing};
use crate::credentials::login::check_login;
use crate::credentials::sinks::{
    DeliveryContext, Login, LoginTemplateError, Presence, Receipt, Sink, TemplateRenderer,
};
use crate::ionos::Deferred;
use crate::ionos::model::Token;
use crate::modules::TaskContext;
use crate::template::FileOptions;
use crate::value::{Value, python};

/// How a sink and the password of a token stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SinkStatus {
    /// It has what was delivered to it.
    Current,
    /// It was delivered now.
    Delivered,
    /// It has something else.
    Different,
    /// The delivery failed.
    Failed,
    /// It has nothing.
    Missing,
    /// It would be delivered.
    Planned,
    /// It cannot be read, and nothing is recorded of a delivery.
    Unverified,
}

impl SinkStatus {
    fn name(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Delivered => "delivered",
            Self::Different => "different",
            Self::Failed => "failed",
            Self::Missing => "missing",
            Self::Planned => "planned",
            Self::Unverified => "unverified",
        }
    }
}

/// How one sink stands.
#[derive(Debug, Clone)]
pub(super) struct SinkReport {
    /// The name of the sink.
    pub sink: String,
    /// How it stands.
    pub status: SinkStatus,
    /// Destination that the sink writes to, or the reason of its failure.
    pub message: String,
    /// Reaction to a sink that has lost the password.
    pub when_missing: WhenMissing,
}

impl SinkReport {
    /// Returns the report as results show it.
    pub(super) fn to_value(&self) -> Value {
        let pairs = [("sink", self.sink.as_str()), ("status", self.status.name()), ("msg", &self.message)];
        Value::dict(pairs.map(|(key, value)| (key, Value::text(value))))
    }

    /// Returns whether the sink has lost the password.
    pub(super) fn is_drift(&self) -> bool {
        matches!(self.status, SinkStatus::Missing | SinkStatus::Different)
    }
}

/// The password of a token, as far as this run has it.
pub(super) enum PasswordState {
    /// This.
    Known(Zeroizing<String>),
    /// It will be known after the creation, which a dry run only predicts.
    Later,
    /// Only the sinks have it.
    Gone,
}

/// Returns the password of a token, as far as this run has it.
pub(super) fn password_of(token: &Token) -> PasswordState {
    match token.properties.credentials.as_ref().map(|pair| &pair.password) {
        Some(Deferred::Unknown(_)) => PasswordState::Later,
        Some(Deferred::Known(text)) if !text.is_empty() => {
            PasswordState::Known(Zeroizing::new(text.expose().to_owned()))
        }
        _ => PasswordState::Gone,
    }
}

/// Delivers passwords to the sinks of a task.
pub(super) struct PasswordDelivery<'a> {
    pub(super) context: &'a TaskContext<'a>,
    pub(super) sinks: &'a [SinkSetting],
    pub(super) ledger: &'a dyn DeliveryLedger,
    /// The host name of the registry.
    pub(super) server: Deferred<String>,
}

impl PasswordDelivery<'_> {
    fn delivery_context<'b>(&'b self, templates: &'b TaskTemplates<'b>) -> DeliveryContext<'b> {
        DeliveryContext { host: self.context.host, environment: self.context.environment, templates }
    }

    fn server(&self) -> Option<&str> {
        self.server.known().map(String::as_str).filter(|server| !server.is_empty())
    }

    /// Delivers the password to every sink that does not have it; without a password, looks what the sinks have.
    pub(super) async fn deliver_password(&self, token: &Token) -> Vec<SinkReport> {
        let mut reports = Vec::with_capacity(self.sinks.len());
        let password = password_of(token);
        for setting in self.sinks {
            let sink = &*setting.sink;
            let (status, message) = match &password {
                PasswordState::Later => (SinkStatus::Planned, format!("would {}", sink.describe())),
                PasswordState::Known(password) => self.deliver_to(sink, token, password).await,
                PasswordState::Gone => self.compare_sink(sink, token).await,
            };
            reports.push(SinkReport { sink: sink.name(), status, message, when_missing: setting.when_missing });
        }
        reports
    }

    async fn deliver_to(&self, sink: &dyn Sink, token: &Token, password: &Zeroizing<String>) -> (SinkStatus, String) {
        let templates = TaskTemplates(self.context);
        let delivery = self.delivery_context(&templates);
        let id = token.id.display_text();
        if let Some(receipt) = self.ledger.find_receipt(id, &sink.name())
            && let Ok(Presence::Current | Presence::Unverifiable) =
                sink.verify_delivery(delivery, self.server(), Some(&receipt)).await
        {
            return (SinkStatus::Current, "has the password".to_owned());
        }
        if sink.needs_server() && self.server().is_none() {
            return (SinkStatus::Failed, "the registry has no host name yet".to_owned());
        }
        match sink.deliver_login(delivery, &self.build_login(token, password)).await {
            Ok(receipt) => {
                self.ledger.record_receipt(id, &sink.name(), &receipt);
                let message = if self.context.check { format!("would {}", sink.describe()) } else { sink.describe() };
                (SinkStatus::Delivered, message)
            }
            Err(error) => (SinkStatus::Failed, error.to_string()),
        }
    }

    /// Compares what a sink has with what was delivered to it.
    async fn compare_sink(&self, sink: &dyn Sink, token: &Token) -> (SinkStatus, String) {
        let templates = TaskTemplates(self.context);
        let receipt = self.ledger.find_receipt(token.id.display_text(), &sink.name());
        let found = sink.verify_delivery(self.delivery_context(&templates), self.server(), receipt.as_ref()).await;
        match (found, receipt) {
            (Err(error), _) => (SinkStatus::Failed, error.to_string()),
            (Ok(Presence::Missing), _) => (SinkStatus::Missing, "does not have the password".to_owned()),
            (Ok(Presence::Different), _) => {
                (SinkStatus::Different, "has something else than what was delivered".to_owned())
            }
            (Ok(Presence::Current | Presence::Unverifiable), Some(_)) => {
                (SinkStatus::Current, "has the password".to_owned())
            }
            (Ok(_), None) => (SinkStatus::Unverified, "no delivery is recorded".to_owned()),
        }
    }

    fn build_login(&self, token: &Token, password: &Zeroizing<String>) -> Login {
        let expires = token.properties.expiry_date.known().and_then(Option::as_ref);
        Login {
            server: self.server().unwrap_or_default().to_owned(),
            username: token.properties.name.display_text().to_owned(),
            password: password.clone(),
            token_id: token.id.display_text().to_owned(),
            expires: expires.map(crate::ionos::Date::to_request_text),
        }
    }

    /// Checks that every sink that can be read has what was delivered, and that the login works if that is asked for.
    ///
    /// # Errors
    /// With the first thing that is not as it has to be.
    pub(super) async fn verify_sinks(&self, token: &Token, with_login: bool) -> Result<(), DeliveryError> {
        let password = match password_of(token) {
            // There is nothing yet that could be read, or a dry run has written nothing.
            PasswordState::Later => return Ok(()),
            PasswordState::Known(_) if self.context.host.is_dry_run() => return Ok(()),
            PasswordState::Known(password) => Some(password),
            PasswordState::Gone => None,
        };
        let templates = TaskTemplates(self.context);
        for SinkSetting { sink, .. } in self.sinks {
            let receipt: Option<Receipt> = self.ledger.find_receipt(token.id.display_text(), &sink.name());
            let found = sink.verify_delivery(self.delivery_context(&templates), self.server(), receipt.as_ref()).await;
            match found {
                Ok(Presence::Current | Presence::Unverifiable) => {}
                Ok(_) => return Err(DeliveryError::NotDelivered { sink: sink.name() }),
                Err(source) => return Err(DeliveryError::Sink { sink: sink.name(), source }),
            }
        }
        let (true, Some(password)) = (with_login, password) else { return Ok(()) };
        let login = self.build_login(token, &password);
        Ok(check_login(self.context.host, &login).await?)
    }

    /// Checks that every sink can take a password, before there is one.
    ///
    /// # Errors
    /// With the first sink that cannot.
    pub(super) async fn prepare_sinks(&self) -> Result<(), DeliveryError> {
        let templates = TaskTemplates(self.context);
        for SinkSetting { sink, .. } in self.sinks {
            let prepared = sink.prepare_delivery(self.delivery_context(&templates), self.server()).await;
            prepared.map_err(|source| DeliveryError::Sink { sink: sink.name(), source })?;
        }
        Ok(())
    }
}

/// Template files of the playbook.
struct TaskTemplates<'a>(&'a TaskContext<'a>);

impl TemplateRenderer for TaskTemplates<'_> {
    fn render_login(&self, template: &str, login: &Login) -> Result<Zeroizing<String>, LoginTemplateError> {
        let path = self.0.find_file("templates", template).ok_or(LoginTemplateError::NoFile)?;
        let content = self.0.template.read(&path)?;
        let text = String::from_utf8(content).map_err(|_| LoginTemplateError::NotText)?;
        let vars = [
            ("server", Value::text(login.server.as_str())),
            ("username", Value::text(login.username.as_str())),
            ("password", Value::secret(login.password.as_str())),
            ("token_id", Value::text(login.token_id.as_str())),
            ("expires", login.expires.as_deref().map_or(Value::Null, Value::text)),
        ];
        let vars = vars.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let name = path.display().to_string();
        let rendered = FileOptions::default().render_file(self.0.template, &name, &text, vars)?;
        Ok(Zeroizing::new(python::str(&rendered)))
    }
}
