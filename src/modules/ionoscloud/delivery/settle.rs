//! What follows once a token is as desired: its password is delivered, and what the sinks have is compared.

use super::super::returned;
use super::deliver::{PasswordDelivery, PasswordState, SinkReport, SinkStatus, password_of};
use super::read::{SinkSetting, WhenMissing};
use crate::ionos::api::Id;
use crate::ionos::create;
use crate::ionos::model::{NewToken, Token};
use crate::ionos::{ApiError, Deferred};
use crate::modules::resource::{Site, id_value};
use crate::modules::{Diff, Failure, ModuleEffect, ModuleOutcome};
use crate::reconcile::{Record, TokenDesired, Verb, replacement_token, token_fields};
use crate::value::{Dict, Value};

/// The kind of object in records.
const KIND: &str = "Registry Token";

/// One task that delivers.
pub(super) struct Settling<'a> {
    pub(super) site: &'a Site<'a>,
    pub(super) registry: &'a Id,
    pub(super) fields: &'a TokenDesired,
    pub(super) courier: PasswordDelivery<'a>,
    pub(super) outcome: ModuleOutcome,
}

impl Settling<'_> {
    /// Delivers the password of a token; one that a sink has lost is replaced where the task says so.
    pub(super) async fn deliver_token(mut self, token: &Token) -> Result<ModuleOutcome, Failure> {
        let reports = self.courier.deliver_password(token).await;
        if !needs_replacement(&reports) {
            return self.conclude_delivery(token, &reports);
        }
        let reason = list_lost(&reports);
        let made = match self.replace_in_place(token).await {
            Ok(made) => made,
            Err(error) => return Err(self.into_failure(format!("failed to replace the {KIND}: {error}"))),
        };
        self.record_action(Verb::Replace, token, Some(&made), Some(reason));
        self.show_token(&made, "replace");
        let reports = self.courier.deliver_password(&made).await;
        self.conclude_delivery(&made, &reports)
    }

    /// Names are unique, so the old token goes first. The password it had is lost in some place already.
    async fn replace_in_place(&self, old: &Token) -> Result<Token, ApiError> {
        self.courier.prepare_sinks().await.map_err(|error| ApiError::unsent(error.to_string()))?;
        self.site.api.delete_token(self.registry, &old.id).await?;
        self.create_token(&replacement_token(self.fields, old)).await
    }

    /// Creates a token, with recovery.
    pub(super) async fn create_token(&self, new: &NewToken) -> Result<Token, ApiError> {
        let made = create::create_token(self.site.api, self.registry, new, &self.site.creation_settings(None)).await?;
        made.notes.into_iter().for_each(|note| self.site.context.warn(note));
        Ok(made.object)
    }

    /// Returns the result, with what every sink has.
    ///
    /// # Errors
    /// If a sink does not have the password.
    pub(super) fn conclude_delivery(mut self, token: &Token, reports: &[SinkReport]) -> Result<ModuleOutcome, Failure> {
        let name = token.properties.name.display_text().to_owned();
        let confirmed = self.confirm_delivery(token, reports);
        self.note_reports(reports);
        let with = |status: SinkStatus| reports.iter().filter(move |report| report.status == status);
        if let Some(first) = with(SinkStatus::Failed).next() {
            let has: Vec<&SinkReport> =
                reports.iter().filter(|r| matches!(r.status, SinkStatus::Current | SinkStatus::Delivered)).collect();
            let not: Vec<&SinkReport> = reports.iter().filter(|r| r.status == SinkStatus::Failed).collect();
            let kept = match password_of(token) {
                PasswordState::Known(_) => {
                    format!(". The password is kept: run this again, or see `ionplay token show {name}`")
                }
                _ => String::new(),
            };
            let others = not.iter().skip(1).map(|r| format!("; {}: {}", r.sink, r.message)).collect::<String>();
            let message = format!(
                "the password of {KIND} `{name}` is in {}, and not in {}: {}{others}{kept}",
                sink_names(&has),
                sink_names(&not),
                first.message
            );
            return Err(self.into_failure(message));
        }
        let drift: Vec<&SinkReport> = reports.iter().filter(|report| report.is_drift()).collect();
        for report in drift.iter().filter(|report| report.when_missing == WhenMissing::Ignore) {
            self.site.context.warn(format!("{} {}", report.sink, report.message));
        }
        if drift.iter().any(|report| report.when_missing == WhenMissing::Fail) {
            let message = format!(
                "{}, and the store no longer has the password of {KIND} `{name}`. `when_missing: replace` creates a \
                 token with a new password, `when_missing: ignore` continues with a warning",
                list_lost(reports)
            );
            return Err(self.into_failure(message));
        }
        for report in with(SinkStatus::Unverified).filter(|report| report.when_missing != WhenMissing::Ignore) {
            self.site.context.warn(format!(
                "it is not known whether {} has the password of {KIND} `{name}`: no delivery is recorded here, and it \
                 cannot be read; `when_missing: ignore` drops this warning",
                report.sink
            ));
        }
        if confirmed {
            let state = if self.has_store() { "kept" } else { "delivered" };
            self.outcome.data.set("password", state.into());
        }
        Ok(self.outcome)
    }

    fn has_store(&self) -> bool {
        self.courier.sinks.iter().any(|SinkSetting { sink, .. }| sink.is_store())
    }

    /// Records that every sink has confirmed, if that is so and not recorded yet.
    pub(super) fn confirm_delivery(&self, token: &Token, reports: &[SinkReport]) -> bool {
        let is_confirmed = |report: &SinkReport| matches!(report.status, SinkStatus::Current | SinkStatus::Delivered);
        let PasswordState::Known(_) = password_of(token) else { return false };
        if !reports.iter().all(is_confirmed) {
            return false;
        }
        let id = token.id.display_text();
        match (self.has_store(), &self.courier.server) {
            (true, Deferred::Known(server)) => {
                if reports.iter().any(|report| report.status == SinkStatus::Delivered) {
                    self.courier.ledger.record_stored(id, server);
                }
            }
            _ => self.courier.ledger.record_delivered(id),
        }
        true
    }

    /// Adds what every sink has to the result and to the record of the token.
    fn note_reports(&mut self, reports: &[SinkReport]) {
        self.outcome.data.set("sinks", Value::list(reports.iter().map(SinkReport::to_value)));
        let is_new = |report: &&SinkReport| matches!(report.status, SinkStatus::Delivered | SinkStatus::Planned);
        let written: Vec<&SinkReport> = reports.iter().filter(is_new).collect();
        if written.is_empty() {
            return;
        }
        self.outcome.changed = true;
        if self.outcome.data.get("action").and_then(Value::as_str) == Some("none") {
            self.outcome.data.set("action", Verb::Update.name().into());
        }
        let described =
            Value::list(written.iter().map(|report| Value::text(format!("{}: {}", report.sink, report.message))));
        if let Some(record) = self.outcome.actions.iter_mut().rev().find(|record| record.verb != Verb::Delete) {
            if record.verb == Verb::Nothing {
                record.verb = Verb::Update;
            }
            record.after.set("credentials", described.clone());
        }
        if self.site.context.diff {
            let header = "sinks".to_owned();
            self.outcome.diff.push(Diff {
                before_header: header.clone(),
                after_header: header,
                before: Some(Value::list([])),
                after: Some(described),
                ..Diff::default()
            });
        }
    }

    /// Makes a token the object of the result.
    pub(super) fn show_token(&mut self, token: &Token, action: &str) {
        let returned = returned::token_value(token);
        returned.each_secret(&mut |secret| self.outcome.effects.push(ModuleEffect::Secret(secret.to_owned())));
        self.outcome.data.set("registry_token", returned);
        self.outcome.data.set("action", action.into());
        self.outcome.changed = true;
    }

    /// Adds a record of something that was done, or would be.
    pub(super) fn record_action(&mut self, verb: Verb, token: &Token, after: Option<&Token>, reason: Option<String>) {
        let shown = after.unwrap_or(token);
        let before = if verb == Verb::Create { Dict::new() } else { token_fields(token) };
        self.outcome.changed = true;
        self.outcome.actions.push(Record {
            kind: KIND,
            identity: shown.properties.name.display_text().to_owned(),
            id: id_value(&shown.id),
            parent: id_value(self.registry),
            verb,
            before,
            after: after.map(token_fields).unwrap_or_default(),
            reason,
            planned: self.site.context.check,
            error: None,
        });
    }

    /// Returns the failure of the task, with everything that was done before.
    pub(super) fn into_failure(self, message: String) -> Failure {
        let ModuleOutcome { changed, data, actions, .. } = self.outcome;
        Failure { changed, data, actions, ..Failure::new(message) }
    }
}

/// Returns whether a sink has lost the password and the task wants another token then.
pub(super) fn needs_replacement(reports: &[SinkReport]) -> bool {
    reports.iter().any(|report| report.is_drift() && report.when_missing == WhenMissing::Replace)
}

/// Returns which sinks have lost the password.
pub(super) fn list_lost(reports: &[SinkReport]) -> String {
    let lost = reports.iter().filter(|report| report.is_drift());
    lost.map(|report| format!("{} {}", report.sink, report.message)).collect::<Vec<_>>().join(", ")
}

fn sink_names(reports: &[&SinkReport]) -> String {
    match reports {
        [] => "no sink".to_owned(),
        some => some.iter().map(|report| format!("`{}`", report.sink)).collect::<Vec<_>>().join(", "),
    }
}
