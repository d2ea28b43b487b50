//! A client of the registry API with the credentials of the environment, for commands that run no playbook.

use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;

use crate::interrupt::Interrupt;
use crate::ionos::connection::{base_url, parse_fingerprint};
use crate::ionos::{
    ApiConnection, Connector as _, Credentials, Endpoint, HttpConnector, RegistryApi, Tuning, WaitPolicy,
};
use crate::progress::ProgressChannel;

/// How long a request may take with all its repetitions.
const PATIENCE: Duration = Duration::from_secs(60);

/// Returns a client for the account that the environment names.
///
/// # Errors
/// If there are no credentials, or the address cannot be used.
pub fn connect_from_environment() -> anyhow::Result<Rc<dyn RegistryApi>> {
    let get = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let basic = get("IONOS_USERNAME").zip(get("IONOS_PASSWORD"));
    let basic = basic.map(|(username, password)| Credentials::Basic { username, password });
    let credentials = get("IONOS_TOKEN").map(Credentials::Bearer).or(basic);
    let credentials =
        credentials.context("there are no credentials: set `IONOS_TOKEN`, or `IONOS_USERNAME` and `IONOS_PASSWORD`")?;
    let fingerprint = get("IONOS_CERTIFICATE_FINGERPRINT").unwrap_or_default();
    let endpoint = Endpoint {
        url: base_url(get("IONOS_API_URL").as_deref()).map_err(anyhow::Error::msg)?,
        credentials,
        contract: get("IONOS_CONTRACT_NUMBER"),
        fingerprint: parse_fingerprint(&fingerprint).map_err(anyhow::Error::msg)?,
        pin_only: false,
    };
    let waiting =
        WaitPolicy { patience: PATIENCE, interrupt: Interrupt::default(), progress: ProgressChannel::default() };
    let connection = ApiConnection {
        endpoint,
        waiting,
        tuning: Tuning::from_env(get),
        kept: None,
        is_reused: std::rc::Rc::default(),
        task: None,
    };
    HttpConnector::default().connect(&connection).map_err(anyhow::Error::msg)
}

/// Runs one piece of work to its end.
///
/// # Errors
/// If the system has no resources for it.
pub fn block_on<T>(work: impl Future<Output = T>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    Ok(runtime.context("cannot start")?.block_on(work))
}
