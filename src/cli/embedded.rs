//! `--sandbox`: the embedded API in this process, and a connector that lets no task talk to anything else.

use std::rc::Rc;
use std::time::Duration;

use crate::cli_interface::SANDBOX_URL_VARIABLE;
use crate::ionos::{ApiConnection, ApiError, Connector, Credentials, RegistryApi};
use crate::sandbox::{self, Handle, Pace, Seed};

/// The mock registry of a run.
pub enum MockRegistry {
    /// It belongs to this process, and ends with it.
    Own(Handle),
    /// It belongs to the process that started this one, at this URL, and outlives this run.
    Shared(String),
}

impl MockRegistry {
    /// Returns its base URL.
    pub fn url(&self) -> String {
        match self {
            Self::Own(handle) => handle.url(),
            Self::Shared(url) => url.clone(),
        }
    }

    /// Returns whether what is made in it outlives this run.
    pub fn is_shared(&self) -> bool {
        matches!(self, Self::Shared(_))
    }
}

/// The registry that is there from the start.
pub const DEMO: &str = "demo";

/// Starts the sandbox with the registry `demo` in it. Registries run soon after they are made: waiting would show
/// nothing.
///
/// # Errors
/// If no port can be had.
pub fn start_mock() -> Result<MockRegistry, sandbox::SandboxError> {
    match std::env::var(SANDBOX_URL_VARIABLE) {
        Ok(url) if url.starts_with("http://127.0.0.1:") => Ok(MockRegistry::Shared(url)),
        _ => start_empty_mock().map(MockRegistry::Own),
    }
}

/// Starts the mock registry of this process.
///
/// # Errors
/// If no port can be had.
pub fn start_empty_mock() -> Result<Handle, sandbox::SandboxError> {
    let seed = demo_seed();
    let pace = Pace {
        new: Duration::from_millis(100),
        storage: Duration::from_millis(200),
        deletion: Duration::from_millis(100),
    };
    sandbox::start_server(sandbox::SandboxOptions { seed, pace, ..sandbox::SandboxOptions::default() })
}

/// Returns the content that an embedded service starts with.
pub fn demo_seed() -> Seed {
    Seed::parse_seed(&format!("registries: [{{name: {DEMO}}}]")).unwrap_or_default()
}

/// Returns environment variables for tasks, so that they need no account.
pub fn task_environment(server: &MockRegistry) -> Vec<(String, String)> {
    vec![("IONOS_API_URL".to_owned(), server.url()), ("IONOS_TOKEN".to_owned(), sandbox::TOKEN.to_owned())]
}

/// Sends every connection to the sandbox, whatever a task says: a run that was meant for the sandbox must never reach
/// an account.
pub struct MockConnector {
    inner: Rc<dyn Connector>,
    url: String,
}

impl MockConnector {
    /// A connector to this server.
    pub fn new(inner: Rc<dyn Connector>, server: &MockRegistry) -> Self {
        Self { inner, url: server.url() }
    }
}

impl Connector for MockConnector {
    fn connect(&self, connection: &ApiConnection) -> Result<Rc<dyn RegistryApi>, ApiError> {
        let mut connection = connection.clone();
        connection.endpoint.url.clone_from(&self.url);
        connection.endpoint.credentials = Credentials::Bearer(sandbox::TOKEN.to_owned());
        connection.endpoint.fingerprint = None;
        connection.endpoint.pin_only = false;
        self.inner.connect(&connection)
    }

    fn may_run_in_parallel(&self) -> bool {
        self.inner.may_run_in_parallel()
    }
}

/// One line about what was asked of the server.
pub fn summarize_requests(server: &MockRegistry) -> Option<String> {
    let MockRegistry::Own(server) = server else { return None };
    let requests = server.requests();
    let writing = requests.iter().filter(|request| request.is_write()).count();
    Some(format!("SANDBOX: {} requests, {writing} of them writing; nothing left this machine", requests.len()))
}
