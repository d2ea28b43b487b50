//! Deliveries of one-time passwords, and rotations: `credentials` and `rotate` of `registry_token`.

mod deliver;
mod error;
mod ledger;
pub mod params;
mod read;
mod rotate;
mod settle;

use std::cell::RefCell;
use std::rc::Rc;

use deliver::PasswordDelivery;
use ledger::{DeliveryLedger, MemoryLedger, StoreLedger};
use rotate::Rotation;
use settle::Settling;

pub use read::{
    DeliveryVerification, RotationSetting, SinkSetting, WhenMissing, read_rotation, read_sinks, read_sinks_with,
};

use crate::diagnostic::Diagnostic;
use crate::ionos::model::Token;
use crate::ionos::{ApiError, Deferred};
use crate::modules::resource::Site;
use crate::modules::{Failure, ModuleArgs, ModuleOutcome, ObjectClaim, TaskContext};
use crate::reconcile::TokenDesired;

/// Returns the places that a task delivers to; `None` if its sinks cannot be read. The commands of sinks may write to one
/// place, and the store keeps entries apart by itself.
pub fn claim_places(args: &ModuleArgs, environment: &[(String, String)]) -> Option<Vec<ObjectClaim>> {
    let sinks = read_sinks_with(args, environment, &|_, why| Diagnostic::error(why)).ok()?;
    let names = sinks.iter().map(|setting| setting.sink.name()).filter(|name| name != "store");
    let place = |name: String| if name.starts_with("command ") { "command".to_owned() } else { name };
    Some(names.map(|name| ObjectClaim::Place(place(name))).collect())
}

/// Delivery options of a task: sinks and rotation.
#[derive(Default)]
pub struct DeliverySetting {
    /// Where the password goes.
    pub sinks: Vec<SinkSetting>,
    /// When the token is rotated.
    pub rotation: Option<RotationSetting>,
    /// The host name of the registry, once it was read.
    server: RefCell<Option<Deferred<String>>>,
}

impl DeliverySetting {
    /// Returns what a task says.
    pub fn new(sinks: Vec<SinkSetting>, rotation: Option<RotationSetting>) -> Self {
        Self { sinks, rotation, server: RefCell::default() }
    }

    fn needs_server(&self) -> bool {
        let is_login = |rotation: RotationSetting| rotation.verification == DeliveryVerification::Login;
        self.rotation.is_some_and(is_login) || self.sinks.iter().any(|setting| setting.sink.needs_server())
    }

    /// Returns the host name of the registry, if it is needed.
    async fn read_registry_host(&self, site: &Site<'_>) -> Result<Deferred<String>, ApiError> {
        let (true, Some(registry)) = (self.needs_server(), site.parent) else { return Ok(Deferred::default()) };
        if let Some(server) = &*self.server.borrow() {
            return Ok(server.clone());
        }
        let registry = site.api.get_registry(registry).await?;
        let server = registry.map(|registry| registry.properties.hostname).unwrap_or_default();
        self.server.replace(Some(server.clone()));
        Ok(server)
    }

    /// Checks that every sink can take a password, before a token is created.
    ///
    /// # Errors
    /// With the first sink that cannot.
    pub async fn prepare_sinks(&self, site: &Site<'_>) -> Result<(), ApiError> {
        if self.sinks.is_empty() {
            return Ok(());
        }
        let ledger = MemoryLedger::default();
        let server = self.read_registry_host(site).await?;
        let courier = PasswordDelivery { context: site.context, sinks: &self.sinks, ledger: &ledger, server };
        courier.prepare_sinks().await.map_err(|error| ApiError::unsent(error.to_string()))
    }

    /// Delivers the password of a token that is as desired, and rotates the token.
    ///
    /// # Errors
    /// If a sink does not have the password in the end, or a step of the rotation fails.
    pub async fn deliver_and_rotate(
        &self,
        site: &Site<'_>,
        (family, fields): (&str, &TokenDesired),
        token: &Token,
        outcome: ModuleOutcome,
    ) -> Result<ModuleOutcome, Failure> {
        let (false, Some(registry)) = (self.sinks.is_empty(), site.parent) else { return Ok(outcome) };
        let ledger = open_ledger(site.context);
        let server = match self.read_registry_host(site).await {
            Ok(server) => server,
            Err(error) => {
                let ModuleOutcome { changed, data, actions, .. } = outcome;
                let message = format!("failed to read the host name of the registry: {error}");
                return Err(Failure { changed, data, actions, ..Failure::new(message) });
            }
        };
        let courier = PasswordDelivery { context: site.context, sinks: &self.sinks, ledger: &*ledger, server };
        let settling = Settling { site, registry, fields, courier, outcome };
        match self.rotation {
            None => settling.deliver_token(token).await,
            Some(setting) => Rotation::observe_generations(settling, setting, family, token).await?.run_steps().await,
        }
    }
}

/// Returns what remembers deliveries: the credential store, or memory over it in a dry run.
fn open_ledger(context: &TaskContext<'_>) -> Box<dyn DeliveryLedger> {
    match &context.credentials {
        Some(store) if !context.check => Box::new(StoreLedger(Rc::clone(store))),
        recorded => Box::new(MemoryLedger::with_store(recorded.clone())),
    }
}
