//! The embedded container registry API, with its own logic and its own store.
//!
//! It is made from the description of the API alone and shares nothing with the client, so that either can prove the other
//! wrong. Where the description leaves something open, the server is as awkward as it may be: unknown keys in answers,
//! partial matches in filters, bodies with undocumented keys refused. Nothing here talks to the network beyond loopback.

mod call;
mod clock;
mod fault;
mod http;
mod log;
mod persist;
mod registries;
mod reply;
mod repositories;
mod seed;
mod server;
mod service;
mod store;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_contents;
#[cfg(test)]
mod tests_store;
#[cfg(test)]
mod tests_wire;
mod tokens;
mod validate;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

pub use clock::MockTime;
pub use fault::{DescriptionError, InjectedFault, InjectedFaultKind, When, parse_duration};
pub use log::RequestRecord;
pub use seed::Seed;
pub use store::{ChangeInfo, MockStore, Pace, StoredRegistry, StoredScope, StoredToken};
pub use tokens::password_of;

use clock::Clock;
use fault::FaultSet;
use log::RequestLog;
use persist::Keeper;
use server::Server;
use service::{BASE, Service};

/// The bearer token that is accepted when no other credentials are asked for.
pub const TOKEN: &str = "sandbox-token";

/// How late answers come.
#[derive(Debug, Clone, Copy, Default)]
pub struct Latency {
    /// At least so late.
    pub fixed: Duration,
    /// And up to so much later, at random.
    pub jitter: Duration,
}

impl Latency {
    fn next(self) -> Duration {
        if self.jitter.is_zero() { self.fixed } else { self.fixed + self.jitter.mul_f64(rand::random::<f64>()) }
    }
}

/// How a server behaves.
pub struct SandboxOptions {
    /// Where it listens: a loopback address, port 0 for any free one.
    pub listen: SocketAddr,
    /// Accepted bearer tokens.
    pub tokens: Vec<String>,
    /// Accepted user names with their passwords.
    pub logins: Vec<(String, String)>,
    /// The user whom bearer tokens belong to, shown in `createdBy`.
    pub user: String,
    /// Initial objects of the account; ignored when the store file already has objects.
    pub seed: Seed,
    /// Keeps the store in this file.
    pub store: Option<PathBuf>,
    /// Injected faults.
    pub faults: Vec<InjectedFault>,
    /// How late answers come.
    pub latency: Latency,
    /// How long registries take to come and go.
    pub pace: Pace,
    /// Where the clock starts; none for the real time.
    pub now: Option<MockTime>,
    /// How many times as fast as real time the clock runs.
    pub time_scale: f64,
    /// How far ahead an expiry must be; none for any. The console asks for one hour, of the API it is not known.
    pub minimum_expiry: Option<Duration>,
    /// Two registries, or two tokens of one registry, may have one name.
    pub duplicate_names: bool,
    /// Token names are not checked against the pattern of the description.
    pub any_token_name: bool,
    /// The largest page of registries and tokens, whatever is asked for.
    pub max_page: usize,
    /// Keys in answers that no schema knows.
    pub extras: bool,
    /// Also writes every request as a line to this.
    pub log: Option<Box<dyn io::Write + Send + Sync>>,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            tokens: vec![TOKEN.to_owned()],
            logins: Vec::new(),
            user: "user@example.org".to_owned(),
            seed: Seed::default(),
            store: None,
            faults: Vec::new(),
            latency: Latency::default(),
            pace: Pace {
                new: Duration::from_millis(500),
                storage: Duration::from_millis(1500),
                deletion: Duration::from_secs(1),
            },
            now: None,
            time_scale: 1.0,
            minimum_expiry: None,
            duplicate_names: false,
            any_token_name: false,
            max_page: 1000,
            extras: true,
            log: None,
        }
    }
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// A fault cannot be read.
    #[error(transparent)]
    Fault(#[from] DescriptionError),
    /// The port is taken, or the system refuses.
    #[error("cannot listen on {address}: {why}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// The system's words.
        why: io::Error,
    },
    /// The address could be reached from elsewhere.
    #[error(
        "{0} is not a loopback address; the sandbox has made-up credentials and must not be reachable from elsewhere"
    )]
    NotLoopback(SocketAddr),
    /// The store file cannot be used.
    #[error(transparent)]
    Store(#[from] persist::StoreFileError),
    /// The system gives no thread or no event loop.
    #[error("cannot start the server's thread: {0}")]
    Thread(io::Error),
}

/// A running server; it stops when this is dropped.
pub struct Handle {
    server: Arc<Server>,
    stop: Mutex<Option<oneshot::Sender<()>>>,
    thread: Option<JoinHandle<()>>,
}

/// Starts a server in a thread of its own; when this returns, it can be asked.
pub fn start_server(mut options: SandboxOptions) -> Result<Handle, SandboxError> {
    if !options.listen.ip().is_loopback() {
        return Err(SandboxError::NotLoopback(options.listen));
    }
    let faults = FaultSet::new(std::mem::take(&mut options.faults))?;
    let clock = Clock::new(options.now, options.time_scale);
    let (keeper, kept) = options.store.as_deref().map(Keeper::open_file).transpose()?.unzip();
    let seed = std::mem::take(&mut options.seed);
    let store = kept.flatten().unwrap_or_else(|| seed.into_store(clock.now(), &options.user));
    if let Some(keeper) = &keeper {
        keeper.save_store(&store)?;
    }
    let log = RequestLog::new(options.log.take());

    let listen = |why| SandboxError::Listen { address: options.listen, why };
    let listener = TcpListener::bind(options.listen).map_err(listen)?;
    listener.set_nonblocking(true).map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let service = Service { options, clock, address, store: Mutex::new(store), keeper };
    let server = Arc::new(Server { service, faults, log });

    let (stop, stopped) = oneshot::channel();
    let (ready, begun) = mpsc::channel();
    let shared = Arc::clone(&server);
    let run = move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(why) => return drop(ready.send(Err(why))),
        };
        runtime.block_on(async {
            match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => {
                    let _ = ready.send(Ok(()));
                    server::serve_connections(shared, listener, stopped).await;
                }
                Err(why) => drop(ready.send(Err(why))),
            }
        });
    };
    let thread = std::thread::Builder::new().name("sandbox".to_owned()).spawn(run).map_err(SandboxError::Thread)?;
    match begun.recv() {
        Ok(Ok(())) => Ok(Handle { server, stop: Mutex::new(Some(stop)), thread: Some(thread) }),
        Ok(Err(why)) => Err(SandboxError::Thread(why)),
        Err(_) => Err(SandboxError::Thread(io::Error::other("it ended at once"))),
    }
}

impl Handle {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.service.address
    }

    /// Returns the base URL for clients (`IONOS_API_URL`).
    pub fn url(&self) -> String {
        format!("http://{}{BASE}", self.address())
    }

    /// All requests so far, oldest first.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.server.log.entries()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.server.log.clear();
    }

    /// Looks into the store, as it stands at the server's present time.
    pub fn read_store(&self) -> MockStore {
        let mut store = log::lock_mutex(&self.server.service.store).clone();
        store.remove_expired(self.now(), self.server.service.options.pace);
        store
    }

    /// Returns the time of the server's clock.
    pub fn now(&self) -> MockTime {
        self.server.service.clock.now()
    }

    /// Puts the server's clock forward.
    pub fn advance(&self, by: Duration) {
        self.server.service.clock.advance(by);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Some(stop) = log::lock_mutex(&self.stop).take() {
            // A server that already ended needs no telling.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // A panic over there was already reported by the thread itself.
            let _ = thread.join();
        }
    }
}
