//! The connection to the database: made again when it breaks, encrypted where the URL says so.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{Mutex, mpsc};
use tokio_postgres::config::{Config, SslMode};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, NoTls, Row};

use super::super::EngineError;
use super::schema;

/// A database that is away is waited for so long, unless it was never reached.
const PATIENCE: Duration = Duration::from_secs(8);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(200);

/// Parameters of a statement.
pub(super) type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

/// A message that another session has sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Notice {
    /// A request was posted.
    Posted,
    /// The record of a job has changed.
    Changed(String),
    /// The connection is new: anything may have changed.
    Reconnected,
}

/// Failure to connect.
#[derive(Debug, thiserror::Error)]
enum ConnectError {
    /// The database is not reached, or refuses this user.
    #[error("{}", describe(.0))]
    Database(#[from] tokio_postgres::Error),
    /// Encryption cannot be set up.
    #[error("{0}")]
    Tls(#[from] rustls::Error),
}

/// The connection.
pub(super) struct Link {
    config: Config,
    client: RefCell<Option<Rc<Client>>>,
    connecting: Mutex<()>,
    notices: mpsc::UnboundedSender<Notice>,
    /// Number of this session.
    own: Rc<Cell<i32>>,
}

impl Link {
    /// Connects for the first time.
    ///
    /// # Errors
    /// If the URL is wrong, or the database is not reached.
    pub async fn open(url: &str, host: &str) -> Result<(Self, mpsc::UnboundedReceiver<Notice>), EngineError> {
        let mut config: Config = url.parse().map_err(|_| EngineError::Store {
            what: "read the URL of the database".to_owned(),
            // The words of the library may have the password in them.
            why: "it is not of the form `postgres://USER:PASSWORD@HOST/DATABASE`, and not `KEY=VALUE ..`".to_owned(),
        })?;
        if config.get_application_name().is_none() {
            config.application_name(format!("ionplay gitops {host}"));
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(5));
        }
        config.tcp_user_timeout(PATIENCE).keepalives_idle(PATIENCE);
        let (notices, received) = mpsc::unbounded_channel();
        let link = Self { config, client: RefCell::default(), connecting: Mutex::new(()), notices, own: Rc::default() };
        link.connect().await.map_err(|error| refused(&error.to_string()))?;
        let client = link.client.borrow().clone();
        if let Some(client) = client {
            schema::prepare(&client).await.map_err(|error| EngineError::Store {
                what: "prepare the tables in the database".to_owned(),
                why: describe(&error),
            })?;
        }
        Ok((link, received))
    }

    /// Returns whether the tables are of this version.
    pub(super) async fn has_known_tables(&self) -> Result<bool, EngineError> {
        let rows =
            self.query("read the version of the tables", "select number from ionplay_gitops.version", &[]).await?;
        Ok(rows.first().is_some_and(|row| row.get::<_, i32>(0) == schema::VERSION))
    }

    async fn connect(&self) -> Result<Rc<Client>, ConnectError> {
        let _one = self.connecting.lock().await;
        let known = self.client.borrow().clone().filter(|client| !client.is_closed());
        if let Some(client) = known {
            return Ok(client);
        }
        let client = match self.config.get_ssl_mode() {
            SslMode::Disable => self.start(NoTls).await?,
            _ => self.start(Tls::new()?).await?,
        };
        let number = client.query("select pg_backend_pid()", &[]).await?;
        self.own.set(number.first().map_or(0, |row| row.get(0)));
        client.batch_execute(schema::SESSION).await?;
        let client = Rc::new(client);
        self.client.replace(Some(Rc::clone(&client)));
        let _ = self.notices.send(Notice::Reconnected);
        Ok(client)
    }

    async fn start<T>(&self, tls: T) -> Result<Client, ConnectError>
    where
        T: MakeTlsConnect<tokio_postgres::Socket>,
        T::Stream: 'static,
    {
        let (client, mut connection) = self.config.connect(tls).await?;
        let (notices, own) = (self.notices.clone(), Rc::clone(&self.own));
        tokio::task::spawn_local(async move {
            while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
                let AsyncMessage::Notification(notification) = message else { continue };
                // What this process has changed itself is not news to it.
                if notification.process_id() == own.get() && notification.payload().starts_with("job:") {
                    continue;
                }
                let notice = match notification.payload().strip_prefix("job:") {
                    Some(job) => Notice::Changed(job.to_owned()),
                    None => Notice::Posted,
                };
                let _ = notices.send(notice);
            }
        });
        Ok(client)
    }

    /// Runs a statement, and returns its rows. A broken connection is made again; statements have to bear that they are
    /// run twice.
    ///
    /// # Errors
    /// If the database refuses it, or is away for long.
    pub async fn query(&self, what: &str, sql: &str, parameters: Parameters<'_>) -> Result<Vec<Row>, EngineError> {
        let failed = |why: String| EngineError::Store { what: what.to_owned(), why };
        let began = Instant::now();
        loop {
            let why = match self.connect().await {
                Ok(client) => match client.query(sql, parameters).await {
                    Ok(rows) => return Ok(rows),
                    Err(error) if !client.is_closed() && !is_passing(&error) => return Err(failed(describe(&error))),
                    Err(error) => describe(&error),
                },
                Err(error) => error.to_string(),
            };
            if began.elapsed() > PATIENCE {
                return Err(failed(why));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Whether the server said so because it starts or ends.
fn is_passing(error: &tokio_postgres::Error) -> bool {
    error.is_closed()
        || error.code().is_some_and(|code| code.code().starts_with("57P") || code.code().starts_with("08"))
}

fn refused(why: &str) -> EngineError {
    EngineError::Store { what: "connect to the database".to_owned(), why: why.to_owned() }
}

/// Returns the words of an error with those of its cause; the library tells them apart.
pub(super) fn describe(error: &tokio_postgres::Error) -> String {
    if let Some(error) = error.as_db_error() {
        return error.message().to_owned();
    }
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        words = format!("{words}: {next}");
        cause = next.source();
    }
    words
}

/// TLS with the certificates of the system.
#[derive(Clone)]
struct Tls(Arc<rustls::ClientConfig>);

impl Tls {
    fn new() -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = rustls_platform_verifier::Verifier::new(Arc::clone(&provider))?;
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }
}

struct TlsTo {
    config: Arc<rustls::ClientConfig>,
    name: String,
}

struct TlsSession<S>(tokio_rustls::client::TlsStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Tls {
    type Stream = TlsSession<S>;
    type TlsConnect = TlsTo;
    type Error = io::Error;

    fn make_tls_connect(&mut self, name: &str) -> io::Result<TlsTo> {
        Ok(TlsTo { config: Arc::clone(&self.0), name: name.to_owned() })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for TlsTo {
    type Stream = TlsSession<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TlsSession<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            let name = ServerName::try_from(self.name).map_err(io::Error::other)?;
            let session = tokio_rustls::TlsConnector::from(self.config).connect(name, stream).await?;
            Ok(TlsSession(session))
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for TlsSession<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsSession<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsSession<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
