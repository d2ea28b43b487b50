//! Deliveries of one-time passwords, and rotations: `credentials` and `rotate` of `registry_token`.

mod deliver;
mod ledger;
pub mod params;
mod read;
mod rotate;
mod settle;

use std::cell::RefCell;
use std::rc::Rc;

use deliver::Courier;
use ledger::{DeliveryLedger, MemoryLedger, StoreLedger};
use rotate::Rotation;
use settle::Settling;

pub use read::{RotationSetting, SinkSetting, Verification, WhenMissing, read_rotation, read_sinks, read_sinks_with};

use crate::ionos::model::Token;
use crate::ionos::{ApiError, Fact};
use crate::modules::resource::Site;
use crate::modules::{Failure, Outcome, TaskContext};
use crate::reconcile::TokenDesired;

/// What a task says of deliveries.
#[derive(Default)]
pub struct DeliverySetting {
    /// Where the password goes.
    pub sinks: Vec<SinkSetting>,
    /// When the token is rotated.
    pub rotation: Option<RotationSetting>,
    /// The host name of the registry, once it was read.
    server: RefCell<Option<Fact<String>>>,
}

impl DeliverySetting {
    /// Returns what a task says.
    pub fn new(sinks: Vec<SinkSetting>, rotation: Option<RotationSetting>) -> Self {
        Self { sinks, rotation, server: RefCell::default() }
    }

    fn needs_server(&self) -> bool {
        let is_login = |rotation: RotationSetting| rotation.verification == Verification::Login;
        self.rotation.is_some_and(is_login) || self.sinks.iter().any(|setting| setting.sink.needs_server())
    }

    /// Returns the host name of the registry, if it is needed.
    async fn server(&self, site: &Site<'_>) -> Result<Fact<String>, ApiError> {
        let (true, Some(registry)) = (self.needs_server(), site.parent) else { return Ok(Fact::default()) };
        if let Some(server) = &*self.server.borrow() {
            return Ok(server.clone());
        }
        let registry = site.api.registry(registry).await?;
        let server = registry.map(|registry| registry.properties.hostname).unwrap_or_default();
        self.server.replace(Some(server.clone()));
        Ok(server)
    }

    /// Checks that every sink can take a password, before a token is created.
    ///
    /// # Errors
    /// With the first sink that cannot.
    pub async fn prepare(&self, site: &Site<'_>) -> Result<(), ApiError> {
        if self.sinks.is_empty() {
            return Ok(());
        }
        let ledger = MemoryLedger::default();
        let server = self.server(site).await?;
        let courier = Courier { context: site.context, sinks: &self.sinks, ledger: &ledger, server };
        courier.prepare().await.map_err(ApiError::unsent)
    }

    /// Delivers the password of a token that is as desired, and rotates the token.
    ///
    /// # Errors
    /// If a sink does not have the password in the end, or a step of the rotation fails.
    pub async fn settle(
        &self,
        site: &Site<'_>,
        (family, fields): (&str, &TokenDesired),
        token: &Token,
        outcome: Outcome,
    ) -> Result<Outcome, Failure> {
        let (false, Some(registry)) = (self.sinks.is_empty(), site.parent) else { return Ok(outcome) };
        let ledger = ledger(site.context);
        let server = match self.server(site).await {
            Ok(server) => server,
            Err(error) => {
                let Outcome { changed, data, actions, .. } = outcome;
                let message = format!("failed to read the host name of the registry: {error}");
                return Err(Failure { changed, data, actions, ..Failure::new(message) });
            }
        };
        let courier = Courier { context: site.context, sinks: &self.sinks, ledger: &*ledger, server };
        let settling = Settling { site, registry, fields, courier, outcome };
        match self.rotation {
            None => settling.deliver(token).await,
            Some(setting) => Rotation::observe(settling, setting, family, token).await?.run().await,
        }
    }
}

/// Returns what remembers deliveries: the credential store, or memory over it in a dry run.
fn ledger(context: &TaskContext<'_>) -> Box<dyn DeliveryLedger> {
    match &context.credentials {
        Some(store) if !context.check => Box::new(StoreLedger(Rc::clone(store))),
        recorded => Box::new(MemoryLedger::over(recorded.clone())),
    }
}
