//! Where the server listens: a TCP address or a Unix socket.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::super::config::Listen;

/// Mode of a socket: the user and the group may connect.
const SOCKET_MODE: u32 = 0o660;

/// Why the server cannot listen.
#[derive(Debug, Error)]
pub enum ListenError {
    /// The address cannot be read.
    #[error("`{0}` is not an address; write `127.0.0.1:8470`, `[::1]:8470` or `unix:/run/ionplay/gitops.sock`")]
    Address(String),
    /// The address is taken, or may not be used.
    #[error("cannot listen on `{address}`: {source}")]
    Bind {
        /// The address.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// A file that is not a socket stands in the way, or another process listens there.
    #[error("cannot listen on `{path}`: {why}", path = path.display())]
    Socket {
        /// The path.
        path: PathBuf,
        /// Why.
        why: &'static str,
    },
}

/// How far the peers of a listener are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Changes need the token.
    Tcp,
    /// Changes need the token, if there is one; else the mode of the socket decides who may connect.
    Socket,
}

/// A bound listener.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    trust: Trust,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    Unix { listener: UnixListener, path: PathBuf },
}

/// A connection of either kind.
pub(super) enum Stream {
    Tcp(TokioIo<TcpStream>),
    Unix(TokioIo<UnixStream>),
}

impl Listener {
    /// Listens on `HOST:PORT` or `unix:PATH`.
    ///
    /// # Errors
    /// If the address cannot be read or used.
    pub async fn bind(address: &str) -> Result<Self, ListenError> {
        if let Some(path) = address.strip_prefix("unix:") {
            return Self::bind_socket(Path::new(path));
        }
        let failed = |source| ListenError::Bind { address: address.to_owned(), source };
        let has_port = address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        if !has_port {
            return Err(ListenError::Address(address.to_owned()));
        }
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        Ok(Self { socket: Socket::Tcp(listener), trust: Trust::Tcp })
    }

    /// Listens where the file says.
    ///
    /// # Errors
    /// If the address cannot be used.
    pub async fn bind_to(listen: &Listen) -> Result<Self, ListenError> {
        match listen {
            Listen::Tcp(address) => Self::bind(&address.to_string()).await,
            Listen::Unix(path) => Self::bind_socket(path),
        }
    }

    fn bind_socket(path: &Path) -> Result<Self, ListenError> {
        remove_stale_socket(path)?;
        let failed = |source| ListenError::Bind { address: format!("unix:{}", path.display()), source };
        let listener = UnixListener::bind(path).map_err(failed)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(SOCKET_MODE)).map_err(failed)?;
        Ok(Self { socket: Socket::Unix { listener, path: path.to_owned() }, trust: Trust::Socket })
    }

    /// Returns the address, with the port that was taken for port 0.
    pub fn address(&self) -> String {
        match &self.socket {
            Socket::Tcp(listener) => {
                listener.local_addr().as_ref().map_or_else(ToString::to_string, SocketAddr::to_string)
            }
            Socket::Unix { path, .. } => format!("unix:{}", path.display()),
        }
    }

    /// Returns how far the peers are trusted.
    pub(super) const fn trust(&self) -> Trust {
        self.trust
    }

    /// Accepts a connection.
    pub(super) async fn accept(&self) -> io::Result<Stream> {
        match &self.socket {
            Socket::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(TokioIo::new(stream)))
            }
            Socket::Unix { listener, .. } => Ok(Stream::Unix(TokioIo::new(listener.accept().await?.0))),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Socket::Unix { path, .. } = &self.socket {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Removes a socket that a process left behind when it was killed; one that answers is in use.
fn remove_stale_socket(path: &Path) -> Result<(), ListenError> {
    let Ok(metadata) = std::fs::symlink_metadata(path) else { return Ok(()) };
    let refused = |why| ListenError::Socket { path: path.to_owned(), why };
    if !metadata.file_type().is_socket() {
        return Err(refused("a file that is not a socket exists there; move it away"));
    }
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(refused("another process listens there"));
    }
    std::fs::remove_file(path).map_err(|_| refused("a socket of an ended process exists there and cannot be removed"))
}
